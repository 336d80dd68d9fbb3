import { type ClockAnchor, followingClock } from '../../src/adapters/clock/market-clock.ts';
import { systemClock } from '../../src/adapters/clock/system-clock.ts';
import { demoLeaseKey } from '../../src/adapters/keys/demo-keys.ts';
import { ed25519Signer, type TextSigner } from '../../src/adapters/keys/ed25519.ts';
import { openCoilRelay } from '../../src/adapters/modbus/coil-relay.ts';
import { type ModbusServer, startModbusServer } from '../../src/adapters/modbus/modbus-server.ts';
import { openSunSpecMeter } from '../../src/adapters/modbus/sunspec-meter.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../../src/adapters/mqtt/embedded-broker.ts';
import { connectMqttBus } from '../../src/adapters/mqtt/mqtt-bus.ts';
import { marketTopic, memberTopic } from '../../src/adapters/mqtt/wire.ts';
import { RELAY_TIMES, type RelayConfig } from '../../src/apps/relay/relay-config.ts';
import { type RelayState, type RunningRelay, run } from '../../src/apps/relay/run.ts';
import type { DeviceBus } from '../../src/domain/ports.ts';
import { heartbeatText, type Lease, leaseText } from '../../src/domain/safety/lease.ts';
import type { MarketId } from '../../src/domain/units/identity.ts';
import { watt } from '../../src/domain/units/power.ts';
import { type EpochMs, epochMs } from '../../src/domain/units/time.ts';
import { homeRegisters, UNITS } from '../../src/sim/devices/device-registers.ts';
import { HomeWorld } from '../../src/sim/devices/home-world.ts';
import { planStreet } from '../../src/sim/homes/street-plan.ts';

export const MARKET = 'elm' as MarketId;
/** The enter-service delay of 300 s passes in half a second of wall time. */
export const SPEED = 600;
export const START = epochMs(Date.UTC(2026, 5, 21, 8, 54));

const ENGINE = ed25519Signer(demoLeaseKey(1, 'engine'));
const plan = planStreet({ homes: 12, seed: 1 }).homes[0];
if (plan === undefined) throw new Error('an empty street');
export const PLAN = plan;

export const CONFIG: RelayConfig = {
  ...RELAY_TIMES,
  market: MARKET,
  member: PLAN.id,
  enginePublicKey: ENGINE.publicKey,
  gridCode: 'ieee1547-2018-cat2-50hz',
  nominalMilliV: 230_000,
  tickMs: 50,
  pollMs: 100,
  maximumSpeed: SPEED,
};

/** The messages of an engine, signed with its key or with another. */
export class EngineVoice {
  readonly #bus: DeviceBus;
  readonly #signer: TextSigner;
  #sequence = 0;
  #beating: NodeJS.Timeout | null = null;

  constructor(bus: DeviceBus, signer: TextSigner = ENGINE) {
    this.#bus = bus;
    this.#signer = signer;
  }

  clock(change: Partial<ClockAnchor> = {}): Promise<void> {
    const anchor = { marketAnchor: START, wallAnchor: epochMs(Date.now()), speed: SPEED, holdAt: null, ...change };
    return this.#say(marketTopic(MARKET, 'clock'), anchor, true);
  }

  /** By default of a day: longer than any scenario. */
  lease(change: Partial<Lease> = {}): Promise<void> {
    const lease: Lease = {
      market: MARKET,
      member: PLAN.id,
      intervalStart: epochMs(START - 3_600_000),
      lengthMs: 86_400_000,
      permittedExport: watt(4_000),
      sequence: ++this.#sequence,
      ...change,
    };
    return this.#say(
      memberTopic(MARKET, 'lease', PLAN.id),
      { ...lease, signature: this.#signer.sign(leaseText(lease)) },
      true,
    );
  }

  heartbeat(wall: EpochMs = epochMs(Date.now())): Promise<void> {
    const heartbeat = { market: MARKET, sequence: ++this.#sequence, wall };
    const signature = this.#signer.sign(heartbeatText(heartbeat));
    return this.#say(marketTopic(MARKET, 'heartbeat'), { ...heartbeat, signature }, false);
  }

  /** A heartbeat now and one every 200 ms. */
  async beat(): Promise<void> {
    this.#beating ??= setInterval(() => void this.heartbeat().catch(() => {}), 200);
    await this.heartbeat();
  }

  fallSilent(): void {
    if (this.#beating !== null) clearInterval(this.#beating);
    this.#beating = null;
  }

  #say(topic: string, message: object, retain: boolean): Promise<void> {
    return this.#bus.publish(topic, new TextEncoder().encode(JSON.stringify(message)), { qos: 1, retain });
  }
}

/** A home with real Modbus devices, a real broker, an engine's voice, and the relay process under test. */
export interface Bench {
  readonly home: HomeWorld;
  readonly broker: EmbeddedBroker;
  readonly devices: ModbusServer;
  readonly bus: DeviceBus;
  readonly engine: EngineVoice;
  readonly log: string[];
  start(change?: Partial<RelayConfig>): RunningRelay;
  /** Resolves with the first state, from now on, that is as asked. */
  until(asked: (state: RelayState) => boolean): Promise<RelayState>;
  close(): Promise<void>;
}

export async function openBench(): Promise<Bench> {
  const home = new HomeWorld({ plan: PLAN, start: START });
  const devices = await startModbusServer({ host: '127.0.0.1', port: 0, image: homeRegisters(home) });
  const broker = await startEmbeddedBroker({ host: '127.0.0.1', port: 0 });
  const bus = await connectMqttBus({ url: broker.url, clientId: 'engine', failFast: true });
  const engine = new EngineVoice(bus);
  const log: string[] = [];
  const closers: (() => Promise<unknown>)[] = [() => bus.close()];
  const waiting = new Set<(state: RelayState) => void>();
  let running: RunningRelay | null = null;

  const start = (change: Partial<RelayConfig> = {}): RunningRelay => {
    const where = { host: '127.0.0.1', port: devices.port, timeoutMs: 400, backoffMs: { first: 50, longest: 100 } };
    const meter = openSunSpecMeter({ ...where, unit: UNITS.meter });
    const relay = openCoilRelay({ ...where, unit: UNITS.relay, coil: 0, feedbackInput: 0 });
    const wall = systemClock();
    const clock = followingClock(wall);
    const own = connectMqttBus({ url: broker.url, clientId: 'relay' });
    const late: DeviceBus = {
      publish: async (...message) => (await own).publish(...message),
      subscribe: async (...filter) => (await own).subscribe(...filter),
      onConnection: () => {},
      close: async () => (await own).close(),
    };
    running = run(
      { ...CONFIG, ...change },
      {
        bus: late,
        relay,
        clock,
        readGrid: () => meter.read(),
        wallNow: () => wall.wallNow(),
        log: (message) => log.push(message),
        onState: (state) => {
          for (const listener of [...waiting]) listener(state);
        },
      },
    );
    const started = running;
    closers.unshift(
      () => started.stop().catch(() => {}),
      () => late.close(),
      () => meter.close(),
      () => relay.close(),
    );
    return running;
  };

  return {
    home,
    broker,
    devices,
    bus,
    engine,
    log,
    start,
    until(asked) {
      const now = running?.state();
      if (now !== undefined && asked(now)) return Promise.resolve(now);
      return new Promise((resolve) => {
        const listener = (state: RelayState) => {
          if (!asked(state)) return;
          waiting.delete(listener);
          resolve(state);
        };
        waiting.add(listener);
      });
    },
    async close() {
      engine.fallSilent();
      for (const close of closers) await close();
      await broker.close();
      await devices.close();
    },
  };
}
