import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FollowingClock } from '../../adapters/clock/market-clock.ts';
import type { WallTime } from '../../adapters/clock/system-clock.ts';
import type { BatteryReading } from '../../adapters/modbus/sunspec-battery.ts';
import { publishJson, subscribeJson } from '../../adapters/mqtt/json-topics.ts';
import {
  clockMessage,
  heartbeatMessage,
  marketTopic,
  memberTopic,
  productsMessage,
  safetyMessage,
  tradesMessage,
} from '../../adapters/mqtt/wire.ts';
import { openEdgeSession } from '../../adapters/sparkplug/edge-session.ts';
import { oneWayEfficiencyPpm } from '../../domain/dispatch/battery-rule.ts';
import { batterySetpoint } from '../../domain/dispatch/setpoint.ts';
import type { MeasuredLoad } from '../../domain/forecast/load.ts';
import { nextDue } from '../../domain/market/due-points.ts';
import { MAX_CLOCK_OFFSET_MS } from '../../domain/market/order-book.ts';
import type { DeviceBus, OpenBus } from '../../domain/ports.ts';
import type { Wh } from '../../domain/units/energy.ts';
import { intervalAt, intervalEnd } from '../../domain/units/interval.ts';
import { watt } from '../../domain/units/power.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { isFault } from '../../errors/fault.ts';
import { Bidder } from './bidding.ts';
import { ClockOffset } from './clock-offset.ts';
import type { GatewayConfig } from './gateway-config.ts';
import { closeDevices, type HomeDevices, type HomeReadings, readDevices } from './home-devices.ts';
import { openLoadHistory } from './load-history.ts';
import { LoadMeter } from './load-meter.ts';
import { openOrderClient } from './order-client.ts';
import { orderSigner } from './order-signer.ts';
import { deviceDefinitions, NODE_METRICS, TelemetryPublisher } from './telemetry.ts';

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
const DEAD_AFTER_FAILURES = 3;
/** Of the 50 ms that are allowed. */
const OFFSET_STEP_MS = 10;
const MAX_INT32 = 2 ** 31 - 1;

/** One home's edge: meters to Sparkplug, forecast and orders, set-points. */
export async function run(config: GatewayConfig, ports: GatewayPorts): Promise<RunningGateway> {
  const gateway = new Gateway(config, ports);
  await gateway.start();
  return gateway;
}

class Gateway implements RunningGateway {
  readonly #config: GatewayConfig;
  readonly #ports: GatewayPorts;
  readonly #loads = new LoadMeter();
  readonly #offset = new ClockOffset();
  #toldOffsetMs = 0;
  readonly #failures = new Map<string, number>();
  readonly #history;
  #edge: Awaited<ReturnType<typeof openEdgeSession>> | null = null;
  #telemetry: TelemetryPublisher | null = null;
  #bidder: Bidder | null = null;
  #battery: BatteryReading | null = null;
  /** Sold for the running interval and the export register when it began. */
  #delivery: { product: EpochMs; sold: Wh; exportedBefore: number } | null = null;
  readonly #sold = new Map<EpochMs, Wh>();
  #ready: { at: EpochMs } | null = null;
  #round: Promise<void> = Promise.resolve();
  #stopped = false;
  readonly #cancels: (() => void)[] = [];

  constructor(config: GatewayConfig, ports: GatewayPorts) {
    this.#config = config;
    this.#ports = ports;
    this.#history = openLoadHistory(join(config.state, 'load-history.jsonl'));
  }

  async start(): Promise<void> {
    const { clock } = this.#ports;
    await this.#openEdge();
    await this.#subscribe();
    await clock.started;
    await this.#poll(true);
    await this.#openMarket();
    this.#scheduleDue();
    this.#schedulePoll();
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const cancel of this.#cancels) cancel();
    await this.#round;
    await this.#edge?.close();
    await closeDevices(this.#ports.devices);
  }

  async #openEdge(): Promise<void> {
    const { market, member, state } = this.#config;
    mkdirSync(state, { recursive: true });
    const { openBus, clock, wall, devices } = this.#ports;
    const now = () => (clock.anchor() === null ? wall.wallNow() : clock.now());
    const bdSeqStore = fileBdSeq(join(state, 'bdseq'));
    const definitions = { nodeMetrics: NODE_METRICS, devices: deviceDefinitions(devices) };
    this.#edge = await openEdgeSession({ openBus, group: market, node: member, now, bdSeqStore, ...definitions });
    this.#edge.onProblem((fault) => this.#ports.log(`${fault.code} ${fault.message}`));
    this.#telemetry = new TelemetryPublisher(this.#edge);
  }

  async #subscribe(): Promise<void> {
    const { bus, clock, wall } = this.#ports;
    const { market, member } = this.#config;
    await subscribeJson(bus, marketTopic(market, 'clock'), clockMessage, (anchor) => clock.follow(anchor));
    await subscribeJson(bus, marketTopic(market, 'heartbeat'), heartbeatMessage, (beat) => {
      this.#offset.observe(beat.wall, wall.wallNow());
      this.#tellOffset();
    });
    await subscribeJson(bus, memberTopic(market, 'safety', member), safetyMessage, ({ closed, faultCode }) => {
      const values = [
        { name: 'Safety/Relay', value: closed },
        { name: 'Safety/FaultCode', value: faultCode },
      ];
      if (clock.anchor() !== null) void this.#edge?.updateNode(values, clock.now());
    });
    await subscribeJson(bus, memberTopic(market, 'trades', member), tradesMessage, ({ product, sold }) => {
      this.#sold.set(product, sold);
      for (const old of this.#sold.keys()) if (old < product - 86_400_000) this.#sold.delete(old);
    });
    bus.onConnection((connected) => {
      if (connected) this.#sayReady();
    });
  }

  /** The engine takes no orders from a home whose clock is off; a few ms of jitter are not worth a message. */
  #tellOffset(): void {
    const { clock, log } = this.#ports;
    const offsetMs = Math.max(-MAX_INT32, Math.min(MAX_INT32, this.#offset.offsetMs));
    const before = this.#toldOffsetMs;
    if (clock.anchor() === null || Math.abs(offsetMs - before) < OFFSET_STEP_MS) return;
    this.#toldOffsetMs = offsetMs;
    const isOff = Math.abs(offsetMs) > MAX_CLOCK_OFFSET_MS;
    const wasOff = Math.abs(before) > MAX_CLOCK_OFFSET_MS;
    if (isOff) log(`PRICE_MISMATCH the clock of this machine is ${offsetMs} ms off the engine's; check chrony or ntp`);
    else if (wasOff) log(`the clock of this machine agrees with the engine's again (${offsetMs} ms)`);
    void this.#edge?.updateNode([{ name: 'Node/ClockOffsetMs', value: offsetMs }], clock.now());
  }

  /** The agent begins when the first products are known; they are answered before the gateway calls itself ready. */
  async #openMarket(): Promise<void> {
    const { bus, key, clock, earlier } = this.#ports;
    const { market, member, agent, state, interval: lengthMs, timezone, modbus, chain_id: chainId } = this.#config;
    if (agent === undefined || key === null) {
      this.#becomeReady(clock.now());
      return;
    }
    const sign = orderSigner({ market, member, chainId }, key);
    const client = await openOrderClient({ bus, market, member, repeatMs: 2000, attempts: 15, sign });
    const preference = {
      ...(agent.sell_at_least_per_kwh === undefined ? {} : { sellAtLeast: agent.sell_at_least_per_kwh }),
      ...(agent.buy_at_most_per_kwh === undefined ? {} : { buyAtMost: agent.buy_at_most_per_kwh }),
    };
    const battery = modbus.battery === undefined ? null : this.#plannedBattery();
    const terms = { lengthMs, timezone, battery, preference };
    const measured = (start: EpochMs) => this.#history.measured(start) ?? earlier?.(start) ?? null;
    const bidder = new Bidder(terms, measured, client, join(state, 'orders.json'));
    this.#bidder = bidder;
    await subscribeJson(bus, marketTopic(market, 'products'), productsMessage, (products) => {
      const now = clock.now();
      void bidder.open(products, now, this.#stored()).then(() => this.#becomeReady(now));
    });
  }

  #plannedBattery() {
    const agent = this.#config.agent;
    const { capacity, maxCharge } = this.#battery ?? { capacity: 0 as Wh, maxCharge: watt(0) };
    const sellAbove = agent?.sell_above_soc;
    return {
      capacity,
      maxPower: maxCharge,
      oneWayPpm: oneWayEfficiencyPpm(agent?.round_trip_efficiency ?? 0.9),
      sellAbovePermille: sellAbove === undefined ? null : Math.round(sellAbove * 1000),
    };
  }

  #stored(): Wh {
    if (this.#battery === null) return 0 as Wh;
    return Math.floor((this.#battery.capacity * this.#battery.socPermille) / 1000) as Wh;
  }

  #schedulePoll(): void {
    if (this.#stopped) return;
    const cancel = this.#ports.wall.setTimer(this.#config.poll_ms, () => {
      void this.#poll(false).then(() => this.#schedulePoll());
    });
    this.#cancels.splice(0, this.#cancels.length, cancel, ...this.#cancels.slice(1));
  }

  /** Every gate and every boundary: the last plan before the one, the interval's reading at the other. */
  #scheduleDue(): void {
    const { clock } = this.#ports;
    const schedule = { lengthMs: this.#config.interval, gateLeadMs: this.#config.gate_lead_s * 1000 };
    const due = nextDue(clock.now(), schedule);
    const gate = due.gateOf === null ? null : due.at;
    if (gate !== null) {
      this.#cancels[1]?.();
      this.#cancels[1] = clock.at((gate - LAST_PLAN_LEAD_MS) as EpochMs, () => {
        void this.#bidder?.lastPlan(gate, clock.now(), this.#stored());
      });
    }
    this.#cancels[2] = clock.at(due.at, () => {
      void this.#doDue(due.at, due.boundary).then(() => {
        if (!this.#stopped) this.#scheduleDue();
      });
    });
  }

  async #doDue(at: EpochMs, boundary: boolean): Promise<void> {
    if (boundary) {
      await this.#poll(true);
      const closed = this.#loads.closeInterval(this.#config.interval);
      if (closed !== null) this.#history.record(closed.start, closed.load);
    }
    await this.#bidder?.settled();
    this.#becomeReady(at);
  }

  #becomeReady(at: EpochMs): void {
    if (this.#ready !== null && this.#ready.at >= at) return;
    this.#ready = { at };
    this.#sayReady();
  }

  #sayReady(): void {
    const { market, member } = this.#config;
    if (this.#ready === null) return;
    publishJson(this.#ports.bus, memberTopic(market, 'ready', member), this.#ready, true).catch((error: unknown) => {
      if (!isFault(error)) throw error;
    });
  }

  /** One round at a time; at a boundary market time stands still, so the registers are those of the boundary. */
  #poll(always: boolean): Promise<void> {
    this.#round = this.#round.then(() => (this.#stopped ? undefined : this.#readAndTell(always)));
    return this.#round;
  }

  async #readAndTell(always: boolean): Promise<void> {
    const { devices, clock, wall } = this.#ports;
    const at = clock.now();
    const readings = await readDevices(devices, (device, fault) => this.#deviceFailed(device, fault));
    this.#battery = readings.battery ?? this.#battery;
    this.#loads.observe(readings, at);
    for (const [device, reading] of Object.entries(readings)) if (reading !== null) this.#failures.delete(device);
    await this.#telemetry?.publish(readings, at, wall.wallNow(), always);
    await this.#dispatch(readings, at);
  }

  #deviceFailed(device: string, fault: Error): void {
    const failures = (this.#failures.get(device) ?? 0) + 1;
    this.#failures.set(device, failures);
    if (failures !== DEAD_AFTER_FAILURES) return;
    this.#ports.log(`${device} does not answer: ${fault.message}`);
    void this.#edge?.deviceDied(device);
  }

  /** Stage 7 on the device side: the battery follows its home and delivers what was sold. */
  async #dispatch({ meter, battery }: HomeReadings, at: EpochMs): Promise<void> {
    const device = this.#ports.devices.battery;
    const sellAbove = this.#config.agent?.sell_above_soc;
    // Without a threshold the battery serves its home by its own rule, faster than any poll.
    if (device === null || meter === null || battery === null || sellAbove === undefined) return;
    const interval = intervalAt(at, this.#config.interval);
    if (this.#delivery?.product !== interval.start) {
      const sold = this.#sold.get(interval.start) ?? (0 as Wh);
      this.#delivery = { product: interval.start, sold, exportedBefore: meter.exportRegister };
    }
    const { sold, exportedBefore } = this.#delivery;
    const setpoint = batterySetpoint({
      pcc: meter.power,
      battery: battery.power,
      maxCharge: battery.maxCharge,
      maxDischarge: battery.maxDischarge,
      socPermille: battery.socPermille,
      sellAbovePermille: Math.round(sellAbove * 1000),
      toDeliver: Math.max(0, sold - (meter.exportRegister - exportedBefore)) as Wh,
      remainingMs: intervalEnd(interval) - at,
    });
    if (setpoint === battery.power) return;
    await device.setPower(setpoint).catch((error: unknown) => {
      if (!isFault(error)) throw error;
      this.#ports.log(`battery: ${error.message}`);
    });
  }
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
    save: (bdSeq: number) => writeFileSync(path, `${bdSeq}\n`, { flush: true }),
  };
}
