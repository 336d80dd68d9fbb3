const DECIMAL = /^([+-]?)(\d+)(?:\.(\d+))?$/;

/**
 * A decimal text as an integer scaled by 10^places: `parseDecimal('0.30', 6)` is 300000. No rounding:
 * more places than `places` (beyond trailing zeros), an exponent, or an unsafe size give `null`.
 */
export function parseDecimal(text: string, places: number): number | null {
  const match = DECIMAL.exec(text.trim());
  if (match === null) return null;
  const [, sign, whole = '', rawFraction = ''] = match;
  const fraction = rawFraction.replace(/0+$/, '');
  if (fraction.length > places) return null;
  const scaled = Number(whole + fraction.padEnd(places, '0'));
  if (!Number.isSafeInteger(scaled)) return null;
  return sign === '-' && scaled !== 0 ? -scaled : scaled;
}

/** The inverse: an integer scaled by 10^places as the shortest decimal text. */
export function formatDecimal(scaled: number | bigint, places: number): string {
  const value = BigInt(scaled);
  const digits = (value < 0n ? -value : value).toString().padStart(places + 1, '0');
  const whole = digits.slice(0, digits.length - places);
  const fraction = digits.slice(digits.length - places).replace(/0+$/, '');
  return `${value < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}
