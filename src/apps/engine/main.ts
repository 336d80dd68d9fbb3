import { systemClock } from '../../adapters/clock/system-clock.ts';
import { parseCommandLine } from '../../adapters/config/arguments.ts';
import { loadYaml } from '../../adapters/config/load-yaml.ts';
import { untilToldToEnd } from '../../adapters/process/end-signal.ts';
import { engineConfig } from './engine-config.ts';
import { run } from './run.ts';

const COMMAND = {
  name: 'engine',
  summary: 'Runs the market of one community: orders, clearing, leases, settlement, dashboard.',
  options: {
    mode: {
      kind: 'text',
      choices: ['production', 'paper'],
      default: 'production',
      help: 'paper clears and bills but neither settles on the ledger nor lets a relay close',
    },
    config: { kind: 'text', value: 'FILE', default: '/etc/energy-logic/engine.yaml', help: 'the configuration' },
    json: { kind: 'flag', help: 'one JSON object a line: where it listens, and messages' },
  },
} as const;

/** `engine`: where it listens on standard output, messages on standard error. Resolves with the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const line = parseCommandLine(COMMAND, argv);
  if (line.kind === 'help') return say(process.stdout, line.text, 0);
  if (line.kind === 'refusal') return say(process.stderr, `${line.message}\n`, 2);
  const { mode, config: path, json } = line.options;
  const config = loadYaml(path, engineConfig);
  const log = (text: string) => void process.stderr.write(`${json ? JSON.stringify({ message: text }) : text}\n`);
  const signal = untilToldToEnd();
  const starting = run(config, { wall: systemClock(), mode, log });
  const engine = await Promise.race([starting, signal]);
  // It may be waiting for its broker. What is journaled is safe however the process ends.
  if (engine === undefined) process.exit(0);
  const place = json ? JSON.stringify({ url: engine.url, mode }) : `${config.name}: ${engine.url}`;
  // A reader that goes away is no reason to stop a market.
  process.stdout.removeAllListeners('error').on('error', () => {});
  process.stdout.write(`${place}\n`);
  try {
    await Promise.race([signal, engine.failed]);
  } catch (failure) {
    await engine.stop().catch(() => undefined);
    throw failure;
  }
  await engine.stop();
  return 0;
}

function say(stream: NodeJS.WriteStream, text: string, code: number): Promise<number> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve(code)));
  });
}
