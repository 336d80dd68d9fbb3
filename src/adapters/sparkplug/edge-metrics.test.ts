import { expect, test } from 'vitest';
import { epochMs } from '../../domain/units/time.ts';
import { definitionProblem, EdgeMetrics, type NodeDefinition } from './edge-metrics.ts';

const GOOD: NodeDefinition = {
  group: 'elm',
  node: 'home-01',
  nodeMetrics: [{ name: 'Safety/Relay', type: 'Boolean' }],
  devices: [{ id: 'meter', metrics: [{ name: 'Meter/PowerW', type: 'Int32' }] }],
};
const power = (name: string) => ({ name, type: 'Int32' }) as const;

test.each<[string, Partial<NodeDefinition>, RegExp]>([
  ['a group with a slash', { group: 'a/b' }, /"a\/b" is no Sparkplug id/],
  ['a node without a name', { node: '' }, /"" is no Sparkplug id/],
  ['the group STATE', { group: 'STATE' }, /cannot be named STATE/],
  ['two devices of one name', { devices: [...GOOD.devices, ...GOOD.devices] }, /device meter is named twice/],
  [
    'metric names that differ by case only (tck-id-case-sensitivity-metric-names)',
    { devices: [{ id: 'meter', metrics: [power('W'), power('w')] }] },
    /metric w is named twice/,
  ],
  [
    'device ids that differ by case only (tck-id-case-sensitivity-sparkplug-ids)',
    {
      devices: [
        { id: 'a', metrics: [] },
        { id: 'A', metrics: [] },
      ],
    },
    /device A is named twice/,
  ],
  ['a metric named like the control', { nodeMetrics: [power('bdseq')] }, /metric bdseq is named twice/],
])('%s cannot be a node', (_, change, problem) => {
  expect(definitionProblem({ ...GOOD, ...change })).toMatch(problem);
});

test('a good definition has no problem', () => {
  expect(definitionProblem(GOOD)).toBeNull();
});

test('a birth keeps its metrics in chronological order (tck-id-operational-behavior-data-publish-dbirth-order)', () => {
  const metrics = new EdgeMetrics([power('a'), power('b'), power('c')], 1);
  metrics.update([{ name: 'a', value: 1 }], epochMs(30));
  metrics.update([{ name: 'c', value: 3 }], epochMs(10));
  const birth = metrics.birth(epochMs(20));
  expect(birth.map(({ name, timestamp }) => [name, timestamp])).toEqual([
    ['c', 10],
    ['b', 20],
    ['a', 30],
  ]);
});

test('an update that no birth declared, or of the wrong type, is a bug', () => {
  const metrics = new EdgeMetrics([power('a')], 1);
  expect(() => metrics.update([{ name: 'b', value: 1 }], epochMs(1))).toThrow(/^bug: /);
  expect(() => metrics.update([{ name: 'a', value: 1.5 }], epochMs(1))).toThrow(/^bug: /);
});
