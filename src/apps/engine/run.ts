import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { privateKeyToAccount } from 'viem/accounts';
import { type FollowingClock, followingClock, realTimeAnchor } from '../../adapters/clock/market-clock.ts';
import type { WallTime } from '../../adapters/clock/system-clock.ts';
import { openEvmLedger } from '../../adapters/evm/settlement-ledger.ts';
import { type Api, createApi } from '../../adapters/http/api.ts';
import { bundleDashboard } from '../../adapters/http/bundle.ts';
import { type HttpServer, serveApi } from '../../adapters/http/serve.ts';
import type { ApiEvent } from '../../adapters/http/views.ts';
import { openJournal } from '../../adapters/journal/command-log.ts';
import { ed25519Signer } from '../../adapters/keys/ed25519.ts';
import { toHex } from '../../adapters/keys/hex.ts';
import { leaseKeyOf, orderKeyOf } from '../../adapters/keys/key-source.ts';
import { publishJson, subscribeJson } from '../../adapters/mqtt/json-topics.ts';
import { connectMqttBus } from '../../adapters/mqtt/mqtt-bus.ts';
import {
  cancelMessage,
  marketTopic,
  memberTopic,
  orderMessage,
  orderTopicMessage,
  readyMessage,
} from '../../adapters/mqtt/wire.ts';
import { holdStateLock } from '../../adapters/process/state-lock.ts';
import { openHostSession } from '../../adapters/sparkplug/host-session.ts';
import { canonicalJson, type MarketTerms } from '../../domain/engine/command.ts';
import type { EngineEvent } from '../../domain/engine/event.ts';
import { type EngineState, tradedBy } from '../../domain/engine/state.ts';
import { gateClosureOf } from '../../domain/market/products.ts';
import type { DeviceBus } from '../../domain/ports.ts';
import { intervalAt } from '../../domain/units/interval.ts';
import type { Tariff } from '../../domain/units/tariff.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { isFault } from '../../errors/fault.ts';
import { type CommandWriter, createCommandWriter, replayJournal } from './command-writer.ts';
import { clearingView } from './curve-view.ts';
import { type EngineConfig, marketTerms } from './engine-config.ts';
import { HomeBoard } from './home-board.ts';
import { LeaseIssuer, RisingSequence } from './lease-issuer.ts';
import { catchUp, type LoopClock, openBooks, runMarket } from './market-loop.ts';
import { createMeterDesk } from './meter-desk.ts';
import { createOrderDoor, type OrderDoor } from './order-door.ts';
import { ACCELERATED, REAL_TIME, RollCall } from './roll-call.ts';
import { SettlementDesk } from './settlement-desk.ts';
import { createViews, intervalView, nowView, type ViewParts } from './views.ts';

export interface EnginePorts {
  readonly wall: WallTime;
  readonly mode: 'production' | 'paper';
  log(line: string): void;
}

export interface RunningEngine {
  readonly url: string;
  /** Rejects when the engine can't go on: a full disk, a broken journal. Never resolves before `stop`. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

const HEARTBEAT_MS = 1000;

/**
 * The market engine: replays its journal, does what fell due, opens its doors and runs the market.
 * Order of start: state, ledger, bus, due work, doors. Order of stop: doors, market, ledger, journal.
 */
export async function run(config: EngineConfig, ports: EnginePorts): Promise<RunningEngine> {
  mkdirSync(config.state, { recursive: true });
  const lock = holdStateLock(config.state, 'engine');
  const closers: (() => unknown)[] = [() => lock.release()];
  const stop = onceInReverse(closers);
  try {
    return await startEngine(config, ports, closers, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startEngine(
  config: EngineConfig,
  ports: EnginePorts,
  closers: (() => unknown)[],
  stop: () => Promise<void>,
): Promise<RunningEngine> {
  const { wall, mode, log } = ports;
  const terms = marketTerms(config);
  const journal = await openJournal({ folder: join(config.state, 'journal') });
  closers.push(() => journal.close());
  const state = await replayJournal(journal, () => undefined);
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined);

  const clock = followingClock(wall, firstAnchor(config, state, wall));
  closers.push(() => clock.stop());
  const bus = await connectMqttBus({ url: config.broker, clientId: `engine-${config.market}` });
  closers.push(() => bus.close());
  const tariffAt = (): Tariff => ({
    importPrice: config.tariff.import_per_kwh,
    exportPrice: config.tariff.export_per_kwh,
  });

  const feed = new EventFeed();
  const meters = createMeterDesk();
  const roll = new RollCall([...config.members.map(({ id }) => id), config.feeder], {
    wall,
    meters,
    patience: config.clock === undefined ? REAL_TIME : ACCELERATED,
    exact: config.clock !== undefined,
  });
  const board = new HomeBoard((node, reading) => {
    meters.record(node, reading);
    roll.changed();
  });
  let parts: ViewParts | null = null;
  const desk =
    mode === 'paper'
      ? null
      : await openDesk(config, state, log, closers, (start) => {
          const settlement = state.settlements.get(start);
          if (parts !== null && settlement !== undefined) feed.tell('interval', intervalView(parts, settlement));
        });
  const leases = mode === 'paper' ? null : leaseIssuer(config, terms, bus);

  const writer = guarded(
    createCommandWriter(journal, state, clock, (events) => {
      for (const event of events) onEvent(event);
    }),
    (error) => failure.reject(error),
  );

  function onEvent(event: EngineEvent): void {
    if (event.type === 'settled') {
      desk?.settle(event.settlement);
      if (desk === null && parts !== null) feed.tell('interval', intervalView(parts, event.settlement));
    }
    if (event.type === 'cleared') tellClearing(event.product);
  }

  function tellClearing(start: EpochMs): void {
    const product = state.products.get(start);
    if (product === undefined || product.clearing === null) return;
    const { price, traded, fills } = product.clearing;
    void quietly(publishJson(bus, marketTopic(config.market, 'clearing'), { product: start, price, traded }, true));
    for (const { id } of terms.members) {
      const own = fills.filter(({ member }) => member === id);
      const message = {
        product: start,
        price,
        ...tradedBy(product.clearing, id),
        fills: own.map(({ clientOrderId, filled, fate }) => ({ clientOrderId, filled, fate })),
      };
      void quietly(publishJson(bus, memberTopic(config.market, 'trades', id), message));
    }
    const view = clearingView(product);
    if (view !== null) feed.tell('clearing', view);
  }

  /** What is retained dies with an embedded broker, so every connect says it again. */
  async function retell(): Promise<void> {
    const { start, lengthMs } = intervalAt(clock.now(), terms.lengthMs);
    await tellProducts(config, state, clock.now(), bus);
    await leases?.leaseInterval(start);
    const next = (start + lengthMs) as EpochMs;
    if (clock.now() >= gateClosureOf(next, terms)) await leases?.leaseInterval(next);
  }

  const door = createOrderDoor(writer, {
    market: terms.market,
    chainId: config.ledger.chain_id,
    addresses: new Map(config.members.map(({ id, address }) => [id, address])),
    clockOffMs: (member) => board.number(member, 'Node/ClockOffsetMs') ?? 0,
  });
  parts = {
    config,
    mode,
    state,
    board,
    desk: desk,
    door,
    ledgerAddress: () => deskAddress(desk),
    now: () => clock.now(),
    wallNow: () => wall.wallNow(),
    heldFor: () => roll.heldFor,
    tariffAt,
    subscribe: (listener) => feed.subscribe(listener),
  };

  if (canonicalJson(state.terms) !== canonicalJson(terms)) await writer.commit({ type: 'terms', terms });
  const loopClock = engineClock(config, clock, wall, bus);
  const publishProducts = () => tellProducts(config, state, clock.now(), bus);
  const loop = {
    writer,
    clock: loopClock,
    roll,
    meters,
    feeder: config.feeder,
    terms,
    tariffAt,
    onProducts: publishProducts,
    onGate: async (product: EpochMs) => leases?.leaseInterval(product),
  };
  await catchUp(loop);

  const host = await openHostSession({
    openBus: (will) => connectMqttBus({ url: config.broker, clientId: `host-${config.market}`, will }),
    group: config.market,
    hostId: config.host_id,
    now: () => wall.wallNow(),
    nodes: [...config.members.map(({ id }) => id), config.feeder],
  });
  closers.push(() => host.close());
  host.onMetric((event) => board.take(event, wall.wallNow()));
  host.onNode(({ node, online }) => {
    board.setOnline(node, online);
    roll.setOnline(node, online);
  });
  await openMqttDoors(config, bus, door, roll);
  bus.onConnection((connected) => {
    if (connected) void retell();
  });
  const server = await openHttpDoor(config, parts, log);
  closers.push(() => server.close());
  writeFileSync(join(config.state, 'endpoint.json'), JSON.stringify({ url: server.url, pid: process.pid }));
  closers.push(...startRhythm(wall, leases, feed, parts, () => loopClock.announce()));

  const stopped = new AbortController();
  closers.push(() => stopped.abort());
  runMarket(loop, stopped.signal).catch((error: unknown) => failure.reject(error));
  return { url: server.url, failed: failure.promise, stop };
}

/** A journal that fails fails the engine: what was not answered is sent again by its owner. */
function guarded(writer: CommandWriter, onFailure: (error: unknown) => void): CommandWriter {
  return {
    state: writer.state,
    async commit(draft) {
      try {
        return await writer.commit(draft);
      } catch (error) {
        onFailure(error);
        throw error;
      }
    },
  };
}

/** Simulated time goes on where the journal ends; real time is the wall's. Until the loop releases it, it stands. */
function firstAnchor({ clock }: EngineConfig, state: EngineState, wall: WallTime) {
  if (clock === undefined) return realTimeAnchor(wall);
  const at = Math.max(clock.start, state.now) as EpochMs;
  return { marketAnchor: at, wallAnchor: wall.wallNow(), speed: clock.speed, holdAt: at };
}

interface EngineClock extends LoopClock {
  /** Repeats where market time stands: a broker that restarted has forgotten it. */
  announce(): void;
}

function engineClock(
  { clock: settings, market }: EngineConfig,
  clock: FollowingClock,
  wall: WallTime,
  bus: DeviceBus,
): EngineClock {
  const announce = () => {
    void quietly(publishJson(bus, marketTopic(market, 'clock'), clock.anchor(), true));
  };
  bus.onConnection((connected) => {
    if (connected) announce();
  });
  return {
    announce,
    now: () => clock.now(),
    until: (at) => new Promise((resolve) => clock.at(at, resolve)),
    release(from, holdAt) {
      if (settings === undefined) return;
      clock.follow({ marketAnchor: from, wallAnchor: wall.wallNow(), speed: settings.speed, holdAt });
      announce();
    },
  };
}

async function openDesk(
  config: EngineConfig,
  state: EngineState,
  log: (line: string) => void,
  closers: (() => unknown)[],
  onFinal: (interval: EpochMs) => void,
): Promise<SettlementDesk & { readonly address?: () => string | null }> {
  const { rpc, chain_id: chainId, confirmations, embedded, cache } = config.ledger;
  const ledger = await openEvmLedger({
    rpcUrl: rpc,
    chainId,
    confirmations,
    embedded,
    cacheFolder: cache,
    outboxPath: join(config.state, 'outbox.sqlite'),
    account: privateKeyToAccount(toHex(orderKeyOf(config.keys, 'settler')) as `0x${string}`),
    onNotice: (fault) => log(`${fault.code} ${fault.message}`),
  });
  closers.push(() => ledger.close());
  const desk = Object.assign(new SettlementDesk(ledger, ({ interval }) => onFinal(interval.start), log), {
    address: () => ledger.address(),
  });
  await desk.recover(state);
  return desk;
}

function deskAddress(desk: { readonly address?: () => string | null } | null): string | null {
  return desk?.address?.() ?? null;
}

function leaseIssuer(config: EngineConfig, terms: MarketTerms, bus: DeviceBus): LeaseIssuer {
  const signer = ed25519Signer(leaseKeyOf(config.keys, 'engine'));
  return new LeaseIssuer(bus, signer, terms, new RisingSequence(join(config.state, 'lease-sequence')));
}

async function tellProducts(config: EngineConfig, state: EngineState, now: EpochMs, bus: DeviceBus): Promise<void> {
  const { terms } = state;
  if (terms === null) return;
  const open = openBooks(state, now).map((product) => {
    const { importPrice, exportPrice } = state.products.get(product)?.tariff ?? { importPrice: 0, exportPrice: 0 };
    return { product, gate: gateClosureOf(product, terms), importPrice, exportPrice };
  });
  await quietly(publishJson(bus, marketTopic(config.market, 'products'), { tick: terms.tick, open }, true));
}

async function openMqttDoors(config: EngineConfig, bus: DeviceBus, door: OrderDoor, roll: RollCall): Promise<void> {
  const { market } = config;
  await subscribeJson(bus, memberTopic(market, 'order', '+'), orderTopicMessage, (message, topic) => {
    const member = topic.split('/').at(-1) ?? '';
    void door.submit(member, message).then((verdict) => {
      const { kind, product, clientOrderId } = message;
      return quietly(
        publishJson(bus, memberTopic(market, 'reply', member), { kind, product, clientOrderId, ...verdict }),
      );
    }, ignoreFaults);
  });
  await subscribeJson(bus, memberTopic(market, 'ready', '+'), readyMessage, ({ at }, topic) => {
    roll.setReady(topic.split('/').at(-1) ?? '', at);
  });
}

async function openHttpDoor(config: EngineConfig, parts: ViewParts, log: (line: string) => void): Promise<HttpServer> {
  const { host, port, names, port_or_next } = config.http;
  const api = createApi(createViews(parts), {
    orderSchema: orderMessage,
    cancelSchema: cancelMessage,
    host,
    hostNames: names,
    assets: await bundleDashboard(),
    streamId: `${parts.wallNow()}`,
    onBug: (error) => log(`bug: ${error instanceof Error ? error.stack : String(error)}`),
  });
  return serveOnFreePort(api, host, port, port_or_next);
}

/** The port that was asked for; where another program has it and that is allowed, one of the next. */
async function serveOnFreePort(api: Api, host: string, port: number, tries: number): Promise<HttpServer> {
  try {
    return await serveApi(api, { host, port });
  } catch (error) {
    if (!isFault(error, 'PORT_TAKEN') || tries === 0) throw error;
    return serveOnFreePort(api, host, port + 1, tries - 1);
  }
}

/** Once a second of wall time: the heartbeat that carries all leases, and what the dashboard shows. */
function startRhythm(
  wall: WallTime,
  leases: LeaseIssuer | null,
  feed: EventFeed,
  parts: ViewParts,
  announce: () => void,
): (() => void)[] {
  void leases?.beat(wall.wallNow());
  const heart = setInterval(() => {
    void leases?.beat(wall.wallNow());
    feed.tell('now', nowView(parts));
  }, HEARTBEAT_MS);
  const clock = setInterval(announce, 10 * HEARTBEAT_MS);
  return [() => clearInterval(heart), () => clearInterval(clock)];
}

/** The events of this process in order, to whoever listens. */
class EventFeed {
  readonly #listeners = new Set<(event: ApiEvent) => void>();
  #id = 0;

  tell<Name extends ApiEvent['event']>(event: Name, data: Extract<ApiEvent, { event: Name }>['data']): void {
    this.#id += 1;
    for (const listener of this.#listeners) listener({ id: this.#id, event, data } as ApiEvent);
  }

  subscribe(listener: (event: ApiEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** A message that the broker did not take: its receiver hears the next one, or asks again. */
async function quietly(sent: Promise<void>): Promise<void> {
  await sent.catch(ignoreFaults);
}

function ignoreFaults(error: unknown): void {
  if (!isFault(error)) throw error;
}

function onceInReverse(closers: readonly (() => unknown)[]): () => Promise<void> {
  let stopping: Promise<void> | null = null;
  return () => {
    stopping ??= (async () => {
      for (const close of [...closers].reverse()) await close();
    })();
    return stopping;
  };
}
