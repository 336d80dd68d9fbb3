import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type EpochMs, epochMs } from '../../domain/units/time.ts';
import { type ClockAnchor, followingClock, realTimeAnchor } from './market-clock.ts';
import { systemClock, type WallTime } from './system-clock.ts';

const WALL = 1_763_000_000_000;
const MARKET = 1_750_000_000_000;

/** Wall time that moves when told, and its timers with it. */
class HandWall implements WallTime {
  private at = WALL;
  private timers: { due: number; callback: () => void }[] = [];

  wallNow(): EpochMs {
    return epochMs(this.at);
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    const timer = { due: this.at + delayMs, callback };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  clockJumpMs(): number {
    return 0;
  }

  reanchor(): void {}

  advance(ms: number): void {
    const end = this.at + ms;
    for (;;) {
      const next = this.timers.filter((timer) => timer.due <= end).sort((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      this.timers = this.timers.filter((timer) => timer !== next);
      this.at = Math.max(this.at, next.due);
      next.callback();
    }
    this.at = end;
  }

  pending(): number {
    return this.timers.length;
  }
}

function anchor(change: Partial<ClockAnchor> = {}): ClockAnchor {
  return { marketAnchor: epochMs(MARKET), wallAnchor: epochMs(WALL), speed: 60, holdAt: null, ...change };
}

describe('the market clock', () => {
  test('runs as many times as fast as the wall as its anchor says', () => {
    const wall = new HandWall();
    const clock = followingClock(wall, anchor());
    wall.advance(1_500);
    expect(clock.now()).toBe(MARKET + 90_000);
  });

  test('stands at the hold until a new anchor comes', () => {
    const wall = new HandWall();
    const clock = followingClock(wall, anchor({ holdAt: epochMs(MARKET + 10_000) }));
    wall.advance(5_000);
    expect(clock.now()).toBe(MARKET + 10_000);
    clock.follow(anchor({ marketAnchor: epochMs(MARKET + 10_000), wallAnchor: wall.wallNow() }));
    wall.advance(1_000);
    expect(clock.now()).toBe(MARKET + 70_000);
  });

  test('never goes back: it stands until an earlier anchor has caught up', () => {
    const wall = new HandWall();
    const clock = followingClock(wall, anchor());
    wall.advance(1_000);
    clock.follow(anchor({ marketAnchor: epochMs(MARKET + 30_000), wallAnchor: wall.wallNow() }));
    expect(clock.now()).toBe(MARKET + 60_000);
    wall.advance(500);
    expect(clock.now()).toBe(MARKET + 60_000);
    wall.advance(100);
    expect(clock.now()).toBe(MARKET + 66_000);
  });

  test('does not forget what it would have said just before an earlier anchor, even if nobody asked', () => {
    const wall = new HandWall();
    const clock = followingClock(wall, anchor());
    wall.advance(1_000);
    clock.follow(anchor({ wallAnchor: wall.wallNow() }));
    expect(clock.now()).toBe(MARKET + 60_000);
  });

  test('has no time before the first anchor, and says when it has', async () => {
    const clock = followingClock(new HandWall());
    expect(clock.anchor()).toBeNull();
    expect(() => clock.now()).toThrow('before the first clock message');
    clock.follow(anchor());
    await clock.started;
    expect(clock.now()).toBe(MARKET);
  });

  test('whatever anchors come, time never goes back', () => {
    const move = fc.record({
      wait: fc.nat(5_000),
      shift: fc.integer({ min: -600_000, max: 600_000 }),
      speed: fc.constantFrom(0.5, 1, 60, 3_600),
      hold: fc.option(fc.integer({ min: -1_000, max: 60_000 }), { nil: null }),
    });
    fc.assert(
      fc.property(fc.array(move, { maxLength: 30 }), (moves) => {
        const wall = new HandWall();
        const clock = followingClock(wall, anchor());
        let before = clock.now();
        for (const { wait, shift, speed, hold } of moves) {
          const marketAnchor = epochMs(clock.now() + shift);
          const holdAt = hold === null ? null : epochMs(marketAnchor + hold);
          clock.follow({ marketAnchor, wallAnchor: wall.wallNow(), speed, holdAt });
          wall.advance(wait);
          expect(clock.now()).toBeGreaterThanOrEqual(before);
          before = clock.now();
        }
      }),
    );
  });
});

describe('waiting for market time', () => {
  test('calls back in the order of the times, those of one time in the order of registration', () => {
    const wall = new HandWall();
    const clock = followingClock(wall, anchor());
    const seen: string[] = [];
    clock.at(epochMs(MARKET + 2_000), () => seen.push('b1'));
    clock.at(epochMs(MARKET + 3_000), () => seen.push('c'));
    clock.at(epochMs(MARKET + 2_000), () => seen.push('b2'));
    clock.at(epochMs(MARKET + 1_000), () => seen.push('a'));
    wall.advance(10);
    expect(seen).toEqual([]);
    wall.advance(1_000);
    expect(seen).toEqual(['a', 'b1', 'b2', 'c']);
  });

  test('never calls back early, nor synchronously for a time that has passed', () => {
    const wall = new HandWall();
    const clock = followingClock(wall, anchor({ speed: 7 }));
    const seen: number[] = [];
    clock.at(epochMs(MARKET + 1_001), () => seen.push(clock.now()));
    clock.at(epochMs(MARKET - 5), () => seen.push(-1));
    expect(seen).toEqual([]);
    wall.advance(1_000);
    expect(seen).toHaveLength(2);
    expect(seen[0]).toBe(-1);
    expect(seen[1]).toBeGreaterThanOrEqual(MARKET + 1_001);
  });

  test('follows a new anchor: sooner, later, or standing still', () => {
    const wall = new HandWall();
    const clock = followingClock(wall, anchor({ speed: 1 }));
    let called = 0;
    clock.at(epochMs(MARKET + 60_000), () => {
      called += 1;
    });
    clock.follow(anchor({ speed: 60, holdAt: epochMs(MARKET + 59_999) }));
    wall.advance(10_000);
    expect(called).toBe(0);
    expect(wall.pending()).toBe(0);
    clock.follow(anchor({ marketAnchor: epochMs(MARKET + 59_999), wallAnchor: wall.wallNow(), speed: 1 }));
    wall.advance(1);
    expect(called).toBe(1);
  });

  test('a callback may register another, also for a time that has passed, and cancel one', () => {
    const wall = new HandWall();
    const clock = followingClock(wall, anchor());
    const seen: string[] = [];
    const cancel = clock.at(epochMs(MARKET + 2_000), () => seen.push('cancelled'));
    clock.at(epochMs(MARKET + 1_000), () => {
      seen.push('first');
      cancel();
      clock.at(epochMs(MARKET + 500), () => seen.push('late'));
    });
    wall.advance(100);
    expect(seen).toEqual(['first', 'late']);
    expect(wall.pending()).toBe(0);
  });

  test('a callback that throws does not hold up the others', () => {
    const wall = new HandWall();
    const clock = followingClock(wall, anchor());
    let called = false;
    clock.at(epochMs(MARKET + 1_000), () => {
      throw new Error('bug');
    });
    clock.at(epochMs(MARKET + 1_000), () => {
      called = true;
    });
    expect(() => wall.advance(100)).toThrow('bug');
    wall.advance(100);
    expect(called).toBe(true);
  });

  test('stop leaves no timer, and what waits before the first anchor is not lost', () => {
    const wall = new HandWall();
    const clock = followingClock(wall);
    let called = 0;
    clock.at(epochMs(MARKET), () => {
      called += 1;
    });
    expect(wall.pending()).toBe(0);
    clock.follow(anchor());
    wall.advance(0);
    expect(called).toBe(1);
    clock.at(epochMs(MARKET + 2 ** 50), () => {});
    expect(wall.pending()).toBe(1);
    clock.stop();
    expect(wall.pending()).toBe(0);
  });
});

describe('the system clock', () => {
  test('carries one reading on by the monotonic clock; a leap does not move it and is reported', () => {
    let [system, monotonic] = [WALL + 0.75, 1_000.5];
    const clock = systemClock({ systemNow: () => system, monotonicNow: () => monotonic });
    const market = followingClock(clock, realTimeAnchor(clock));
    monotonic += 250;
    system += 250 - 120_000;
    expect(clock.wallNow()).toBe(WALL + 250);
    expect(market.now()).toBe(WALL + 250);
    expect(market.clockJumpMs()).toBe(-120_000);
    clock.reanchor();
    expect(clock.clockJumpMs()).toBe(0);
    expect(clock.wallNow()).toBe(WALL + 250 - 120_000);
    expect(market.now()).toBe(WALL + 250);
  });

  test('keeps the time of this machine, and its timers come', async () => {
    const clock = systemClock();
    const before = clock.wallNow();
    expect(Math.abs(before - Date.now())).toBeLessThan(1_000);
    await new Promise<void>((resolve) => clock.setTimer(5, resolve));
    expect(clock.wallNow()).toBeGreaterThanOrEqual(before + 4);
    const cancel = clock.setTimer(1, () => expect.unreachable('cancelled'));
    cancel();
    await new Promise<void>((resolve) => clock.setTimer(5, resolve));
  });
});
