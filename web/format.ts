/** Numbers as people read them. Texts and integers go in as the API sent them; no float arithmetic on the way. */
export interface Format {
  /** `0.171` -> `€0.171`, three places, rounded toward minus infinity. */
  money(decimal: string): string;
  /** The same with its sign, zero without one. */
  change(decimal: string): string;
  /** The whole price, at least three places: `0.19` -> `0.190`. */
  price(decimal: string): string;
  currencySign: string;
  /** Wh -> `1.234 kWh`. */
  energy(wh: number): string;
  /** Wh -> `1.5 kWh`, as short as it is exact: for an axis. */
  energyShort(wh: number): string;
  /** W -> `1.23 kW`, without its sign. */
  power(watt: number): string;
  count(value: number): string;
  percent(permille: number): string;
  time(at: number): string;
  clock(at: number): string;
  day(at: number): string;
}

type DecimalText = `${number}`;

export function createFormat(locale: string | undefined, currency: string, timeZone: string): Format {
  const decimal = (options: Intl.NumberFormatOptions) => {
    const format = new Intl.NumberFormat(locale, options);
    return (text: string) => format.format(text as DecimalText);
  };
  const at = (options: Intl.DateTimeFormatOptions) => {
    const format = new Intl.DateTimeFormat(locale, { timeZone, ...options });
    return (instant: number) => format.format(instant);
  };
  const cents = {
    style: 'currency',
    currency,
    currencyDisplay: 'narrowSymbol',
    ...places(3),
    roundingMode: 'floor',
  } as const;
  const energy = decimal({ style: 'decimal', ...places(3) });
  const short = decimal({ style: 'decimal', maximumFractionDigits: 3 });
  const power = decimal({ style: 'decimal', ...places(2) });
  const percent = decimal({ style: 'decimal', maximumFractionDigits: 0 });
  return {
    money: decimal(cents),
    change: decimal({ ...cents, signDisplay: 'exceptZero' }),
    price: decimal({ minimumFractionDigits: 3, maximumFractionDigits: 9 }),
    currencySign: signOf(locale, currency),
    energy: (wh) => `${energy(shift(wh, 3))} kWh`,
    energyShort: (wh) => `${short(shift(wh, 3))} kWh`,
    power: (watt) => `${power(shift(Math.abs(watt), 3))} kW`,
    count: (value) => decimal({})(String(value)),
    percent: (permille) => `${percent(shift(permille, 1))} %`,
    time: at({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
    clock: at({ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }),
    day: at({ weekday: 'long', day: 'numeric', month: 'long' }),
  };
}

/** An integer with its decimal point moved to the left: `shift(-1234, 3)` is `'-1.234'`. */
export function shift(value: number, digits: number): string {
  const text = String(Math.abs(value)).padStart(digits + 1, '0');
  return `${value < 0 ? '-' : ''}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** The sign of a decimal text. */
export function signum(decimal: string): -1 | 0 | 1 {
  if (!/[1-9]/.test(decimal)) return 0;
  return decimal.startsWith('-') ? -1 : 1;
}

function places(digits: number): { minimumFractionDigits: number; maximumFractionDigits: number } {
  return { minimumFractionDigits: digits, maximumFractionDigits: digits };
}

function signOf(locale: string | undefined, currency: string): string {
  const format = new Intl.NumberFormat(locale, { style: 'currency', currency, currencyDisplay: 'narrowSymbol' });
  return format.formatToParts(0).find(({ type }) => type === 'currency')?.value ?? currency;
}
