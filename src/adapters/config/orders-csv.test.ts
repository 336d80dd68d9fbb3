import { describe, expect, test } from 'vitest';
import { isFault } from '../../errors/fault.ts';
import { parseOrdersCsv } from './orders-csv.ts';

const HEADER = 'order,member,side,limit_price_per_kwh,energy_wh,time';
const GOOD = 'b1,ann,buy,0.30,3000,1';

const parse = (...lines: string[]) => parseOrdersCsv(lines.join('\n'), 'elm.csv', 100);

/** The complaints without the file name. */
function complaints(...lines: string[]): string[] {
  try {
    parse(...lines);
  } catch (error) {
    if (isFault(error, 'CONFIG_INVALID')) return error.message.split('\n').map((line) => line.replace('elm.csv:', ''));
    throw error;
  }
  return [];
}

test('a row becomes an order', () => {
  expect(parse(HEADER, GOOD)).toEqual([
    { order: 'b1', member: 'ann', side: 'buy', limit: 300_000, energy: 3000, time: 1 },
  ]);
});

test('byte order mark, CRLF, blank lines, quotes, spaces and another order of columns are fine', () => {
  const text =
    '\uFEFFtime, energy_wh,limit_price_per_kwh,side,member,order\r\n\r\n-2,7.0,-0.0005, sell ,"ann, bea",1\r\n';
  expect(parseOrdersCsv(text, 'elm.csv', 100)).toEqual([
    { order: '1', member: 'ann, bea', side: 'sell', limit: -500, energy: 7, time: -2 },
  ]);
});

test('a header alone is an empty book', () => {
  expect(parse(HEADER)).toEqual([]);
  expect(parse(HEADER, '', '')).toEqual([]);
});

describe('the header', () => {
  test.each([
    ['an empty file', [''], '1:1 the file is empty; the first line must name the columns order,member,side'],
    ['no header', [GOOD], '1:1 there is no header; the first line must name'],
    ['semicolons', [HEADER.replaceAll(',', ';')], '1:1 columns are separated by commas, not ";"'],
    [
      'a misspelt column',
      [HEADER.replace('energy_wh', 'energy_kwh')],
      '1:39 unknown column "energy_kwh"; did you mean "energy_wh"?',
    ],
    ['a foreign column', [`${HEADER},colour`], '1:54 unknown column "colour"; known are order, member'],
    ['a missing column', [HEADER.replace(',time', '')], '1:48 column time is missing'],
    ['a column twice', [`${HEADER},time`], '1:54 column time is there twice'],
  ])('%s is refused', (_, lines, message) => {
    expect(complaints(...lines).join('\n')).toContain(message);
  });
});

describe('a row', () => {
  test.each([
    ['blank order', ',ann,buy,0.30,3000,1', '2:1 order: is blank'],
    ['blank member', 'b1, ,buy,0.30,3000,1', '2:4 member: is blank'],
    ['bad side', 'b1,ann,by,0.30,3000,1', '2:8 side: must be buy or sell, not "by"; did you mean "buy"?'],
    ['price with a comma', 'b1,ann,buy,"0,30",3000,1', '2:12 limit_price_per_kwh: must be a price per kWh'],
    ['price out of bounds', 'b1,ann,buy,2147.4837,3000,1', '2:12 limit_price_per_kwh: must be a price per kWh'],
    ['price off the tick', 'b1,ann,buy,0.30005,3000,1', 'off the tick; the nearest prices are 0.3 and 0.3001'],
    ['price off the tick below zero', 'b1,ann,buy,-0.00005,3000,1', 'the nearest prices are -0.0001 and 0,'],
    ['no energy', 'b1,ann,buy,0.30,0,1', '2:17 energy_wh: must be more than 0, not 0'],
    ['negative energy', 'b1,ann,buy,0.30,-5,1', '2:17 energy_wh: must be more than 0, not -5'],
    [
      'fractional energy',
      'b1,ann,buy,0.30,1.5,1',
      '2:17 energy_wh: must be whole watt-hours without a fraction, not "1.5"',
    ],
    ['missing energy', 'b1,ann,buy,0.30,,1', '2:17 energy_wh: must be whole watt-hours'],
    ['too much energy', 'b1,ann,buy,0.30,4194304,1', '2:17 energy_wh: must be at most 4194303'],
    ['a clock for a sequence', 'b1,ann,buy,0.30,5,2026-06-21T10:54Z', '2:19 time: must be a whole number'],
    ['fractional time', 'b1,ann,buy,0.30,5,1.5', '2:19 time: must be a whole number'],
    ['too few fields', 'b1,ann,buy,0.30,5', '2:18 5 fields where the header names 6'],
    ['too many fields', 'b1,ann,buy,0,30,3000,1', '2:22 7 fields where the header names 6'],
    ['an open quote', 'b1,"ann,buy,0.30,3000,1', '2:4 a quote is not closed on its line'],
  ])('with %s is refused', (_, row, message) => {
    expect(complaints(HEADER, row).join('\n')).toContain(message);
  });

  test('with the time of another order is refused, of the same order not', () => {
    expect(complaints(HEADER, GOOD, 's1,bea,sell,0.10,5,1')).toEqual([
      '3:20 time: 1 is also on line 2; give every order its own place in the sequence',
    ]);
    expect(parse(HEADER, GOOD, GOOD)).toHaveLength(2);
  });
});

test('all that is wrong is told at once, up to twenty', () => {
  expect(complaints(HEADER, 'b1,ann,by,0.30,-1,x', GOOD, 'b2,ann,buy,?,1,2')).toHaveLength(4);
  const many = complaints(HEADER, ...Array.from({ length: 50 }, () => 'b1,ann,buy,0.30,0,1'));
  expect(many).toHaveLength(21);
  expect(many.at(-1)).toBe('and perhaps more: reading stopped here');
});
