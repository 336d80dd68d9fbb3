import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FollowingClock } from '../../adapters/clock/market-clock.ts';
import type { WallTime } from '../../adapters/clock/system-clock.ts';
import { writeStateFile } from '../../adapters/process/state-file.ts';
import { type EdgeSession, openEdgeSession } from '../../adapters/sparkplug/edge-session.ts';
import { MAX_CLOCK_OFFSET_MS } from '../../domain/market/order.ts';
import type { OpenBus } from '../../domain/ports.ts';
import { ClockOffset } from './clock-offset.ts';
import type { GatewayConfig } from './gateway-config.ts';
import type { HomeDevices } from './home-devices.ts';
import { deviceDefinitions, NODE_METRICS } from './telemetry.ts';

export interface EdgeParts {
  readonly openBus: OpenBus;
  readonly clock: FollowingClock;
  readonly wall: WallTime;
  readonly devices: HomeDevices;
  log(line: string): void;
}

/** The home's Sparkplug node. Payloads carry market time, as soon as that is known. */
export async function openEdge({ market, member, state }: GatewayConfig, parts: EdgeParts): Promise<EdgeSession> {
  const { openBus, clock, wall, devices, log } = parts;
  const edge = await openEdgeSession({
    ...{ openBus, group: market, node: member, bdSeqStore: fileBdSeq(join(state, 'bdseq')) },
    now: () => (clock.anchor() === null ? wall.wallNow() : clock.now()),
    nodeMetrics: NODE_METRICS,
    devices: deviceDefinitions(devices),
  });
  edge.onProblem((fault) => log(`${fault.code} ${fault.message}`));
  return edge;
}

function fileBdSeq(path: string) {
  return {
    load(): number | null {
      try {
        return Number.parseInt(readFileSync(path, 'utf8'), 10) & 255;
      } catch {
        return null;
      }
    },
    save: (bdSeq: number) => writeStateFile(path, `${bdSeq}\n`),
  };
}

/** Of the 50 ms that are allowed. */
const OFFSET_STEP_MS = 10;

function isOff(offsetMs: number): boolean {
  return Math.abs(offsetMs) > MAX_CLOCK_OFFSET_MS;
}

/** What the node says of itself beside its devices. */
export class NodeReport {
  readonly #edge: EdgeSession;
  readonly #clock: FollowingClock;
  readonly #log: (line: string) => void;
  readonly #offset = new ClockOffset();
  #toldOffsetMs = 0;

  constructor(edge: EdgeSession, clock: FollowingClock, log: (line: string) => void) {
    this.#edge = edge;
    this.#clock = clock;
    this.#log = log;
  }

  /** The engine takes no orders from a home whose clock is off; a few ms of jitter are not worth a message. */
  heartbeat(engineWall: number, arrivedWall: number): void {
    this.#offset.observe(engineWall, arrivedWall);
    const { offsetMs } = this.#offset;
    const before = this.#toldOffsetMs;
    if (Math.abs(offsetMs - before) < OFFSET_STEP_MS) return;
    this.#toldOffsetMs = offsetMs;
    if (isOff(offsetMs)) {
      this.#log(`PRICE_MISMATCH the clock of this machine is ${offsetMs} ms off the engine's; check chrony or ntp`);
    } else if (isOff(before)) this.#log(`the clock of this machine agrees with the engine's again (${offsetMs} ms)`);
    this.tell({ 'Node/ClockOffsetMs': offsetMs });
  }

  /** Stamped with market time, once that is known. */
  tell(values: Readonly<Record<string, number | boolean>>): void {
    const metrics = Object.entries(values).map(([name, value]) => ({ name, value }));
    void this.#clock.started.then(() => this.#edge.updateNode(metrics, this.#clock.now()));
  }
}
