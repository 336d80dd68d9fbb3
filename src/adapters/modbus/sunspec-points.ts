/** The point types of the SunSpec Information Model Specification, with their sizes and "not implemented" values. */
export type PointType =
  | 'int16'
  | 'uint16'
  | 'acc16'
  | 'enum16'
  | 'bitfield16'
  | 'sunssf'
  | 'pad'
  | 'int32'
  | 'uint32'
  | 'acc32'
  | 'enum32'
  | 'bitfield32'
  | 'float32'
  | 'int64'
  | 'uint64'
  | 'acc64'
  | 'string';

/** A whole number, a float32, or a text. `null`: the device does not implement the point. */
export type RawValue = bigint | number | string | null;

const SENTINELS: Readonly<Record<Exclude<PointType, 'float32' | 'string'>, bigint>> = {
  int16: -0x8000n,
  sunssf: -0x8000n,
  pad: -0x8000n,
  uint16: 0xffffn,
  enum16: 0xffffn,
  bitfield16: 0xffffn,
  acc16: 0n,
  int32: -0x8000_0000n,
  uint32: 0xffff_ffffn,
  enum32: 0xffff_ffffn,
  bitfield32: 0xffff_ffffn,
  acc32: 0n,
  int64: -0x8000_0000_0000_0000n,
  uint64: 0xffff_ffff_ffff_ffffn,
  acc64: 0n,
};

/** Seen on the wire instead of a NaN. */
const FLOAT32_UNIMPLEMENTED = 0x4eff8000;

/** Registers of a point; a string has the size its table gives. */
export function sizeOf(type: PointType, stringRegisters: number): number {
  if (type === 'string') return stringRegisters;
  if (type.endsWith('64')) return 4;
  return type.endsWith('32') ? 2 : 1;
}

/** The value in these registers, high word first. A text ends at its first zero byte. */
export function decodePoint(type: PointType, registers: readonly number[]): RawValue {
  if (type === 'string') return decodeText(registers);
  if (type === 'float32') return decodeFloat(registers);
  const value = toInteger(registers, type.startsWith('int') || type === 'sunssf' || type === 'pad');
  return value === SENTINELS[type] ? null : value;
}

function toInteger(registers: readonly number[], signed: boolean): bigint {
  const bits = registers.reduce((sum, register) => (sum << 16n) | BigInt(register), 0n);
  return signed ? BigInt.asIntN(registers.length * 16, bits) : bits;
}

function decodeFloat(registers: readonly number[]): number | null {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint16(0, registers[0] ?? 0);
  view.setUint16(2, registers[1] ?? 0);
  const value = view.getFloat32(0);
  return Number.isFinite(value) && view.getUint32(0) !== FLOAT32_UNIMPLEMENTED ? value : null;
}

function decodeText(registers: readonly number[]): string | null {
  const bytes = registers.flatMap((register) => [register >> 8, register & 0xff]);
  const end = bytes.indexOf(0);
  const text = new TextDecoder().decode(Uint8Array.from(end === -1 ? bytes : bytes.slice(0, end))).trim();
  return text === '' ? null : text;
}

/**
 * raw x 10^exponent as a whole number of 10^-places, floored toward minus infinity: 2301 with exponent -1 and three
 * places is 230100. `null` where the result leaves the safe integers.
 */
export function scaleToInteger(raw: bigint | number, exponent: number, places: number): number | null {
  const scaled =
    typeof raw === 'number' ? Math.floor(raw * 10 ** (exponent + places)) : shiftDecimal(raw, exponent + places);
  return Number.isSafeInteger(scaled) ? scaled : null;
}

function shiftDecimal(value: bigint, shift: number): number {
  if (shift >= 0) return Number(value * 10n ** BigInt(shift));
  const divisor = 10n ** BigInt(-shift);
  return Number((value - (((value % divisor) + divisor) % divisor)) / divisor);
}

/** The registers of a one-register set-point; `null` where it does not fit. */
export function encodeWord(type: 'int16' | 'uint16' | 'enum16' | 'bitfield16', value: number): number | null {
  const lowest = type === 'int16' ? -0x7fff : 0;
  const highest = type === 'int16' ? 0x7fff : 0xfffe;
  return Number.isInteger(value) && value >= lowest && value <= highest ? value & 0xffff : null;
}
