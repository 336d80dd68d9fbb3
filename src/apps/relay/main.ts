import { followingClock } from '../../adapters/clock/market-clock.ts';
import { systemClock } from '../../adapters/clock/system-clock.ts';
import { parseCommandLine } from '../../adapters/config/arguments.ts';
import { openCoilRelay } from '../../adapters/modbus/coil-relay.ts';
import { openSunSpecMeter } from '../../adapters/modbus/sunspec-meter.ts';
import { connectMqttBus } from '../../adapters/mqtt/mqtt-bus.ts';
import { loadRelayFile, type RelayFile } from './relay-config.ts';
import { type RelayState, type RunningRelay, run } from './run.ts';

const COMMAND = {
  name: 'energy-relay',
  summary:
    'Closes the export path of one home while the grid is fit and the market has cleared it, and opens it otherwise.',
  options: {
    config: { kind: 'text', value: 'FILE', default: '/etc/energy-logic/relay.yaml', help: 'the configuration' },
    json: { kind: 'flag', help: 'one JSON object for every change of state' },
  },
  notes:
    'SIGTERM and SIGINT open the contact and end. SIGHUP resets a lockout, when a person has looked for its cause.',
} as const;

/** How long the last command to open may take before the process ends without its answer. */
const LAST_WORD_MS = 3_000;

/** `energy-relay`: states on standard output, messages on standard error. Resolves with the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const line = parseCommandLine(COMMAND, argv);
  if (line.kind === 'help') return say(process.stdout, line.text, 0);
  if (line.kind === 'refusal') return say(process.stderr, `${line.message}\n`, 2);
  return supervise(loadRelayFile(line.options.config), line.options.json);
}

/** Runs until a signal. */
async function supervise(file: RelayFile, json: boolean): Promise<number> {
  const { coil, input, ...where } = file.relay;
  const wall = systemClock();
  const clock = followingClock(wall);
  const meter = openSunSpecMeter(file.meter);
  const relay = openCoilRelay({ ...where, coil, feedbackInput: input });
  const bus = await connectMqttBus({ url: file.broker, clientId: `relay-${file.market}-${file.member}` });
  const running = run(file, {
    bus,
    relay,
    clock,
    readGrid: () => meter.read(),
    wallNow: () => wall.wallNow(),
    reanchorWall: () => wall.reanchor(),
    log: (message) => process.stderr.write(`${message}\n`),
    onState: (state) => process.stdout.write(`${json ? JSON.stringify(state) : sentence(state)}\n`),
  });
  openOnCrash(running);
  outliveReaders();
  try {
    await untilSignal(running);
    await running.stop();
    return 0;
  } finally {
    clock.stop();
    await Promise.all([bus.close(), meter.close(), relay.close()]);
  }
}

function untilSignal(running: RunningRelay): Promise<void> {
  const onHangup = () => running.reset();
  process.on('SIGHUP', onHangup);
  return new Promise((resolve) => {
    const end = () => {
      process.off('SIGHUP', onHangup);
      resolve();
    };
    process.on('SIGTERM', end);
    process.on('SIGINT', end);
  });
}

/** A bug anywhere in the process: open, then die of it. */
function openOnCrash(running: RunningRelay): void {
  process.setUncaughtExceptionCaptureCallback((error) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    const die = () => process.exit(1);
    setTimeout(die, LAST_WORD_MS);
    running.stop().then(die, die);
  });
}

/** Whoever reads our output may go away (a restarted log service): that is no reason to leave a contact unsupervised. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners('error');
    stream.on('error', () => {});
  }
}

function sentence({ phase, faultText, fault, contactClosed, permittedExport }: RelayState): string {
  const contact = contactClosed === null ? 'unknown' : contactClosed ? 'closed' : 'open';
  return `${phase}  contact ${contact}  export up to ${permittedExport} W  fault ${fault}: ${faultText}`;
}

function say(stream: NodeJS.WriteStream, text: string, code: number): Promise<number> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve(code)));
  });
}
