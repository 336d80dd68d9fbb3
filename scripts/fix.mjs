// Repairs all that is mechanical: the lock, the generated documents, format and safe lint fixes.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const STEPS = [
  ['scripts/complete-lock.mjs'],
  ['scripts/write-error-docs.ts'],
  ['scripts/write-cli-docs.ts'],
  ['node_modules/@biomejs/biome/bin/biome', 'check', '--write', '.'],
];

for (const step of STEPS) {
  const { status } = spawnSync(process.execPath, step, { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
