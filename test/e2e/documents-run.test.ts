import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { runnableBlocks } from '../house/document-rules.ts';
import { isDocument, projectFiles, ROOT, readText } from '../house/tree.ts';

const BLOCKS = projectFiles()
  .filter(isDocument)
  .flatMap((path) => runnableBlocks(readText(path)).map((block) => ({ path, ...block })));

test('the documents have blocks to run', () => {
  expect(BLOCKS.length).toBeGreaterThan(0);
});

/** Each block runs as a reader would run it at the root of the clone; `$STATE` is an empty folder of its own. */
test.each(BLOCKS)('$path, line $line: what it shows works', async ({ script }) => {
  const state = await mkdtemp(join(tmpdir(), 'energy-logic-docs-'));
  const path = [join(ROOT, 'node_modules/.bin'), process.env.PATH ?? ''].join(delimiter);
  try {
    await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: ROOT,
      env: { ...process.env, PATH: path, STATE: state, NO_COLOR: '1' },
      timeout: 170_000,
    });
  } finally {
    await rm(state, { recursive: true, force: true });
  }
});
