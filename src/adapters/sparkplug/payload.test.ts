import fc from 'fast-check';
import sparkplug from 'sparkplug-payload';
import { describe, expect, test } from 'vitest';
import { type DataType, fits } from './datatype.ts';
import {
  decodePayload,
  MAX_PAYLOAD_BYTES,
  type OutgoingMetric,
  type OutgoingPayload,
  PayloadEncoder,
} from './payload.ts';

const library = sparkplug.get('spBv1.0');
if (library === null) throw new Error('sparkplug-payload has no spBv1.0');
const { encodePayload: libraryEncode, decodePayload: libraryDecode } = library;
const encoder = new PayloadEncoder();
const AT = 1_782_041_640_000;

const SAFE = { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER };
const VALUES = {
  Int8: fc.integer({ min: -128, max: 127 }),
  Int16: fc.integer({ min: -32_768, max: 32_767 }),
  Int32: fc.integer(),
  Int64: fc.oneof(fc.integer(SAFE), fc.constantFrom(-1, 0, 1, SAFE.min, SAFE.max)),
  UInt8: fc.integer({ min: 0, max: 255 }),
  UInt16: fc.integer({ min: 0, max: 65_535 }),
  UInt32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  UInt64: fc.integer({ min: 0, max: SAFE.max }),
  Float: fc.float({ noNaN: true }),
  Double: fc.double({ noNaN: true }),
  Boolean: fc.boolean(),
  String: fc.string({ unit: 'binary', maxLength: 300 }),
  DateTime: fc.integer({ min: 0, max: SAFE.max }),
  Text: fc.string(),
} as const satisfies Record<DataType, fc.Arbitrary<number | boolean | string>>;

const typed = fc.constantFrom(...(Object.keys(VALUES) as DataType[])).chain((type) =>
  fc.record({
    type: fc.constant(type),
    value: fc.option(VALUES[type] as fc.Arbitrary<number | boolean | string>, { freq: 6 }),
  }),
);
const metric: fc.Arbitrary<OutgoingMetric> = fc
  .tuple(
    typed,
    fc.string({ minLength: 1, maxLength: 200 }),
    fc.nat(),
    fc.option(fc.constantFrom(0, 192, 500), { nil: undefined }),
    fc.boolean(),
  )
  .map(([{ type, value }, name, alias, quality, flag]) => ({
    ...{ name, alias, timestamp: AT, type, withType: true, value },
    ...(quality === undefined ? {} : { quality }),
    ...(flag ? { isHistorical: true, isTransient: true } : {}),
  }));
const payload: fc.Arbitrary<OutgoingPayload> = fc.record({
  timestamp: fc.integer({ min: 0, max: SAFE.max }),
  seq: fc.nat(255),
  metrics: fc.array(metric, { maxLength: 20 }),
});

/** What the library wants to be given for the same message. */
function forLibrary({ timestamp, seq, metrics }: OutgoingPayload): Parameters<typeof libraryEncode>[0] {
  return {
    timestamp,
    ...(seq === undefined ? {} : { seq }),
    metrics: metrics.map(({ quality, withType: _, name = '', alias, ...rest }) => ({
      ...rest,
      name,
      ...(alias === undefined ? {} : { alias }),
      ...(quality === undefined ? {} : { properties: { Quality: { type: 'Int32', value: quality } } }),
    })),
  } as Parameters<typeof libraryEncode>[0];
}

function decoded(bytes: Uint8Array, typeOf?: Parameters<typeof decodePayload>[1]) {
  const result = decodePayload(bytes, typeOf);
  if (!result.ok) throw new Error(result.problem);
  return result.payload;
}

function withoutType(type: DataType, value: number | boolean | string): Uint8Array {
  return encoder.encode({
    timestamp: AT,
    seq: 1,
    metrics: [{ alias: 7, timestamp: AT, type, withType: false, value }],
  });
}

describe('the encoder', () => {
  test('gives the bytes of sparkplug-payload for every message with datatypes', () => {
    fc.assert(
      fc.property(payload, (message) => {
        expect([...encoder.encode(message)]).toEqual([...libraryEncode(forLibrary(message))]);
      }),
      { numRuns: 500 },
    );
  });

  test('leaves out name and datatype of DATA (tck-id-payloads-metric-datatype-not-req)', () => {
    const metrics = [{ alias: 7, timestamp: 1, type: 'Int32', withType: false, value: 5 }] as const;
    const bytes = encoder.encode({ timestamp: 1, seq: 1, metrics });
    expect(Buffer.from(bytes).toString('hex')).toBe('0801' + '1206' + '1007' + '1801' + '5005' + '1801');
  });

  test('gives every message bytes of its own', () => {
    const first = encoder.encode({ timestamp: 1, metrics: [] });
    encoder.encode({ timestamp: 2, metrics: [] });
    expect([...first]).toEqual([8, 1]);
  });

  test.each([
    ['Int32', 2 ** 31],
    ['UInt64', -1],
    ['Int64', 2 ** 53],
    ['Int64', 1.5],
    ['Boolean', 1],
    ['String', false],
  ] as const)('stops on the bug of a %s with the value %s', (type, value) => {
    expect(() => withoutType(type, value)).toThrow(/cannot be/);
  });
});

describe('the decoder', () => {
  test('reads back what was encoded', () => {
    fc.assert(
      fc.property(payload, (message) => {
        const back = decoded(encoder.encode(message));
        expect(back.timestamp).toBe(message.timestamp);
        expect(back.seq).toBe(message.seq);
        expect(back.metrics).toEqual(
          message.metrics.map(({ name, alias, timestamp, type, value, quality, isHistorical }) => ({
            ...{ name, alias, timestamp, type, value, quality: quality ?? null },
            ...{ isHistorical: isHistorical ?? false, isTransient: isHistorical ?? false },
          })),
        );
      }),
    );
  });

  test('reads what sparkplug-payload wrote', () => {
    fc.assert(
      fc.property(payload, (message) => {
        expect(decoded(libraryEncode(forLibrary(message)))).toEqual(decoded(encoder.encode(message)));
      }),
    );
  });

  test('keeps the value of DATA without datatype by the type of the birth, where sparkplug-payload says null', () => {
    const cases = [
      ['Int8', -5],
      ['Int64', -5],
      ['UInt64', 12_345_678_901],
      ['Int32', -2_147_483_648],
      ['Boolean', true],
      ['String', 'ok'],
      ['Double', 0.25],
    ] as const;
    for (const [type, value] of cases) {
      const bytes = withoutType(type, value);
      expect(decoded(bytes, (_, alias) => (alias === 7 ? type : null)).metrics[0]).toMatchObject({
        alias: 7,
        type,
        value,
      });
      expect(libraryDecode(bytes).metrics?.[0]?.value).toBeNull();
    }
  });

  test('keeps a value whose type nobody told, read as the wire says', () => {
    expect(decoded(withoutType('Int64', -5)).metrics[0]).toMatchObject({ type: null, value: -5 });
    expect(decoded(withoutType('UInt64', 2 ** 40)).metrics[0]).toMatchObject({ type: null, value: 2 ** 40 });
    expect(decoded(withoutType('String', 'x')).metrics[0]).toMatchObject({ type: null, value: 'x' });
  });

  test('keeps is_null, which sparkplug-payload drops, apart from a value', () => {
    const metrics = [{ name: 'a', type: 'Int64', withType: true, value: null, quality: 0 }] as const;
    expect(decoded(encoder.encode({ timestamp: AT, metrics })).metrics[0]).toMatchObject({ value: null, quality: 0 });
  });

  test('takes integers in either integer field, since senders differ on UInt32', () => {
    const bytes = withoutType('Int32', 70_000);
    expect(decoded(bytes, () => 'UInt32').metrics[0]?.value).toBe(70_000);
    expect(decoded(bytes, () => 'Int64').metrics[0]?.value).toBe(70_000);
  });

  test('reads narrow integers from senders that fill only their width', () => {
    const bytes = withoutType('Int32', 251);
    expect(decoded(bytes, () => 'Int8').metrics[0]?.value).toBe(-5);
  });

  test('passes over fields and types that it does not use', () => {
    const full = libraryEncode({
      timestamp: AT,
      seq: 3,
      uuid: 'u',
      body: new Uint8Array([1, 2]),
      metrics: [
        { name: 'raw', type: 'Bytes', value: new Uint8Array([1, 2, 3]) },
        {
          name: 'p',
          type: 'Int32',
          value: 9,
          metadata: { description: 'd' },
          properties: { unit: { type: 'String', value: 'W' } },
        },
      ],
    });
    expect(decoded(full)).toMatchObject({
      seq: 3,
      metrics: [
        { name: 'raw', type: null, value: null },
        { name: 'p', type: 'Int32', value: 9, quality: null },
      ],
    });
  });

  test.each([
    ['a metric cut short', /end in the middle/, '120a0a03'],
    ['a length beyond the end', /end in the middle/, '12ffffffff0f'],
    ['a varint of eleven bytes', /longer than ten/, '08ffffffffffffffffffffff01'],
    ['a varint without end', /end in the middle/, '08ff'],
    ['a group', /wire type 3/, '0b0c'],
    ['the field number 0', /number 0/, '0001'],
    ['a text that is not UTF-8', /not UTF-8/, '12040a02c328'],
    ['an unsigned integer beyond 2^53', /does not hold exactly/, '120c2008' + '5880808080808080' + '8001'],
    ['a timestamp beyond 2^53', /beyond 2\^53/, '0880808080808080' + '8001'],
    ['a Boolean that comes as a number', /Boolean does not hold/, '1204200b5005'],
    ['a double of seven bytes', /end in the middle/, '120869000000000000' + '00'],
  ])('refuses %s', (_, problem, hex) => {
    const result = decodePayload(Buffer.from(hex, 'hex'));
    expect(result.ok ? 'accepted' : result.problem).toMatch(problem);
  });

  test('refuses a message that is too large unread', () => {
    expect(decodePayload(new Uint8Array(MAX_PAYLOAD_BYTES + 1))).toMatchObject({ ok: false });
  });

  test('never throws and never hangs, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(typeof decodePayload(bytes).ok).toBe('boolean');
      }),
      { numRuns: 5_000 },
    );
  });

  test('survives every cut and every damaged byte of a real message', () => {
    const whole = encoder.encode({
      timestamp: AT,
      seq: 200,
      metrics: [
        { name: 'Meter/ImportWh', alias: 1, timestamp: AT, type: 'Int64', withType: true, value: 123_456_789 },
        { name: 'Grid/Voltage', alias: 2, timestamp: AT, type: 'Int32', withType: true, value: null, quality: 500 },
      ],
    });
    for (let end = 0; end < whole.length; end += 1) decodePayload(whole.subarray(0, end));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (index, byte) => {
        const damaged = whole.slice();
        damaged[index] = byte;
        const result = decodePayload(damaged);
        if (!result.ok) return;
        for (const { type, value } of result.payload.metrics) {
          if (type !== null && value !== null) expect(fits(type, value)).toBe(true);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});
