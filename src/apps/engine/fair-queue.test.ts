import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FairQueue } from './fair-queue.ts';

function filled(lines: Readonly<Record<string, number>>): FairQueue<string> {
  const queue = new FairQueue<string>();
  for (const [member, count] of Object.entries(lines)) {
    for (let number = 1; number <= count; number += 1) queue.add(member, `${member}${number}`);
  }
  return queue;
}

test('lines take turns, and within a line the first is the first', () => {
  const queue = filled({ a: 4, b: 1, c: 2 });
  expect(queue.take(3)).toEqual(['a1', 'b1', 'c1']);
  expect(queue.take(99)).toEqual(['a2', 'c2', 'a3', 'a4']);
  expect([queue.size, queue.take(1)]).toEqual([0, []]);
});

test('who comes while one member has a thousand waiting is next but one', () => {
  const queue = filled({ flood: 1000 });
  queue.take(10);
  queue.add('quiet', 'quiet1');
  expect(queue.take(2)).toEqual(['flood11', 'quiet1']);
});

test('of any 2 x members in a row, every member that waits has its two', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 2, max: 40 }), { minLength: 2, maxLength: 8 }), (counts) => {
      const queue = filled(Object.fromEntries(counts.map((count, index) => [`m${index}-`, count])));
      const round = queue.take(2 * counts.length).map((item) => item.replace(/-.*/, ''));
      for (const index of counts.keys()) expect(round.filter((member) => member === `m${index}`)).toHaveLength(2);
    }),
  );
});
