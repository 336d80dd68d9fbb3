import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeFrame, FrameReader } from './modbus-frame.ts';
import { decodeAnswer, decodeRequest, encodeAnswer, encodeRequest, type ModbusRequest } from './modbus-pdu.ts';

const word = fc.integer({ min: 0, max: 0xffff });
const requests: fc.Arbitrary<ModbusRequest> = fc.oneof(
  fc.record({
    function: fc.constantFrom(1 as const, 2 as const),
    address: word,
    count: fc.integer({ min: 1, max: 2000 }),
  }),
  fc.record({
    function: fc.constantFrom(3 as const, 4 as const),
    address: word,
    count: fc.integer({ min: 1, max: 125 }),
  }),
  fc.record({
    function: fc.constant(5 as const),
    address: word,
    bits: fc.array(fc.boolean(), { minLength: 1, maxLength: 1 }),
  }),
  fc.record({
    function: fc.constant(6 as const),
    address: word,
    registers: fc.array(word, { minLength: 1, maxLength: 1 }),
  }),
  fc.record({
    function: fc.constant(15 as const),
    address: word,
    bits: fc.array(fc.boolean(), { minLength: 1, maxLength: 1968 }),
  }),
  fc.record({
    function: fc.constant(16 as const),
    address: word,
    registers: fc.array(word, { minLength: 1, maxLength: 123 }),
  }),
);

/** Modbus Application Protocol 1.1b3, the examples of section 6. */
const EXAMPLES: [request: ModbusRequest, bytes: string][] = [
  [{ function: 1, address: 0x13, count: 0x13 }, '0100130013'],
  [{ function: 2, address: 0xc4, count: 0x16 }, '0200c40016'],
  [{ function: 3, address: 0x6b, count: 3 }, '03006b0003'],
  [{ function: 4, address: 8, count: 1 }, '0400080001'],
  [{ function: 5, address: 0xac, bits: [true] }, '0500acff00'],
  [{ function: 6, address: 1, registers: [3] }, '0600010003'],
  [{ function: 15, address: 0x13, bits: bitsOf('1011001110') }, '0f0013000a02cd01'],
  [{ function: 16, address: 1, registers: [0x000a, 0x0102] }, '100001000204000a0102'],
];

test.each(EXAMPLES)('%j has the bytes of the standard', (request, bytes) => {
  expect(Buffer.from(encodeRequest(request)).toString('hex')).toBe(bytes);
  expect(decodeRequest(Buffer.from(bytes, 'hex'))).toEqual(request);
});

test('every request survives the wire', () => {
  fc.assert(
    fc.property(requests, (request) => {
      expect(decodeRequest(encodeRequest(request))).toEqual(request);
    }),
  );
});

test('every answer survives the wire, and none of its prefixes passes as an answer', () => {
  const answered = requests.chain((request) =>
    fc.record({
      request: fc.constant(request),
      registers: fc.array(word, { minLength: 125, maxLength: 125 }),
      bits: fc.array(fc.boolean(), { minLength: 2000, maxLength: 2000 }),
    }),
  );
  const property = fc.property(answered, fc.nat(), ({ request, registers, bits }, cut) => {
    const count = 'count' in request ? request.count : 0;
    const values = {
      registers: request.function === 3 || request.function === 4 ? registers.slice(0, count) : [],
      bits: request.function <= 2 ? bits.slice(0, count) : [],
    };
    const pdu = encodeAnswer(request, values);
    expect(decodeAnswer(request, pdu)).toEqual({ kind: 'values', ...values });
    expect(decodeAnswer(request, pdu.subarray(0, cut % pdu.length)).kind).toBe('malformed');
  });
  fc.assert(property);
});

describe('a request out of bounds is refused', () => {
  test.each([
    ['no function', '', 1],
    ['an unknown function', '2b0e0100', 1],
    ['126 registers', '030000007e', 3],
    ['no registers', '0300000000', 3],
    ['2001 bits', '01000007d1', 3],
    ['a coil that is neither on nor off', '0500001234', 3],
    ['a cut write', '10000000020400', 3],
    ['a byte count that lies', '1000000002020001', 3],
    ['124 registers to write', `10000000 7c f8${'00'.repeat(248)}`.replaceAll(' ', ''), 3],
  ])('%s', (_, bytes, exception) => {
    expect(decodeRequest(Buffer.from(bytes, 'hex'))).toEqual({ exception });
  });
});

test('frames are cut out of a stream however it is split', () => {
  const frame = fc.record({
    transaction: word,
    unit: fc.integer({ min: 0, max: 255 }),
    pdu: fc.uint8Array({ minLength: 1, maxLength: 253 }),
  });
  const property = fc.property(fc.array(frame, { maxLength: 5 }), fc.array(fc.nat(300)), (frames, cuts) => {
    const stream = Buffer.concat(frames.map(encodeFrame));
    const reader = new FrameReader();
    const found = [];
    let at = 0;
    for (const size of [...cuts, stream.length]) {
      const { frames: cut, fault } = reader.push(stream.subarray(at, at + size));
      expect(fault).toBeNull();
      found.push(...cut);
      at += size;
    }
    expect(found.map((each) => ({ ...each, pdu: [...each.pdu] }))).toEqual(
      frames.map((each) => ({ ...each, pdu: [...each.pdu] })),
    );
  });
  fc.assert(property);
});

function bitsOf(text: string): boolean[] {
  return [...text].map((bit) => bit === '1');
}
