import { expect, test } from 'vitest';
import { z } from 'zod';
import { loadYaml, parseYaml } from './load-yaml.ts';

const schema = z.strictObject({
  name: z.string(),
  interval: z.enum(['15m', '1h']).default('15m'),
  tariff: z.union([z.string(), z.strictObject({ import_per_kwh: z.number(), export_per_kwh: z.number() })]),
  members: z.array(z.strictObject({ id: z.string(), pv: z.strictObject({ peak_w: z.int().positive() }).optional() })),
});

const good = 'name: Elm\ntariff: { import_per_kwh: 0.3, export_per_kwh: 0.08 }\nmembers:\n  - id: a\n';

test('a good file is returned with its defaults', () => {
  expect(parseYaml(good, 'elm.yaml', schema)).toMatchObject({ name: 'Elm', interval: '15m', members: [{ id: 'a' }] });
});

const BROKEN: [string, string, RegExp][] = [
  [
    'an unknown key is named where it stands',
    good.replace('name:', 'nmae:'),
    /^elm\.yaml:1:1 name: is missing\nelm\.yaml:1:1 nmae: unknown key; did you mean "name"\?$/,
  ],
  [
    'a key far from any other lists what is known',
    `${good}colour: red\n`,
    /^elm\.yaml:5:1 colour: unknown key; known here: name, interval, tariff, members$/,
  ],
  [
    'an unknown key in a list',
    good.replace('id: a', 'id: a\n    pv: { peek_w: 3 }'),
    /elm\.yaml:5:11 members\[0\]\.pv\.peek_w: unknown key; did you mean "peak_w"\?/,
  ],
  [
    'a missing key points at its parent',
    good.replace('- id: a', '- pv: { peak_w: 3 }'),
    /^elm\.yaml:4:5 members\[0\]\.id: is missing$/,
  ],
  [
    'a wrong value points at itself',
    good.replace('id: a', 'id: a\n    pv: { peak_w: -3 }'),
    /^elm\.yaml:5:19 members\[0\]\.pv\.peak_w: must be more than 0, not -3$/,
  ],
  [
    'a wrong choice lists the right ones',
    `${good}interval: 15min\n`,
    /^elm\.yaml:5:11 interval: must be one of 15m, 1h; did you mean "15m"\?$/,
  ],
  [
    'a number where text belongs',
    good.replace('Elm', '7'),
    /^elm\.yaml:1:7 name: must be text, not 7; put it in quotes$/,
  ],
  [
    'text where a number belongs',
    good.replace('id: a', 'id: a\n    pv: { peak_w: "6000" }'),
    /peak_w: must be a number, not "6000"; leave out the quotes$/,
  ],
  [
    'a fraction where a whole number belongs',
    good.replace('id: a', 'id: a\n    pv: { peak_w: 0.5 }'),
    /peak_w: must be a whole number, not 0\.5$/,
  ],
  [
    'nothing where a list belongs',
    good.replace(/members:[\s\S]*/, 'members:\n'),
    /members: must be a list, not empty$/,
  ],
  ['an unknown key inside a union', good.replace('export_per', 'exprot_per'), /^elm\.yaml:2:/],
  ['a wrong form altogether', good.replace(/tariff: .*/, 'tariff: 5'), /tariff: must be text or a map of .*, not 5$/],
  ['a missing union', good.replace(/tariff: .*\n/, ''), /^elm\.yaml:1:1 tariff: is missing$/],
  ['a key twice', `${good}name: Oak\n`, /^elm\.yaml:5:1 Map keys must be unique/],
  ['broken syntax', 'name: "Elm\ntariff: 3\n', /^elm\.yaml:\d+:\d+ /],
  ['an empty file', '', /^elm\.yaml:1:1 name: is missing/],
  ['a list where a map belongs', '- a\n- b\n', /^elm\.yaml:1:1 must be a map of keys and values, not a list$/],
];

test.each(BROKEN)('%s', (_, text, message) => {
  expect(() => parseYaml(text, 'elm.yaml', schema)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) }),
  );
});

test('a file that is not there is named', () => {
  expect(() => loadYaml('/nowhere/elm.yaml', schema)).toThrow(
    expect.objectContaining({ code: 'FILE_UNREADABLE', message: '/nowhere/elm.yaml: cannot be read (ENOENT)' }),
  );
});
