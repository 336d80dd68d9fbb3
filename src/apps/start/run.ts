import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { IntervalView } from '../../adapters/http/api-schema.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../../adapters/mqtt/embedded-broker.ts';
import { openStateFolder, writeStateFile } from '../../adapters/process/state-file.ts';
import { holdStateLock } from '../../adapters/process/state-lock.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { Fault, isFault } from '../../errors/fault.ts';
import { type EngineFeed, followEngine } from './engine-feed.ts';
import type { Narrator } from './narrator.ts';
import { CHAIN_ID, type StreetSettings, writeStreetFiles } from './street-files.ts';
import { Supervisor } from './supervisor.ts';

export type StartSettings = Omit<StreetSettings, 'brokerUrl' | 'ledgerUrl'> & {
  readonly fresh: boolean;
  /** Ends after that many settled intervals; null: never. */
  readonly intervals: number | null;
};

export interface StartPorts {
  readonly narrator: Narrator;
  /** Resolves when a person wants it to end. */
  readonly interrupted: Promise<void>;
  out(line: string): void;
  log(line: string): void;
}

const BROKER_PORT = 1883;
const LEDGER_PORT = 8545;
const STARTED_WITHIN_MS = 60_000;

/**
 * A whole street on this machine: broker, ledger, engine, homes. It holds no domain logic: it writes the configuration
 * files, starts the ordinary programs, tells what the engine says, and ends everything in order.
 * Resolves with true where every sum is zero at the end, or where it was interrupted before there was any.
 */
export async function run(settings: StartSettings, ports: StartPorts): Promise<boolean> {
  openStateFolder(settings.state);
  const lock = holdStateLock(settings.state, 'start');
  const supervisor = new Supervisor(join(settings.state, 'run.json'), ports.log);
  let broker: EmbeddedBroker | null = null;
  let feed: EngineFeed | null = null;
  try {
    await supervisor.endLeftovers();
    if (settings.fresh) clearState(settings.state);
    openStateFolder(join(settings.state, 'logs'));
    broker = await startBroker(settings.host);
    const starting = startParts(settings, supervisor, broker.url);
    const parts = await Promise.race([starting, supervisor.failed, ports.interrupted]);
    if (parts === undefined) return true;
    const toldFile = join(settings.state, 'told.json');
    const toldUntil = readJson<{ readonly interval: number }>(toldFile)?.interval ?? null;
    feed = followEngine(parts.dashboard, toldUntil);
    const urls = { dashboard: parts.dashboard(), broker: broker.url, ledger: parts.ledger };
    ports.out(ports.narrator.opened(urls, toldUntil === null ? null : ((await feed.now()).marketTime as EpochMs)));
    return await tell(settings, ports, supervisor, feed, toldFile);
  } finally {
    feed?.close();
    await supervisor.stop(['street', 'engine']);
    await broker?.close();
    lock.release();
  }
}

interface StreetParts {
  /** Where the engine of this moment listens: one that was started again may have another port. */
  readonly dashboard: () => string;
  readonly ledger: string;
}

async function startParts(settings: StartSettings, supervisor: Supervisor, brokerUrl: string): Promise<StreetParts> {
  const logs = join(settings.state, 'logs');
  const chain = {
    chainId: CHAIN_ID,
    stateFile: join(settings.state, 'chain', 'state.json'),
    logFile: join(logs, 'anvil.log'),
  };
  const ledger = await supervisor.keepAnvil(chain, LEDGER_PORT);
  const files = writeStreetFiles({ ...settings, brokerUrl, ledgerUrl: ledger });
  const program = (name: string) => fileURLToPath(new URL(`../../../bin/${name}.js`, import.meta.url));
  const child = (name: string, args: readonly string[]) => ({
    name,
    command: process.execPath,
    args: [program(name), ...args],
    logPath: join(logs, `${name}.log`),
  });
  await supervisor.keepChild(child('engine', ['--mode', 'production', '--config', files.engine]));
  await supervisor.keepChild(child('street', ['--config', files.street]));
  const endpoint = join(settings.state, 'engine', 'endpoint.json');
  await untilListening(endpoint, supervisor);
  const dashboard = readJson<Endpoint>(endpoint)?.url ?? '';
  // An engine that is started again first tries the port that people have open in their browsers.
  writeStreetFiles({ ...settings, port: Number(new URL(dashboard).port), brokerUrl, ledgerUrl: ledger });
  return { ledger, dashboard: () => readJson<Endpoint>(endpoint)?.url ?? '' };
}

interface Endpoint {
  readonly url: string;
  readonly pid: number;
}

/** The engine writes where it listens, with its pid: an older file is not believed. */
async function untilListening(path: string, supervisor: Supervisor): Promise<void> {
  const deadline = performance.now() + STARTED_WITHIN_MS;
  while (readJson<Endpoint>(path)?.pid !== supervisor.pidOf('engine')) {
    supervisor.ending.throwIfAborted();
    if (performance.now() > deadline)
      throw new Fault('CHILD_FAILED', 'the engine did not open its doors within a minute');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A small file of ours that is replaced whole; null where there is none. */
function readJson<Content>(path: string): Content | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

/** Until the intervals are done or somebody interrupts. An interval is told once, also over several runs. */
async function tell(
  settings: StartSettings,
  ports: StartPorts,
  supervisor: Supervisor,
  feed: EngineFeed,
  toldFile: string,
): Promise<boolean> {
  const told: IntervalView[] = [];
  const enough = new Promise<void>((resolve) => {
    feed.onInterval((interval) => {
      if (settings.intervals !== null && told.length >= settings.intervals) return;
      told.push(interval);
      ports.out(ports.narrator.interval(interval));
      writeStateFile(toldFile, JSON.stringify({ interval: interval.interval }));
      if (told.length === settings.intervals) resolve();
    });
  });
  await Promise.race([enough, ports.interrupted, supervisor.failed]);
  const now = await Promise.race([feed.now(), supervisor.failed]);
  ports.out(ports.narrator.summary(now, told));
  const { conservation } = now;
  return conservation.energyWh === '0' && conservation.money === '0';
}

async function startBroker(host: string): Promise<EmbeddedBroker> {
  for (let port = BROKER_PORT; ; port++) {
    try {
      return await startEmbeddedBroker({ host, port });
    } catch (error) {
      if (!isFault(error, 'PORT_TAKEN') || port > BROKER_PORT + 20) throw error;
    }
  }
}

/** `--fresh`: everything but the lock that we hold. */
function clearState(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!name.startsWith('start.lock')) rmSync(join(folder, name), { recursive: true, force: true });
  }
}
