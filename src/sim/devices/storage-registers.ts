import { FULL_RATE, type StorageControl } from './battery-physics.ts';
import type { HomeWorld } from './home-world.ts';

type Point = keyof Omit<StorageControl, 'writtenAt'>;

/** The points of model 124 that the simulated battery takes, by their offset from the ID register. */
const WRITABLE: Readonly<Record<number, { readonly point: Point; readonly takes: (value: number) => boolean }>> = {
  5: { point: 'mode', takes: (value) => value >= 0 && value <= 3 },
  12: { point: 'outRate', takes: isRate },
  13: { point: 'inRate', takes: isRate },
  15: { point: 'revertSeconds', takes: (value) => value >= 0 },
};

/** A write that begins `offset` registers after the ID of model 124: all of it is taken, or nothing. */
export function applyStorageWrite(
  world: HomeWorld,
  offset: number,
  registers: readonly number[],
): 'ok' | 'illegal_address' | 'illegal_value' {
  const points: Partial<Record<Point, number>> = {};
  for (const [index, register] of registers.entries()) {
    const writable = WRITABLE[offset + index];
    if (writable === undefined) return 'illegal_address';
    const value = writable.point === 'outRate' || writable.point === 'inRate' ? signed(register) : register;
    if (!writable.takes(value)) return 'illegal_value';
    points[writable.point] = value;
  }
  world.controlStorage(points);
  return 'ok';
}

function isRate(value: number): boolean {
  return value >= -FULL_RATE && value <= FULL_RATE;
}

function signed(register: number): number {
  return register >= 0x8000 ? register - 0x10000 : register;
}
