import { expect, test } from 'vitest';
import { Admission } from './admission.ts';

const TERMS = { ratePerSecond: 1, burst: 5, memberQueue: 4, queue: 6 };

function open(terms = TERMS) {
  const clock = { now: 0 };
  return { clock, admission: new Admission(['a', 'b', 'c'], terms, () => clock.now) };
}

const codes = (answers: readonly ({ code: string } | null)[]) => answers.map((answer) => answer?.code ?? 'in');

test('the checks come in their order: member, rate, room', () => {
  const { admission } = open({ ...TERMS, memberQueue: 0 });
  expect(admission.enter('nobody', 1)).toEqual({ code: 'unknown_member', retryAfterMs: 0 });
  expect(codes([1, 2, 3, 4, 5, 6].map(() => admission.enter('a', 1)))).toEqual([
    ...Array(5).fill('queue_full'),
    'rate_limited',
  ]);
});

test('a member waits for its own answers, and then for those of all', () => {
  const { admission } = open({ ...TERMS, burst: 9 });
  expect(codes([admission.enter('a', 4), admission.enter('a', 1)])).toEqual(['in', 'queue_full']);
  expect(codes([admission.enter('b', 2), admission.enter('c', 1)])).toEqual(['in', 'queue_full']);
  admission.leave('a', 4);
  expect(codes([admission.enter('c', 4), admission.enter('c', 1)])).toEqual(['in', 'queue_full']);
});

test('a look spends nothing, and what cannot be read is charged', () => {
  const { admission, clock } = open();
  for (let count = 0; count < 99; count += 1) expect(admission.look('a')).toBeNull();
  for (let count = 0; count < 5; count += 1) admission.charge('a');
  admission.charge('nobody');
  expect(admission.look('a')).toEqual({ code: 'rate_limited', retryAfterMs: 1000 });
  expect([admission.look('b'), admission.look('nobody')?.code]).toEqual([null, 'unknown_member']);
  clock.now = 1000;
  expect(admission.enter('a', 1)).toBeNull();
});

test('nobody leaves who has not entered', () => {
  const { admission } = open();
  expect(() => admission.leave('a', 1)).toThrow('without having entered');
  expect(() => admission.leave('nobody', 1)).toThrow('without having entered');
});
