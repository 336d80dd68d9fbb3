import { expect, test } from 'vitest';
import { epochMs } from '../units/time.ts';
import { isStale } from './freshness.ts';
import { type LinkQuality, NEW_LINK, recordRequest } from './link-quality.ts';

function after(link: LinkQuality, lost: number, answered: number): LinkQuality {
  let next = link;
  for (let n = 0; n < lost; n += 1) next = recordRequest(next, false);
  for (let n = 0; n < answered; n += 1) next = recordRequest(next, true);
  return next;
}

test('a link is stale above 5 % loss over 200 requests and good again below 2 %', () => {
  const rows = [
    { lost: 10, answered: 190, stale: false },
    { lost: 11, answered: 0, stale: true },
    { lost: 11, answered: 189, stale: true },
    { lost: 11, answered: 196, stale: true },
    { lost: 11, answered: 197, stale: false },
  ];
  for (const { lost, answered, stale } of rows)
    expect(after(NEW_LINK, lost, answered).stale, `${lost}/${answered}`).toBe(stale);
});

test('between the two marks a link stays what it was', () => {
  const good = after(NEW_LINK, 6, 194);
  const wasStale = after(after(NEW_LINK, 20, 180), 6, 194);
  expect([good.lost, good.stale]).toEqual([6, false]);
  expect([wasStale.lost, wasStale.stale]).toEqual([6, true]);
});

test('the window forgets after 200 requests', () => {
  const link = after(after(NEW_LINK, 50, 0), 0, 200);
  expect([link.answered.length, link.lost, link.stale]).toEqual([200, 0, false]);
});

test('a value is stale when it is older than twice its interval', () => {
  expect(isStale(epochMs(0), 1000, epochMs(2000))).toBe(false);
  expect(isStale(epochMs(0), 1000, epochMs(2001))).toBe(true);
});
