import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeEventTopics, type Hex } from 'viem';
import { type FollowingClock, followingClock } from '../../src/adapters/clock/market-clock.ts';
import { systemClock } from '../../src/adapters/clock/system-clock.ts';
import { openJsonRpc } from '../../src/adapters/evm/json-rpc.ts';
import { LedgerNode } from '../../src/adapters/evm/ledger-node.ts';
import { SETTLEMENT_ABI } from '../../src/adapters/evm/settlement-abi.ts';
import { SettlementContract } from '../../src/adapters/evm/settlement-contract.ts';
import type { LedgerView, StatementView } from '../../src/adapters/http/api-schema.ts';
import { openSunSpecMeter } from '../../src/adapters/modbus/sunspec-meter.ts';
import { subscribeJson } from '../../src/adapters/mqtt/json-topics.ts';
import { connectMqttBus } from '../../src/adapters/mqtt/mqtt-bus.ts';
import {
  clockMessage,
  marketTopic,
  memberTopic,
  type ReplyMessage,
  replyMessage,
  safetyMessage,
} from '../../src/adapters/mqtt/wire.ts';
import { openHostSession } from '../../src/adapters/sparkplug/host-session.ts';
import type { Command } from '../../src/domain/engine/command.ts';
import type { EpochMs } from '../../src/domain/units/time.ts';
import { UNITS } from '../../src/sim/devices/device-registers.ts';
import { journalCommands } from './journal-commands.ts';

/** A stranger at the street's own doors: broker, Modbus devices, HTTP, chain, journal. */

export const MARKET = 'elm-street';

/** The two registers of a meter, Wh. */
export interface Registers {
  readonly importRegister: number;
  readonly exportRegister: number;
}

export interface Reply extends ReplyMessage {
  readonly member: string;
}

export interface StreetObserver {
  readonly clock: FollowingClock;
  /** Every answer of the engine that passed the broker. */
  readonly replies: readonly Reply[];
  /** Market time at which a home's relay said for the first time that its contact is closed. */
  readonly closedAt: ReadonlyMap<string, EpochMs>;
  /** Blink codes of homes whose relay shows one now. */
  faults(): ReadonlyMap<string, number>;
  /** What the Sparkplug messages stamped with that instant said, by meter. */
  readingsAt(at: number): ReadonlyMap<string, Registers>;
  /** Resolves with the next message of any kind after which `what` holds, or at once. */
  until(what: () => boolean): Promise<void>;
  /** Resolves when market time has reached `at`. */
  marketTime(at: number): Promise<void>;
  close(): Promise<void>;
}

/** A second Sparkplug host and MQTT client beside the engine. */
export async function observeStreet(url: string, nodes: readonly string[]): Promise<StreetObserver> {
  const wall = systemClock();
  const clock = followingClock(wall);
  const clientId = `observer-${process.pid}`;
  const bus = await connectMqttBus({ url, clientId });
  const replies: Reply[] = [];
  const closedAt = new Map<string, EpochMs>();
  const faultCodes = new Map<string, number>();
  const registers = new Map<number, Map<string, Registers>>();
  const waiting = new Set<() => void>();
  const changed = () => {
    for (const look of waiting) look();
  };
  await subscribeJson(bus, marketTopic(MARKET, 'clock'), clockMessage, (anchor) => {
    clock.follow(anchor);
    changed();
  });
  await clock.started;
  await subscribeJson(bus, memberTopic(MARKET, 'safety', '+'), safetyMessage, ({ closed, faultCode }, topic) => {
    const member = memberOf(topic);
    faultCodes.set(member, faultCode);
    if (closed && !closedAt.has(member)) closedAt.set(member, clock.now());
    changed();
  });
  await subscribeJson(bus, memberTopic(MARKET, 'reply', '+'), replyMessage, (reply, topic) => {
    replies.push({ ...reply, member: memberOf(topic) });
    changed();
  });
  const host = await openHostSession({
    openBus: (will) => connectMqttBus({ url, clientId: `${clientId}-host`, will }),
    group: MARKET,
    hostId: 'observer',
    now: () => wall.wallNow(),
    nodes,
  });
  host.onMetric(({ node, device, name, value, at, quality }) => {
    if (device !== 'meter' || quality !== 'good') return;
    const key = name === 'Meter/ImportWh' ? 'importRegister' : name === 'Meter/ExportWh' ? 'exportRegister' : null;
    if (key === null) return;
    const shown = registers.get(at) ?? new Map<string, Registers>();
    registers.set(at, shown);
    shown.set(node, { importRegister: -1, exportRegister: -1, ...shown.get(node), [key]: Number(value) });
    changed();
  });
  return {
    clock,
    replies,
    closedAt,
    faults: () => new Map([...faultCodes].filter(([, code]) => code !== 0)),
    readingsAt: (at) => registers.get(at) ?? new Map(),
    until: (what) =>
      new Promise((resolve) => {
        const look = () => {
          if (!what()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    marketTime: (at) => new Promise((resolve) => clock.at(at as EpochMs, resolve)),
    async close() {
      clock.stop();
      await host.close();
      await bus.close();
    },
  };
}

function memberOf(topic: string): string {
  return topic.split('/').at(-1) ?? '';
}

/** Every meter of the street, read by the ordinary Modbus client. */
export async function readMeters(state: string): Promise<Map<string, Registers>> {
  const places: Record<string, string> = JSON.parse(readFileSync(join(state, 'street', 'devices.json'), 'utf8'));
  const readings = Object.entries(places).map(async ([name, place]) => {
    const [host = '', port] = place.split(':');
    const meter = openSunSpecMeter({ host, port: Number(port), unit: UNITS.meter });
    const { importRegister, exportRegister } = await meter.read();
    await meter.close();
    return [name, { importRegister, exportRegister }] as const;
  });
  return new Map(await Promise.all(readings));
}

/** The journal of an engine that has ended. */
export function readCommands(state: string): Promise<readonly Command[]> {
  return journalCommands(join(state, 'engine', 'journal'));
}

export function httpOf(dashboard: string) {
  const get = async (path: string) => {
    const response = await fetch(`${dashboard}api/v1/${path}`);
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return await response.json();
  };
  return {
    ledger: (): Promise<LedgerView> => get('ledger'),
    statement: (member: string): Promise<StatementView> => get(`members/${member}`),
  };
}

/** The contract itself, asked at the node without the engine. */
export function chainOf(rpcUrl: string, address: Hex) {
  const rpc = openJsonRpc(rpcUrl, 5000, new AbortController().signal);
  const contract = new SettlementContract(new LedgerNode(rpc, address), address);
  return {
    /** Nano-currency by member; positive is received. */
    async balances(): Promise<Map<string, bigint>> {
      const ids = await contract.members();
      const { members } = await contract.accounts(MARKET);
      return new Map(members.map(({ balance }, at) => [ids[at] ?? '', balance]));
    },
    payloadHash: async (start: number) => (await contract.settled(MARKET, start, 0))?.payloadHash ?? null,
    /** Delivery starts of all settlement events that the chain holds, in the order of the chain. */
    async settlementEvents(): Promise<number[]> {
      const topics = encodeEventTopics({ abi: SETTLEMENT_ABI, eventName: 'IntervalChunkSettled' });
      const logs = await rpc('eth_getLogs', [{ address, topics, fromBlock: '0x0', toBlock: 'latest' }]);
      return (logs as { topics: Hex[] }[]).map((log) => Number(log.topics[2]));
    },
  };
}
