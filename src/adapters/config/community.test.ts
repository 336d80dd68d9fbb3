import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadCommunity } from './community.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'energy-logic-config-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const COMMUNITY = `name: Elm Street
interval: 15m
timezone: Europe/Berlin
currency: EUR
tariff: { import_per_kwh: 0.30, export_per_kwh: 0.08 }
members:
  - id: home-01
    profile: home-01.csv
    pv: { peak_w: 6000 }
    battery: { capacity_wh: 8000, power_w: 4000, round_trip_efficiency: 0.92, initial_soc: 0.5, sell_above_soc: 0.6 }
    sell_at_least_per_kwh: 0.1
  - id: home-02
    profile: home-02.csv
    ignore_generation: true
`;
const PROFILE =
  'start,consumption_wh,generation_wh\n2021-02-14T23:00Z,40,0\n2021-02-14T23:15Z,36,7\n2021-02-14T23:30Z,41,9\n';
const TARIFF =
  'start,import_per_kwh,export_per_kwh\n2021-02-14T22:45Z,0.2,0.08\n2021-02-14T23:00Z,0.3,0.08\n2021-02-14T23:15Z,0.305,0.08\n2021-02-14T23:30Z,0.31,-0.01\n';

interface Files {
  community?: string;
  first?: string;
  second?: string;
  tariff?: string;
}

function load({ community = COMMUNITY, first = PROFILE, second = PROFILE, tariff = TARIFF }: Files) {
  writeFileSync(join(folder, 'elm.yaml'), community);
  writeFileSync(join(folder, 'home-01.csv'), first);
  writeFileSync(join(folder, 'home-02.csv'), second);
  writeFileSync(join(folder, 'tariff.csv'), tariff);
  return loadCommunity(join(folder, 'elm.yaml'));
}

const BY_FILE = COMMUNITY.replace(/tariff: .*/, 'tariff: tariff.csv');

test('a community is read with its profiles, batteries and preferences', () => {
  const { members, ...rest } = load({});
  expect(rest).toMatchObject({ name: 'Elm Street', lengthMs: 900_000, intervals: 3, supply: 'single', location: null });
  expect(rest.tariffAt(2)).toEqual({ importPrice: 300_000, exportPrice: 80_000 });
  expect(members[0]).toMatchObject({
    id: 'home-01',
    peakW: 6000,
    battery: { capacity: 8000, maxPower: 4000, oneWayPpm: 959_166, sellAbovePermille: 600 },
    initialStored: 4000,
    preference: { sellAtLeast: 100_000 },
  });
  expect([...(members[0]?.profile.generation ?? [])]).toEqual([0, 7, 9]);
  expect([...(members[1]?.profile.generation ?? [])]).toEqual([0, 0, 0]);
});

test('a tariff file may begin before the profiles', () => {
  const { tariffAt } = load({ community: BY_FILE });
  expect([0, 1, 2].map(tariffAt)).toEqual([
    { importPrice: 300_000, exportPrice: 80_000 },
    { importPrice: 305_000, exportPrice: 80_000 },
    { importPrice: 310_000, exportPrice: -10_000 },
  ]);
});

test('line ends of Windows, a byte order mark and an empty last line are no trouble', () => {
  const windows = `\uFEFF${PROFILE.replaceAll('\n', '\r\n')}\r\n`;
  expect(load({ first: windows }).intervals).toBe(3);
});

const row = (line: number, text: string) => PROFILE.split('\n').with(line, text).join('\n');

describe('a clear refusal for', () => {
  const BROKEN: [string, Files, RegExp][] = [
    [
      'a gap',
      { first: row(2, '2021-02-14T23:45Z,36,7') },
      /home-01\.csv:3:1 2021-02-14T23:45Z: a gap, 2 interval\(s\) are missing; expected 2021-02-14T23:15Z$/,
    ],
    ['a duplicate', { first: row(2, '2021-02-14T23:00Z,36,7') }, /home-01\.csv:3:1 .*the same interval twice/],
    ['disorder', { first: row(2, '2021-02-14T20:00Z,36,7') }, /home-01\.csv:3:1 .*sort the rows by start/],
    [
      'a row between boundaries',
      { first: row(2, '2021-02-14T23:16Z,36,7') },
      /home-01\.csv:3:1 .*not on a boundary of 15 minutes/,
    ],
    [
      'a first row between boundaries',
      { first: row(1, '2021-02-14T23:01Z,36,7') },
      /home-01\.csv:2:1 .*not on a boundary of 15 minutes/,
    ],
    [
      'a local time',
      { first: row(1, '2021-02-14 23:00,36,7') },
      /home-01\.csv:2:1 "2021-02-14 23:00" is no UTC time like/,
    ],
    [
      'negative energy',
      { first: row(1, '2021-02-14T23:00Z,-40,7') },
      /home-01\.csv:2:19 consumption_wh: -40 is negative/,
    ],
    [
      'fractional energy',
      { first: row(1, '2021-02-14T23:00Z,40,0.7') },
      /home-01\.csv:2:22 generation_wh: 0\.7 is not a whole number of Wh; round it, or multiply kWh by 1000/,
    ],
    ['an empty cell', { first: row(1, '2021-02-14T23:00Z,,7') }, /home-01\.csv:2:19 consumption_wh: the cell is empty/],
    [
      'text for a number',
      { first: row(1, '2021-02-14T23:00Z,n/a,7') },
      /home-01\.csv:2:19 consumption_wh: "n\/a" is no number/,
    ],
    [
      'energy beyond any meter',
      { first: row(1, '2021-02-14T23:00Z,9999999,7') },
      /home-01\.csv:2:19 .*is the unit Wh\?/,
    ],
    ['a short row', { first: row(1, '2021-02-14T23:00Z,40') }, /home-01\.csv:2:1 2 cells where the header has 3/],
    ['no rows', { first: 'start,consumption_wh,generation_wh\n' }, /home-01\.csv:2:1 no rows/],
    ['an empty file', { first: '' }, /home-01\.csv:1:1 the first column must be "start"/],
    [
      'a misspelt column',
      { first: row(0, 'start,consumption_wh,generaton_wh') },
      /home-01\.csv:1:22 unknown column "generaton_wh"; did you mean "generation_wh"\?/,
    ],
    [
      'a missing column',
      { first: row(0, 'start,consumption_wh') },
      /home-01\.csv:1:1 column "generation_wh" is missing/,
    ],
    ['profiles of different length', { second: row(3, '') }, /home-02\.csv:3:1 has 2 rows, .*home-01\.csv has 3/],
    [
      'profiles that start apart',
      { second: PROFILE.replace(/.*23:00Z.*\n/, '') },
      /home-02\.csv:2:1 starts at 2021-02-14T23:15Z/,
    ],
    [
      'an inverted tariff',
      { community: COMMUNITY.replace('0.30', '0.05') },
      /elm\.yaml:5:9 tariff: the import price is not above the export price.*swapped\?/,
    ],
    [
      'an inverted row of a tariff',
      { community: BY_FILE, tariff: TARIFF.replace('0.305', '0.08') },
      /tariff\.csv:4:1 the import price is not above/,
    ],
    [
      'a tariff that is no decimal',
      { community: BY_FILE, tariff: TARIFF.replace('0.305', '30 ct') },
      /tariff\.csv:4:19 import_per_kwh: "30 ct" is no price/,
    ],
    [
      'a tariff that ends too early',
      { community: BY_FILE, tariff: TARIFF.replace(/2021-02-14T23:30Z.*\n/, '') },
      /tariff\.csv:4:1 ends before the profiles do/,
    ],
    [
      'a tariff that starts too late',
      { community: BY_FILE, tariff: TARIFF.replace(/2021-02-14T2(2:45|3:00)Z.*\n/g, '') },
      /tariff\.csv:2:1 starts after the profiles/,
    ],
    [
      'a profile that is not there',
      { community: COMMUNITY.replace('home-02.csv', 'home-20.csv') },
      /elm\.yaml:13:14 profile: there is no file .*home-20\.csv/,
    ],
    [
      'weather that is not there',
      { community: `${COMMUNITY}weather: weather.csv\n` },
      /elm\.yaml:15:10 weather: there is no file/,
    ],
    [
      'a member twice',
      { community: COMMUNITY.replace('home-02\n', 'home-01\n') },
      /elm\.yaml:12:9 members\[1\]\.id: "home-01" is also the id of members\[0\]/,
    ],
    [
      'no members',
      { community: COMMUNITY.replace(/members:[\s\S]*/, 'members: []\n') },
      /elm\.yaml:6:10 members: must be a list of at least 1, not of 0$/,
    ],
    [
      'an unknown time zone',
      { community: COMMUNITY.replace('Europe/Berlin', 'Europe/Berlln') },
      /elm\.yaml:3:11 timezone: must be a time zone/,
    ],
    [
      'a price with seven decimals',
      { community: COMMUNITY.replace('0.30', '0.3000001') },
      /elm\.yaml:5:27 tariff\.import_per_kwh: must be a price/,
    ],
    [
      'a charge above full',
      { community: COMMUNITY.replace('initial_soc: 0.5', 'initial_soc: 50') },
      /elm\.yaml:10:\d+ members\[0\]\.battery\.initial_soc: must be at most 1, not 50$/,
    ],
    [
      'a battery without a capacity',
      { community: COMMUNITY.replace('capacity_wh: 8000, ', '') },
      /elm\.yaml:10:14 members\[0\]\.battery\.capacity_wh: is missing$/,
    ],
    [
      'a battery that gains energy',
      { community: COMMUNITY.replace('0.92', '92') },
      /elm\.yaml:10:\d+ members\[0\]\.battery\.round_trip_efficiency: must be at most 1, not 92$/,
    ],
    [
      'an interval nobody meters in',
      { community: COMMUNITY.replace('interval: 15m', 'interval: 10m') },
      /elm\.yaml:2:11 interval: must be one of 5m, 15m, 30m, 1h; did you mean "15m"\?$/,
    ],
    [
      'a member id with capitals',
      { community: COMMUNITY.replace('home-02\n', 'Home 02\n') },
      /elm\.yaml:12:9 members\[1\]\.id: must be lower case letters, digits and "-", at most 32$/,
    ],
    [
      'a misspelt key',
      { community: COMMUNITY.replace('power_w', 'powr_w') },
      /powr_w: unknown key; did you mean "power_w"\?/,
    ],
  ];
  test.each(BROKEN)('%s', (_, files, message) => {
    expect(() => load(files)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) }),
    );
  });
});
