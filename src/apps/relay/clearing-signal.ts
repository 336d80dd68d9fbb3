import type { z } from 'zod';
import type { FollowingClock } from '../../adapters/clock/market-clock.ts';
import { ed25519Verifier, type TextVerifier } from '../../adapters/keys/ed25519.ts';
import {
  type ClockMessage,
  clockMessage,
  type HeartbeatMessage,
  heartbeatMessage,
  type LeaseMessage,
  leaseMessage,
  marketTopic,
  memberTopic,
} from '../../adapters/mqtt/wire.ts';
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

const BAD_SIGNATURE = 'bad_signature';

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
      bus.subscribe(
        marketTopic(market, 'clock'),
        1,
        this.#receive('clock', clockMessage, (clock) => this.#takeClock(clock)),
      ),
      bus.subscribe(
        memberTopic(market, 'lease', member),
        1,
        this.#receive('lease', leaseMessage, (lease) => this.#takeLease(lease)),
      ),
      bus.subscribe(
        marketTopic(market, 'heartbeat'),
        1,
        this.#receive('heartbeat', heartbeatMessage, (heartbeat) => this.#takeHeartbeat(heartbeat)),
      ),
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

  /** Why the lease is not taken, or null. Cheap checks come before the signature; nothing is kept without it. */
  #takeLease(lease: LeaseMessage): string | null {
    const answer = acceptLease(this.#book, lease, this.marketNow());
    if (!answer.ok) return answer.code;
    if (!this.#verify(leaseText(lease), lease.signature)) return BAD_SIGNATURE;
    this.#book = answer.book;
    return null;
  }

  #takeHeartbeat(heartbeat: HeartbeatMessage): string | null {
    const wallNow = this.#clocks.wallNow();
    const answer = acceptHeartbeat(this.#book, heartbeat, wallNow);
    const offTime = !answer.ok && (answer.code === 'heartbeat_late' || answer.code === 'heartbeat_ahead');
    if (!answer.ok && !offTime) return answer.code;
    if (!this.#verify(heartbeatText(heartbeat), heartbeat.signature)) return BAD_SIGNATURE;
    this.#heartbeatOffsetMs = answer.ok ? 0 : wallNow - heartbeat.wall;
    if (!answer.ok) {
      this.#correctWall();
      return answer.code;
    }
    this.#book = answer.book;
    return null;
  }

  /** A machine without a clock of its own starts with a wrong time: when engine and system clock agree, both are right. */
  #correctWall(): void {
    const jumpMs = this.#clocks.clock.clockJumpMs();
    if (Math.abs(this.#heartbeatOffsetMs + jumpMs) >= HEARTBEAT_LIFE_MS || this.#clocks.reanchorWall === undefined)
      return;
    this.#clocks.reanchorWall();
    this.#book = { ...this.#book, heardAtMs: null };
  }

  #takeClock(anchor: ClockMessage): string | null {
    const { maximumSpeed } = this.#config;
    if (anchor.speed > maximumSpeed) return `speed ${anchor.speed} is above the configured ${maximumSpeed}`;
    this.#clocks.clock.follow(anchor);
    return null;
  }

  /** QoS 1 repeats messages, so what is held already is no news. */
  #receive<T>(subject: string, schema: z.ZodType<T>, take: (content: T) => string | null) {
    return ({ payload }: BusMessage): void => {
      const content = parse(schema, payload);
      const refusal = content.ok ? take(content.value) : content.problem;
      if (refusal === null) this.#complaints.clear(subject);
      else if (refusal !== 'already_held') this.#complaints.raise(subject, `refused, ${refusal}`);
    };
  }
}

type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

function parse<T>(schema: z.ZodType<T>, payload: Uint8Array): Parsed<T> {
  try {
    return { ok: true, value: schema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))) };
  } catch (error) {
    return { ok: false, problem: `malformed: ${messageOf(error).replace(/\s+/g, ' ').slice(0, 120)}` };
  }
}
