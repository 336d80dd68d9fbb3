import { describe, expect, expectTypeOf, test } from 'vitest';
import { type CommandSpec, helpText, type OptionSpec, parseCommandLine } from './arguments.ts';

const SPEC = {
  name: 'street',
  summary: 'Runs a street.',
  operands: [{ name: 'FILE.yaml', help: 'the community' }],
  options: {
    mechanism: { kind: 'text', choices: ['call', 'feed-in'], default: 'call', help: 'who trades how' },
    homes: { kind: 'integer', value: 'N', min: 1, max: 99, default: 12, help: 'how many homes' },
    speed: { kind: 'number', value: 'X', help: 'times as fast', short: 's' },
    config: { kind: 'text', value: 'FILE', help: 'configuration' },
    json: { kind: 'flag', help: 'machine-readable' },
  },
} as const satisfies CommandSpec<Record<string, OptionSpec>>;

const parse = (...argv: string[]) => parseCommandLine(SPEC, argv);

function refusal(...argv: string[]): string {
  const line = parse(...argv);
  return line.kind === 'refusal' ? line.message : `accepted: ${JSON.stringify(line)}`;
}

test('values are typed, and defaults stand for what is not given', () => {
  const line = parse('elm.yaml');
  if (line.kind !== 'values') throw new Error(line.kind);
  const defaults = { mechanism: 'call', homes: 12, speed: undefined, config: undefined, json: false };
  expect(line).toEqual({ kind: 'values', operands: ['elm.yaml'], options: defaults });
  expectTypeOf(line.options.mechanism).toEqualTypeOf<'call' | 'feed-in'>();
  expectTypeOf(line.options.homes).toEqualTypeOf<number>();
  expectTypeOf(line.options.speed).toEqualTypeOf<number | undefined>();
  expectTypeOf(line.options.json).toEqualTypeOf<boolean>();
});

test('options stand anywhere, with a space or an equals sign', () => {
  const options = { mechanism: 'feed-in', homes: 3, speed: -0.5, config: '-x', json: true };
  const expected = { kind: 'values', operands: ['elm.yaml'], options };
  expect(parse('--json', 'elm.yaml', '--mechanism=feed-in', '--homes', '3', '-s', '-0.5', '--config=-x')).toEqual(
    expected,
  );
  expect(parse('--', '--json')).toMatchObject({ operands: ['--json'] });
});

describe('a refusal says what is wrong and what was probably meant', () => {
  test.each<[string[], string]>([
    [['f', '--mechansim', 'call'], 'unknown option --mechansim; did you mean "--mechanism"?'],
    [['f', '--zzzz'], 'unknown option --zzzz\n'],
    [['f', '-z'], 'unknown option -z'],
    [['f', '--constructor'], 'unknown option --constructor'],
    [['f', '--mechanism', 'cal'], '--mechanism must be one of call, feed-in, not "cal"; did you mean "call"?'],
    [['f', '--homes', '0'], '--homes must be a whole number of at least 1 and of at most 99, not "0"'],
    [['f', '--homes', '1.5'], '--homes must be a whole number'],
    [['f', '--homes', '1e1'], 'not "1e1"'],
    [['f', '--speed', 'fast'], '--speed must be a number, not "fast"'],
    [['f', '--homes'], '--homes needs a value: --homes N'],
    [['f', '--homes='], '--homes needs a value'],
    [['f', '--homes', '--json'], '--homes needs a value, but --json follows'],
    [['f', '--json=yes'], '--json takes no value'],
    [['f', '--homes', '3', '--homes', '4'], '--homes is given twice'],
    [[], 'FILE.yaml is missing: the community'],
    [['f', 'g'], '"g" is one argument too many'],
  ])('%j', (argv, message) => {
    expect(refusal(...argv)).toContain(message);
    expect(refusal(...argv)).toContain('See "street --help".');
  });

  test('a required option', () => {
    const spec = { name: 'x', summary: '', options: { config: { kind: 'text', required: true, help: '' } } } as const;
    expect(parseCommandLine(spec, [])).toMatchObject({
      kind: 'refusal',
      message: expect.stringContaining('--config is missing'),
    });
  });
});

test('help is asked for anywhere, even beside mistakes, and names every option with its default', () => {
  const line = parse('--nonsense', '-h');
  expect(line).toEqual({ kind: 'help', text: helpText(SPEC) });
  expect(helpText(SPEC)).toBe(`Usage: street FILE.yaml [options]

Runs a street.

  FILE.yaml  the community

Options:
  --mechanism call|feed-in  who trades how (default call)
  --homes N                 how many homes (default 12)
  -s, --speed X             times as fast
  --config FILE             configuration
  --json                    machine-readable
  -h, --help                print this text
`);
});

test('help fits a page of 100 columns, and a long name has its help below', () => {
  const options = {
    mechanism: { kind: 'text', choices: ['call', 'mid-market', 'feed-in', 'continuous'], help: 'how energy is shared' },
    port: { kind: 'integer', value: 'P', help: 'of the dashboard '.repeat(8).trim() },
  } as const;
  const text = helpText({ name: 'x', summary: 'word '.repeat(40).trim(), options });
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  expect(text).toContain('  --mechanism call|mid-market|feed-in|continuous\n              how energy is shared\n');
});
