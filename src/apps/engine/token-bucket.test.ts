import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BucketState, drawTokens, FULL_BUCKET } from './token-bucket.ts';

/** One token every 100 ms, five at once. */
const TERMS = { ratePerSecond: 10, burst: 5 };

test.each([
  [
    'a burst, and no more',
    [
      [0, 5, true],
      [0, 1, 100],
    ],
  ],
  [
    'a burst one by one',
    [
      [0, 1, true],
      [0, 1, true],
      [0, 1, true],
      [0, 1, true],
      [0, 1, true],
      [0, 1, 100],
    ],
  ],
  [
    'a token comes back with time',
    [
      [0, 5, true],
      [99, 1, 1],
      [100, 1, true],
      [100, 1, 100],
    ],
  ],
  [
    'what is refused costs nothing',
    [
      [0, 5, true],
      [50, 1, 50],
      [50, 1, 50],
      [100, 1, true],
    ],
  ],
  [
    'a long rest fills it once',
    [
      [0, 5, true],
      [999_999, 5, true],
      [999_999, 1, 100],
    ],
  ],
  [
    'several wait for several',
    [
      [0, 5, true],
      [0, 3, 300],
      [300, 3, true],
    ],
  ],
  [
    'all of it waits until it is full',
    [
      [0, 1, true],
      [0, 5, 100],
      [100, 5, true],
    ],
  ],
  [
    'more than the burst is never there',
    [
      [0, 6, 0],
      [0, 1, true],
      [0, 6, 100],
      [100, 6, 0],
    ],
  ],
  [
    'a clock that stands gives nothing',
    [
      [7, 5, true],
      [7, 1, 100],
      [7, 1, 100],
    ],
  ],
] as const)('%s', (_, draws) => {
  let state: BucketState = FULL_BUCKET;
  for (const [now, count, expected] of draws) {
    const draw = drawTokens(state, now, count, TERMS);
    expect(draw.ok ? true : Math.round(draw.retryAfterMs), `at ${now}`).toBe(expected);
    if (draw.ok) state = draw.state;
  }
});

test('whatever is asked when, no stretch of time gives more than a burst and its rate', () => {
  const asks = fc.array(fc.tuple(fc.nat(300), fc.integer({ min: 1, max: 6 })), { maxLength: 60 });
  fc.assert(
    fc.property(asks, (steps) => {
      const taken: { at: number; count: number }[] = [];
      let [state, now]: [BucketState, number] = [FULL_BUCKET, 0];
      for (const [pause, count] of steps) {
        now += pause;
        const draw = drawTokens(state, now, count, TERMS);
        if (!draw.ok) continue;
        state = draw.state;
        taken.push({ at: now, count });
      }
      for (const [from, { at }] of taken.entries()) {
        let sum = 0;
        for (const later of taken.slice(from)) {
          sum += later.count;
          expect(sum).toBeLessThanOrEqual(TERMS.burst + ((later.at - at) * TERMS.ratePerSecond) / 1000);
        }
      }
    }),
  );
});
