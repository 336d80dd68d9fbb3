import { z } from 'zod';
import { parseDecimal } from '../../domain/units/decimal.ts';
import { isIdentifier } from '../../domain/units/identity.ts';
import { INTERVAL_LENGTHS, MINUTE_MS, utcOffsetMs } from '../../domain/units/interval.ts';
import type { Nano } from '../../domain/units/money.ts';
import { type PricePerKwh, parsePrice } from '../../domain/units/price.ts';
import { type EpochMs, epochMs, parseUtc } from '../../domain/units/time.ts';

/** What the configuration files have in common, with one text each for what is wrong. */

export const identifierField = z
  .string()
  .refine(isIdentifier, 'must be lower case letters, digits and "-", at most 32');

export const priceField = z.union([z.number(), z.string()]).transform((value, context): PricePerKwh => {
  const parsed = parsePrice(String(value));
  if (parsed !== null) return parsed;
  context.addIssue({ code: 'custom', message: 'must be a price in currency per kWh with at most six decimals' });
  return z.NEVER;
});

/** An amount of money, nano-currency, as far as one posting may go. */
export const moneyField = z.union([z.number(), z.string()]).transform((value, context): Nano => {
  const parsed = parseDecimal(String(value), 9);
  if (parsed !== null && parsed >= 0) return parsed as Nano;
  context.addIssue({ code: 'custom', message: 'must be an amount of at least 0 with at most nine decimals' });
  return z.NEVER;
});

export const instantField = z.string().transform((text, context): EpochMs => {
  const parsed = parseUtc(text);
  if (parsed !== null) return parsed;
  context.addIssue({ code: 'custom', message: 'must be an instant in UTC such as 2026-06-21T08:54Z' });
  return z.NEVER;
});

export const timezoneField = z.string().refine(isTimezone, 'must be a time zone such as Europe/Berlin');

export const currencyField = z.string().regex(/^[A-Z]{3}$/, 'must be three capitals such as EUR');

export const brokerField = z
  .string()
  .refine(
    (text) => URL.canParse(text) && new URL(text).protocol === 'mqtt:' && new URL(text).hostname !== '',
    'must be mqtt://host:port',
  );

export const intervalField = z.enum(['5m', '15m', '30m', '1h']);

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const A_WINTER_AND_A_SUMMER = [epochMs(Date.UTC(2026, 0, 1)), epochMs(Date.UTC(2026, 6, 1))];

/** Why local days of that zone are not whole numbers of intervals, or null. Intervals are aligned in UTC. */
export function misalignment(interval: z.infer<typeof intervalField>, timezone: string): string | null {
  if (!isTimezone(timezone)) return null;
  const offsets = A_WINTER_AND_A_SUMMER.map((at) => utcOffsetMs(at, timezone));
  const fits = (name: keyof typeof INTERVAL_LENGTHS) =>
    offsets.every((offset) => offset % INTERVAL_LENGTHS[name] === 0);
  if (fits(interval)) return null;
  const minutes = INTERVAL_LENGTHS[interval] / MINUTE_MS;
  const others = intervalField.options.filter(fits).join(' or ');
  return `a day of ${timezone} does not begin on a boundary of ${minutes} minutes${others === '' ? '' : `; use ${others}`}`;
}

/** Complains of every value that stands a second time, where it stands. */
export function refuseTwins<Item>(items: readonly Item[], key: keyof Item & string, context: z.RefinementCtx): void {
  items.forEach((item, index) => {
    const first = items.findIndex((other) => other[key] === item[key]);
    if (first === index) return;
    const message = `"${String(item[key])}" is also the ${key} of members[${first}]`;
    context.addIssue({ code: 'custom', path: [index, key], message });
  });
}
