import { expect, test } from 'vitest';
import { deviceTopic, groupFilter, isSparkplugId, nodeTopic, parseTopic, stateTopic } from './topics.ts';

test('topics have the levels of the specification (tck-id-topic-structure)', () => {
  expect(nodeTopic('elm', 'NBIRTH', 'home-01')).toBe('spBv1.0/elm/NBIRTH/home-01');
  expect(deviceTopic('elm', 'DDATA', 'home-01', 'meter')).toBe('spBv1.0/elm/DDATA/home-01/meter');
  expect(stateTopic('engine')).toBe('spBv1.0/STATE/engine');
  expect(groupFilter('elm')).toBe('spBv1.0/elm/#');
});

test('a topic that was built is parsed into its parts', () => {
  expect(parseTopic('spBv1.0/elm/NDEATH/home-01')).toEqual({
    kind: 'node',
    group: 'elm',
    verb: 'NDEATH',
    node: 'home-01',
  });
  expect(parseTopic('spBv1.0/elm/DCMD/home-01/meter')).toEqual({
    kind: 'device',
    group: 'elm',
    verb: 'DCMD',
    node: 'home-01',
    device: 'meter',
  });
  expect(parseTopic('spBv1.0/STATE/engine')).toEqual({ kind: 'state', host: 'engine' });
});

test.each([
  '',
  'spBv1.0',
  'spBv1.0/elm',
  'spBv1.0/elm/NBIRTH',
  'spBv1.0/elm/NBIRTH/home/meter',
  'spBv1.0/elm/DDATA/home',
  'spBv1.0/elm/DDATA/home/meter/more',
  'spBv1.0/elm/HELLO/home',
  'spBv1.0/elm/DDATA/home/',
  'spBv1.0//NBIRTH/home',
  'spBv1.0/STATE/engine/more',
  'spBv1.0/STATE/',
  'spAv1.0/elm/NBIRTH/home',
  'STATE/engine',
])('%j is no topic of Sparkplug B', (topic) => {
  expect(parseTopic(topic)).toBeNull();
});

test('an id holds none of the reserved characters (tck-id-intro-group-id-chars, tck-id-intro-edge-node-id-chars)', () => {
  expect(['home-01', 'Zähler 1', 'a.b'].map(isSparkplugId)).toEqual([true, true, true]);
  expect(['', 'a/b', '+', '#', 'x#', 'a\0'].map(isSparkplugId)).toEqual([false, false, false, false, false, false]);
});
