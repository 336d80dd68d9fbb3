import { AT, RECORD_KINDS } from '../../src/domain/engine/command-record.ts';
import type { SeededRandom } from '../market/seeded-random.ts';

const WORDS = [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const TIMES = [0, -1, 1.5, 2 ** 53, 1e300, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const LONGEST_EXTRA = 200;

/** The record with one to three things changed. `others`: parts of them may get into it. */
export function mutated(record: Uint8Array, others: readonly Uint8Array[], random: SeededRandom): Uint8Array {
  let result: Uint8Array = Uint8Array.from(record);
  for (let left = random.between(1, 3); left > 0; left -= 1) result = mutatedOnce(result, others, random);
  return result;
}

function mutatedOnce(record: Uint8Array, others: readonly Uint8Array[], random: SeededRandom): Uint8Array {
  const isText = record[AT.kind] === RECORD_KINDS.other;
  const manner = random.below(isText ? 14 : 10);
  const at = random.happens(30) ? random.below(AT.clockOff) : random.between(AT.clockOff, record.length);
  if (manner === 0) return random.happens(200) ? record.subarray(0, at) : withByte(record, at, 0);
  if (manner === 1 && random.happens(200)) return joined(record, bytesOf(random, random.below(LONGEST_EXTRA)));
  if (manner === 2) return joined(record.subarray(0, at), random.oneOf(others).subarray(at));
  if (manner === 3 && random.happens(200))
    return joined(record.subarray(0, at), bytesOf(random, 4), record.subarray(at));
  if (manner === 4 && !isText) return withTime(record, random);
  if (manner <= 6 && !isText) return withWord(record, random);
  if (manner === 7) return withByte(record, at, random.below(256));
  if (manner >= 10) return withOtherText(record, random);
  return withByte(record, at, (record[at] ?? 0) ^ (1 << random.below(8)));
}

/** A text that is still JSON, with one of its values exchanged, doubled or gone. */
function withOtherText(record: Uint8Array, random: SeededRandom): Uint8Array {
  const text = Buffer.from(record.subarray(2)).toString('latin1');
  const values = [...text.matchAll(/(?<=[:[,])(-?\d+|"[^"]*"|null|\[\]|\{\})(?=[,\]}])/g)];
  const found = values[random.below(values.length + 1)];
  if (found === undefined) return record;
  const value = random.oneOf(['0', '-1', '1.5', '1e300', '9007199254740993', '"x"', '""', 'null', 'true', '[]', '{}']);
  const changed = text.slice(0, found.index) + value + text.slice(found.index + found[0].length);
  return joined(record.subarray(0, 2), Buffer.from(changed, 'latin1'));
}

function withByte(record: Uint8Array, at: number, byte: number): Uint8Array {
  const result = Uint8Array.from(record);
  result[at] = byte;
  return result;
}

function withTime(record: Uint8Array, random: SeededRandom): Uint8Array {
  const result = Uint8Array.from(record);
  const at = random.oneOf([AT.at, AT.product]);
  if (result.length >= at + 8) new DataView(result.buffer).setFloat64(at, random.oneOf(TIMES), true);
  return result;
}

function withWord(record: Uint8Array, random: SeededRandom): Uint8Array {
  const result = Uint8Array.from(record);
  const at = random.oneOf([AT.member, AT.clientOrderId, AT.limit, AT.energy, AT.replaces, AT.leaf]);
  if (result.length >= at + 4) new DataView(result.buffer).setUint32(at, random.oneOf(WORDS), true);
  return result;
}

function bytesOf(random: SeededRandom, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.below(256));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
