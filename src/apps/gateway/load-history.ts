import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { openStateFolder, writeStateFile } from '../../adapters/process/state-file.ts';
import type { Load } from '../../domain/forecast/load.ts';
import type { EpochMs } from '../../domain/units/time.ts';

/** What a home used and made, interval by interval: the memory of its forecast. One JSON line each, newest last. */
export interface LoadHistory {
  measured(start: EpochMs): Load | null;
  record(start: EpochMs, load: Load): void;
}

/** Three weeks of quarter-hours. */
const KEPT_INTERVALS = 2000;

/**
 * Reads the file where it exists and leaves its newest lines in it. A line that a power cut tore is left out: the
 * forecast falls back for that interval. What cannot be written is remembered while the process lives, and told.
 */
export function openLoadHistory(path: string, log: (line: string) => void): LoadHistory {
  openStateFolder(dirname(path));
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const rows = text.split('\n').flatMap(parseRow).slice(-KEPT_INTERVALS);
  const whole = rows.map(historyLine).join('');
  if (whole !== text) writeStateFile(path, whole);
  const loads = new Map(rows.map(({ start, load }) => [start, load]));
  return {
    measured: (start) => loads.get(start) ?? null,
    record(start, load) {
      loads.set(start, load);
      try {
        appendFileSync(path, historyLine({ start, load }));
      } catch (error) {
        log(`${path} cannot be written: ${String(error)}`);
      }
    },
  };
}

interface Row {
  readonly start: EpochMs;
  readonly load: Load;
}

function historyLine({ start, load: { consumption, generation } }: Row): string {
  return `${JSON.stringify({ start, consumption, generation })}\n`;
}

function parseRow(line: string): Row[] {
  try {
    const { start, consumption, generation } = JSON.parse(line);
    if (![start, consumption, generation].every(Number.isSafeInteger)) return [];
    return [{ start, load: { consumption, generation } }];
  } catch {
    return [];
  }
}
