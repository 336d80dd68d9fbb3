import { expect, test } from 'vitest';
import { IdempotencyKeys } from './idempotency.ts';

const ANSWER = { status: 200, headers: {}, body: 'first' };

function open(terms = { keys: 3, bytes: 1000, forMs: 100 }) {
  const clock = { now: 0 };
  return { clock, keys: new IdempotencyKeys(() => clock.now, terms) };
}

test('a key repeats its first answer to the same request, and belongs to one member', () => {
  const { keys } = open();
  expect(keys.find('a', 'k', 'request')).toBeNull();
  keys.keep('a', 'k', 'request', ANSWER);
  keys.keep('a', 'k', 'request', { ...ANSWER, body: 'second' });
  expect(keys.find('a', 'k', 'request')).toMatchObject(ANSWER);
  expect(keys.find('a', '"k"', 'request')).toMatchObject(ANSWER);
  expect(keys.find('a', 'k', 'other')).toBe('idempotency_key_reused');
  expect(keys.find('b', 'k', 'request')).toBeNull();
});

test.each([
  ['too many keys', { keys: 2, bytes: 1000, forMs: 100 }, 0, [false, true, true]],
  ['too many bytes', { keys: 9, bytes: 10, forMs: 100 }, 0, [false, true, true]],
  ['too old', { keys: 9, bytes: 1000, forMs: 100 }, 101, [false, false, false]],
  ['just not too old', { keys: 9, bytes: 1000, forMs: 100 }, 100, [true, true, true]],
])('%s: the oldest are forgotten first', (_, terms, later, known) => {
  const { keys, clock } = open(terms);
  for (const key of ['1', '2', '3']) keys.keep('a', key, 'request', ANSWER);
  clock.now = later;
  expect(['1', '2', '3'].map((key) => keys.find('a', key, 'request') !== null)).toEqual(known);
});
