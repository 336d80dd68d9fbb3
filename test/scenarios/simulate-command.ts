import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Kpis } from '../../src/apps/simulate/kpis.ts';

export const PROJECT = resolve(import.meta.dirname, '../..');

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `simulate` as a process of its own. */
export function simulate(...args: readonly string[]): Promise<Ran> {
  return new Promise((done) => {
    const command = [join(PROJECT, 'bin/simulate.js'), ...args];
    execFile(process.execPath, command, { cwd: PROJECT, maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** The KPIs of a run that must succeed. */
export async function kpisOf(...args: readonly string[]): Promise<Kpis> {
  const { code, stdout, stderr } = await simulate(...args, '--json');
  if (code !== 0) throw new Error(`simulate ${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as Kpis;
}

/** Decimal money as nano-currency. */
export function nano(text: string): bigint {
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.');
  const value = BigInt(whole + fraction.padEnd(9, '0'));
  return text.startsWith('-') ? -value : value;
}

const DATA = resolve(PROJECT, process.env.ENERGY_LOGIC_DATA ?? '../shared/data');

/** Real households are no part of the project. Without them tests that need them skip; in CI they fail. */
export const DATA_IS_MISSING = !existsSync(DATA) && process.env.CI !== 'true';

if (DATA_IS_MISSING) console.warn(`skipped: no data in ${DATA}; set ENERGY_LOGIC_DATA to run the known answers`);

export function dataFile(name: string): string {
  return join(DATA, name);
}
