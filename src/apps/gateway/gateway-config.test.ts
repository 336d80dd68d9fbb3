import { expect, test } from 'vitest';
import { parseYaml } from '../../adapters/config/load-yaml.ts';
import { gatewayConfig } from './gateway-config.ts';

const GOOD = `market: elm-street
member: home-01
broker: mqtt://127.0.0.1
interval: 15m
timezone: Europe/Berlin
state: var/gateway
modbus: { host: 127.0.0.1, port: 502, meter: { unit: 1 } }
`;

const read = (text: string) => parseYaml(text, 'gateway.yaml', gatewayConfig);

test('a good file is read, its interval in ms', () => {
  expect(read(GOOD)).toMatchObject({ member: 'home-01', interval: 900_000, gate_lead_s: 300, poll_ms: 1000 });
});

test.each([
  [
    'a misspelt key',
    GOOD.replace('member:', 'membr:'),
    /gateway\.yaml:2:1 membr: unknown key; did you mean "member"\?/,
  ],
  ['no meter', GOOD.replace(', meter: { unit: 1 }', ''), /^gateway\.yaml:7:9 modbus\.meter: is missing$/],
  ['port 0', GOOD.replace('502', '0'), /^gateway\.yaml:7:34 modbus\.port: must be at least 1, not 0$/],
  ['a unit beyond Modbus', GOOD.replace('unit: 1', 'unit: 256'), /modbus\.meter\.unit: must be at most 255, not 256$/],
  [
    'an unknown time zone',
    GOOD.replace('Berlin', 'Berlln'),
    /^gateway\.yaml:5:11 timezone: must be a time zone such as/,
  ],
  [
    'an interval across the local day',
    GOOD.replace('Europe/Berlin', 'Asia/Kolkata').replace('15m', '1h'),
    /^gateway\.yaml:4:11 interval: a day of Asia\/Kolkata does not begin on .* 60 minutes; use 5m or 15m or 30m$/,
  ],
  [
    'a broker without a protocol',
    GOOD.replace('mqtt://', ''),
    /^gateway\.yaml:3:9 broker: must be mqtt:\/\/host:port$/,
  ],
  ['an agent without a key', `${GOOD}agent: {}\n`, /^gateway\.yaml:8:8 agent\.key: is missing$/],
  [
    'an efficiency in per cent',
    `${GOOD}agent: { key: { demo_seed: 1 }, round_trip_efficiency: 92 }\n`,
    /^gateway\.yaml:8:56 agent\.round_trip_efficiency: must be at most 1, not 92$/,
  ],
])('%s is refused where it stands', (_, text, message) => {
  expect(() => read(text)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) }),
  );
});
