import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { demoOrderKey } from '../../adapters/keys/demo-keys.ts';
import { type SignedContent, signBatch } from '../../adapters/keys/order-evidence.ts';
import { signCancel, signOrder } from '../../adapters/keys/order-signatures.ts';
import { addressOf } from '../../adapters/keys/secp256k1-signer.ts';
import { openSignaturePool } from '../../adapters/keys/signature-pool.ts';
import type { BatchEntry, BatchMessage, CancelMessage, OrderMessage } from '../../adapters/mqtt/wire.ts';
import type { Command } from '../../domain/engine/command.ts';
import type { EngineEvent } from '../../domain/engine/event.ts';
import type { Order } from '../../domain/market/order.ts';
import { wh } from '../../domain/units/energy.ts';
import type { MarketId, MemberId } from '../../domain/units/identity.ts';
import { pricePerKwh } from '../../domain/units/price.ts';
import { epochMs } from '../../domain/units/time.ts';
import { Fault } from '../../errors/fault.ts';
import { type AdmissionTerms, DEFAULT_ADMISSION } from './admission.ts';
import { createOrderDoor, type OrderDoor } from './order-door.ts';
import { OrderIntake } from './order-intake.ts';

const MARKET = 'elm' as MarketId;
const CHAIN = 31_337;
const MEMBERS = ['home-01', 'home-02'] as const;

/** One for all doors: a thread takes a while to begin. */
const pool = openSignaturePool(1);
const signatures = { slots: pool.slots, find: pool.find.bind(pool), close: async () => undefined };
const SOON = { timeout: 60_000 };
vi.setConfig({ testTimeout: 90_000 });
afterAll(() => {
  vi.resetConfig();
  return pool.close();
});

/** A door over a journal that takes everything and remembers what it took, and an intake before it. */
function open(admission: Partial<AdmissionTerms> = {}) {
  const clock = { now: 0 };
  const journal: Omit<Command, 'at'>[] = [];
  const replies: { topic: string; code: string; clientOrderId: number }[] = [];
  const log: string[] = [];
  const late: string[] = [];
  let [isAcknowledged, isFull] = [true, false];
  const commit = async (draft: Omit<Command, 'at'>): Promise<EngineEvent[]> => {
    if (isFull && draft.type === 'order') throw new Fault('DISK_FULL', 'no space for orders');
    journal.push(draft);
    const { product, member, clientOrderId } = draft as Order & { type: string };
    const verdict = { ok: true, code: 'accepted', sequence: journal.length } as const;
    return [{ type: 'answered', kind: 'order', product, member, clientOrderId, verdict }];
  };
  const publish = async (topic: string, payload: Uint8Array) => {
    if (!isAcknowledged) throw new Fault('ERR_SYNC_TIMEOUT', 'the broker did not acknowledge');
    replies.push({ topic, ...JSON.parse(Buffer.from(payload).toString()) });
  };
  const monotonicNow = () => clock.now;
  const door: OrderDoor = createOrderDoor(
    { commit },
    {
      ...{ market: MARKET, chainId: CHAIN, monotonicNow, clockOffMs: () => 0, signatures },
      ...{ addresses: new Map(MEMBERS.map((id) => [id, addressOf(demoOrderKey(7, id))])) },
      admission: { ...DEFAULT_ADMISSION, ...admission },
    },
  );
  const errors = { write: (code: string, why: string) => void late.push(`${code} ${why}`) };
  const intake = new OrderIntake({
    market: MARKET,
    bus: { publish },
    door,
    log: (line) => log.push(line),
    errors,
    monotonicNow,
  });
  const send = (message: unknown, member: string = MEMBERS[0]) => {
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    intake.take({ topic: `el/v1/${MARKET}/order/${member}`, payload: Buffer.from(text) });
  };
  const codes = () => replies.map(({ clientOrderId, code }) => `${clientOrderId} ${code}`);
  const deafen = () => {
    isAcknowledged = false;
  };
  const fill = () => {
    isFull = true;
  };
  return { fill, clock, journal, replies, log, late, door, intake, send, codes, deafen };
}

function entry(clientOrderId: number, kind: 'order' | 'cancel' = 'order'): BatchEntry {
  const key = { product: epochMs(900_000), clientOrderId };
  if (kind === 'cancel') return { kind, ...key };
  return { kind, ...key, side: 'buy', type: 'limit', limit: pricePerKwh(200_000), energy: wh(1000) };
}

function contentOf(message: BatchEntry, member: string): SignedContent {
  const { kind, ...fields } = message;
  const named = { ...fields, market: MARKET, member: member as MemberId };
  return kind === 'order' ? { kind, order: named as Order } : { kind, key: named };
}

function signed(message: BatchEntry, member: string = MEMBERS[0]): OrderMessage | CancelMessage {
  const content = contentOf(message, member);
  const key = demoOrderKey(7, member);
  const signature =
    content.kind === 'order' ? signOrder(CHAIN, content.order, key) : signCancel(CHAIN, content.key, key);
  return { ...message, signature };
}

function batch(entries: BatchEntry[], member: string = MEMBERS[0]): BatchMessage {
  const contents = entries.map((each) => contentOf(each, member));
  return { kind: 'batch', entries, signature: signBatch(CHAIN, contents, demoOrderKey(7, member)) };
}

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('an order over MQTT', () => {
  test('is journaled with its evidence and answered on the topic of its member', async () => {
    const { send, replies, journal, door } = open();
    const order = signed(entry(1), 'home-02');
    send(order, 'home-02');
    await expect.poll(() => replies, SOON).toHaveLength(1);
    expect(replies[0]).toMatchObject({ topic: 'el/v1/elm/reply/home-02', kind: 'order', ok: true, code: 'accepted' });
    const { kind, type, ...content } = order as OrderMessage;
    expect(journal).toEqual([{ type: kind, member: 'home-02', clockOffMs: 0, orderType: type, ...content }]);
    await door.close();
  });

  test('and every other of one member is journaled in the order they came, good and bad ones mixed', async () => {
    const { send, journal, replies, door } = open();
    for (const id of range(60)) send(id % 7 === 3 ? signed(entry(id), 'home-02') : signed(entry(id)));
    await expect.poll(() => replies, SOON).toHaveLength(60);
    const ids = journal.map((command) => (command as unknown as Order).clientOrderId);
    expect(ids).toEqual(range(60).filter((id) => id % 7 !== 3));
    await door.close();
  });

  test('that replaces another carries it into the journal', async () => {
    const { send, journal, replies, door } = open();
    send(signed({ ...entry(2), kind: 'order', replaces: 1 } as BatchEntry));
    await expect.poll(() => replies, SOON).toHaveLength(1);
    expect(journal[0]).toMatchObject({ clientOrderId: 2, replaces: 1 });
    await door.close();
  });

  test('whose reply the broker does not acknowledge is told to the operator', async () => {
    const { send, late, deafen, door } = open();
    deafen();
    send(signed(entry(1)));
    await expect.poll(() => late, SOON).toEqual(['ERR_SYNC_TIMEOUT reply to home-01: the broker did not acknowledge']);
    await door.close();
  });
});

test('a full disk refuses orders by a code of its own and takes withdrawals, alone and in a batch', async () => {
  const { send, codes, replies, fill, door } = open();
  fill();
  send(signed(entry(1)));
  send(signed(entry(2, 'cancel')));
  send(batch([entry(3), entry(4, 'cancel')]));
  await expect.poll(() => replies, SOON).toHaveLength(4);
  expect(codes().sort()).toEqual(['1 disk_full', '2 accepted', '3 disk_full', '4 accepted']);
  await door.close();
});

describe('a batch over MQTT', () => {
  test('of 64 is taken entry by entry, each with a reply and evidence of its own', async () => {
    const { send, journal, replies, door } = open();
    send(batch(range(64).map((id) => entry(id, id % 4 === 0 ? 'cancel' : 'order'))));
    await expect.poll(() => replies, SOON).toHaveLength(64);
    expect(replies.map(({ clientOrderId }) => clientOrderId)).toEqual(range(64));
    expect(journal.map(({ type }) => type)).toEqual(range(64).map((id) => (id % 4 === 0 ? 'cancel' : 'order')));
    expect(journal).toMatchObject(range(64).map((index) => ({ proof: { index, siblings: expect.any(Array) } })));
    await door.close();
  });

  test('with one changed entry is answered entry by entry too, and nothing of it is taken', async () => {
    const { send, journal, codes, replies, door } = open();
    send({ ...batch([entry(1), entry(2)]), entries: [entry(1), entry(3)] });
    await expect.poll(() => replies, SOON).toHaveLength(2);
    expect([codes(), journal]).toEqual([['1 bad_signature', '3 bad_signature'], []]);
    await door.close();
  });

  test.each([
    ['nothing', []],
    ['65 entries', range(65).map((id) => entry(id))],
    ['a batch', [{ kind: 'batch', entries: [], signature: '0x' }]],
    ['a signed entry', [signed(entry(1))]],
  ])('of %s is no message', async (_, entries) => {
    const { send, log, door } = open();
    send({ kind: 'batch', entries, signature: signed(entry(1)).signature });
    expect(log).toEqual([expect.stringContaining('PAYLOAD_MALFORMED')]);
    await door.close();
  });
});

describe('who is turned away', () => {
  test('hears so once a second, however much it sends, and the others are heard', async () => {
    const { send, clock, codes, replies, door } = open({ ratePerSecond: 1, burst: 2 });
    for (const id of range(1000)) send(signed(entry(id % 9)));
    send(signed(entry(77), 'home-02'), 'home-02');
    await expect.poll(() => replies, SOON).toHaveLength(4);
    expect(codes().sort()).toEqual(['0 accepted', '1 accepted', '2 rate_limited', '77 accepted']);
    clock.now = 999;
    send(signed(entry(5)));
    clock.now = 1000;
    for (const id of [6, 7, 8]) send(signed(entry(id)));
    await expect.poll(() => replies, SOON).toHaveLength(6);
    expect(codes().slice(4).sort()).toEqual(['6 accepted', '7 rate_limited']);
    await door.close();
  });

  test('is not remembered: the same message is taken when there is room', async () => {
    const { send, clock, codes, replies, door } = open({ ratePerSecond: 1, burst: 1 });
    const message = signed(entry(1));
    send(signed(entry(0)));
    send(message);
    clock.now = 1000;
    send(message);
    await expect.poll(() => replies, SOON).toHaveLength(3);
    expect(codes().sort()).toEqual(['0 accepted', '1 accepted', '1 rate_limited']);
    await door.close();
  });

  test('by a batch that is more than its share hears it for every entry', async () => {
    const { send, codes, replies, door } = open({ burst: 2 });
    send(batch([1, 2, 3].map((id) => entry(id))));
    await expect.poll(() => replies, SOON).toHaveLength(3);
    expect(codes()).toEqual(['1 rate_limited', '2 rate_limited', '3 rate_limited']);
    await door.close();
  });

  test('by a full queue hears queue_full, and is taken when the queue has room', async () => {
    const { send, clock, codes, replies, door } = open({ memberQueue: 2 });
    for (const id of [1, 2, 3]) send(signed(entry(id)));
    await expect.poll(() => replies, SOON).toHaveLength(3);
    clock.now = 1000;
    send(signed(entry(3)));
    await expect.poll(() => replies, SOON).toHaveLength(4);
    expect(codes()).toEqual(['3 queue_full', '1 accepted', '2 accepted', '3 accepted']);
    await door.close();
  });

  test('when the engine ends is told to come again', async () => {
    const { send, codes, replies, door } = open();
    send(signed(entry(1)));
    await door.close();
    await expect.poll(() => replies, SOON).toHaveLength(1);
    expect(codes()).toEqual(['1 queue_full']);
  });

  test('because nobody knows it hears so, all of its kind together once a second', async () => {
    const { send, replies, door } = open();
    for (const id of range(500)) send(signed(entry(1)), `stranger-${id}`);
    await expect.poll(() => replies, SOON).toHaveLength(1);
    expect(replies[0]).toMatchObject({ topic: 'el/v1/elm/reply/stranger-0', code: 'unknown_member' });
    await door.close();
  });

  test.each(['Home', '..', 'home 01', 'home-01\0', 'x'.repeat(99)])(
    'and whose name %j is none hears nothing',
    async (name) => {
      const { send, replies, log, door } = open();
      send(signed(entry(1)), name);
      await door.close();
      expect([replies, log]).toEqual([[], [expect.stringContaining('PAYLOAD_MALFORMED')]]);
      expect(log[0]).not.toMatch(/\p{Cc}/u);
    },
  );
});

/** A hundred thousand in the suite; EL_FUZZ=1000000 for a long run. */
const MUTATIONS = Number(process.env.EL_FUZZ ?? 100_000);
/** What a run may leave behind, whatever its length. */
const MOST_GROWTH_BYTES = 16 * 1024 * 1024;

describe('mutated payloads', () => {
  let collect: () => void;
  beforeAll(() => {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc');
  });
  afterAll(() => setFlagsFromString('--no-expose-gc'));

  test(`${MUTATIONS} of them: no crash, no growth, and a good order in between is taken`, async () => {
    const { intake, clock, replies, journal, send, log, door } = open({ memberQueue: 64 });
    const random = mulberry32(20_260_621);
    const small = [signed(entry(1)), signed(entry(2, 'cancel')), batch([entry(3), entry(4, 'cancel')])];
    const seeds = [...small, ...small, ...small, batch(range(64).map((id) => entry(id)))];
    const payloads = seeds.map((seed) => Buffer.from(JSON.stringify(seed)));
    const run = async (count: number) => {
      for (let number = 0; number < count; number += 1) {
        clock.now += 40;
        const topic = mutateTopic(`el/v1/elm/order/home-0${1 + (number % 2)}`, random);
        intake.take({
          topic,
          payload: mutate(payloads[number % payloads.length] ?? Buffer.alloc(0), payloads, random),
        });
        if (number % 256 === 0) await new Promise((resolve) => setImmediate(resolve));
        if (replies.length > 1000) replies.length = 0;
        if (journal.length > 1000) journal.length = 0;
      }
    };
    await run(5000);
    collect();
    const before = process.memoryUsage().heapUsed;
    await run(MUTATIONS);
    clock.now += 60_000;
    await expect.poll(() => door.look('home-01'), SOON).toBeNull();
    send(signed(entry(4_000_000_000)));
    await expect.poll(() => journal.at(-1), SOON).toMatchObject({ clientOrderId: 4_000_000_000 });
    expect(log.length).toBeLessThanOrEqual(1000);
    collect();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(MOST_GROWTH_BYTES);
    await door.close();
  }, 600_000);
});

type Random = (below: number) => number;

function mulberry32(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below) | 0;
  };
}

const SPLINTERS = [
  'null',
  '-0',
  '1e999',
  '9007199254740993',
  '"\\u0000"',
  '{}',
  '[]',
  '[[[[',
  '__proto__',
  'constructor',
  ',',
  '\ud800',
];

/** One to four wounds: a bit, a byte, a piece gone, doubled, or taken from elsewhere, a splinter of JSON. */
function mutate(seed: Buffer, all: readonly Buffer[], random: Random): Buffer {
  let bytes: Buffer = seed;
  for (let wound = 0; wound <= random(4); wound += 1) {
    const at = random(bytes.length + 1);
    const end = Math.min(bytes.length, at + random(40));
    const other = all[random(all.length)] ?? seed;
    const from = random(other.length);
    const pieces = [
      () => Buffer.concat([bytes.subarray(0, at), Buffer.of(random(256)), bytes.subarray(at + 1)]),
      () =>
        Buffer.concat([bytes.subarray(0, at), Buffer.of((bytes[at] ?? 0) ^ (1 << random(8))), bytes.subarray(at + 1)]),
      () => Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]),
      () => Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]),
      () => Buffer.concat([bytes.subarray(0, at), other.subarray(from, from + random(200)), bytes.subarray(at)]),
      () =>
        Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(SPLINTERS[random(SPLINTERS.length)] ?? ''),
          bytes.subarray(end),
        ]),
      () => bytes.subarray(0, at),
      () => withNumber(bytes, random),
    ];
    bytes = pieces[random(pieces.length)]?.() ?? bytes;
  }
  return random(2000) === 0 ? Buffer.concat([bytes, Buffer.alloc(40_000, '[')]) : bytes;
}

/** Another number in the place of one, so that much of what comes is well formed. */
function withNumber(bytes: Buffer, random: Random): Buffer {
  const numbers = ['0', '1', '-1', '2147483647', '2147483648', '4294967295', '4294967296', '0.5', '900000', '1e3'];
  const skip = random(5);
  let seen = 0;
  const swap = (match: string) => (seen++ === skip ? (numbers[random(numbers.length)] ?? match) : match);
  return Buffer.from(bytes.toString().replaceAll(/(?<=:)\d+/g, swap));
}

function mutateTopic(topic: string, random: Random): string {
  if (random(20) > 0) return topic;
  const at = random(topic.length);
  return `${topic.slice(0, at)}${String.fromCharCode(random(300))}${topic.slice(at + random(3))}`;
}
