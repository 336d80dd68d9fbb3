import { expect, test } from 'vitest';
import { topicMatches } from './topic-filter.ts';

test.each([
  ['a/b', 'a/b', true],
  ['a/+', 'a/b', true],
  ['a/+', 'a', false],
  ['a/+', 'a/b/c', false],
  ['a/#', 'a', true],
  ['a/#', 'a/b/c', true],
  ['a/#', 'ab', false],
  ['#', 'a/b', true],
  ['#', '$SYS/x', false],
  ['+/x', '$SYS/x', false],
  ['$SYS/#', '$SYS/x', true],
  ['+', '', true],
  ['a//b', 'a//b', true],
  ['a/+/b', 'a//b', true],
])('the filter %j and the topic %j: %s', (filter, topic, matches) => {
  expect(topicMatches(filter, topic)).toBe(matches);
});
