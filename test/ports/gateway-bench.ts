import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FollowingClock, followingClock } from '../../src/adapters/clock/market-clock.ts';
import { systemClock } from '../../src/adapters/clock/system-clock.ts';
import { demoOrderKey } from '../../src/adapters/keys/demo-keys.ts';
import { recoverCancelSigner, recoverOrderSigner } from '../../src/adapters/keys/order-signatures.ts';
import { addressOf } from '../../src/adapters/keys/secp256k1-signer.ts';
import { type ModbusServer, startModbusServer } from '../../src/adapters/modbus/modbus-server.ts';
import { openSunSpecBattery } from '../../src/adapters/modbus/sunspec-battery.ts';
import { openSunSpecInverter } from '../../src/adapters/modbus/sunspec-inverter.ts';
import { openSunSpecMeter } from '../../src/adapters/modbus/sunspec-meter.ts';
import { startEmbeddedBroker } from '../../src/adapters/mqtt/embedded-broker.ts';
import { publishJson, subscribeJson } from '../../src/adapters/mqtt/json-topics.ts';
import { connectMqttBus } from '../../src/adapters/mqtt/mqtt-bus.ts';
import {
  type CancelMessage,
  marketTopic,
  memberTopic,
  type OrderMessage,
  orderTopicMessage,
  readyMessage,
} from '../../src/adapters/mqtt/wire.ts';
import type { MetricEvent } from '../../src/adapters/sparkplug/host-node.ts';
import { openHostSession } from '../../src/adapters/sparkplug/host-session.ts';
import type { GatewayConfig } from '../../src/apps/gateway/gateway-config.ts';
import { type RunningGateway, run } from '../../src/apps/gateway/run.ts';
import { wh } from '../../src/domain/units/energy.ts';
import type { MarketId } from '../../src/domain/units/identity.ts';
import { pricePerKwh } from '../../src/domain/units/price.ts';
import { type EpochMs, epochMs } from '../../src/domain/units/time.ts';
import { homeRegisters, type RegisterImage, UNITS } from '../../src/sim/devices/device-registers.ts';
import { WATT_MS_PER_WH } from '../../src/sim/devices/energy-counter.ts';
import { HomeWorld } from '../../src/sim/devices/home-world.ts';
import { planStreet } from '../../src/sim/homes/street-plan.ts';

export const MARKET = 'elm' as MarketId;
export const START = epochMs(Date.UTC(2026, 5, 21, 8, 54));
export const DELIVERY = epochMs(Date.UTC(2026, 5, 21, 9));
export const GATE = epochMs(DELIVERY - 300_000);
const CHAIN_ID = 31_337;

const plan = planStreet({ homes: 12, seed: 1 }).homes.find(({ pv, battery }) => pv !== null && battery !== null);
const battery = plan?.battery ?? null;
if (plan === undefined || battery === null) throw new Error('the street has no home with PV and a battery');
export const PLAN = { ...plan, battery };
const KEY = demoOrderKey(1, PLAN.id);

/** How the meter of the bench behaves. `every second`: it refuses each second round of readings. */
type MeterMood = 'answers' | 'every second';

/** One gateway between a real broker and real Modbus devices, and a peer that speaks the engine's part of the wire. */
export async function openGatewayBench() {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-'));
  const broker = await startEmbeddedBroker({ host: '127.0.0.1', port: 0 });
  const wall = systemClock();
  const clock = followingClock(wall);
  const bus = await connectMqttBus({ url: broker.url, clientId: 'peer', failFast: true });
  const watcher = new Watcher();
  const home = new BenchHome(clock);
  let devices: ModbusServer = await startModbusServer({ host: '127.0.0.1', port: 0, image: home.image });
  const { port } = devices;
  const orders: (OrderMessage | CancelMessage)[] = [];
  const log: string[] = [];
  let answer: ((message: OrderMessage | CancelMessage) => { ok: boolean; code: string } | null) | null = null;

  await subscribeJson(bus, memberTopic(MARKET, 'order', PLAN.id), orderTopicMessage, (message) => {
    if (message.kind === 'batch') return;
    orders.push(message);
    watcher.changed();
    const { kind, product, clientOrderId } = message;
    const verdict = isSigned(message) ? answer?.(message) : { ok: false, code: 'bad_signature' };
    if (verdict === undefined || verdict === null) return;
    void publishJson(bus, memberTopic(MARKET, 'reply', PLAN.id), { kind, product, clientOrderId, ...verdict });
  });
  let ready: EpochMs | null = null;
  await subscribeJson(bus, memberTopic(MARKET, 'ready', PLAN.id), readyMessage, ({ at }) => {
    ready = at;
    watcher.changed();
  });
  const metrics: MetricEvent[] = [];
  const lives: string[] = [];
  const host = await openHostSession({
    openBus: (will) => connectMqttBus({ url: broker.url, clientId: 'host', will }),
    ...{ group: MARKET, hostId: 'peer', now: () => wall.wallNow(), nodes: [PLAN.id] },
  });
  host.onMetric((event) => {
    metrics.push(event);
    watcher.changed();
  });
  host.onDevice(({ device, online }) => {
    lives.push(`${device} ${online ? 'born' : 'dead'}`);
    watcher.changed();
  });

  let running: RunningGateway | null = null;
  let closeBus = async () => {};
  const stop = async () => {
    await running?.stop();
    running = null;
    await closeBus();
  };

  return {
    home,
    bus,
    orders,
    metrics,
    lives,
    log,
    folder,
    get ready() {
      return ready;
    },
    /** What the peer says to orders from now on; null is silence. */
    answers(how: typeof answer) {
      answer = how;
    },
    /** Market time runs at `speed` from `from` and stands at `holdAt`. */
    clock: (from: EpochMs, holdAt: EpochMs | null, speed = 600) =>
      publishJson(
        bus,
        marketTopic(MARKET, 'clock'),
        { marketAnchor: from, wallAnchor: wall.wallNow(), speed, holdAt },
        true,
      ),
    products: () =>
      publishJson(
        bus,
        marketTopic(MARKET, 'products'),
        {
          tick: 100,
          open: [
            { product: DELIVERY, gate: GATE, importPrice: pricePerKwh(300_000), exportPrice: pricePerKwh(80_000) },
          ],
        },
        true,
      ),
    unplug: () => devices.close(),
    async plugIn() {
      devices = await startModbusServer({ host: '127.0.0.1', port, image: home.image });
    },
    async start(change: Partial<GatewayConfig> = {}) {
      const where = { host: '127.0.0.1', port, timeoutMs: 400, backoffMs: { first: 20, longest: 40 } };
      const own = await connectMqttBus({ url: broker.url, clientId: `gateway-${PLAN.id}` });
      closeBus = () => own.close();
      running = await run(
        { ...configOf(broker.url, folder, port), ...change },
        {
          bus: own,
          openBus: (will) => connectMqttBus({ url: broker.url, clientId: `edge-${PLAN.id}`, will }),
          devices: {
            meter: openSunSpecMeter({ ...where, unit: UNITS.meter }),
            inverter: openSunSpecInverter({ ...where, unit: UNITS.inverter }),
            battery: openSunSpecBattery({ ...where, unit: UNITS.battery }),
          },
          ...{ clock, wall, key: KEY, log: (line: string) => log.push(line) },
          // Yesterday the home had a kWh to spare in every interval.
          earlier: (start) => (start < START - 3_600_000 ? { consumption: 0, generation: 9000 } : null) as never,
        },
      );
    },
    stop,
    until: (what: () => boolean) => watcher.until(what),
    async close() {
      await stop();
      await host.close();
      await bus.close();
      clock.stop();
      await devices.close();
      await broker.close();
      rmSync(folder, { recursive: true });
    },
  };
}

export type GatewayBench = Awaited<ReturnType<typeof openGatewayBench>>;

/** A home with a full battery, or `after` as it is now, whose meter shows so much more import than flowed. */
export function homeWithMeter(imported: number, after?: HomeWorld): HomeWorld {
  const { capacity } = PLAN.battery;
  const state = after?.save() ?? { ...new HomeWorld({ plan: PLAN, start: START }).save(), closed: true };
  const saved = { ...state, stored: after === undefined ? capacity * WATT_MS_PER_WH : state.stored };
  return new HomeWorld({ plan: PLAN, start: START, saved, meterError: { energy: wh(imported), after: epochMs(0) } });
}

/** The devices of a home as they are at market time, and a meter that can be exchanged or refuse to answer. */
class BenchHome {
  world = homeWithMeter(1000);
  mood: MeterMood = 'answers';
  readonly image: RegisterImage;
  #refuseNext = false;

  constructor(clock: FollowingClock) {
    const registers = (): RegisterImage => {
      this.world.advanceTo(clock.anchor() === null ? START : clock.now());
      return homeRegisters(this.world);
    };
    this.image = {
      readHolding: (unit, address, count) =>
        unit === UNITS.meter && this.#refuses(count) ? 'illegal_value' : registers().readHolding(unit, address, count),
      readCoils: (...args) => registers().readCoils(...args),
      readDiscreteInputs: (...args) => registers().readDiscreteInputs(...args),
      writeHolding: (...args) => registers().writeHolding(...args),
      writeCoils: (...args) => registers().writeCoils(...args),
    };
  }

  /** A round ends with the long read of the meter's model; the first request of the next is the one that fails. */
  #refuses(count: number): boolean {
    const refuses = this.mood === 'every second' && this.#refuseNext;
    this.#refuseNext = !refuses && count > 50;
    return refuses;
  }
}

/** Waits for events of any kind. */
class Watcher {
  readonly #waiting = new Set<() => void>();

  changed(): void {
    for (const look of this.#waiting) look();
  }

  until(what: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!what()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}

function isSigned(message: OrderMessage | CancelMessage): boolean {
  const { signature, ...content } = message;
  const key = { market: MARKET, member: PLAN.id, product: content.product, clientOrderId: content.clientOrderId };
  const signer =
    content.kind === 'cancel'
      ? recoverCancelSigner(CHAIN_ID, key, signature)
      : recoverOrderSigner(
          CHAIN_ID,
          { ...key, side: content.side, type: content.type, limit: content.limit, energy: content.energy },
          signature,
        );
  return signer === addressOf(KEY);
}

function configOf(broker: string, state: string, port: number): GatewayConfig {
  return {
    ...{ market: MARKET, member: PLAN.id, broker, host_id: 'peer', chain_id: CHAIN_ID, interval: 900_000 },
    ...{ gate_lead_s: 300, timezone: 'Europe/Berlin', state: join(state, 'gateway'), poll_ms: 20 },
    ...{ connection_w: 43_000, meter_refresh_s: 60, meter_sync_log: join(state, 'log', 'meter-sync.log') },
    modbus: {
      ...{ host: '127.0.0.1', port, timeout_ms: 400 },
      ...{ meter: { unit: UNITS.meter }, inverter: { unit: UNITS.inverter }, battery: { unit: UNITS.battery } },
    },
    agent: { key: { demo_seed: 1 }, round_trip_efficiency: 0.9, sell_above_soc: 0.2 },
  };
}
