import { describe, expect, test } from 'vitest';
import { gridConditions } from '../grid/conditions.ts';
import { gridCode } from '../grid/grid-codes.ts';
import type { EpochMs } from '../units/time.ts';
import { FAULT_CODES, type FaultCode } from './fault-code.ts';
import type {
  ContactFeedback,
  InterlockPhase,
  InterlockSettings,
  InterlockState,
  InterlockTick,
} from './interlock-state.ts';
import { INTERLOCK_AT_BOOT } from './interlock-state.ts';
import { stepInterlock } from './relay-interlock.ts';

const SETTINGS: InterlockSettings = { delayMs: 300_000, tickMs: 200, pollMs: 500, contactMs: 500, maximumSpeed: 1 };

/** The world of one tick; a row changes some of it, the rest stays as it was. */
interface World {
  voltageMilliV: number;
  frequencyMilliHz: number;
  good: boolean;
  readingAgeMs: number | null;
  lease: InterlockTick['lease'];
  heartbeatAgeMs: number | null;
  contact: 'obeys' | 'welded' | 'stuck' | 'unreadable';
  feedbackAgeMs: number;
  clockOffsetMs: number;
  marketKnown: boolean;
  speed: number;
}

const FIT: World = {
  voltageMilliV: 230_000,
  frequencyMilliHz: 50_000,
  good: true,
  readingAgeMs: 100,
  lease: 'valid',
  heartbeatAgeMs: 400,
  contact: 'obeys',
  feedbackAgeMs: 0,
  clockOffsetMs: 0,
  marketKnown: true,
  speed: 1,
};

const CODE = gridCode('ieee1547-2018-cat2-50hz');

/** Steps the interlock every 200 ms of wall time, with a contact that follows a command within one tick. */
class Bench {
  readonly settings: InterlockSettings;
  state: InterlockState = INTERLOCK_AT_BOOT;
  closed = false;
  fault: FaultCode = 1;
  wall = 5_000;
  market = 1_750_000_000_000;
  private commandedAt = 5_000;
  private contactClosed = false;
  private world: World = FIT;

  constructor(settings: InterlockSettings = SETTINGS) {
    this.settings = settings;
  }

  change(change: Partial<World>): void {
    this.world = { ...this.world, ...change };
  }

  reset(): void {
    this.take(stepInterlock(this.settings, this.state, { kind: 'reset' }, this.now()));
  }

  run(durationMs: number): void {
    for (let gone = 0; gone < durationMs; gone += this.settings.tickMs) this.tick(this.settings.tickMs);
  }

  tick(wallMs: number): void {
    this.wall += wallMs;
    this.market += wallMs * this.world.speed;
    if (this.world.contact === 'obeys') this.contactClosed = this.closed;
    if (this.world.contact === 'stuck') this.contactClosed &&= this.closed;
    this.take(stepInterlock(this.settings, this.state, this.input(), this.now()));
  }

  private now(): { market: EpochMs | null; wall: number } {
    return { market: this.world.marketKnown ? (this.market as EpochMs) : null, wall: this.wall };
  }

  private input(): InterlockTick {
    const { world } = this;
    if (CODE === null) throw new Error('no grid code');
    const grid = gridConditions(CODE, 230_000, world);
    const ageMs = world.readingAgeMs;
    const reading = ageMs === null ? null : { good: world.good, ageMs, marketAgeMs: ageMs * world.speed, ...grid };
    const { lease, heartbeatAgeMs, clockOffsetMs } = world;
    return { kind: 'tick', reading, lease, heartbeatAgeMs, clockOffsetMs, feedback: this.feedback() };
  }

  private feedback(): ContactFeedback | null {
    if (this.world.contact === 'unreadable') return null;
    return {
      closed: this.contactClosed,
      ageMs: this.world.feedbackAgeMs,
      sinceCommandMs: this.wall - this.commandedAt,
    };
  }

  private take({ state, outputs }: ReturnType<typeof stepInterlock>): void {
    if (outputs.closed !== this.closed) this.commandedAt = this.wall;
    this.state = state;
    this.closed = outputs.closed;
    this.fault = outputs.fault;
  }
}

type Row = {
  readonly advanceMs: number;
  readonly input?: Partial<World> | 'reset';
  readonly expect: readonly [phase: InterlockPhase, fault: FaultCode];
};

/** Each row: change the world (or reset), let the time pass, and look. */
function cycle(rows: readonly Row[], settings: InterlockSettings = SETTINGS): void {
  const bench = new Bench(settings);
  for (const [index, row] of rows.entries()) {
    if (row.input === 'reset') bench.reset();
    else if (row.input !== undefined) bench.change(row.input);
    bench.run(row.advanceMs);
    expect([bench.state.phase, bench.fault], `row ${index}`).toEqual(row.expect);
    expect(bench.closed, `row ${index}`).toBe(row.expect[0] === 'CLOSED');
  }
}

const TO_CLOSED: Row = { advanceMs: 301_000, expect: ['CLOSED', 0] };

describe('the interlock', () => {
  test('closes only after the whole enter-service delay, and not one tick before', () => {
    cycle([
      { advanceMs: 200, expect: ['WAIT_WINDOW', 0] },
      { advanceMs: 299_800, expect: ['WAIT_WINDOW', 0] },
      { advanceMs: 200, expect: ['READY', 0] },
      { advanceMs: 200, expect: ['CLOSED', 0] },
    ]);
  });

  test('starts the delay anew when one reading lay outside the enter-service window', () => {
    cycle([
      { advanceMs: 290_000, expect: ['WAIT_WINDOW', 0] },
      { advanceMs: 200, input: { voltageMilliV: 242_000 }, expect: ['WAIT_WINDOW', 3] },
      { advanceMs: 290_000, input: { voltageMilliV: 230_000 }, expect: ['WAIT_WINDOW', 0] },
      { advanceMs: 10_600, expect: ['CLOSED', 0] },
    ]);
  });

  test.each([
    ['voltage above', { voltageMilliV: 241_501 }, 3],
    ['voltage below', { voltageMilliV: 210_909 }, 3],
    ['frequency above', { frequencyMilliHz: 50_084 }, 4],
    ['frequency below', { frequencyMilliHz: 49_583 }, 4],
    ['no reading', { readingAgeMs: null }, 5],
    ['a bad reading', { good: false }, 5],
    ['a stale reading', { readingAgeMs: 1_001 }, 5],
  ] as const)('never becomes ready with %s', (_, input, fault) => {
    cycle([{ advanceMs: 700_000, input, expect: ['WAIT_WINDOW', fault] }]);
  });

  test.each([
    ['no lease', { lease: 'no_lease' }, 2],
    ['no heartbeat ever', { heartbeatAgeMs: null }, 7],
    ['a heartbeat of three seconds ago', { heartbeatAgeMs: 3_000 }, 7],
    ['no lease and no heartbeat', { lease: 'no_lease', heartbeatAgeMs: null }, 7],
  ] as const)('waits ready with %s, and closes in the tick that brings it', (_, input, fault) => {
    cycle([
      { advanceMs: 302_000, input, expect: ['READY', fault] },
      { advanceMs: 200, input: { lease: 'valid', heartbeatAgeMs: 2_999 }, expect: ['CLOSED', 0] },
    ]);
  });

  test.each([
    ['the lease ends', { lease: 'no_lease' }, 2],
    ['the mesh is lost', { heartbeatAgeMs: 3_000 }, 7],
  ] as const)('opens in the same tick when %s; the grid stayed fit, so it closes again at once', (_, input, fault) => {
    cycle([
      TO_CLOSED,
      { advanceMs: 200, input, expect: ['READY', fault] },
      { advanceMs: 10_000, expect: ['READY', fault] },
      { advanceMs: 200, input: { lease: 'valid', heartbeatAgeMs: 100 }, expect: ['CLOSED', 0] },
    ]);
  });

  test('a lost mesh is no trip: however often it comes and goes, nothing locks out', () => {
    const flap: Row[] = [
      { advanceMs: 400, input: { heartbeatAgeMs: null }, expect: ['READY', 7] },
      { advanceMs: 400, input: { heartbeatAgeMs: 0 }, expect: ['CLOSED', 0] },
    ];
    cycle([TO_CLOSED, ...flap, ...flap, ...flap, ...flap]);
  });

  test.each([
    ['OV2', { voltageMilliV: 276_001 }, 3],
    ['OV1', { voltageMilliV: 253_001 }, 3],
    ['UV2', { voltageMilliV: 100_000 }, 3],
    ['OF2', { frequencyMilliHz: 51_667 }, 4],
    ['UF2', { frequencyMilliHz: 47_083 }, 4],
    ['a meter that fell silent', { readingAgeMs: 1_001 }, 5],
    ['a bad reading', { good: false }, 5],
  ] as const)('trips in the same tick on %s, and then waits the whole delay', (_, input, fault) => {
    cycle([
      TO_CLOSED,
      { advanceMs: 200, input, expect: ['TRIPPED', fault] },
      { advanceMs: 60_000, expect: ['TRIPPED', fault] },
      { advanceMs: 400, input: FIT, expect: ['WAIT_WINDOW', 0] },
      { advanceMs: 299_600, expect: ['WAIT_WINDOW', 0] },
      { advanceMs: 600, expect: ['CLOSED', 0] },
    ]);
  });

  test('rides through 0.85 of nominal as long as category II demands, showing it, and opens then', () => {
    // 3 s + 8.7 s/pu x 0.20 = 4.74 s, counted from the last normal reading, 100 ms old when it was used.
    cycle([
      TO_CLOSED,
      { advanceMs: 4_600, input: { voltageMilliV: 195_500 }, expect: ['CLOSED', 3] },
      { advanceMs: 200, expect: ['TRIPPED', 3] },
    ]);
  });

  test('a ride-through that ends in time leaves the contact closed, and the next one counts from zero', () => {
    const dip: Row[] = [
      { advanceMs: 4_000, input: { voltageMilliV: 195_500 }, expect: ['CLOSED', 3] },
      { advanceMs: 200, input: { voltageMilliV: 230_000 }, expect: ['CLOSED', 0] },
    ];
    cycle([TO_CLOSED, ...dip, ...dip, ...dip]);
  });

  test('stays closed at 1.06 of nominal, which is normal, but once open would not enter service there', () => {
    cycle([
      TO_CLOSED,
      { advanceMs: 600_000, input: { voltageMilliV: 243_800 }, expect: ['CLOSED', 0] },
      { advanceMs: 400, input: { lease: 'no_lease' }, expect: ['WAIT_WINDOW', 3] },
      { advanceMs: 600_000, input: { lease: 'valid' }, expect: ['WAIT_WINDOW', 3] },
    ]);
  });

  test('three trips in ten minutes lock out; only a reset ends it, and then the whole delay is due', () => {
    const settings = { ...SETTINGS, delayMs: 10_000 };
    const trip: Row[] = [
      { advanceMs: 12_000, input: { voltageMilliV: 230_000 }, expect: ['CLOSED', 0] },
      { advanceMs: 200, input: { voltageMilliV: 280_000 }, expect: ['TRIPPED', 3] },
    ];
    cycle(
      [
        ...trip,
        ...trip,
        { advanceMs: 12_000, input: { voltageMilliV: 230_000 }, expect: ['CLOSED', 0] },
        { advanceMs: 200, input: { voltageMilliV: 280_000 }, expect: ['LOCKOUT', 3] },
        { advanceMs: 3_600_000, input: { voltageMilliV: 230_000 }, expect: ['LOCKOUT', 3] },
        { advanceMs: 0, input: 'reset', expect: ['BOOT_OPEN', 1] },
        { advanceMs: 10_000, expect: ['WAIT_WINDOW', 0] },
        { advanceMs: 600, expect: ['CLOSED', 0] },
      ],
      settings,
    );
  });

  test('trips that are ten minutes apart are forgotten', () => {
    const settings = { ...SETTINGS, delayMs: 10_000 };
    const trip: Row[] = [
      { advanceMs: 600_000, input: { voltageMilliV: 230_000 }, expect: ['CLOSED', 0] },
      { advanceMs: 200, input: { voltageMilliV: 280_000 }, expect: ['TRIPPED', 3] },
    ];
    cycle([...trip, ...trip, ...trip, ...trip], settings);
  });

  test('a contact that welds locks out when its time is over, and a reset does not help while it is welded', () => {
    cycle([
      TO_CLOSED,
      { advanceMs: 200, input: { contact: 'welded', lease: 'no_lease' }, expect: ['READY', 2] },
      { advanceMs: 400, expect: ['READY', 2] },
      { advanceMs: 200, expect: ['LOCKOUT', 8] },
      { advanceMs: 200, input: 'reset', expect: ['LOCKOUT', 8] },
      { advanceMs: 200, input: { contact: 'obeys' }, expect: ['LOCKOUT', 8] },
      { advanceMs: 200, input: 'reset', expect: ['WAIT_WINDOW', 2] },
    ]);
  });

  test('a contact that does not close is tried three times, then locked out', () => {
    const bench = new Bench();
    bench.change({ contact: 'stuck' });
    bench.run(310_000);
    expect([bench.state.phase, bench.fault]).toEqual(['LOCKOUT', 8]);
  });

  test('a contact that opens by itself trips', () => {
    cycle([
      TO_CLOSED,
      { advanceMs: 1_000, expect: ['CLOSED', 0] },
      { advanceMs: 400, input: { contact: 'unreadable' }, expect: ['TRIPPED', 8] },
    ]);
  });

  test('a contact that was not read for two polls trips', () => {
    cycle([
      TO_CLOSED,
      { advanceMs: 200, input: { feedbackAgeMs: 1_000 }, expect: ['CLOSED', 0] },
      { advanceMs: 200, input: { feedbackAgeMs: 1_001 }, expect: ['TRIPPED', 8] },
    ]);
  });

  test('does not close again before the contact has been seen open', () => {
    cycle([
      TO_CLOSED,
      { advanceMs: 200, input: { contact: 'welded', lease: 'no_lease' }, expect: ['READY', 2] },
      { advanceMs: 200, input: { lease: 'valid' }, expect: ['READY', 0] },
      { advanceMs: 200, input: { contact: 'obeys' }, expect: ['CLOSED', 0] },
    ]);
  });

  test('leaves boot only when the contact has been seen open', () => {
    cycle([
      { advanceMs: 1_000, input: { contact: 'unreadable' }, expect: ['BOOT_OPEN', 8] },
      { advanceMs: 200, input: { contact: 'obeys' }, expect: ['WAIT_WINDOW', 0] },
    ]);
  });

  test('a clock that is off is shown, and what it endangers lapses by itself', () => {
    cycle([
      TO_CLOSED,
      { advanceMs: 200, input: { clockOffsetMs: 50 }, expect: ['CLOSED', 0] },
      { advanceMs: 200, input: { clockOffsetMs: -51 }, expect: ['CLOSED', 6] },
      { advanceMs: 200, input: { heartbeatAgeMs: null }, expect: ['READY', 6] },
    ]);
  });

  test('without market time it is open', () => {
    cycle([TO_CLOSED, { advanceMs: 200, input: { marketKnown: false }, expect: ['READY', 6] }]);
  });

  test('under acceleration the delay runs in market time and no reading is stale in under three seconds', () => {
    const settings = { ...SETTINGS, maximumSpeed: 60 };
    cycle(
      [
        { advanceMs: 5_000, input: { speed: 60, readingAgeMs: 3_000 }, expect: ['WAIT_WINDOW', 0] },
        { advanceMs: 600, expect: ['CLOSED', 0] },
        { advanceMs: 200, input: { readingAgeMs: 3_001 }, expect: ['TRIPPED', 5] },
      ],
      settings,
    );
  });

  test('market time that leaps or runs faster than allowed shortens nothing', () => {
    const bench = new Bench();
    bench.change({ speed: 1_000 });
    bench.run(290_000);
    expect(bench.state.phase).toBe('WAIT_WINDOW');
  });

  test('a pause of the process starts the delay anew', () => {
    const bench = new Bench();
    bench.run(290_000);
    bench.tick(60_000);
    bench.run(290_000);
    expect(bench.state.phase).toBe('WAIT_WINDOW');
    bench.run(11_000);
    expect(bench.state.phase).toBe('CLOSED');
  });

  test('a reset is without effect where nothing is locked out', () => {
    cycle([TO_CLOSED, { advanceMs: 200, input: 'reset', expect: ['CLOSED', FAULT_CODES.none] }]);
  });
});
