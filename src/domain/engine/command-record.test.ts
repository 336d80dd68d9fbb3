import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Wh } from '../units/energy.ts';
import type { MarketId, MemberId } from '../units/identity.ts';
import type { PricePerKwh } from '../units/price.ts';
import type { EpochMs } from '../units/time.ts';
import type { CancelCommand, Command, OrderCommand } from './command.ts';
import { AT, decodeCommand, encodeCommand, type MemberNumbers } from './command-record.ts';

const IDS = ['home-01', 'home-02'] as MemberId[];
const numbers: MemberNumbers = {
  numberOf: (id) => (IDS.includes(id) ? IDS.indexOf(id) : undefined),
  idOf: (number) => IDS[number],
};

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((raw) => `0x${Buffer.from(raw).toString('hex')}`);
const signature = fc.oneof(
  hex(64),
  hex(64).map((text) => `${text}1b`),
);
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const proof = fc.option(fc.record({ index: uint32, siblings: fc.array(hex(32), { minLength: 1, maxLength: 6 }) }), {
  nil: undefined,
});

const signed = {
  at: fc.maxSafeNat().map((value) => value as EpochMs),
  product: fc.maxSafeNat().map((value) => value as EpochMs),
  member: fc.constantFrom(...IDS),
  clientOrderId: uint32,
  signature,
};

const order: fc.Arbitrary<OrderCommand> = fc
  .record({
    ...signed,
    side: fc.constantFrom('buy', 'sell'),
    orderType: fc.constantFrom('limit', 'market', 'ioc', 'fok'),
    limit: int32.map((value) => value as PricePerKwh),
    energy: int32.map((value) => value as Wh),
    clockOffMs: fc.integer({ min: -32_767, max: 32_767 }),
    proof,
    replaces: fc.option(uint32, { nil: undefined }),
  })
  .map((fields) => present({ type: 'order', ...fields }) as OrderCommand);

const cancel = fc.record({ ...signed, proof }).map((fields) => present({ type: 'cancel', ...fields }) as CancelCommand);

function present(command: object): object {
  return Object.fromEntries(Object.entries(command).filter(([, value]) => value !== undefined));
}

describe('a record', () => {
  test('decodes to the order or withdrawal that it was made of', () => {
    fc.assert(
      fc.property(fc.oneof(order, cancel), (command) => {
        expect(decodeCommand(encodeCommand(command, numbers), numbers)).toEqual(command);
      }),
    );
  });

  test.each<Command>([
    { type: 'close', at: 5 as EpochMs, product: 900_000 as EpochMs },
    { type: 'halt', at: 5 as EpochMs, member: null },
    { type: 'resume', at: 5 as EpochMs, member: IDS[0] as MemberId },
    {
      type: 'open',
      at: 5 as EpochMs,
      product: 900_000 as EpochMs,
      tariff: { importPrice: 3 as PricePerKwh, exportPrice: -2 as PricePerKwh },
    },
  ])('of the kind $type does too', (command) => {
    expect(decodeCommand(encodeCommand(command, numbers), numbers)).toEqual(command);
  });

  test('of an order has the same length for all of them, so that it can be read where it lies', () => {
    fc.assert(
      fc.property(order, (command) => {
        const siblings = command.proof?.siblings.length ?? 0;
        expect(encodeCommand(command, numbers)).toHaveLength(AT.proof + siblings * 32);
      }),
    );
  });

  test('of an order whose clock is far off keeps that it is far off', () => {
    const [sample] = fc.sample(order, { numRuns: 1, seed: 1 });
    if (sample === undefined) throw new Error('no sample');
    const decoded = decodeCommand(encodeCommand({ ...sample, clockOffMs: -86_400_000 }, numbers), numbers);
    expect(decoded).toMatchObject({ clockOffMs: -32_767 });
  });
});

describe('bytes that are no record', () => {
  const market = 'elm' as MarketId;
  const good = encodeCommand({ type: 'close', at: 1 as EpochMs, product: 2 as EpochMs }, numbers);

  test.each([
    ['nothing', new Uint8Array(0), 'unknown_version'],
    ['a later version', Uint8Array.of(9, 1, 0), 'unknown_version'],
    ['a kind that is not there', Uint8Array.of(2, 77, 0), 'unknown_kind'],
    ['a torn order', Uint8Array.of(2, 1, 0), 'malformed'],
    ['a torn text', good.subarray(0, good.length - 1), 'malformed'],
    ['a text that is no command', Buffer.from(`\u0002\u0003{"market":"${market}"}`), 'malformed'],
    ['a text of another first version', Buffer.from('{"v":7,"type":"close","at":1,"product":2}'), 'unknown_version'],
  ])('%s', (_, bytes, problem) => {
    expect(decodeCommand(bytes, numbers)).toBe(problem);
  });

  test('have an answer, whatever they are', () => {
    const mutated = fc.tuple(fc.oneof(order, cancel), fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 }));
    fc.assert(
      fc.property(mutated, fc.nat(400), ([command, changes], length) => {
        const bytes = encodeCommand(command, numbers).slice(0, length);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        const decoded = decodeCommand(bytes, numbers);
        expect(typeof decoded === 'string' || typeof decoded.type === 'string').toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
