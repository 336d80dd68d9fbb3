import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseCommandLine } from '../../adapters/config/arguments.ts';
import { planStreet } from '../../sim/homes/street-plan.ts';
import { jsonNarrator, lineNarrator } from './narrator.ts';
import { run } from './run.ts';

const COMMAND = {
  name: 'npm start --',
  summary: 'Runs a whole living street on this machine: broker, ledger, homes, engine, dashboard.',
  options: {
    homes: { kind: 'integer', value: 'N', min: 2, max: 200, default: 12, help: 'how many homes' },
    seed: {
      kind: 'integer',
      value: 'S',
      min: 0,
      max: 2 ** 31 - 1,
      default: 1,
      help: 'which street: the same seed, the same street',
    },
    speed: {
      kind: 'number',
      value: 'X',
      min: 1,
      max: 1000,
      default: 60,
      help: 'market time runs X times as fast as the wall',
    },
    intervals: { kind: 'integer', value: 'N', min: 1, help: 'end after N settled intervals' },
    port: { kind: 'integer', value: 'P', min: 1, max: 65_535, help: 'of the dashboard; 8080 or the next that is free' },
    host: { kind: 'text', value: 'ADDRESS', default: '127.0.0.1', help: 'where everything listens' },
    state: { kind: 'text', value: 'FOLDER', help: 'where the street lives; var/street/HOMES-SEED by default' },
    fresh: { kind: 'flag', help: 'forget that folder and begin anew' },
    json: { kind: 'flag', help: 'one JSON object per interval, then the summary' },
    'no-interlock': {
      kind: 'flag',
      help: 'close every relay for good: for speeds at which a lease is longer than an interval',
    },
    'meter-error': { kind: 'text', value: 'HOME=WH', help: 'plant an error in a meter, to see that it is found' },
  },
  notes: 'Ctrl-C ends it; starting it again continues the same street. Exit code 1: the sums are not zero.',
} as const;

const INTERVAL_MS = 900_000;
const TWO_LEASES_MS = 6000;

/** `npm start`: the story on standard output, messages on standard error. Resolves with the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const line = parseCommandLine(COMMAND, argv);
  if (line.kind === 'help') return say(process.stdout, line.text, 0);
  if (line.kind === 'refusal') return say(process.stderr, `${line.message}\n`, 2);
  const { options } = line;
  const interlock = !options['no-interlock'];
  if (interlock && INTERVAL_MS / options.speed < TWO_LEASES_MS) {
    return say(
      process.stderr,
      `At ${options.speed} times an interval is shorter than two leases: use --speed 150 or less, or --no-interlock.\n`,
      2,
    );
  }
  const meterError = options['meter-error'] === undefined ? null : parseMeterError(options['meter-error']);
  if (meterError === 'unreadable') {
    return say(process.stderr, '--meter-error wants a home and whole Wh: home-03=1\n', 2);
  }
  if (meterError !== null && !hasHome(options, meterError.home)) {
    return say(process.stderr, `--meter-error: there is no ${meterError.home} among ${options.homes} homes\n`, 2);
  }
  const telling = { ...options, interlock, timezone: 'Europe/Berlin', currency: 'EUR' };
  const sumsAreZero = await run(settingsOf(options, interlock, meterError), {
    narrator: options.json ? jsonNarrator(telling) : lineNarrator(telling),
    interrupted: untilInterrupted(),
    out: (text) => void (text === '' || process.stdout.write(`${text}\n`)),
    log: (text) => void process.stderr.write(`${text}\n`),
  });
  return sumsAreZero ? 0 : 1;
}

type Options = Extract<ReturnType<typeof parseCommandLine<(typeof COMMAND)['options']>>, { kind: 'values' }>['options'];

function settingsOf(options: Options, interlock: boolean, meterError: { home: string; wh: number } | null) {
  const { homes, seed, speed, host, port, state, fresh, intervals } = options;
  const root = fileURLToPath(new URL('../../../var', import.meta.url));
  return {
    ...{ homes, seed, speed, host, fresh, interlock, meterError },
    port: port ?? 8080,
    portOrNext: port === undefined ? 20 : 0,
    intervals: intervals ?? null,
    state: resolve(state ?? join(root, 'street', `${homes}-${seed}`)),
    cache: join(root, 'cache'),
  };
}

function parseMeterError(text: string): { home: string; wh: number } | 'unreadable' {
  const match = /^(home-\d+)=(-?\d+)$/.exec(text);
  return match === null ? 'unreadable' : { home: match[1] ?? '', wh: Number(match[2]) };
}

function hasHome({ homes, seed }: Options, home: string): boolean {
  return planStreet({ homes, seed }).homes.some(({ id }) => id === home);
}

/** npm delivers a Ctrl-C twice; a second one changes nothing. A reader that goes away (`| head`) ends the story too. */
function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.removeAllListeners('error').on('error', () => resolve());
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
}

function say(stream: NodeJS.WriteStream, text: string, code: number): Promise<number> {
  return new Promise((done, reject) => {
    stream.write(text, (error) => (error ? reject(error) : done(code)));
  });
}
