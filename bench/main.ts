import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const USAGE = `Usage: npm run bench -- NAME [--quick] [--json]

Runs one benchmark and prints its results. With --json: one JSON object a line.
With --quick: fewer and shorter rounds, where the benchmark knows how.
`;
const FLAGS = ['--json', '--quick'];

/** What one benchmark measured, in the order it is printed. */
export type BenchResult = Readonly<Record<string, string | number>>;

export interface BenchOptions {
  readonly quick: boolean;
}

/** Each `bench/NAME.ts` exports `runBench`: it yields its results as they come. */
interface Bench {
  runBench(options: BenchOptions): AsyncIterable<BenchResult> | Iterable<BenchResult>;
}

export async function main(argv: readonly string[]): Promise<number> {
  const json = argv.includes('--json');
  const [name, ...surplus] = argv.filter((argument) => !FLAGS.includes(argument));
  if (name === '--help') {
    console.log(`${USAGE}\nBenchmarks: ${benchNames().join(', ') || 'none yet'}`);
    return 0;
  }
  if (name === undefined || surplus.length > 0 || !benchNames().includes(name)) {
    console.error(`${USAGE}\nBenchmarks: ${benchNames().join(', ') || 'none yet'}`);
    return 2;
  }
  const bench = (await import(`./${name}.ts`)) as Bench;
  const results = bench.runBench({ quick: argv.includes('--quick') });
  for await (const result of results) console.log(json ? JSON.stringify(result) : readable(result));
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
