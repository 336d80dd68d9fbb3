// Everything CI checks, fast things first; stops at the first failure. One line a step, with its time.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NODE = process.execPath;
const BIOME = 'node_modules/@biomejs/biome/bin/biome';
const COLOUR = process.stdout.isTTY && !process.env.NO_COLOR ? 'force' : 'off';

const STEPS = [
  { name: 'format, lint, floors', run: [BIOME, 'ci', '--error-on-warnings', `--colors=${COLOUR}`, '.'] },
  { name: 'types', run: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'] },
  { name: 'types, domain is pure', run: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.domain.json'] },
  { name: 'nothing unused', run: ['node_modules/knip/bin/knip.js', '--no-progress'] },
  { name: 'house rules, documents', run: ['scripts/test.mjs', 'test/tidy.test.ts', 'test/docs.test.ts'] },
  { name: 'tests', run: ['scripts/test.mjs'], live: true },
];

for (const step of STEPS) {
  const started = performance.now();
  const { code, output, lastLine } = await runStep(step);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (code !== 0 && !step.live) process.stdout.write(output);
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${step.name.padEnd(24)} ${seconds.padStart(6)} s`);
  if (step.live) console.log(lastLine);
  if (code !== 0) process.exit(1);
}

/** A live step shows its output as it comes, but for the last line, which closes the whole check. */
function runStep({ run, live }) {
  return new Promise((resolve) => {
    const child = spawn(NODE, run, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let held = '';
    const take = (chunk) => {
      if (!live) {
        output += chunk;
        return;
      }
      held += chunk;
      const shown = held.trimEnd().lastIndexOf('\n') + 1;
      process.stdout.write(held.slice(0, shown));
      held = held.slice(shown);
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', live ? (chunk) => process.stderr.write(chunk) : take);
    child.on('close', (code) => resolve({ code: code ?? 1, output, lastLine: held.trimEnd() }));
  });
}
