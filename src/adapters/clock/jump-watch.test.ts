import { expect, test } from 'vitest';
import { clockJumpText } from './jump-watch.ts';

test.each([
  [3_599_999, /CLOCK_JUMPED .* is 3600 s ahead of market time, which did not move/],
  [-1_500, /CLOCK_JUMPED .* is 1\.5 s behind market time/],
  [3, /CLOCK_JUMPED the system clock is back where market time is/],
])('a leap of %i ms is told as people say it', (jumpMs, text) => {
  expect(clockJumpText(jumpMs)).toMatch(text);
});
