import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RelayDriver } from '../../src/domain/ports.ts';

/** What an implementation of the relay driver brings along to be tested. */
export interface RelayHarness {
  readonly relay: RelayDriver;
  /** Lets the contact's time pass. */
  settle(): Promise<void>;
  /** Holds the contact where it is, whatever is commanded. */
  jam(): void;
  /** From now on nobody answers. */
  silence(): Promise<void>;
  close(): Promise<void>;
}

/** Every implementation of `RelayDriver` passes this. */
export function relayDriverSuite(name: string, open: () => Promise<RelayHarness>): void {
  describe(`relay driver: ${name}`, () => {
    let harness: RelayHarness;

    beforeEach(async () => {
      harness = await open();
    });

    afterEach(async () => {
      await harness.close();
    });

    async function commanded(closed: boolean): Promise<boolean> {
      await harness.relay.command(closed);
      await harness.settle();
      return harness.relay.feedback();
    }

    test('is open before the first command', async () => {
      expect(await harness.relay.feedback()).toBe(false);
    });

    test('closes and opens on command, as often as it is told', async () => {
      expect(await commanded(true)).toBe(true);
      expect(await commanded(true)).toBe(true);
      expect(await commanded(false)).toBe(false);
      expect(await commanded(false)).toBe(false);
      expect(await commanded(true)).toBe(true);
    });

    test('ends where the last of many commands without a pause says', async () => {
      const burst = [true, false, true, true, false, true, false];
      await Promise.all(burst.map((closed) => harness.relay.command(closed)));
      await harness.settle();
      expect(await harness.relay.feedback()).toBe(false);
    });

    test('tells what the contact did, not what was commanded', async () => {
      await commanded(true);
      harness.jam();
      expect(await commanded(false)).toBe(true);
    });

    test('rejects when nobody answers, and never invents a contact', async () => {
      await commanded(true);
      await harness.silence();
      await expect(harness.relay.feedback()).rejects.toThrow();
      await expect(harness.relay.command(false)).rejects.toThrow();
    });
  });
}
