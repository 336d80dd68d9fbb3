import { join } from 'node:path';
import { privateKeyToAccount } from 'viem/accounts';
import { clockJumpText, watchClockJumps } from '../../adapters/clock/jump-watch.ts';
import { type FollowingClock, followingClock, realTimeAnchor } from '../../adapters/clock/market-clock.ts';
import type { WallTime } from '../../adapters/clock/system-clock.ts';
import { type EvmLedger, openEvmLedger } from '../../adapters/evm/settlement-ledger.ts';
import { openJournal } from '../../adapters/journal/command-log.ts';
import { ed25519Signer } from '../../adapters/keys/ed25519.ts';
import { toHex } from '../../adapters/keys/hex.ts';
import { leaseKeyOf, orderKeyOf } from '../../adapters/keys/key-source.ts';
import { connectMqttBus } from '../../adapters/mqtt/mqtt-bus.ts';
import { writeStateFile } from '../../adapters/process/state-file.ts';
import { holdStateLock } from '../../adapters/process/state-lock.ts';
import { openHostSession } from '../../adapters/sparkplug/host-session.ts';
import { canonicalJson, type MarketTerms } from '../../domain/engine/command.ts';
import type { EngineEvent } from '../../domain/engine/event.ts';
import type { EngineState } from '../../domain/engine/state.ts';
import type { CommandLog, DeviceBus } from '../../domain/ports.ts';
import { type EpochMs, formatUtc } from '../../domain/units/time.ts';
import { Announcer } from './announcer.ts';
import { type CommandWriter, createCommandWriter, replayJournal } from './command-writer.ts';
import { clearingView } from './curve-view.ts';
import { openHttpDoor, openMqttDoor } from './doors.ts';
import { type EngineConfig, marketTerms } from './engine-config.ts';
import { EventFeed } from './event-feed.ts';
import { HomeBoard } from './home-board.ts';
import { LeaseIssuer, RisingSequence } from './lease-issuer.ts';
import { catchUp, type LoopParts, runMarket } from './market-loop.ts';
import { createMeterDesk, type MeterDesk } from './meter-desk.ts';
import { createOrderDoor } from './order-door.ts';
import { refuseEarlierClock, refuseOtherMarket } from './resume-checks.ts';
import { ACCELERATED, REAL_TIME, RollCall } from './roll-call.ts';
import { SettlementDesk } from './settlement-desk.ts';
import { intervalView, nowView, type ViewParts } from './views.ts';

export interface EnginePorts {
  readonly wall: WallTime;
  /** paper clears and bills, and neither settles nor lets a relay close. */
  readonly mode: 'production' | 'paper';
  log(line: string): void;
}

export interface RunningEngine {
  readonly url: string;
  /** Rejects when the engine can't go on: a full disk, a broken journal. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/**
 * The market engine. Start: state from the journal, ledger, bus, what fell due meanwhile, and only then the doors.
 * Stop: the other way round. @throws Fault
 */
export async function run(config: EngineConfig, ports: EnginePorts): Promise<RunningEngine> {
  const engine = new Engine(config, ports);
  try {
    const url = await engine.start();
    return { url, failed: engine.failed, stop: () => engine.stop() };
  } catch (error) {
    await engine.stop();
    throw error;
  }
}

const HEARTBEAT_MS = 1000;
const CLOCK_REPEAT_MS = 10_000;

class Engine {
  readonly #config: EngineConfig;
  readonly #ports: EnginePorts;
  readonly #terms: MarketTerms;
  readonly #feed = new EventFeed();
  readonly #meters: MeterDesk = createMeterDesk();
  readonly #roll: RollCall;
  readonly #board: HomeBoard;
  /** What was opened, to be closed in reverse. */
  readonly #closers: (() => unknown)[] = [];
  readonly #failure = Promise.withResolvers<never>();
  #stopping: Promise<void> | null = null;
  #isInverted = false;

  constructor(config: EngineConfig, ports: EnginePorts) {
    this.#config = config;
    this.#ports = ports;
    this.#terms = marketTerms(config);
    const accelerated = config.clock !== undefined;
    const patience = accelerated ? ACCELERATED : REAL_TIME;
    const names = [...config.members.map(({ id }) => id), config.feeder];
    this.#roll = new RollCall(names, { wall: ports.wall, meters: this.#meters, patience, exact: accelerated });
    this.#board = new HomeBoard((node, reading) => {
      this.#meters.record(node, reading);
      this.#roll.changed();
    });
    this.#failure.promise.catch(() => undefined);
  }

  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#closeAll();
    return this.#stopping;
  }

  /** Closes everything, whatever one of them says; the first complaint is told at the end. */
  async #closeAll(): Promise<void> {
    const complaints: unknown[] = [];
    for (const close of this.#closers.reverse()) {
      try {
        await close();
      } catch (error) {
        complaints.push(error);
      }
    }
    if (complaints.length > 0) throw complaints[0];
  }

  async start(): Promise<string> {
    const { wall, log } = this.#ports;
    const { state, journal } = await this.#openState();
    const clock = followingClock(wall, firstAnchor(this.#config, state, wall));
    this.#onStop(() => clock.stop());
    this.#onStop(watchClockJumps(wall, (jumpMs) => log(clockJumpText(jumpMs))));
    const bus = await this.#connect();
    const desk = await this.#openDesk(state, () => parts);
    const announcer = new Announcer({ bus, terms: this.#terms, state, leases: this.#leaseIssuer(bus), clock });
    const writer = this.#writer(journal, state, clock, (event) => this.#tell(event, parts, announcer));
    const parts = this.#viewParts(writer, clock, desk);
    await desk?.recover(state);

    const loop = this.#loop(writer, clock, announcer);
    if (canonicalJson(state.terms) !== canonicalJson(this.#terms))
      await writer.commit({ type: 'terms', terms: this.#terms });
    await catchUp(loop);
    await this.#listenToHomes();
    await openMqttDoor(this.#config.market, bus, parts.door, this.#roll, log);
    const server = await openHttpDoor(this.#config, parts, log);
    this.#onStop(() => server.close());
    bus.onConnection((connected) => {
      if (connected) void announcer.everything();
    });
    this.#startRhythm(announcer, parts);
    this.#startMarket(loop);
    writeStateFile(join(this.#config.state, 'endpoint.json'), JSON.stringify({ url: server.url, pid: process.pid }));
    return server.url;
  }

  #onStop(close: () => unknown): void {
    this.#closers.push(close);
  }

  async #openState(): Promise<{ state: EngineState; journal: CommandLog }> {
    const { state: folder } = this.#config;
    const lock = holdStateLock(folder, 'engine');
    this.#onStop(() => lock.release());
    const journal = await openJournal({ folder: join(folder, 'journal') });
    this.#onStop(() => journal.close());
    const state = await replayJournal(journal, () => undefined);
    refuseOtherMarket(this.#config, state, this.#terms);
    if (this.#config.clock === undefined) refuseEarlierClock(state, this.#ports.wall);
    return { state, journal };
  }

  async #connect(): Promise<DeviceBus> {
    const { broker: url, market } = this.#config;
    const bus = await connectMqttBus({ url, clientId: `engine-${market}` });
    this.#onStop(() => bus.close());
    this.#onStop(tellWhenWaiting(url, bus, this.#ports.log));
    return bus;
  }

  /** A journal that fails fails the engine: what was not answered is sent again by its owner. */
  #writer(
    journal: CommandLog,
    state: EngineState,
    clock: FollowingClock,
    onEvent: (event: EngineEvent) => void,
  ): CommandWriter {
    const writer = createCommandWriter(journal, state, clock, (events) => events.forEach(onEvent));
    const commit: CommandWriter['commit'] = async (draft) => {
      try {
        return await writer.commit(draft);
      } catch (error) {
        this.#failure.reject(error);
        throw error;
      }
    };
    return { state, commit };
  }

  /** What the world hears of an event, after it is on stable storage. */
  #tell(event: EngineEvent, parts: ViewParts, announcer: Announcer): void {
    if (event.type === 'settled') {
      parts.desk?.settle(event.settlement);
      if (parts.desk === null) this.#feed.tell('interval', intervalView(parts, event.settlement));
    }
    if (event.type === 'opened') this.#tellInversion(event.product, event.band === 'tariff_inverted');
    if (event.type !== 'cleared') return;
    const product = parts.state.products.get(event.product);
    if (product === undefined) return;
    void announcer.clearing(product);
    const view = clearingView(product);
    if (view !== null) this.#feed.tell('clearing', view);
  }

  /** Once, where it begins and where it ends. */
  #tellInversion(product: EpochMs, isInverted: boolean): void {
    if (isInverted === this.#isInverted) return;
    this.#isInverted = isInverted;
    const since = `from ${formatUtc(product)} on`;
    const closed = `tariff_inverted ${since}: the import price is not above the export price, so no orders are taken and the tariff is paid; are the two swapped?`;
    this.#ports.log(isInverted ? closed : `the tariff is in order again ${since}`);
  }

  async #openDesk(state: EngineState, parts: () => ViewParts): Promise<LedgerDesk | null> {
    if (this.#ports.mode === 'paper') return null;
    const ledger = await openLedger(this.#config, this.#ports.log);
    this.#onStop(() => ledger.close());
    const onFinal = (start: EpochMs) => {
      const settlement = state.settlements.get(start);
      if (settlement !== undefined) this.#feed.tell('interval', intervalView(parts(), settlement));
    };
    const desk = new SettlementDesk(ledger, ({ interval }) => onFinal(interval.start), this.#ports.log);
    return Object.assign(desk, { address: () => ledger.address() });
  }

  #leaseIssuer(bus: DeviceBus): LeaseIssuer | null {
    if (this.#ports.mode === 'paper') return null;
    const signer = ed25519Signer(leaseKeyOf(this.#config.keys, 'engine'));
    return new LeaseIssuer(bus, signer, this.#terms, new RisingSequence(join(this.#config.state, 'lease-sequence')));
  }

  #viewParts(writer: CommandWriter, clock: FollowingClock, desk: LedgerDesk | null): ViewParts {
    const config = this.#config;
    const door = createOrderDoor(writer, {
      market: this.#terms.market,
      chainId: config.ledger.chain_id,
      addresses: new Map(config.members.map(({ id, address }) => [id, address])),
      clockOffMs: (member) => this.#board.number(member, 'Node/ClockOffsetMs') ?? 0,
    });
    return {
      config,
      mode: this.#ports.mode,
      state: writer.state,
      board: this.#board,
      desk,
      door,
      ledgerAddress: () => desk?.address() ?? null,
      now: () => clock.now(),
      wallNow: () => this.#ports.wall.wallNow(),
      heldFor: () => this.#roll.heldFor,
      tariffAt: () => this.#tariff,
      subscribe: (listener) => this.#feed.subscribe(listener),
    };
  }

  get #tariff() {
    const { import_per_kwh: importPrice, export_per_kwh: exportPrice } = this.#config.tariff;
    return { importPrice, exportPrice };
  }

  #loop(writer: CommandWriter, clock: FollowingClock, announcer: Announcer): LoopParts {
    const { clock: simulated, feeder } = this.#config;
    return {
      writer,
      roll: this.#roll,
      meters: this.#meters,
      feeder,
      terms: this.#terms,
      tariffAt: () => this.#tariff,
      onProducts: () => announcer.products(),
      onGate: (product) => announcer.leases(product),
      clock: {
        now: () => clock.now(),
        until: (at) => new Promise((resolve) => clock.at(at, resolve)),
        release: (from, holdAt) => {
          if (simulated === undefined) return;
          clock.follow({ marketAnchor: from, wallAnchor: this.#ports.wall.wallNow(), speed: simulated.speed, holdAt });
          void announcer.clock();
        },
      },
    };
  }

  async #listenToHomes(): Promise<void> {
    const { broker: url, market: group, host_id: hostId, members, feeder } = this.#config;
    const { wall } = this.#ports;
    const host = await openHostSession({
      openBus: (will) => connectMqttBus({ url, clientId: `host-${group}`, will }),
      group,
      hostId,
      now: () => wall.wallNow(),
      nodes: [...members.map(({ id }) => id), feeder],
    });
    this.#onStop(() => host.close());
    host.onMetric((event) => this.#board.take(event, wall.wallNow()));
    host.onNode(({ node, online }) => {
      this.#board.setOnline(node, online);
      this.#roll.setOnline(node, online);
    });
  }

  /** Once a second of wall time: the heartbeat that carries all leases, and what the dashboard shows. */
  #startRhythm(announcer: Announcer, parts: ViewParts): void {
    const { wall } = this.#ports;
    void announcer.heartbeat(wall.wallNow());
    const heart = setInterval(() => {
      void announcer.heartbeat(wall.wallNow());
      this.#feed.tell('now', nowView(parts));
    }, HEARTBEAT_MS);
    const clock = setInterval(() => void announcer.clock(), CLOCK_REPEAT_MS);
    this.#onStop(() => {
      clearInterval(heart);
      clearInterval(clock);
    });
  }

  #startMarket(loop: LoopParts): void {
    const stopped = new AbortController();
    this.#onStop(() => stopped.abort());
    runMarket(loop, stopped.signal).catch((error: unknown) => this.#failure.reject(error));
  }
}

type LedgerDesk = SettlementDesk & { address(): string | null };

const BROKER_PATIENCE_MS = 3000;

/** Without a broker the engine waits at its door for ever; it says so. The result ends the watch. */
function tellWhenWaiting(url: string, bus: DeviceBus, log: (line: string) => void): () => void {
  const timer = setTimeout(() => {
    log(`BROKER_UNREACHABLE ${url} does not answer; the engine opens its doors when it does`);
  }, BROKER_PATIENCE_MS);
  bus.onConnection((connected) => {
    if (connected) clearTimeout(timer);
  });
  return () => clearTimeout(timer);
}

/** Simulated time goes on where the journal ends; real time is the wall's. Until the loop releases it, it stands. */
function firstAnchor({ clock }: EngineConfig, state: EngineState, wall: WallTime) {
  if (clock === undefined) return realTimeAnchor(wall);
  const at = Math.max(clock.start, state.now) as EpochMs;
  return { marketAnchor: at, wallAnchor: wall.wallNow(), speed: clock.speed, holdAt: at };
}

function openLedger(config: EngineConfig, log: (line: string) => void): Promise<EvmLedger> {
  const { rpc, chain_id: chainId, confirmations, embedded, cache } = config.ledger;
  return openEvmLedger({
    rpcUrl: rpc,
    chainId,
    confirmations,
    embedded,
    cacheFolder: cache,
    outboxPath: join(config.state, 'outbox.sqlite'),
    account: privateKeyToAccount(toHex(orderKeyOf(config.keys, 'settler')) as `0x${string}`),
    onNotice: (fault) => log(`${fault.code} ${fault.message}`),
  });
}
