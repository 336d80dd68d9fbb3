/** Requests and answers of Modbus Application Protocol 1.1b3, function codes 1-6, 15 and 16. */

/** 1 coils, 2 discrete inputs, 3 holding registers, 4 input registers. */
export interface ReadRequest {
  readonly function: 1 | 2 | 3 | 4;
  readonly address: number;
  readonly count: number;
}

/** 5 and 15 write coils. The single form carries exactly one value. */
export interface WriteBitsRequest {
  readonly function: 5 | 15;
  readonly address: number;
  readonly bits: readonly boolean[];
}

/** 6 and 16 write holding registers, each 0 to 65535. The single form carries exactly one value. */
export interface WriteRegistersRequest {
  readonly function: 6 | 16;
  readonly address: number;
  readonly registers: readonly number[];
}

export type ModbusRequest = ReadRequest | WriteBitsRequest | WriteRegistersRequest;

/** What a good answer carries: values for reads, nothing for writes. */
export interface ModbusValues {
  readonly registers: readonly number[];
  readonly bits: readonly boolean[];
}

export type ModbusAnswer =
  | ({ readonly kind: 'values' } & ModbusValues)
  | { readonly kind: 'exception'; readonly exception: number }
  | { readonly kind: 'malformed'; readonly reason: string };

export const MAX_READ_REGISTERS = 125;
export const MAX_READ_BITS = 2000;
export const MAX_WRITE_REGISTERS = 123;
export const MAX_WRITE_BITS = 1968;

/** Modbus Application Protocol 1.1b3, 7. */
export const EXCEPTION_NAMES: Readonly<Record<number, string>> = {
  1: 'illegal function',
  2: 'illegal data address',
  3: 'illegal data value',
  4: 'server device failure',
  5: 'acknowledge',
  6: 'server device busy',
  7: 'negative acknowledge',
  8: 'memory parity error',
  10: 'gateway path unavailable',
  11: 'gateway target failed to respond',
};

const ON = 0xff00;
const NOTHING: ModbusValues = { registers: [], bits: [] };

export function encodeRequest(request: ModbusRequest): Uint8Array {
  const { address } = request;
  switch (request.function) {
    case 1:
    case 2:
    case 3:
    case 4:
      return words(request.function, address, request.count);
    case 5:
      return words(5, address, request.bits[0] === true ? ON : 0);
    case 6:
      return words(6, address, request.registers[0] ?? 0);
    case 15:
      return withBlock(words(15, address, request.bits.length), packBits(request.bits));
    case 16:
      return withBlock(words(16, address, request.registers.length), packRegisters(request.registers));
  }
}

/** The request that a server received, or the exception it answers: 1 unknown function, 3 a count or length out of bounds. */
export function decodeRequest(pdu: Uint8Array): ModbusRequest | { readonly exception: 1 | 3 } {
  const code = pdu[0] ?? 0;
  const address = wordAt(pdu, 1);
  const second = wordAt(pdu, 3);
  const size = pdu.length;
  if (code === 1 || code === 2 || code === 3 || code === 4) {
    const most = code <= 2 ? MAX_READ_BITS : MAX_READ_REGISTERS;
    return size === 5 && second >= 1 && second <= most ? { function: code, address, count: second } : { exception: 3 };
  }
  if (code === 5) {
    return size === 5 && (second === ON || second === 0)
      ? { function: code, address, bits: [second === ON] }
      : { exception: 3 };
  }
  if (code === 6) return size === 5 ? { function: code, address, registers: [second] } : { exception: 3 };
  if (code === 15 || code === 16) return decodeBlockWrite(code, pdu, address, second);
  return { exception: 1 };
}

function decodeBlockWrite(
  code: 15 | 16,
  pdu: Uint8Array,
  address: number,
  count: number,
): ModbusRequest | { readonly exception: 3 } {
  const bytes = code === 15 ? Math.ceil(count / 8) : count * 2;
  const most = code === 15 ? MAX_WRITE_BITS : MAX_WRITE_REGISTERS;
  if (count < 1 || count > most || pdu[5] !== bytes || pdu.length !== 6 + bytes) return { exception: 3 };
  const block = pdu.subarray(6);
  return code === 15
    ? { function: 15, address, bits: unpackBits(block, count) }
    : { function: 16, address, registers: unpackRegisters(block) };
}

export function encodeAnswer(request: ModbusRequest, values: ModbusValues): Uint8Array {
  switch (request.function) {
    case 1:
    case 2:
      return withBlock(Uint8Array.of(request.function), packBits(values.bits));
    case 3:
    case 4:
      return withBlock(Uint8Array.of(request.function), packRegisters(values.registers));
    case 5:
    case 6:
      return encodeRequest(request);
    case 15:
      return words(15, request.address, request.bits.length);
    case 16:
      return words(16, request.address, request.registers.length);
  }
}

export function encodeException(functionCode: number, exception: number): Uint8Array {
  return Uint8Array.of(functionCode | 0x80, exception);
}

/** Checks an answer against its request: function, every length, every echo. Nothing truncated passes as values. */
export function decodeAnswer(request: ModbusRequest, pdu: Uint8Array): ModbusAnswer {
  const code = pdu[0] ?? 0;
  if (code === (request.function | 0x80)) {
    const exception = pdu[1] ?? 0;
    return pdu.length === 2 && exception >= 1 && exception <= 11
      ? { kind: 'exception', exception }
      : malformed(`an exception of ${pdu.length} bytes with code ${exception}`);
  }
  if (code !== request.function) return malformed(`function ${code} instead of ${request.function}`);
  return 'count' in request ? decodeRead(request, pdu) : decodeEcho(request, pdu);
}

function decodeRead(request: ReadRequest, pdu: Uint8Array): ModbusAnswer {
  const asBits = request.function <= 2;
  const bytes = asBits ? Math.ceil(request.count / 8) : request.count * 2;
  if (pdu[1] !== bytes || pdu.length !== bytes + 2) {
    return malformed(`${pdu.length - 2} data bytes, ${pdu[1]} announced, ${bytes} asked for`);
  }
  const block = pdu.subarray(2);
  return asBits
    ? { kind: 'values', ...NOTHING, bits: unpackBits(block, request.count) }
    : { kind: 'values', ...NOTHING, registers: unpackRegisters(block) };
}

function decodeEcho(request: WriteBitsRequest | WriteRegistersRequest, pdu: Uint8Array): ModbusAnswer {
  const expected = encodeAnswer(request, NOTHING);
  const same = pdu.length === expected.length && expected.every((byte, index) => pdu[index] === byte);
  return same ? { kind: 'values', ...NOTHING } : malformed('the echo differs from what was written');
}

function malformed(reason: string): ModbusAnswer {
  return { kind: 'malformed', reason };
}

function words(code: number, first: number, second: number): Uint8Array {
  return Uint8Array.of(code, first >> 8, first & 0xff, second >> 8, second & 0xff);
}

function wordAt(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
}

function withBlock(head: Uint8Array, block: Uint8Array): Uint8Array {
  return Uint8Array.of(...head, block.length, ...block);
}

function packRegisters(registers: readonly number[]): Uint8Array {
  return Uint8Array.from(registers.flatMap((register) => [register >> 8, register & 0xff]));
}

function unpackRegisters(block: Uint8Array): number[] {
  return Array.from({ length: block.length / 2 }, (_, index) => wordAt(block, index * 2));
}

function packBits(bits: readonly boolean[]): Uint8Array {
  const block = new Uint8Array(Math.ceil(bits.length / 8));
  for (const [index, bit] of bits.entries()) {
    if (bit) block[index >> 3] = (block[index >> 3] ?? 0) | (1 << (index & 7));
  }
  return block;
}

function unpackBits(block: Uint8Array, count: number): boolean[] {
  return Array.from({ length: count }, (_, index) => (((block[index >> 3] ?? 0) >> (index & 7)) & 1) === 1);
}
