import { join } from 'node:path';
import type { FollowingClock } from '../../adapters/clock/market-clock.ts';
import type { WallTime } from '../../adapters/clock/system-clock.ts';
import { subscribeJson } from '../../adapters/mqtt/json-topics.ts';
import {
  clockMessage,
  heartbeatMessage,
  marketTopic,
  memberTopic,
  safetyMessage,
  tradesMessage,
} from '../../adapters/mqtt/wire.ts';
import { openStateFolder } from '../../adapters/process/state-file.ts';
import type { EdgeSession } from '../../adapters/sparkplug/edge-session.ts';
import type { MeasuredLoad } from '../../domain/forecast/load.ts';
import { nextDue } from '../../domain/market/due-points.ts';
import type { DeviceBus, OpenBus } from '../../domain/ports.ts';
import { intervalAt } from '../../domain/units/interval.ts';
import { watt } from '../../domain/units/power.ts';
import { type EpochMs, plusMs } from '../../domain/units/time.ts';
import { Agenda } from './agenda.ts';
import { BatteryDispatch } from './battery-dispatch.ts';
import { NodeReport, openEdge } from './edge-node.ts';
import type { GatewayConfig } from './gateway-config.ts';
import { closeDevices, type HomeDevices } from './home-devices.ts';
import { HomeWatch } from './home-watch.ts';
import { openLoadHistory } from './load-history.ts';
import { LoadMeter } from './load-meter.ts';
import { type MarketDesk, openMarketDesk } from './market-desk.ts';
import { MeterLog, meterLogPath } from './meter-log.ts';
import { ReadySign } from './ready-sign.ts';
import { TelemetryPublisher } from './telemetry.ts';

/** What a gateway needs of its surroundings; `clock` is shared where several run in one process. */
export interface GatewayPorts {
  readonly openBus: OpenBus;
  /** The market's messages; closed by its owner. */
  readonly bus: DeviceBus;
  readonly devices: HomeDevices;
  readonly clock: FollowingClock;
  readonly wall: WallTime;
  /** The member's secp256k1 key; null for a meter without an agent. */
  readonly key: Uint8Array | null;
  /** What is known of the home from before its gateway kept a history of its own. */
  readonly earlier?: MeasuredLoad;
  log(line: string): void;
}

export interface RunningGateway {
  stop(): Promise<void>;
}

/** How long before its gate a product is planned for the last time. */
const LAST_PLAN_LEAD_MS = 30_000;
/** Under acceleration nothing goes stale in under twice this. */
const LEAST_INTERVAL_MS_ACCELERATED = 1500;

/**
 * One home's edge: meters to Sparkplug, forecast and orders, set-points. Without a broker, an engine or a device it
 * waits for them and does the rest.
 */
export async function run(config: GatewayConfig, ports: GatewayPorts): Promise<RunningGateway> {
  openStateFolder(config.state);
  const edge = await openEdge(config, ports);
  const gateway = new Gateway(config, ports, edge);
  await gateway.start();
  return gateway;
}

class Gateway implements RunningGateway {
  readonly #config: GatewayConfig;
  readonly #ports: GatewayPorts;
  readonly #edge: EdgeSession;
  readonly #agenda: Agenda;
  readonly #home: HomeWatch;
  readonly #battery: BatteryDispatch | null;
  readonly #loads = new LoadMeter();
  readonly #history;
  readonly #ready: ReadySign;
  readonly #node: NodeReport;
  #market: MarketDesk | null = null;
  #round: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(config: GatewayConfig, ports: GatewayPorts, edge: EdgeSession) {
    const { clock, wall, devices, bus, log } = ports;
    this.#config = config;
    this.#ports = ports;
    this.#edge = edge;
    this.#agenda = new Agenda(clock, wall);
    this.#ready = new ReadySign(bus, config);
    this.#node = new NodeReport(edge, clock, log);
    this.#history = openLoadHistory(join(config.state, 'load-history.jsonl'), log);
    this.#home = new HomeWatch(watchTerms(config, clock), {
      ...{ devices, telemetry: new TelemetryPublisher(edge), log },
      meterLog: new MeterLog(meterLogPath(config.meter_sync_log, config.state), config.member, log),
      wallNow: () => wall.wallNow(),
      marketNow: () => clock.now(),
    });
    const sellAbovePermille = permille(config.agent?.sell_above_soc);
    const terms = { lengthMs: config.interval, sellAbovePermille };
    this.#battery = devices.battery === null ? null : new BatteryDispatch(terms, devices.battery, log);
  }

  async start(): Promise<void> {
    const { clock } = this.#ports;
    await this.#subscribe();
    await clock.started;
    await this.#read(true);
    await this.#openMarket();
    this.#noteDue();
    this.#noteReading();
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#agenda.close();
    this.#market?.close();
    await this.#round;
    await this.#edge.close();
    await closeDevices(this.#ports.devices);
  }

  async #subscribe(): Promise<void> {
    const { bus, clock, wall } = this.#ports;
    const { market, member } = this.#config;
    await subscribeJson(bus, marketTopic(market, 'clock'), clockMessage, (anchor) => clock.follow(anchor));
    await subscribeJson(bus, marketTopic(market, 'heartbeat'), heartbeatMessage, (beat) => {
      this.#node.heartbeat(beat.wall, wall.wallNow());
    });
    await subscribeJson(bus, memberTopic(market, 'safety', member), safetyMessage, ({ closed, faultCode }) =>
      this.#node.tell({ 'Safety/Relay': closed, 'Safety/FaultCode': faultCode }),
    );
    await subscribeJson(bus, memberTopic(market, 'trades', member), tradesMessage, ({ product, sold }) =>
      this.#battery?.sold(product, sold),
    );
  }

  /** The agent begins when the first products are known; they are answered before the gateway calls itself ready. */
  async #openMarket(): Promise<void> {
    const { key, earlier } = this.#ports;
    const measured = (start: EpochMs) => this.#history.measured(start) ?? earlier?.(start) ?? null;
    const parts = { ...this.#ports, home: this.#home, measured, ready: this.#ready };
    if (this.#config.agent === undefined || key === null) this.#ready.say(this.#ports.clock.now());
    else this.#market = await openMarketDesk(this.#config, { ...parts, key });
  }

  #noteReading(): void {
    this.#agenda.after(this.#config.poll_ms, () => void this.#read(false).then(() => this.#noteReading()));
  }

  /** Every gate and every boundary: the last plan before the one, the interval's reading at the other. */
  #noteDue(): void {
    const { clock } = this.#ports;
    const schedule = { lengthMs: this.#config.interval, gateLeadMs: this.#config.gate_lead_s * 1000 };
    const { at, gateOf, boundary } = nextDue(clock.now(), schedule);
    if (gateOf !== null) this.#agenda.at(plusMs(at, -LAST_PLAN_LEAD_MS), () => void this.#market?.lastPlan(at));
    this.#agenda.at(at, () => void this.#doDue(at, boundary).then(() => this.#noteDue()));
  }

  async #doDue(at: EpochMs, boundary: boolean): Promise<void> {
    if (boundary) {
      await this.#read(true);
      const interval = intervalAt(plusMs(at, -1), this.#config.interval);
      const load = this.#loads.closeInterval(interval);
      if (load !== null) this.#history.record(interval.start, load);
    }
    await this.#market?.settled();
    this.#ready.say(at);
  }

  /** One round at a time; at a boundary market time stands still, so the registers are those of the boundary. */
  #read(endsInterval: boolean): Promise<void> {
    this.#round = this.#round.then(async () => {
      if (this.#stopped) return;
      const at = this.#ports.clock.now();
      const readings = await this.#home.round(endsInterval);
      this.#loads.observe(readings, at);
      await this.#battery?.follow(readings, at);
    });
    return this.#round;
  }
}

function watchTerms(config: GatewayConfig, clock: FollowingClock) {
  const { connection_w: connection, meter_refresh_s: refreshS, poll_ms: pollMs, interval: lengthMs } = config;
  const limits = { maxPower: watt(connection), lengthMs, refreshMs: refreshS * 1000 };
  const isAccelerated = () => (clock.anchor()?.speed ?? 1) > 1;
  return { limits, intervalMs: () => Math.max(pollMs, isAccelerated() ? LEAST_INTERVAL_MS_ACCELERATED : 0) };
}

function permille(share: number | undefined): number | null {
  return share === undefined ? null : Math.round(share * 1000);
}
