import { expect, test } from 'vitest';
import type { MetricEvent } from '../../adapters/sparkplug/host-node.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { HomeBoard } from './home-board.ts';

const metric = (
  name: string,
  value: number | boolean | null,
  at: number,
  more: Partial<MetricEvent> = {},
): MetricEvent => ({
  node: 'home-01',
  device: name.startsWith('Safety') ? null : 'meter',
  name,
  value,
  quality: value === null ? 'bad' : 'good',
  at: at as EpochMs,
  historical: false,
  ...more,
});

test('two registers of one instant make a reading; of two instants they do not', () => {
  const readings: unknown[] = [];
  const board = new HomeBoard((node, reading) => readings.push([node, reading]));
  board.take(metric('Meter/ImportWh', 10, 1), 0);
  board.take(metric('Meter/ExportWh', 5, 2), 0);
  expect(readings).toEqual([]);
  board.take(metric('Meter/ImportWh', 11, 3), 0);
  board.take(metric('Meter/ExportWh', 5, 3), 0);
  expect(readings).toEqual([['home-01', { at: 3, importRegister: 11, exportRegister: 5 }]]);
});

test.each([
  ['bad', { quality: 'bad' }],
  ['stale', { quality: 'stale' }],
  ['historical', { historical: true }],
] as const)('%s registers make no reading', (_, more) => {
  const readings: unknown[] = [];
  const board = new HomeBoard((...reading) => readings.push(reading));
  board.take(metric('Meter/ImportWh', 10, 1, more), 0);
  board.take(metric('Meter/ExportWh', 5, 1, more), 0);
  expect(readings).toEqual([]);
});

test('a value that became stale is no longer shown', () => {
  const board = new HomeBoard(() => undefined);
  board.take(metric('Meter/PowerW', 700, 1), 100);
  board.take(metric('Safety/Relay', true, 1), 100);
  expect([board.number('home-01', 'Meter/PowerW'), board.flag('home-01', 'Safety/Relay')]).toEqual([700, true]);
  expect(board.ageMs('home-01', 600)).toBe(500);
  board.take(metric('Meter/PowerW', 700, 2, { quality: 'stale' }), 200);
  expect(board.number('home-01', 'Meter/PowerW')).toBeNull();
  expect(board.number('home-02', 'Meter/PowerW')).toBeNull();
});
