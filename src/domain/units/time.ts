import { assert, assertSafeInteger } from './assert.ts';
import type { Brand } from './brand.ts';

/** An instant: milliseconds since 1970-01-01T00:00Z. */
export type EpochMs = Brand<number, 'EpochMs'>;

/** @throws a bug if `value` is not a whole number of milliseconds */
export function epochMs(value: number): EpochMs {
  assertSafeInteger(value, 'epoch ms');
  return value as EpochMs;
}

/** The instant `durationMs` later; negative is earlier. */
export function plusMs(at: EpochMs, durationMs: number): EpochMs {
  return epochMs(at + durationMs);
}

const ISO_UTC = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?Z$/;

/** ISO-8601 in UTC, minutes or finer, with the Z: `2021-02-14T23:00Z`. `null` where the text is none, or no real date. */
export function parseUtc(text: string): EpochMs | null {
  const match = ISO_UTC.exec(text);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0));
  const millisecond = Number((match[7] ?? '0').padEnd(3, '0'));
  assert(year !== undefined && month !== undefined, 'the expression matched');
  const at = Date.UTC(year, month - 1, day, hour, minute, second, millisecond);
  return new Date(at).toISOString().startsWith(text.slice(0, 16)) ? (at as EpochMs) : null;
}

/** `2021-02-14T23:00Z`: the shortest text that is exact. */
export function formatUtc(at: EpochMs): string {
  const text = new Date(at).toISOString();
  if (text.endsWith(':00.000Z')) return `${text.slice(0, -':00.000Z'.length)}Z`;
  return text.endsWith('.000Z') ? `${text.slice(0, -'.000Z'.length)}Z` : text;
}
