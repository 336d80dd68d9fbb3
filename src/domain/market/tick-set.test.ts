import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TickSet } from './tick-set.ts';

describe('the neighbours of a tick', () => {
  test.each([1, 31, 32, 33, 1024, 2200, 32_768, 65_537, 2 ** 20])('on a ladder of %i ticks', (size) => {
    const edges = [0, 31, 32, 1023, 1024, 32_767, 32_768, 65_535, 65_536, size - 1].filter((tick) => tick < size);
    const tick = fc.oneof(fc.constantFrom(...edges), fc.nat(size - 1));
    const property = (added: number[], removed: number[], asked: number[]) => {
      const set = new TickSet(size);
      const naive = new Set<number>();
      for (const one of added) {
        set.add(one);
        naive.add(one);
      }
      for (const one of removed) {
        set.remove(one);
        naive.delete(one);
      }
      for (const one of [...asked, ...edges]) {
        expect(set.above(one)).toBe(Math.min(size, ...[...naive].filter((other) => other > one)));
        expect(set.below(one)).toBe(Math.max(-1, ...[...naive].filter((other) => other < one)));
      }
    };
    const ticks = fc.array(tick, { maxLength: 12 });
    fc.assert(fc.property(ticks, ticks, ticks, property), { numRuns: 200 });
  });

  test('a ladder that is too high is a bug', () => {
    expect(() => new TickSet(2 ** 20 + 1)).toThrow(/ladder/);
  });
});
