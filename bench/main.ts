import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const USAGE = `Usage: npm run bench -- NAME [--json]

Runs one benchmark and prints its results. With --json: one JSON object a line.
`;

/** What one benchmark measured, in the order it is printed. */
export type BenchResult = Readonly<Record<string, string | number>>;

/** Each `bench/NAME.ts` exports `runBench`: it yields its results as they come. */
interface Bench {
  runBench(): AsyncIterable<BenchResult> | Iterable<BenchResult>;
}

export async function main(argv: readonly string[]): Promise<number> {
  const json = argv.includes('--json');
  const [name, ...surplus] = argv.filter((argument) => argument !== '--json');
  if (name === '--help') {
    console.log(`${USAGE}\nBenchmarks: ${benchNames().join(', ') || 'none yet'}`);
    return 0;
  }
  if (name === undefined || surplus.length > 0 || !benchNames().includes(name)) {
    console.error(`${USAGE}\nBenchmarks: ${benchNames().join(', ') || 'none yet'}`);
    return 2;
  }
  const bench = (await import(`./${name}.ts`)) as Bench;
  for await (const result of bench.runBench()) console.log(json ? JSON.stringify(result) : readable(result));
  return 0;
}

function benchNames(): string[] {
  return readdirSync(HERE)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && file !== 'main.ts')
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();
}

function readable(result: BenchResult): string {
  return Object.entries(result)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? value.toLocaleString('en-GB') : value}`)
    .join('  ');
}
