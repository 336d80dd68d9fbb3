import { join } from 'node:path';
import { clockJumpText, watchClockJumps } from '../../adapters/clock/jump-watch.ts';
import { type FollowingClock, followingClock, realTimeAnchor } from '../../adapters/clock/market-clock.ts';
import type { WallTime } from '../../adapters/clock/system-clock.ts';
import { ed25519Signer } from '../../adapters/keys/ed25519.ts';
import { leaseKeyOf } from '../../adapters/keys/key-source.ts';
import { wasmKeccakHasher } from '../../adapters/keys/wasm-keccak.ts';
import { writeStateFile } from '../../adapters/process/state-file.ts';
import { holdStateLock } from '../../adapters/process/state-lock.ts';
import { canonicalJson, type MarketTerms } from '../../domain/engine/command.ts';
import type { EngineState } from '../../domain/engine/state.ts';
import type { DeviceBus } from '../../domain/ports.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import type { AdmissionTerms } from './admission.ts';
import { Announcer } from './announcer.ts';
import type { CommandWriter } from './command-writer.ts';
import { openHttpDoor, openMqttDoor } from './doors.ts';
import { connectEngineBus } from './engine-bus.ts';
import { type EngineConfig, marketTerms } from './engine-config.ts';
import { EventFeed } from './event-feed.ts';
import { EventTeller } from './event-teller.ts';
import { HomeBoard } from './home-board.ts';
import { listenToHomes } from './home-listener.ts';
import { journaledWriter } from './journaled-writer.ts';
import { Lateness } from './lateness.ts';
import { LeaseIssuer, RisingSequence } from './lease-issuer.ts';
import { type LedgerDesk, openLedgerDesk } from './ledger-desk.ts';
import { marketErrorsPath } from './market-errors.ts';
import { type MarketJournal, openMarketJournal } from './market-journal.ts';
import { catchUp, type LoopParts, runMarket } from './market-loop.ts';
import { createMeterDesk, type MeterDesk } from './meter-desk.ts';
import { operatorHalts } from './operator-halts.ts';
import { createOrderDoor } from './order-door.ts';
import { ReceiptDesk } from './receipt-desk.ts';
import { openReceiptKey } from './receipt-key.ts';
import { refuseEarlierClock, refuseOtherMarket } from './resume-checks.ts';
import { startRhythm } from './rhythm.ts';
import { ACCELERATED, REAL_TIME, RollCall } from './roll-call.ts';
import type { ViewParts } from './views.ts';
import { warmUp } from './warm-up.ts';

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
  readonly #late: Lateness;
  #stopping: Promise<void> | null = null;

  constructor(config: EngineConfig, ports: EnginePorts) {
    this.#config = config;
    this.#ports = ports;
    this.#terms = marketTerms(config);
    const accelerated = config.clock !== undefined;
    const patience = accelerated ? ACCELERATED : REAL_TIME;
    const names = [...config.members.map(({ id }) => id), config.feeder];
    const { wall, log } = ports;
    this.#late = new Lateness(marketErrorsPath(config.market_err, config.state), wall, log);
    const onLate = this.#late.peers.bind(this.#late);
    this.#roll = new RollCall(names, { wall, meters: this.#meters, patience, exact: accelerated, onLate });
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

  /** Opens one thing after the other, each before what needs it. */
  async start(): Promise<string> {
    const { wall, log } = this.#ports;
    this.#onStop(() => this.#late.close());
    const market = await this.#openState();
    const { state } = market;
    const clock = this.#openClock(state);
    const bus = await connectEngineBus(this.#config, log);
    this.#onStop(() => bus.close());
    const ledger = await this.#openLedger(state);
    const announcer = new Announcer({ bus, terms: this.#terms, state, leases: this.#leaseIssuer(bus), clock });
    const receipts = this.#openReceipts(market, announcer);
    const teller = new EventTeller({ state, announcer, feed: this.#feed, desk: ledger?.desk ?? null, log });
    const writer = journaledWriter({
      ...{ market, clock, desk: receipts, watch: this.#late.journal },
      onEvent: (event) => teller.tell(event),
      onFailure: this.#fail,
    });
    await ledger?.desk.recover(state);
    const loop = this.#loop(writer, clock, announcer, receipts);
    if (canonicalJson(state.terms) !== canonicalJson(this.#terms))
      await writer.commit({ type: 'terms', terms: this.#terms });
    for (const halt of operatorHalts(this.#config, state)) await writer.commit(halt);
    await catchUp(loop);
    this.#onStop(await listenToHomes(this.#config, wall, this.#board, this.#roll));
    const parts = this.#viewParts(market, writer, clock, ledger);
    this.#onStop(() => parts.door.close());
    await openMqttDoor(this.#config.market, bus, parts.door, this.#roll, log, this.#late.errors);
    const server = await openHttpDoor(this.#config, parts, log);
    this.#onStop(() => server.close());
    bus.onConnection((connected) => {
      if (connected) void Promise.all([announcer.everything(), receipts.sayRoots()]);
    });
    this.#onStop(startRhythm(announcer, parts, this.#feed, wall));
    this.#startMarket(loop);
    writeStateFile(join(this.#config.state, 'endpoint.json'), JSON.stringify({ url: server.url, pid: process.pid }));
    return server.url;
  }

  #onStop(close: () => unknown): void {
    this.#closers.push(close);
  }

  readonly #fail = (error: unknown): void => this.#failure.reject(error);

  async #openState(): Promise<MarketJournal> {
    const { state: folder, tariff, ledger } = this.#config;
    const { mode, log: tell } = this.#ports;
    const lock = holdStateLock(folder, 'engine');
    this.#onStop(() => lock.release());
    const { signer, secret } = await openReceiptKey(this.#config, mode, tell);
    const sign = (digest: Uint8Array) => signer.sign(digest);
    const named = { market: this.#terms.market, chainId: ledger.chain_id, engine: signer.address };
    const market = await openMarketJournal({
      folder,
      tell,
      receipts: { ...named, secret, sign, hasher: wasmKeccakHasher() },
    });
    this.#onStop(() => market.log.close());
    this.#onStop(() => market.snapshots.close());
    refuseOtherMarket(this.#config, market.state, this.#terms);
    if (this.#config.clock === undefined) refuseEarlierClock(market.state, this.#ports.wall);
    warmUp(this.#terms, { importPrice: tariff.import_per_kwh, exportPrice: tariff.export_per_kwh });
    return market;
  }

  #openClock(state: EngineState): FollowingClock {
    const { wall, log } = this.#ports;
    const clock = followingClock(wall, firstAnchor(this.#config, state, wall));
    this.#onStop(() => clock.stop());
    this.#onStop(watchClockJumps(wall, (jumpMs) => log(clockJumpText(jumpMs))));
    return clock;
  }

  async #openLedger(state: EngineState): Promise<LedgerDesk | null> {
    if (this.#ports.mode === 'paper') return null;
    const { log } = this.#ports;
    const watch = this.#late.ledger;
    const ledger = await openLedgerDesk({ config: this.#config, state, feed: this.#feed, watch, log });
    this.#onStop(() => ledger.close());
    return ledger;
  }

  #leaseIssuer(bus: DeviceBus): LeaseIssuer | null {
    if (this.#ports.mode === 'paper') return null;
    const signer = ed25519Signer(leaseKeyOf(this.#config.keys, 'engine'));
    return new LeaseIssuer(bus, signer, this.#terms, new RisingSequence(join(this.#config.state, 'lease-sequence')));
  }

  #openReceipts({ receipts }: MarketJournal, announcer: Announcer): ReceiptDesk {
    const desk = new ReceiptDesk({
      book: receipts.book,
      onReceipts: (sealed) => void announcer.receipts(sealed),
      onGate: (root) => void announcer.gateRoot(root),
      onForgotten: (product) => void announcer.forgetRoot(product),
      onBug: this.#fail,
    });
    this.#onStop(() => desk.close());
    return desk;
  }

  #viewParts(
    { receipts }: MarketJournal,
    writer: CommandWriter,
    clock: FollowingClock,
    ledger: LedgerDesk | null,
  ): ViewParts {
    const config = this.#config;
    const door = createOrderDoor(writer, {
      market: this.#terms.market,
      chainId: config.ledger.chain_id,
      addresses: new Map(config.members.map(({ id, address }) => [id, address])),
      clockOffMs: (member) => this.#board.number(member, 'Node/ClockOffsetMs') ?? 0,
      admission: admissionOf(config),
    });
    return {
      ...{ config, door, mode: this.#ports.mode, state: writer.state, receipts: receipts.book, board: this.#board },
      desk: ledger?.desk ?? null,
      ledgerAddress: () => ledger?.address() ?? null,
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

  #loop(writer: CommandWriter, clock: FollowingClock, announcer: Announcer, receipts: ReceiptDesk): LoopParts {
    const { clock: simulated, feeder } = this.#config;
    return {
      ...{ writer, feeder, roll: this.#roll, meters: this.#meters, terms: this.#terms },
      tariffAt: () => this.#tariff,
      onProducts: () => announcer.products(),
      // The root first: no interval is leased whose clearing nobody vouches for.
      onGate: async (product) => {
        await receipts.gate(product);
        await announcer.leases(product);
      },
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

  #startMarket(loop: LoopParts): void {
    const stopped = new AbortController();
    this.#onStop(() => stopped.abort());
    runMarket(loop, stopped.signal).catch(this.#fail);
  }
}

function admissionOf({ orders }: EngineConfig): AdmissionTerms {
  const { per_second: ratePerSecond, burst, member_queue: memberQueue, queue } = orders;
  return { ratePerSecond, burst, memberQueue, queue };
}

/** Simulated time goes on where the journal ends; real time is the wall's. Until the loop releases it, it stands. */
function firstAnchor({ clock }: EngineConfig, state: EngineState, wall: WallTime) {
  if (clock === undefined) return realTimeAnchor(wall);
  const at = Math.max(clock.start, state.now) as EpochMs;
  return { marketAnchor: at, wallAnchor: wall.wallNow(), speed: clock.speed, holdAt: at };
}
