import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Load } from '../../domain/forecast/load.ts';
import type { EpochMs } from '../../domain/units/time.ts';

/** What a home used and made, interval by interval: the memory of its forecast. One JSON line each, newest last. */
export interface LoadHistory {
  measured(start: EpochMs): Load | null;
  record(start: EpochMs, load: Load): void;
}

const KEPT_INTERVALS = 2000;

/** Reads the file where it exists. A line that a power cut tore is left out: the forecast falls back for that interval. */
export function openLoadHistory(path: string): LoadHistory {
  mkdirSync(dirname(path), { recursive: true });
  const loads = new Map<EpochMs, Load>();
  for (const line of existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(-KEPT_INTERVALS) : []) {
    const row = parseRow(line);
    if (row !== null) loads.set(row.start, row.load);
  }
  return {
    measured: (start) => loads.get(start) ?? null,
    record(start, load) {
      loads.set(start, load);
      appendFileSync(path, historyLine(start, load));
    },
  };
}

function historyLine(start: EpochMs, { consumption, generation }: Load): string {
  return `${JSON.stringify({ start, consumption, generation })}\n`;
}

function parseRow(line: string): { start: EpochMs; load: Load } | null {
  try {
    const { start, consumption, generation } = JSON.parse(line);
    if (![start, consumption, generation].every(Number.isSafeInteger)) return null;
    return { start, load: { consumption, generation } };
  } catch {
    return null;
  }
}
