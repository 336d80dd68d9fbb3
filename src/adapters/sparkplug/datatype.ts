import { assert } from '../../domain/units/assert.ts';

/** Sparkplug B 3.0 section 6.4.16: code of each datatype and the field of `Metric.value` that carries it. */
const DATATYPES = {
  Int8: { code: 1, field: 'int', min: -(2 ** 7), max: 2 ** 7 - 1 },
  Int16: { code: 2, field: 'int', min: -(2 ** 15), max: 2 ** 15 - 1 },
  Int32: { code: 3, field: 'int', min: -(2 ** 31), max: 2 ** 31 - 1 },
  Int64: { code: 4, field: 'long', min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER },
  UInt8: { code: 5, field: 'int', min: 0, max: 2 ** 8 - 1 },
  UInt16: { code: 6, field: 'int', min: 0, max: 2 ** 16 - 1 },
  UInt32: { code: 7, field: 'long', min: 0, max: 2 ** 32 - 1 },
  UInt64: { code: 8, field: 'long', min: 0, max: Number.MAX_SAFE_INTEGER },
  Float: { code: 9, field: 'float' },
  Double: { code: 10, field: 'double' },
  Boolean: { code: 11, field: 'boolean' },
  String: { code: 12, field: 'string' },
  DateTime: { code: 13, field: 'long', min: 0, max: Number.MAX_SAFE_INTEGER },
  Text: { code: 14, field: 'string' },
} as const satisfies Record<string, Datatype>;

interface Datatype {
  readonly code: number;
  readonly field: 'int' | 'long' | 'float' | 'double' | 'boolean' | 'string';
  /** Integers only: the smallest and largest value, cut to what a double holds exactly. */
  readonly min?: number;
  readonly max?: number;
}

export type DataType = keyof typeof DATATYPES;

/** Integers are exact: beyond 2^53 they are refused, never rounded. */
export type MetricValue = number | boolean | string;

const BY_CODE = new Map<number, DataType>(
  (Object.keys(DATATYPES) as DataType[]).map((type) => [DATATYPES[type].code, type]),
);

export function datatypeOf(type: DataType): Datatype {
  return DATATYPES[type];
}

/** `null` for a code that is unknown or carries no single value (data sets, templates, bytes, arrays). */
export function dataTypeOfCode(code: number): DataType | null {
  return BY_CODE.get(code) ?? null;
}

/** Whether a metric of that type can carry the value. */
export function fits(type: DataType, value: MetricValue): boolean {
  const { field, min, max } = datatypeOf(type);
  if (field === 'boolean' || field === 'string') return typeof value === field;
  if (typeof value !== 'number') return false;
  return min === undefined || max === undefined || (Number.isSafeInteger(value) && value >= min && value <= max);
}

export function assertFits(type: DataType, value: MetricValue, name: string): void {
  assert(fits(type, value), `${name} of type ${type} cannot be ${value}`);
}
