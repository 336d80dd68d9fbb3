import type { z } from 'zod';
import type { FollowingClock } from '../../adapters/clock/market-clock.ts';
import { ed25519Verifier, type TextVerifier } from '../../adapters/keys/ed25519.ts';
import { clockMessage, heartbeatMessage, leaseMessage, marketTopic, memberTopic } from '../../adapters/mqtt/wire.ts';
import type { BusMessage, DeviceBus } from '../../domain/ports.ts';
import { heartbeatText, type Lease, leaseText } from '../../domain/safety/lease.ts';
import {
  acceptHeartbeat,
  acceptLease,
  emptyLeaseBook,
  HEARTBEAT_LIFE_MS,
  heartbeatAgeMs,
  type LeaseBook,
  type LeaseValidity,
  leaseAt,
  leaseValidity,
} from '../../domain/safety/lease-check.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { Fault } from '../../errors/fault.ts';
import type { Complaints } from './complaints.ts';
import { messageOf } from './contact-line.ts';
import type { RelayConfig } from './relay-config.ts';

/** Wall time and the clock that the engine's messages set. */
export interface RelayClocks {
  readonly clock: FollowingClock;
  readonly wallNow: () => EpochMs;
  /** Takes the system clock's word for wall time, where the clock can do that. */
  readonly reanchorWall?: () => void;
}

/** The engine's word as this relay has it: leases, heartbeats, market time. What is not signed by the engine is dropped. */
export class ClearingSignal {
  readonly #config: RelayConfig;
  readonly #clocks: RelayClocks;
  readonly #complaints: Complaints;
  readonly #verify: TextVerifier;
  #book: LeaseBook;
  /** Wall ms by which a signed heartbeat was off, where that was too much for it to count. */
  #heartbeatOffsetMs = 0;

  /** @throws Fault CONFIG_INVALID */
  constructor(config: RelayConfig, clocks: RelayClocks, complaints: Complaints) {
    const verify = ed25519Verifier(config.enginePublicKey);
    if (verify === null) throw new Fault('CONFIG_INVALID', `${config.enginePublicKey} is no Ed25519 public key`);
    this.#config = config;
    this.#clocks = clocks;
    this.#complaints = complaints;
    this.#verify = verify;
    this.#book = emptyLeaseBook(config.market, config.member);
  }

  /** Resolves when the broker has granted all three; they come again with every reconnect. */
  async listen(bus: DeviceBus): Promise<void> {
    const { market, member } = this.#config;
    await Promise.all([
      bus.subscribe(marketTopic(market, 'clock'), 1, (message) => this.#onClock(message)),
      bus.subscribe(memberTopic(market, 'lease', member), 1, (message) => this.#onLease(message)),
      bus.subscribe(marketTopic(market, 'heartbeat'), 1, (message) => this.#onHeartbeat(message)),
    ]);
  }

  marketNow(): EpochMs | null {
    return this.#clocks.clock.anchor() === null ? null : this.#clocks.clock.now();
  }

  validity(): LeaseValidity {
    return leaseValidity(this.#book, this.marketNow());
  }

  lease(): Lease | null {
    const now = this.marketNow();
    return now === null ? null : leaseAt(this.#book, now);
  }

  heartbeatAgeMs(): number | null {
    return heartbeatAgeMs(this.#book, this.#clocks.wallNow());
  }

  /** The larger of what the system clock leapt and what the engine's clock says. */
  clockOffsetMs(): number {
    const jumpMs = this.#clocks.clock.clockJumpMs();
    return Math.abs(jumpMs) > Math.abs(this.#heartbeatOffsetMs) ? jumpMs : this.#heartbeatOffsetMs;
  }

  #onLease(message: BusMessage): void {
    const lease = this.#parse('lease', leaseMessage, message);
    if (lease === null) return;
    const answer = acceptLease(this.#book, lease, this.marketNow());
    if (!answer.ok) return this.#refuse('lease', answer.code);
    if (!this.#verify(leaseText(lease), lease.signature)) return this.#refuse('lease', 'bad_signature');
    this.#book = answer.book;
    this.#complaints.clear('lease');
  }

  #onHeartbeat(message: BusMessage): void {
    const heartbeat = this.#parse('heartbeat', heartbeatMessage, message);
    if (heartbeat === null) return;
    const wallNow = this.#clocks.wallNow();
    const answer = acceptHeartbeat(this.#book, heartbeat, wallNow);
    const offTime = !answer.ok && (answer.code === 'heartbeat_late' || answer.code === 'heartbeat_ahead');
    if (!answer.ok && !offTime) return this.#refuse('heartbeat', answer.code);
    if (!this.#verify(heartbeatText(heartbeat), heartbeat.signature)) return this.#refuse('heartbeat', 'bad_signature');
    if (!answer.ok) {
      this.#onClockDifference(wallNow - heartbeat.wall);
      return this.#refuse('heartbeat', answer.code);
    }
    this.#book = answer.book;
    this.#heartbeatOffsetMs = 0;
    this.#complaints.clear('heartbeat');
  }

  /** A machine without a clock of its own starts with a wrong time: when engine and system clock agree, both are right. */
  #onClockDifference(offsetMs: number): void {
    this.#heartbeatOffsetMs = offsetMs;
    const jumpMs = this.#clocks.clock.clockJumpMs();
    if (Math.abs(offsetMs + jumpMs) < HEARTBEAT_LIFE_MS) this.#clocks.reanchorWall?.();
  }

  #onClock(message: BusMessage): void {
    const anchor = this.#parse('clock', clockMessage, message);
    if (anchor === null) return;
    if (anchor.speed > this.#config.maximumSpeed) {
      return this.#refuse('clock', `speed ${anchor.speed} is above the configured ${this.#config.maximumSpeed}`);
    }
    this.#clocks.clock.follow(anchor);
    this.#complaints.clear('clock');
  }

  #parse<T>(subject: string, schema: z.ZodType<T>, message: BusMessage): T | null {
    try {
      return schema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(message.payload)));
    } catch (error) {
      this.#refuse(subject, `malformed: ${messageOf(error).split('\n')[0]}`);
      return null;
    }
  }

  /** QoS 1 repeats messages, so what is held already is no news. */
  #refuse(subject: string, reason: string): void {
    if (reason !== 'already_held') this.#complaints.raise(subject, `refused, ${reason}`);
  }
}
