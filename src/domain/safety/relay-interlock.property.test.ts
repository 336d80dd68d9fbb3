import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EpochMs } from '../units/time.ts';
import {
  INTERLOCK_AT_BOOT,
  type InterlockSettings,
  type InterlockState,
  type InterlockTick,
  type QuantityState,
} from './interlock-state.ts';
import { stepInterlock } from './relay-interlock.ts';

const SETTINGS: InterlockSettings = { delayMs: 2_000, tickMs: 200, pollMs: 500, contactMs: 400, maximumSpeed: 1 };
const FRESH_MS = 1_000;

const INSIDE: QuantityState = { insideEnterService: true, mayOpenAfterMs: null, mustOpenWithinMs: null };
const NORMAL: QuantityState = { ...INSIDE, insideEnterService: false };
const RIDE: QuantityState = { insideEnterService: false, mayOpenAfterMs: 1_500, mustOpenWithinMs: null };
const TRIP_SOON: QuantityState = { insideEnterService: false, mayOpenAfterMs: 1_500, mustOpenWithinMs: 600 };
const TRIP_NOW: QuantityState = { insideEnterService: false, mayOpenAfterMs: 0, mustOpenWithinMs: 160 };

type Event =
  | { readonly kind: 'set'; readonly world: Partial<World> }
  | { readonly kind: 'run'; readonly ticks: number; readonly tickMs: number }
  | { readonly kind: 'leap'; readonly marketMs: number }
  | { readonly kind: 'reset' };

interface World {
  readonly voltage: QuantityState;
  readonly frequency: QuantityState;
  readonly good: boolean;
  readonly readingAgeMs: number | null;
  readonly lease: InterlockTick['lease'];
  readonly heartbeatAgeMs: number | null;
  readonly contact: 'obeys' | 'welded' | 'stuck' | 'unreadable';
}

const FIT: World = {
  voltage: INSIDE,
  frequency: INSIDE,
  good: true,
  readingAgeMs: 0,
  lease: 'valid',
  heartbeatAgeMs: 0,
  contact: 'obeys',
};

const quantity = fc.constantFrom(INSIDE, INSIDE, NORMAL, RIDE, TRIP_SOON, TRIP_NOW);
const change: fc.Arbitrary<Partial<World>> = fc.oneof(
  fc.constant(FIT),
  fc.constant(FIT),
  fc.record({ voltage: quantity }),
  fc.record({ frequency: quantity }),
  fc.record({ good: fc.boolean() }),
  fc.record({ readingAgeMs: fc.constantFrom(0, 999, 1_000, 1_001, null) }),
  fc.record({ lease: fc.constantFrom('valid' as const, 'no_lease' as const, 'market_time_unknown' as const) }),
  fc.record({ heartbeatAgeMs: fc.constantFrom(0, 2_999, 3_000, null) }),
  fc.record({ contact: fc.constantFrom('obeys' as const, 'welded' as const, 'stuck' as const, 'unreadable' as const) }),
);
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 5, arbitrary: change.map((world) => ({ kind: 'set' as const, world })) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('run' as const),
      ticks: fc.integer({ min: 1, max: 16 }),
      tickMs: fc.constantFrom(200, 200, 200, 50, 1_000, 1_001),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('leap' as const), marketMs: fc.integer({ min: 0, max: 10_000 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'reset' as const }) },
);

/** What an outside observer writes down, in its own words: nothing of the interlock's state is used. */
class Witness {
  private insideSince: number | null = null;
  private lastWall: number | null = null;
  private wasClosed = false;
  private tripsAt: number[] = [];
  private lockedOut = false;
  private openSince = 10_000;
  private lastNormal = { voltage: 0, frequency: 0 };

  sawReset(): void {
    this.lockedOut = false;
    this.tripsAt = [];
    this.insideSince = null;
  }

  saw(world: World, contactClosed: boolean, closed: boolean, wall: number, market: number): void {
    const known = world.good && world.readingAgeMs !== null && world.readingAgeMs <= FRESH_MS;
    const inside = known && world.voltage.insideEnterService && world.frequency.insideEnterService;
    if (this.lastWall !== null && wall - this.lastWall > FRESH_MS) this.insideSince = null;
    if (!inside) this.insideSince = null;
    else this.insideSince ??= wall;
    for (const name of ['voltage', 'frequency'] as const) {
      if (known && world[name].mayOpenAfterMs === null) this.lastNormal[name] = wall - (world.readingAgeMs ?? 0);
    }
    const welded = contactClosed && !this.wasClosed && wall - this.openSince > SETTINGS.contactMs;
    if (welded && world.contact !== 'unreadable') this.lockedOut = true;
    if (!closed && this.wasClosed) this.openSince = wall;
    if (closed) {
      expect(known).toBe(true);
      expect(world.lease).toBe('valid');
      expect(world.heartbeatAgeMs !== null && world.heartbeatAgeMs < 3_000).toBe(true);
      expect(world.contact).not.toBe('unreadable');
      expect(this.lockedOut).toBe(false);
      this.expectNotOverdue(world, wall);
      if (!this.wasClosed) {
        expect(contactClosed).toBe(false);
        expect(this.insideSince !== null && wall - this.insideSince >= SETTINGS.delayMs).toBe(true);
      }
    } else if (
      this.wasClosed &&
      world.lease === 'valid' &&
      world.heartbeatAgeMs !== null &&
      world.heartbeatAgeMs < 3_000
    ) {
      this.tripsAt = [...this.tripsAt.filter((at) => market - at < 600_000), market];
      if (this.tripsAt.length >= 3) this.lockedOut = true;
    }
    this.wasClosed = closed;
    this.lastWall = wall;
  }

  /** In the open moment no trip time may have passed, and no minimum may be exceeded by more than the doubt. */
  private expectNotOverdue(world: World, wall: number): void {
    for (const name of ['voltage', 'frequency'] as const) {
      const abnormalMs = wall - this.lastNormal[name];
      const { mayOpenAfterMs, mustOpenWithinMs } = world[name];
      if (mayOpenAfterMs !== null) expect(abnormalMs).toBeLessThan(mayOpenAfterMs);
      if (mustOpenWithinMs !== null) expect(abnormalMs).toBeLessThan(mustOpenWithinMs);
    }
  }
}

/** Plays the events; returns on how many ticks the contact was commanded closed. */
function play(events: readonly Event[]): { closedTicks: number; locked: boolean } {
  const witness = new Witness();
  let world = FIT;
  let state: InterlockState = INTERLOCK_AT_BOOT;
  let [wall, market, commanded, commandedAt, contact, closedTicks] = [10_000, 1_000_000, false, 10_000, false, 0];
  const apply = ({ state: next, outputs }: ReturnType<typeof stepInterlock>): void => {
    state = next;
    if (outputs.closed !== commanded) commandedAt = wall;
    commanded = outputs.closed;
  };
  for (const each of events) {
    if (each.kind === 'set') world = { ...world, ...each.world };
    else if (each.kind === 'leap') market += each.marketMs;
    else if (each.kind === 'reset') {
      const locked = state.phase === 'LOCKOUT';
      apply(stepInterlock(SETTINGS, state, { kind: 'reset' }, { wall, market: market as EpochMs }));
      if (locked) witness.sawReset();
    } else {
      for (let index = 0; index < each.ticks; index += 1) {
        wall += each.tickMs;
        market += each.tickMs;
        if (world.contact === 'obeys') contact = commanded;
        if (world.contact === 'stuck') contact &&= commanded;
        const { voltage, frequency, good, readingAgeMs: ageMs, lease, heartbeatAgeMs } = world;
        const reading = ageMs === null ? null : { good, ageMs, marketAgeMs: ageMs, voltage, frequency };
        const sinceCommandMs = wall - commandedAt;
        const feedback = world.contact === 'unreadable' ? null : { closed: contact, ageMs: 0, sinceCommandMs };
        const tick: InterlockTick = { kind: 'tick', reading, lease, heartbeatAgeMs, feedback, clockOffsetMs: 0 };
        apply(stepInterlock(SETTINGS, state, tick, { wall, market: market as EpochMs }));
        witness.saw(world, contact, commanded, wall, market);
        closedTicks += commanded ? 1 : 0;
      }
    }
  }
  return { closedTicks, locked: state.phase === 'LOCKOUT' };
}

test('whatever happens, the contact is never commanded closed while a condition is false', () => {
  let closedRuns = 0;
  let lockedRuns = 0;
  fc.assert(
    fc.property(fc.array(event, { minLength: 20, maxLength: 120 }), (events) => {
      const { closedTicks, locked } = play(events);
      closedRuns += closedTicks > 0 ? 1 : 0;
      lockedRuns += locked ? 1 : 0;
    }),
    { numRuns: 1_000, seed: 20_250_621 },
  );
  expect(closedRuns).toBeGreaterThan(200);
  expect(lockedRuns).toBeGreaterThan(30);
});

test('whatever happened, a reset and a fit grid close the contact after the delay and a few ticks', () => {
  const recovery: Event[] = [
    { kind: 'set', world: FIT },
    { kind: 'run', ticks: 4, tickMs: 200 },
    { kind: 'reset' },
    { kind: 'run', ticks: 16, tickMs: 200 },
  ];
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const before = play([...events, ...recovery.slice(0, 3)]).closedTicks;
      expect(play([...events, ...recovery]).closedTicks).toBeGreaterThan(before);
    }),
    { numRuns: 500, seed: 7 },
  );
});
