import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type MeterRegisters, openSunSpecMeter, type SunSpecMeter } from '../../src/adapters/modbus/sunspec-meter.ts';
import { isFault } from '../../src/errors/fault.ts';

/** A device at the other end of a TCP connection, and the truth that its meter is to show. */
export interface MeterBench {
  readonly port: number;
  /** Lets energy flow, and tells what the meter must show now. Import and export, in turns. */
  flow(): Promise<MeterRegisters>;
  /** The device vanishes from the network and comes back at the same port with its registers. */
  unplug(): Promise<void>;
  plugIn(): Promise<void>;
  close(): Promise<void>;
}

/** What every meter behind the port must do. */
export function meterSuite(name: string, openBench: () => Promise<MeterBench>): void {
  describe(name, () => {
    let bench: MeterBench;
    let meter: SunSpecMeter;

    beforeEach(async () => {
      bench = await openBench();
      const backoffMs = { first: 1, longest: 1 };
      meter = openSunSpecMeter({ host: '127.0.0.1', port: bench.port, unit: 1, backoffMs });
    });

    afterEach(async () => {
      await meter.close();
      await bench.close();
    });

    test('shows what flowed', async () => {
      for (let step = 0; step < 6; step += 1) {
        const truth = await bench.flow();
        expect(await meter.read()).toEqual(truth);
      }
      expect(meter.counters).toMatchObject({ timeouts: 0, exceptions: 0, drops: 0, connects: 1 });
    });

    test('counts import and export apart, and power with import positive', async () => {
      let before = await bench.flow();
      const seen = new Set<string>();
      for (let step = 0; step < 6; step += 1) {
        await bench.flow();
        const now = await meter.read();
        expect(now.importRegister).toBeGreaterThanOrEqual(before.importRegister);
        expect(now.exportRegister).toBeGreaterThanOrEqual(before.exportRegister);
        if (now.power > 0) seen.add('import');
        if (now.power < 0) seen.add('export');
        before = now;
      }
      expect([...seen].toSorted()).toEqual(['export', 'import']);
      expect(before.importRegister).toBeGreaterThan(0);
      expect(before.exportRegister).toBeGreaterThan(0);
    });

    test('shows the same to two readers', async () => {
      const other = openSunSpecMeter({ host: '127.0.0.1', port: bench.port, unit: 1 });
      const truth = await bench.flow();
      expect(await Promise.all([meter.read(), other.read()])).toEqual([truth, truth]);
      await other.close();
    });

    test('is a fault while it is away, and shows its registers again when it is back', async () => {
      const truth = await bench.flow();
      await meter.read();
      await bench.unplug();
      const answer: unknown = await meter.read().catch((error: unknown) => error);
      expect(isFault(answer, 'MODBUS_UNREACHABLE')).toBe(true);
      await bench.plugIn();
      expect(await readAgain(meter)).toEqual(truth);
    });
  });
}

/** The first reading after the pause between two attempts. */
async function readAgain(meter: SunSpecMeter): Promise<MeterRegisters> {
  for (;;) {
    try {
      return await meter.read();
    } catch (error) {
      if (!isFault(error, 'MODBUS_UNREACHABLE')) throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
