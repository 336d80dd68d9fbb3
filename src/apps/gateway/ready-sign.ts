import { publishJson } from '../../adapters/mqtt/json-topics.ts';
import { memberTopic } from '../../adapters/mqtt/wire.ts';
import type { DeviceBus } from '../../domain/ports.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { isFault } from '../../errors/fault.ts';

/** Tells the engine how far this gateway has done what was due. A broker that was away hears it again. */
export class ReadySign {
  readonly #bus: DeviceBus;
  readonly #topic: string;
  #ready: { readonly at: EpochMs } | null = null;

  constructor(bus: DeviceBus, { market, member }: { market: string; member: string }) {
    this.#bus = bus;
    this.#topic = memberTopic(market, 'ready', member);
    bus.onConnection((connected) => {
      if (connected) this.#publish();
    });
  }

  /** All that was due up to and including market time `at` is done. */
  say(at: EpochMs): void {
    if (this.#ready !== null && this.#ready.at >= at) return;
    this.#ready = { at };
    this.#publish();
  }

  #publish(): void {
    if (this.#ready === null) return;
    publishJson(this.#bus, this.#topic, this.#ready, true).catch((error: unknown) => {
      if (!isFault(error)) throw error;
    });
  }
}
