import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BenchResult } from '../main.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/**
 * Runs `measure-NAME.ts` in a fresh process, so that nothing measured before has shaped its memory or its code, and
 * yields what it prints: one JSON object a line.
 * @throws where it fails
 */
export async function* measuredApart(name: string, argv: readonly string[]): AsyncGenerator<BenchResult> {
  const script = join(HERE, `measure-${name}.ts`);
  const flags = ['--expose-gc', '--max-old-space-size=8192'];
  const child = spawn(process.execPath, [...flags, script, ...argv], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line) as BenchResult;
  const [status] = await ended;
  if (status !== 0) throw new Error(`measure-${name}.ts ended with ${status}`);
}
