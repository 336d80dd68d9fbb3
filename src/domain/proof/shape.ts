import { isHex } from './canonical-bytes.ts';

/** Tells where a value has another shape than asked for, as `.gate.log`; null: it fits. The whole value is `''`. */
export type Shape = (value: unknown) => string | null;

const HERE = '';

/** An object with exactly these fields. */
export function record(fields: Readonly<Record<string, Shape>>): Shape {
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return HERE;
    const stranger = Object.keys(value).find((name) => !Object.hasOwn(fields, name));
    if (stranger !== undefined) return `.${stranger}`;
    for (const [name, shape] of Object.entries(fields)) {
      const problem = Object.hasOwn(value, name) ? shape(Reflect.get(value, name)) : HERE;
      if (problem !== null) return `.${name}${problem}`;
    }
    return null;
  };
}

export function list(shape: Shape, atMost = 2 ** 24): Shape {
  return (value) => {
    if (!Array.isArray(value) || value.length > atMost) return HERE;
    for (const [index, element] of value.entries()) {
      const problem = shape(element);
      if (problem !== null) return `[${index}]${problem}`;
    }
    return null;
  };
}

export function integer(least: number, most: number): Shape {
  return (value) => (Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most ? null : HERE);
}

/** Lower-case hexadecimal with `0x`; without a number of bytes, any. */
export function hex(bytes?: number): Shape {
  return (value) => (typeof value === 'string' && isHex(value, bytes) ? null : HERE);
}

export function text(isValid: (value: string) => boolean): Shape {
  return (value) => (typeof value === 'string' && isValid(value) ? null : HERE);
}

export function oneOf(values: readonly unknown[]): Shape {
  return (value) => (values.includes(value) ? null : HERE);
}

export function orNull(shape: Shape): Shape {
  return (value) => (value === null ? null : shape(value));
}

/** The first shape where the value has the field, the second where it hasn't. */
export function byField(name: string, has: Shape, hasNot: Shape): Shape {
  return (value) => (typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? has : hasNot)(value);
}
