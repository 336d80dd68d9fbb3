import { existsSync, readFileSync } from 'node:fs';
import type { TextSigner } from '../../adapters/keys/ed25519.ts';
import { publishJson } from '../../adapters/mqtt/json-topics.ts';
import { marketTopic, memberTopic } from '../../adapters/mqtt/wire.ts';
import { writeStateFile } from '../../adapters/process/state-file.ts';
import type { MarketTerms } from '../../domain/engine/command.ts';
import type { DeviceBus } from '../../domain/ports.ts';
import { heartbeatText, leaseText } from '../../domain/safety/lease.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { Fault } from '../../errors/fault.ts';

const RESERVED = 100_000;

/** Rising numbers that no restart repeats: a block is reserved on disk before its first number is used. */
export class RisingSequence {
  readonly #path: string;
  #next: number;
  #reservedUntil: number;

  constructor(path: string) {
    this.#path = path;
    this.#next = (existsSync(path) ? storedNumber(path) : 0) + 1;
    this.#reservedUntil = this.#next - 1;
  }

  next(): number {
    if (this.#next > this.#reservedUntil) this.#reserve();
    return this.#next++;
  }

  #reserve(): void {
    this.#reservedUntil = this.#next + RESERVED;
    writeStateFile(this.#path, `${this.#reservedUntil}\n`);
  }
}

/** Starting over would make relays take every new lease for a replay. */
function storedNumber(path: string): number {
  const stored = Number(readFileSync(path, 'utf8').trim() || Number.NaN);
  if (Number.isSafeInteger(stored)) return stored;
  throw new Fault('FILE_UNREADABLE', `${path} holds no sequence number`);
}

/** Signs and publishes what lets a relay close: one lease per member and interval, one heartbeat per second. */
export class LeaseIssuer {
  readonly #bus: DeviceBus;
  readonly #signer: TextSigner;
  readonly #terms: MarketTerms;
  readonly #sequence: RisingSequence;

  constructor(bus: DeviceBus, signer: TextSigner, terms: MarketTerms, sequence: RisingSequence) {
    this.#bus = bus;
    this.#signer = signer;
    this.#terms = terms;
    this.#sequence = sequence;
  }

  /** For every member in good standing, also where it traded nothing: it carries what the member may export. */
  async leaseInterval(intervalStart: EpochMs): Promise<void> {
    const { market, lengthMs, members } = this.#terms;
    const sent = members.map(({ id: member, exportCapability: permittedExport }) => {
      const lease = { market, member, intervalStart, lengthMs, permittedExport, sequence: this.#sequence.next() };
      const message = { ...lease, signature: this.#signer.sign(leaseText(lease)) };
      return publishJson(this.#bus, memberTopic(market, 'lease', member), message, true);
    });
    await Promise.allSettled(sent);
  }

  async beat(wall: EpochMs): Promise<void> {
    const heartbeat = { market: this.#terms.market, sequence: this.#sequence.next(), wall };
    const message = { ...heartbeat, signature: this.#signer.sign(heartbeatText(heartbeat)) };
    // At most once: an old heartbeat that waits for the broker is worth nothing.
    await this.#bus
      .publish(marketTopic(heartbeat.market, 'heartbeat'), Buffer.from(JSON.stringify(message)), { qos: 0 })
      .catch(() => undefined);
  }
}
