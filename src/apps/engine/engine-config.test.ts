import { describe, expect, test } from 'vitest';
import { parseYaml } from '../../adapters/config/load-yaml.ts';
import { engineConfig, marketTerms } from './engine-config.ts';

const GOOD = `market: elm-street
name: Elm Street
currency: EUR
timezone: Europe/Berlin
interval: 15m
tariff: { import_per_kwh: 0.30, export_per_kwh: 0.08 }
state: var/engine
broker: mqtt://127.0.0.1:1883
http: { host: 127.0.0.1, port: 8080 }
ledger: { rpc: http://127.0.0.1:8545, chain_id: 31337, cache: var/cache }
keys: { demo_seed: 1 }
feeder: feeder
members:
  - { id: home-01, address: "0x00000000000000000000000000000000000000A1", export_capability_w: 8000, connection_w: 43000 }
  - { id: home-02, address: "0x00000000000000000000000000000000000000a2", export_capability_w: 0, connection_w: 43000 }
`;

const read = (text: string) => parseYaml(text, 'engine.yaml', engineConfig);

test('a good file becomes the terms of a market', () => {
  expect(marketTerms(read(GOOD))).toMatchObject({
    market: 'elm-street',
    lengthMs: 900_000,
    tick: 100,
    lookAheadMs: 14_400_000,
    gateLeadMs: 300_000,
    imbalanceWeightPermille: 500,
    members: [{ id: 'home-01', address: '0x00000000000000000000000000000000000000a1' }, { id: 'home-02' }],
  });
});

test('an inverted tariff is no mistake of the file: nothing is traded then, and the tariff is paid', () => {
  const inverted = GOOD.replace('0.30', '0.05');
  expect(read(inverted).tariff).toEqual({ import_per_kwh: 50_000, export_per_kwh: 80_000 });
});

describe('a refusal names the place and the fix', () => {
  const BROKEN: [string, string, RegExp][] = [
    ['an empty file', '', /^engine\.yaml:1:1 market: is missing/],
    ['broken YAML', GOOD.replace('}', ''), /^engine\.yaml:\d+:\d+ /],
    [
      'a misspelt key',
      GOOD.replace('timezone:', 'timzone:'),
      /^engine\.yaml:1:1 timezone: is missing\nengine\.yaml:4:1 timzone: unknown key; did you mean "timezone"\?$/,
    ],
    [
      'a misspelt key inside',
      GOOD.replace('chain_id', 'chainid'),
      /engine\.yaml:10:39 ledger\.chainid: unknown key; did you mean "chain_id"\?/,
    ],
    [
      'a member twice',
      GOOD.replace('home-02', 'home-01'),
      /^engine\.yaml:15:11 members\[1\]\.id: "home-01" is also the id of members\[0\]$/,
    ],
    [
      'an address twice, whatever its capitals',
      GOOD.replace('a2', 'a1'),
      /^engine\.yaml:15:29 members\[1\]\.address: "0x0+a1" is also the address of members\[0\]$/,
    ],
    [
      'a member named like the feeder meter',
      GOOD.replace('feeder: feeder', 'feeder: home-02'),
      /^engine\.yaml:15:11 members\[1\]\.id: "home-02" is the name of the feeder meter$/,
    ],
    [
      'an address without quotes, which YAML reads as a number',
      GOOD.replace('"0x00000000000000000000000000000000000000a2"', '0x00000000000000000000000000000000000000a2'),
      /^engine\.yaml:15:29 members\[1\]\.address: must be text, not 162; put it in quotes$/,
    ],
    [
      'an address that is too short',
      GOOD.replace('00a2"', 'a2"'),
      /^engine\.yaml:15:29 members\[1\]\.address: must be an account: 0x and 40 hex digits, in quotes$/,
    ],
    [
      'a gate that closes before its product opens',
      `${GOOD}gate_lead_s: 14400\n`,
      /^engine\.yaml:16:14 gate_lead_s: must be less than look_ahead_s, 14400: a product opens before its gate closes$/,
    ],
    [
      'a look-ahead in which no product would ever open',
      `${GOOD}look_ahead_s: 600\n`,
      /^engine\.yaml:16:15 look_ahead_s: must be at least 900: products open when an interval of 15m begins/,
    ],
    [
      'an interval that does not fit the local day',
      GOOD.replace('Europe/Berlin', 'Asia/Kathmandu').replace('15m', '1h'),
      /^engine\.yaml:5:11 interval: a day of Asia\/Kathmandu does not begin on a boundary of 60 minutes; use 5m or 15m$/,
    ],
    ['a tick of nothing', `${GOOD}tick: 0\n`, /^engine\.yaml:16:7 tick: must be more than 0$/],
    [
      'a tick wider than the band',
      `${GOOD}tick: 0.5\n`,
      /^engine\.yaml:16:7 tick: is too coarse: no multiple of it lies between the two tariffs$/,
    ],
    [
      'a tick finer than an auction can take',
      `${GOOD}tick: 0.000001\n`,
      /^engine\.yaml:16:7 tick: is too fine: 220000 prices lie between the tariffs, at most 65535 may$/,
    ],
    [
      'a price with seven decimals',
      GOOD.replace('0.30', '0.3000001'),
      /^engine\.yaml:6:27 tariff\.import_per_kwh: must be a price in currency per kWh with at most six decimals$/,
    ],
    [
      'an impossible port',
      GOOD.replace('8080', '80800'),
      /^engine\.yaml:9:32 http\.port: must be at most 65535, not 80800$/,
    ],
    [
      'a port in quotes',
      GOOD.replace('8080', '"8080"'),
      /^engine\.yaml:9:32 http\.port: must be a number, not "8080"; leave out the quotes$/,
    ],
    [
      'a broker of another protocol',
      GOOD.replace('mqtt://', 'http://'),
      /^engine\.yaml:8:9 broker: must be mqtt:\/\/host:port$/,
    ],
    [
      'a ledger without a protocol',
      GOOD.replace('http://127.0.0.1:8545', '127.0.0.1:8545'),
      /^engine\.yaml:10:16 ledger\.rpc: must be http:\/\/host:port$/,
    ],
    [
      'an unknown mechanism',
      `${GOOD}mechanism: auction\n`,
      /^engine\.yaml:16:12 mechanism: must be one of call, continuous, mid-market, fixed, feed-in$/,
    ],
    [
      'a lonely member',
      GOOD.replace(/ {2}- \{ id: home-02.*\n/, ''),
      /^engine\.yaml:14:3 members: must be a list of at least 2, not of 1$/,
    ],
    [
      'an id with capitals',
      GOOD.replace('home-02', 'Home 2'),
      /^engine\.yaml:15:11 members\[1\]\.id: must be lower case letters, digits and "-", at most 32$/,
    ],
    [
      'a fraction of a watt',
      GOOD.replace('8000', '0.5'),
      /^engine\.yaml:14:\d+ members\[0\]\.export_capability_w: must be a whole number, not 0\.5$/,
    ],
    [
      'a clock that stands',
      `${GOOD}clock: { speed: 0, start: 2026-06-21T08:54Z }\n`,
      /^engine\.yaml:16:17 clock\.speed: must be more than 0, not 0$/,
    ],
    [
      'a local time to start at',
      `${GOOD}clock: { speed: 60, start: 2026-06-21 10:54 }\n`,
      /^engine\.yaml:16:28 clock\.start: must be an instant in UTC such as 2026-06-21T08:54Z$/,
    ],
    [
      'a key from nowhere',
      GOOD.replace('{ demo_seed: 1 }', '{ keystore: keys.json }'),
      /^engine\.yaml:11:7 keys\.credential: is missing$/,
    ],
  ];

  test.each(BROKEN)('%s', (_, text, message) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) }),
    );
  });
});
