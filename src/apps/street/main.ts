import { systemClock } from '../../adapters/clock/system-clock.ts';
import { parseCommandLine } from '../../adapters/config/arguments.ts';
import { loadYaml } from '../../adapters/config/load-yaml.ts';
import { untilToldToEnd } from '../../adapters/process/end-signal.ts';
import { run } from './run.ts';
import { streetConfig } from './street-config.ts';

const COMMAND = {
  name: 'street',
  summary: 'Runs a simulated street: the devices, gateways and relays of all its homes. Started by npm start.',
  options: {
    config: { kind: 'text', value: 'FILE', required: true, help: 'the configuration' },
    json: { kind: 'flag', help: 'messages as JSON, one object a line' },
  },
} as const;

/** `street`: messages on standard error. Resolves with the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const line = parseCommandLine(COMMAND, argv);
  if (line.kind === 'help') return say(process.stdout, line.text, 0);
  if (line.kind === 'refusal') return say(process.stderr, `${line.message}\n`, 2);
  const { json } = line.options;
  const config = loadYaml(line.options.config, streetConfig);
  const log = (text: string) => void process.stderr.write(`${json ? JSON.stringify({ message: text }) : text}\n`);
  const signal = untilToldToEnd();
  const starting = run(config, { wall: systemClock(), log });
  const street = await Promise.race([starting, signal]);
  // It may be waiting for its broker or for market time: nothing of it runs yet.
  if (street === undefined) process.exit(0);
  await signal;
  await street.stop();
  return 0;
}

function say(stream: NodeJS.WriteStream, text: string, code: number): Promise<number> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve(code)));
  });
}
