import { join } from 'node:path';
import type { FollowingClock } from '../../adapters/clock/market-clock.ts';
import type { WallTime } from '../../adapters/clock/system-clock.ts';
import { orderKeyOf } from '../../adapters/keys/key-source.ts';
import { openCoilRelay } from '../../adapters/modbus/coil-relay.ts';
import { type ModbusServer, startModbusServer } from '../../adapters/modbus/modbus-server.ts';
import { openSunSpecBattery } from '../../adapters/modbus/sunspec-battery.ts';
import { openSunSpecInverter } from '../../adapters/modbus/sunspec-inverter.ts';
import { openSunSpecMeter } from '../../adapters/modbus/sunspec-meter.ts';
import { publishJson } from '../../adapters/mqtt/json-topics.ts';
import { connectMqttBus } from '../../adapters/mqtt/mqtt-bus.ts';
import { memberTopic } from '../../adapters/mqtt/wire.ts';
import type { MeasuredLoad } from '../../domain/forecast/load.ts';
import { mulDivFloor } from '../../domain/units/division.ts';
import type { IntervalLengthMs } from '../../domain/units/interval.ts';
import type { PricePerKwh } from '../../domain/units/price.ts';
import type { Tariff } from '../../domain/units/tariff.ts';
import { UNITS } from '../../sim/devices/device-registers.ts';
import type { HomeWorld } from '../../sim/devices/home-world.ts';
import { createHomeProfile } from '../../sim/homes/home-profile.ts';
import type { HomePlan } from '../../sim/homes/street-plan.ts';
import { run as runGateway } from '../gateway/run.ts';
import { run as runRelay } from '../relay/run.ts';
import type { StreetConfig } from './street-config.ts';
import type { StreetWorld } from './street-world.ts';

/** What every home of the street shares. */
export interface StreetParts {
  readonly config: StreetConfig;
  readonly world: StreetWorld;
  readonly clock: FollowingClock;
  readonly wall: WallTime;
  readonly tariff: Tariff;
  readonly timezone: string;
  readonly lengthMs: IntervalLengthMs;
  log(line: string): void;
}

export interface RunningHome {
  readonly name: string;
  /** The Modbus port of its devices: whoever wants to may read them too. */
  readonly devicesAt: { readonly host: string; readonly port: number };
  stop(): Promise<void>;
}

const GATE_LEAD_S = 300;
/** 3 x 63 A. */
const CONNECTION_W = 43_000;
/** The simulated meters show whole market minutes. */
const METER_REFRESH_S = 60;
const RELAY_TIMES = { delayMs: null, tickMs: 200, pollMs: 500, contactMs: 500 } as const;

/** One home: its devices on a Modbus port of their own, its gateway and its relay, each talking as it would in a house. */
export async function startHome(parts: StreetParts, home: HomeWorld): Promise<RunningHome> {
  const { config, world } = parts;
  const server = await startModbusServer({ host: config.host, port: 0, image: world.image(home) });
  const relay = config.interlock ? await startRelay(parts, home, server) : null;
  if (relay === null) home.commandRelay(true);
  const gateway = await startGateway(parts, server, home.plan.id, {
    inverter: home.plan.pv !== null,
    battery: home.plan.battery !== null,
    connectionW: CONNECTION_W,
    agent: agentOf(parts, home.plan),
    earlier: lifeBefore(parts, home.plan),
  });
  return runningHome(home.plan.id, { host: config.host, port: server.port }, [
    gateway.stop,
    relay?.stop ?? null,
    server.close,
  ]);
}

/** The feeder meter at the point of common coupling: measured like a home, without an agent. */
export async function startFeeder(parts: StreetParts): Promise<RunningHome> {
  const { config, world } = parts;
  const server = await startModbusServer({ host: config.host, port: 0, image: world.image(null) });
  const gateway = await startGateway(parts, server, config.feeder, {
    inverter: false,
    battery: false,
    connectionW: CONNECTION_W * config.homes,
    agent: undefined,
  });
  return runningHome(config.feeder, { host: config.host, port: server.port }, [gateway.stop, server.close]);
}

function runningHome(
  name: string,
  devicesAt: RunningHome['devicesAt'],
  steps: readonly ((() => Promise<void>) | null)[],
): RunningHome {
  return {
    name,
    devicesAt,
    async stop() {
      for (const step of steps) await step?.();
    },
  };
}

type GatewayConfig = Parameters<typeof runGateway>[0];

/** What stands in one home beside its meter. */
interface Equipment {
  readonly inverter: boolean;
  readonly battery: boolean;
  readonly connectionW: number;
  readonly agent: GatewayConfig['agent'];
  readonly earlier?: MeasuredLoad;
}

async function startGateway(parts: StreetParts, { port }: ModbusServer, member: string, equipment: Equipment) {
  const { config, clock, wall, log } = parts;
  const file = gatewayFile(parts, port, member, equipment);
  const { host, timeout_ms: timeoutMs, meter, inverter, battery } = file.modbus;
  const bus = await connectMqttBus({ url: config.broker, clientId: `gateway-${config.market}-${member}` });
  const gateway = await runGateway(file, {
    bus,
    openBus: (will) => connectMqttBus({ url: config.broker, clientId: `edge-${config.market}-${member}`, will }),
    devices: {
      meter: openSunSpecMeter({ host, port, timeoutMs, unit: meter.unit }),
      inverter: inverter === undefined ? null : openSunSpecInverter({ host, port, timeoutMs, unit: inverter.unit }),
      battery: battery === undefined ? null : openSunSpecBattery({ host, port, timeoutMs, unit: battery.unit }),
    },
    clock,
    wall,
    key: file.agent === undefined ? null : orderKeyOf(file.agent.key, member),
    ...(equipment.earlier === undefined ? {} : { earlier: equipment.earlier }),
    log: (line) => log(`${member} ${line}`),
  });
  return {
    async stop() {
      await gateway.stop();
      await bus.close();
    },
  };
}

/** The configuration that this home's gateway would have as a file. */
function gatewayFile(parts: StreetParts, port: number, member: string, equipment: Equipment): GatewayConfig {
  const { config, timezone, lengthMs } = parts;
  return {
    market: config.market,
    member,
    broker: config.broker,
    host_id: 'engine',
    chain_id: config.chain_id,
    interval: lengthMs,
    gate_lead_s: GATE_LEAD_S,
    timezone,
    state: join(config.state, 'gateways', member),
    poll_ms: pollMs(config),
    connection_w: equipment.connectionW,
    meter_refresh_s: METER_REFRESH_S,
    meter_sync_log: join(config.state, 'gateways', member, 'meter-sync.log'),
    modbus: {
      host: config.host,
      port,
      timeout_ms: 1000,
      meter: { unit: UNITS.meter },
      ...(equipment.inverter ? { inverter: { unit: UNITS.inverter } } : {}),
      ...(equipment.battery ? { battery: { unit: UNITS.battery } } : {}),
    },
    ...(equipment.agent === undefined ? {} : { agent: equipment.agent }),
  };
}

async function startRelay(parts: StreetParts, { plan }: HomeWorld, { port }: ModbusServer) {
  const { config, clock, wall, log } = parts;
  const bus = await connectMqttBus({ url: config.broker, clientId: `relay-${config.market}-${plan.id}` });
  const contact = openCoilRelay({ host: config.host, port, unit: UNITS.relay, coil: 0, feedbackInput: 0 });
  const meter = openSunSpecMeter({ host: config.host, port, unit: UNITS.meter });
  const relay = runRelay(
    {
      ...RELAY_TIMES,
      market: config.market,
      member: plan.id,
      enginePublicKey: config.engine_public_key,
      gridCode: config.grid_code,
      nominalMilliV: 230_000,
      maximumSpeed: Math.ceil(config.speed),
    },
    {
      bus,
      relay: contact,
      clock,
      wallNow: () => wall.wallNow(),
      readGrid: () => meter.read(),
      log,
      onState: ({ contactClosed, fault }) => {
        const message = { closed: contactClosed === true, faultCode: fault };
        publishJson(bus, memberTopic(config.market, 'safety', plan.id), message, true).catch(() => undefined);
      },
    },
  );
  return {
    async stop() {
      await relay.stop().catch((error: Error) => log(error.message));
      await Promise.all([bus.close(), contact.close(), meter.close()]);
    },
  };
}

/** Often enough to see every whole market minute, and not more often than the machine can. */
function pollMs({ speed, homes }: StreetConfig): number {
  return Math.round(Math.max(homes * 10, 100, Math.min(1000, 45_000 / speed)));
}

function agentOf({ config, tariff }: StreetParts, plan: HomePlan): GatewayConfig['agent'] {
  return {
    key: { demo_seed: config.seed },
    round_trip_efficiency: (plan.battery?.roundTripPpm ?? 1_000_000) / 1_000_000,
    ...(plan.sellAtLeastPermille === null ? {} : { sell_at_least_per_kwh: inBand(tariff, plan.sellAtLeastPermille) }),
    ...(plan.buyAtMostPermille === null ? {} : { buy_at_most_per_kwh: inBand(tariff, plan.buyAtMostPermille) }),
  };
}

function inBand({ importPrice, exportPrice }: Tariff, permille: number): PricePerKwh {
  return (exportPrice + mulDivFloor(importPrice - exportPrice, permille, 1000)) as PricePerKwh;
}

/** A home that is simulated from today has lived before: its agent remembers the days until the street began. */
function lifeBefore({ config, lengthMs }: StreetParts, plan: HomePlan): MeasuredLoad {
  const profile = createHomeProfile(plan);
  return (start) => (start + lengthMs <= config.start ? profile.intervalEnergy(start, lengthMs) : null);
}
