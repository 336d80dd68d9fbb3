import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LedgerAccounts, SettlementChunk, SettlementLedger } from '../../src/domain/ports.ts';
import type { IntervalSettlement } from '../../src/domain/settlement/interval-settlement.ts';
import type { MarketId, MemberId } from '../../src/domain/units/identity.ts';
import { epochMs } from '../../src/domain/units/time.ts';
import { anyInterval } from './settlement-arbitrary.ts';
import {
  FIRST_INTERVAL,
  inChunks,
  type PositionSample,
  QUARTER_HOUR,
  type SettlementSample,
  settlement,
  streetInterval,
  wholeInterval,
} from './settlement-samples.ts';

export interface OpenedLedger {
  readonly ledger: SettlementLedger;
  readonly close: () => Promise<void>;
}

/** What every settlement ledger does. Each test has a market of its own in one ledger. */
export function describeSettlementLedger(name: string, open: () => Promise<OpenedLedger>): void {
  describe(`${name} as a settlement ledger`, () => {
    let opened: OpenedLedger;
    let ledger: SettlementLedger;
    beforeAll(async () => {
      opened = await open();
      ledger = opened.ledger;
    });
    afterAll(() => opened?.close());

    test('settles an interval, and every account moves by what the settlement says', async () => {
      const chunk = wholeInterval(streetInterval('plain', 0));
      const receipt = await ledger.settle(chunk);
      expect(receipt.payloadHash).toMatch(/^0x[0-9a-f]{64}$/);
      expect(receipt.transactionHash).toMatch(/^0x[0-9a-f]{64}$/);
      expect(receipt.block).toBeGreaterThan(0);
      expectAccounts(await ledger.accounts('plain' as MarketId), [chunk.settlement]);
    });

    test('finds what it settled under its key and nothing elsewhere', async () => {
      const receipt = await ledger.settle(wholeInterval(streetInterval('found', 0)));
      const market = 'found' as MarketId;
      expect(await ledger.find(market, epochMs(FIRST_INTERVAL), 0)).toEqual(receipt);
      expect(await ledger.find(market, epochMs(FIRST_INTERVAL), 1)).toBeNull();
      expect(await ledger.find(market, epochMs(FIRST_INTERVAL + QUARTER_HOUR), 0)).toBeNull();
      expect(await ledger.find('elsewhere' as MarketId, epochMs(FIRST_INTERVAL), 0)).toBeNull();
    });

    test('has empty accounts for a market without settlements', async () => {
      const accounts = await ledger.accounts('nobody' as MarketId);
      expect(accounts).toEqual({ members: new Map(), community: 0n, utility: 0n, intervals: 0 });
    });

    test('answers the same content with the first receipt, however often and in whatever order of positions', async () => {
      const chunk = wholeInterval(streetInterval('again', 0));
      const turned = {
        ...chunk,
        settlement: { ...chunk.settlement, positions: chunk.settlement.positions.toReversed() },
      };
      const [first, ...others] = await Promise.all([chunk, chunk, turned].map((each) => ledger.settle(each)));
      expect(others).toEqual([first, first]);
      expect(await ledger.settle(chunk)).toEqual(first);
      expectAccounts(await ledger.accounts('again' as MarketId), [chunk.settlement]);
    });

    test.each<[string, (sample: SettlementSample) => SettlementSample]>([
      ['one Wh at one meter', (sample) => withFirst(sample, { exported: 9_999 })],
      ['one price', (sample) => ({ ...sample, ladder: [80_000, 130_000, 190_001, 245_000, 300_000] })],
      ['the feeder meter', (sample) => ({ ...sample, feeder: { imported: 1, exported: 0 } })],
      ['the origin of one reading', (sample) => withFirst(sample, { substituted: true })],
      ['one member', (sample) => ({ ...sample, positions: [...sample.positions, { member: 'stranger' }] })],
    ])('refuses other content under the same key: %s', async (what, change) => {
      const market = `differs-${what.replaceAll(' ', '-').toLowerCase().slice(0, 20)}`;
      const sample = streetInterval(market, 0);
      const first = await ledger.settle(wholeInterval(sample));
      const other = wholeInterval(change(sample));
      await expect(ledger.settle(other)).rejects.toMatchObject({ code: 'ALREADY_SETTLED_DIFFERENTLY' });
      expect(await ledger.find(market as MarketId, epochMs(FIRST_INTERVAL), 0)).toEqual(first);
      expectAccounts(await ledger.accounts(market as MarketId), [settlement(sample)]);
    });

    test('takes the chunks of an interval in any order and counts the interval once it is whole', async () => {
      const whole = settlement(streetInterval('chunked', 0, 9));
      const [first, second, third] = inChunks(whole, 3) as [SettlementChunk, SettlementChunk, SettlementChunk];
      await ledger.settle(third);
      await ledger.settle(first);
      expect((await ledger.accounts('chunked' as MarketId)).intervals).toBe(0);
      const receipt = await ledger.settle(second);
      expect(await ledger.settle(second)).toEqual(receipt);
      expectAccounts(await ledger.accounts('chunked' as MarketId), [whole]);
    });

    test('settles intervals in any order, one market apart from the other', async () => {
      const intervals = [5, 1, 3].map((ordinal) => wholeInterval(streetInterval('orders', ordinal)));
      const elsewhere = wholeInterval(streetInterval('orders-too', 3));
      await Promise.all([...intervals, elsewhere].map((chunk) => ledger.settle(chunk)));
      expectAccounts(
        await ledger.accounts('orders' as MarketId),
        intervals.map((chunk) => chunk.settlement),
      );
      expectAccounts(await ledger.accounts('orders-too' as MarketId), [elsewhere.settlement]);
    });

    test('keeps negative prices exact', async () => {
      const sample = streetInterval('negative', 0);
      const chunk = wholeInterval({ ...sample, ladder: [-90_000, -70_000, -50_001, -20_000, 10_000] });
      await ledger.settle(chunk);
      expectAccounts(await ledger.accounts('negative' as MarketId), [chunk.settlement]);
    });

    test('settles an inverted tariff where nothing was traded', async () => {
      const positions = [
        { member: 'home-01', imported: 100 },
        { member: 'home-02', exported: 70 },
      ];
      const chunk = wholeInterval({ market: 'inverted', ladder: [300, 300, 200, 100, 100], positions });
      await ledger.settle(chunk);
      expectAccounts(await ledger.accounts('inverted' as MarketId), [chunk.settlement]);
    });

    test('settles an interval in which nothing happened, and one without members', async () => {
      const idle = wholeInterval({ market: 'idle', positions: [{ member: 'home-01' }] });
      const empty = wholeInterval({ market: 'idle', start: FIRST_INTERVAL + QUARTER_HOUR, positions: [] });
      await ledger.settle(idle);
      await ledger.settle(empty);
      const accounts = await ledger.accounts('idle' as MarketId);
      expect(accounts).toEqual({ members: new Map([['home-01', 0n]]), community: 0n, utility: 0n, intervals: 2 });
    });

    test('takes the largest numbers it allows', async () => {
      const most = 2 ** 32 - 1;
      const top = 2 ** 31 - 1;
      const positions = [
        { member: 'home-01', bought: most, exported: most, balancedLong: most },
        { member: 'home-02', sold: most, imported: most, balancedShort: most },
      ];
      const chunk = wholeInterval({ market: 'large', ladder: [-top, -top, top, top, top], positions });
      await ledger.settle(chunk);
      const { members, community, utility } = await ledger.accounts('large' as MarketId);
      const product = BigInt(most) * BigInt(top);
      expect(members.get('home-01' as MemberId)).toBe(-3n * product);
      expect(community + utility + sumOf(members.values())).toBe(0n);
    });

    test.each<[string, SettlementSample | SettlementChunk]>([
      ['a member twice', sampleOf('twice', [{ member: 'a' }, { member: 'a' }])],
      [
        'more balanced than deviated, long',
        sampleOf('over-long', [
          { member: 'a', exported: 9, balancedLong: 10 },
          { member: 'b', imported: 10, balancedShort: 10 },
        ]),
      ],
      [
        'more balanced than deviated, short',
        sampleOf('over-short', [
          { member: 'a', exported: 10, balancedLong: 10 },
          { member: 'b', imported: 9, balancedShort: 10 },
        ]),
      ],
      [
        'more bought than sold',
        sampleOf('bought', [
          { member: 'a', bought: 11 },
          { member: 'b', sold: 10 },
        ]),
      ],
      [
        'more balanced long than short',
        sampleOf('long', [
          { member: 'a', exported: 11, balancedLong: 11 },
          { member: 'b', imported: 10, balancedShort: 10 },
        ]),
      ],
      [
        'prices that cross',
        {
          ...sampleOf('cross', [
            { member: 'a', bought: 1 },
            { member: 'b', sold: 1 },
          ]),
          ladder: [80, 130, 110, 240, 300],
        },
      ],
      ['a start that is not aligned', { ...sampleOf('aligned', [{ member: 'a' }]), start: FIRST_INTERVAL + 60_000 }],
      ['an interval length that is none', { ...sampleOf('length', [{ member: 'a' }]), lengthMs: 600_000 as 900_000 }],
      [
        'a chunk beyond the last',
        { settlement: settlement(sampleOf('beyond', [{ member: 'a' }])), chunk: 1, chunks: 1 },
      ],
      [
        'an interval of no chunks',
        { settlement: settlement(sampleOf('none', [{ member: 'a' }])), chunk: 0, chunks: 0 },
      ],
      ['a register beyond its bounds', sampleOf('bounds', [{ member: 'a', imported: 2 ** 32 }])],
      ['a negative register', sampleOf('below', [{ member: 'a', imported: -1 }])],
    ])('refuses %s and books nothing', async (_, bad) => {
      const chunk = 'settlement' in bad ? bad : wholeInterval(bad);
      const { market, interval } = chunk.settlement;
      await expect(ledger.settle(chunk)).rejects.toMatchObject({ code: 'LEDGER_REJECTED' });
      expect(await ledger.find(market, interval.start, chunk.chunk)).toBeNull();
      expect(await ledger.accounts(market)).toEqual({ members: new Map(), community: 0n, utility: 0n, intervals: 0 });
    });

    test('takes the corrected content after a refusal', async () => {
      const bad = sampleOf('corrected', [
        { member: 'a', bought: 11 },
        { member: 'b', sold: 10 },
      ]);
      await expect(ledger.settle(wholeInterval(bad))).rejects.toMatchObject({ code: 'LEDGER_REJECTED' });
      const good = wholeInterval(
        sampleOf('corrected', [
          { member: 'a', bought: 10 },
          { member: 'b', sold: 10 },
        ]),
      );
      await ledger.settle(good);
      expectAccounts(await ledger.accounts('refuse-corrected' as MarketId), [good.settlement]);
    });

    test('refuses a member in two chunks of one interval: a reading is consumed once', async () => {
      const whole = settlement(
        sampleOf('consumed', [
          { member: 'a', imported: 5 },
          { member: 'b', imported: 5 },
        ]),
      );
      const [first, second] = inChunks(whole, 1) as [SettlementChunk, SettlementChunk];
      await ledger.settle(first);
      const again = { ...second, settlement: { ...second.settlement, positions: first.settlement.positions } };
      await expect(ledger.settle(again)).rejects.toMatchObject({ code: 'LEDGER_REJECTED' });
      await ledger.settle(second);
      expectAccounts(await ledger.accounts('refuse-consumed' as MarketId), [whole]);
    });

    test.each<[string, (chunk: SettlementChunk) => SettlementChunk]>([
      ['number of chunks', (chunk) => ({ ...chunk, chunks: 3 })],
      [
        'feeder',
        (chunk) => ({
          ...chunk,
          settlement: { ...chunk.settlement, feeder: settlement(sampleOf('x', [{ member: 'x', imported: 1 }])).feeder },
        }),
      ],
      [
        'prices',
        (chunk) => ({
          ...chunk,
          settlement: {
            ...chunk.settlement,
            prices: settlement({ ...sampleOf('x', []), ladder: [1, 2, 3, 4, 5] }).prices,
          },
        }),
      ],
    ])('refuses chunks of one interval that differ in their %s', async (what, change) => {
      const market = `agree-${what.split(' ')[0]}`;
      const whole = settlement(streetInterval(market, 0, 6));
      const [first, second] = inChunks(whole, 3) as [SettlementChunk, SettlementChunk];
      await ledger.settle(first);
      await expect(ledger.settle(change(second))).rejects.toMatchObject({ code: 'LEDGER_REJECTED' });
      await ledger.settle(second);
      expectAccounts(await ledger.accounts(market as MarketId), [whole]);
    });

    test('refuses an interval that overlaps a settled one: no instant is settled twice', async () => {
      const at = (start: number, lengthMs: 300_000 | 900_000 | 3_600_000) =>
        wholeInterval({
          ...sampleOf('overlap', [{ member: 'a', imported: 1 }]),
          start: FIRST_INTERVAL + start,
          lengthMs,
        });
      await ledger.settle(at(QUARTER_HOUR, 900_000));
      await expect(ledger.settle(at(0, 3_600_000))).rejects.toMatchObject({ code: 'LEDGER_REJECTED' });
      await expect(ledger.settle(at(QUARTER_HOUR + 300_000, 300_000))).rejects.toMatchObject({
        code: 'LEDGER_REJECTED',
      });
      await ledger.settle(at(QUARTER_HOUR - 300_000, 300_000));
      await ledger.settle(at(2 * QUARTER_HOUR, 300_000));
      expect((await ledger.accounts('refuse-overlap' as MarketId)).intervals).toBe(3);
    });

    test('agrees with the plain formula on any interval', async () => {
      let run = 0;
      const property = fc.asyncProperty(anyInterval(), fc.integer({ min: 1, max: 4 }), async (sample, size) => {
        run += 1;
        const market = `formula-${run}`;
        const whole = settlement({ ...sample, market });
        await Promise.all(inChunks(whole, size).map((chunk) => ledger.settle(chunk)));
        expectAccounts(await ledger.accounts(market as MarketId), [whole]);
      });
      await fc.assert(property, { numRuns: 15, endOnFailure: true });
    });
  });
}

function sampleOf(market: string, positions: readonly PositionSample[]): SettlementSample {
  return { market: `refuse-${market}`, positions };
}

function withFirst(sample: SettlementSample, change: Partial<PositionSample>): SettlementSample {
  const positions = sample.positions.map((each, at) => (at === 0 ? { ...each, ...change } : each));
  return { ...sample, positions };
}

/** The sums of `amounts` over these settlements, and with them everything sums to zero. */
export function expectAccounts(accounts: LedgerAccounts, settlements: readonly IntervalSettlement[]): void {
  const members = new Map<string, bigint>();
  for (const { positions, amounts } of settlements) {
    for (const [at, { member }] of positions.entries()) {
      members.set(member, (members.get(member) ?? 0n) + BigInt(amounts.members[at] ?? Number.NaN));
    }
  }
  expect(accounts).toEqual({
    members,
    community: sumOf(settlements.map(({ amounts }) => BigInt(amounts.community))),
    utility: sumOf(settlements.map(({ amounts }) => BigInt(amounts.utility))),
    intervals: settlements.length,
  });
  expect(sumOf(accounts.members.values()) + accounts.community + accounts.utility).toBe(0n);
}

function sumOf(amounts: Iterable<bigint>): bigint {
  let sum = 0n;
  for (const amount of amounts) sum += amount;
  return sum;
}
