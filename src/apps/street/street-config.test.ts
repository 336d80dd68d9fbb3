import { expect, test } from 'vitest';
import { parseYaml } from '../../adapters/config/load-yaml.ts';
import { streetConfig } from './street-config.ts';

const GOOD = `market: elm-street
feeder: feeder
homes: 12
seed: 1
broker: mqtt://127.0.0.1:1883
chain_id: 31337
engine_public_key: "0x${'3b'.repeat(32)}"
state: var/street
start: 2026-06-21T08:54Z
speed: 60
tick: 100
grid_code: ieee1547-2018-cat2-50hz
`;

const read = (text: string) => parseYaml(text, 'street.yaml', streetConfig);

test('a good file is read', () => {
  expect(read(GOOD)).toMatchObject({ homes: 12, interlock: true, host: '127.0.0.1' });
});

test.each([
  ['one home', GOOD.replace('homes: 12', 'homes: 1'), /^street\.yaml:3:8 homes: must be at least 2, not 1$/],
  ['a grid code that is none', GOOD.replace('cat2-50hz', 'cat9'), /^street\.yaml:12:12 grid_code: must be one of ieee/],
  [
    'a key that is none',
    GOOD.replace('0x', '0y'),
    /^street\.yaml:7:20 engine_public_key: must be 0x and 64 lower-case hex/,
  ],
  [
    'a speed of nothing',
    GOOD.replace('speed: 60', 'speed: 0'),
    /^street\.yaml:10:8 speed: must be more than 0, not 0$/,
  ],
  [
    'a meter error in a home that is not there',
    `${GOOD}meter_error: { home: home-13, wh: 1 }\n`,
    /^street\.yaml:13:22 meter_error\.home: there is no "home-13" among 12 homes$/,
  ],
])('%s is refused where it stands', (_, text, message) => {
  expect(() => read(text)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) }),
  );
});
