import { parseArgs } from 'node:util';
import { didYouMean } from './nearest-name.ts';

interface OptionBase {
  readonly help: string;
  /** One letter: `-h`. */
  readonly short?: string;
}

/** `--json`: there or not. */
interface FlagOption extends OptionBase {
  readonly kind: 'flag';
}

/** `--config FILE`, or one of `choices`. `value` names it in the help text. */
interface TextOption extends OptionBase {
  readonly kind: 'text';
  readonly value?: string;
  readonly choices?: readonly string[];
  readonly default?: string;
  readonly required?: boolean;
}

/** `--homes N`, `--speed X`. Bounds are inclusive. */
interface NumberOption extends OptionBase {
  readonly kind: 'integer' | 'number';
  readonly value?: string;
  readonly min?: number;
  readonly max?: number;
  readonly default?: number;
  readonly required?: boolean;
}

export type OptionSpec = FlagOption | TextOption | NumberOption;

/** What stands without a name: `FILE.csv`. */
export interface OperandSpec {
  readonly name: string;
  readonly help: string;
  readonly optional?: boolean;
}

/** A command as people type it. Of this one description both the parser and the help text are made. */
export interface CommandSpec<Options extends Readonly<Record<string, OptionSpec>>> {
  /** `p2p-cli clear` */
  readonly name: string;
  readonly summary: string;
  readonly operands?: readonly OperandSpec[];
  readonly options: Options;
  /** Printed at the end of the help text: examples, a list of commands. */
  readonly notes?: string;
}

type Present<Spec, Value> = Spec extends { default: unknown } | { required: true } ? Value : Value | undefined;

type ValueOf<Spec> = Spec extends { kind: 'flag' }
  ? boolean
  : Spec extends { kind: 'integer' | 'number' }
    ? Present<Spec, number>
    : Spec extends { choices: readonly (infer Choice)[] }
      ? Present<Spec, Choice>
      : Present<Spec, string>;

export type OptionValues<Options> = { readonly [Name in keyof Options]: ValueOf<Options[Name]> };

/** `refusal`: for standard error, exit code 2. `help`: for standard output, exit code 0. */
export type CommandLine<Options> =
  | { readonly kind: 'values'; readonly options: OptionValues<Options>; readonly operands: readonly string[] }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'refusal'; readonly message: string };

const HELP: FlagOption = { kind: 'flag', help: 'print this text', short: 'h' };

/** Reads `argv` (without node and script). `--help` anywhere asks for the help text. Nothing unknown is ignored. */
export function parseCommandLine<const Options extends Readonly<Record<string, OptionSpec>>>(
  spec: CommandSpec<Options>,
  argv: readonly string[],
): CommandLine<Options> {
  const known: Readonly<Record<string, OptionSpec>> = { ...spec.options, help: HELP };
  const tokens = tokensOf(known, argv);
  if (tokens.some((token) => token.kind === 'option' && token.name === 'help')) {
    return { kind: 'help', text: helpText(spec) };
  }
  const refusal = (message: string) => ({ kind: 'refusal' as const, message: `${message}\n${pointer(spec.name)}` });
  const given = new Map<string, string | number | boolean>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const read = readOption(known, token, given);
    if (typeof read === 'object') return refusal(read.refused);
    given.set(token.name, read);
  }
  const operands = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []));
  const missing = missingOption(spec.options, given) ?? wrongOperands(spec.operands ?? [], operands);
  if (missing !== null) return refusal(missing);
  return { kind: 'values', options: withDefaults(spec.options, given), operands };
}

/** `See "p2p-cli clear --help".` */
function pointer(name: string): string {
  return `See "${name} --help".`;
}

type Token = ReturnType<typeof tokensOf>[number];
type OptionToken = Extract<Token, { kind: 'option' }>;

function tokensOf(known: Readonly<Record<string, OptionSpec>>, argv: readonly string[]) {
  const options = Object.entries(known).map(([name, { kind, short }]) => {
    const type = kind === 'flag' ? ('boolean' as const) : ('string' as const);
    return [name, short === undefined ? { type } : { type, short }] as const;
  });
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(options),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  return tokens;
}

interface Refused {
  readonly refused: string;
}

function readOption(
  known: Readonly<Record<string, OptionSpec>>,
  { name, rawName, value, inlineValue }: OptionToken,
  given: ReadonlyMap<string, unknown>,
): string | number | boolean | Refused {
  const option = Object.hasOwn(known, name) ? known[name] : undefined;
  if (option === undefined) return { refused: `unknown option ${rawName}${hint(rawName, known)}` };
  if (given.has(name)) return { refused: `${rawName} is given twice` };
  if (option.kind === 'flag') return value === undefined ? true : { refused: `${rawName} takes no value` };
  if (value === undefined || value === '') return { refused: `${rawName} needs a value: ${usageOf(name, option)}` };
  if (inlineValue === false && /^-\D/.test(value)) {
    return { refused: `${rawName} needs a value, but ${value} follows: ${usageOf(name, option)}` };
  }
  return option.kind === 'text' ? readText(rawName, option, value) : readNumber(rawName, option, value);
}

function hint(rawName: string, known: Readonly<Record<string, OptionSpec>>): string {
  return didYouMean(
    rawName,
    Object.keys(known).map((name) => `--${name}`),
  );
}

function readText(rawName: string, { choices }: TextOption, value: string): string | Refused {
  if (choices === undefined || choices.includes(value)) return value;
  return { refused: `${rawName} must be ${list(choices)}, not "${value}"${didYouMean(value, choices)}` };
}

const NUMERALS = { integer: /^[+-]?\d+$/, number: /^[+-]?\d+(\.\d+)?$/ };

function readNumber(rawName: string, { kind, min, max }: NumberOption, value: string): number | Refused {
  const number = Number(value);
  const numeral = NUMERALS[kind].test(value) && Math.abs(number) <= Number.MAX_SAFE_INTEGER;
  if (numeral && number >= (min ?? -Infinity) && number <= (max ?? Infinity)) return number;
  const bounds = [min === undefined ? '' : ` of at least ${min}`, max === undefined ? '' : ` of at most ${max}`];
  const noun = kind === 'integer' ? 'a whole number' : 'a number';
  return {
    refused: `${rawName} must be ${noun}${bounds.filter((bound) => bound !== '').join(' and')}, not "${value}"`,
  };
}

function missingOption(
  options: Readonly<Record<string, OptionSpec>>,
  given: ReadonlyMap<string, unknown>,
): string | null {
  for (const [name, option] of Object.entries(options)) {
    if (option.kind === 'flag' || option.required !== true || given.has(name)) continue;
    return `--${name} is missing: ${usageOf(name, option)}`;
  }
  return null;
}

function wrongOperands(specs: readonly OperandSpec[], operands: readonly string[]): string | null {
  const missing = specs.find((spec, at) => spec.optional !== true && operands[at] === undefined);
  if (missing !== undefined) return `${missing.name} is missing: ${missing.help}`;
  const surplus = operands[specs.length];
  return surplus === undefined ? null : `"${surplus}" is one argument too many`;
}

function withDefaults<Options extends Readonly<Record<string, OptionSpec>>>(
  options: Options,
  given: ReadonlyMap<string, string | number | boolean>,
): OptionValues<Options> {
  const values = Object.entries(options).map(([name, option]) => {
    return [name, given.get(name) ?? (option.kind === 'flag' ? false : option.default)];
  });
  return Object.fromEntries(values) as OptionValues<Options>;
}

/** The text of `--help`. */
export function helpText(spec: CommandSpec<Readonly<Record<string, OptionSpec>>>): string {
  const operands = spec.operands ?? [];
  const usage = operands.map(({ name, optional }) => (optional === true ? `[${name}]` : name));
  const rows = Object.entries({ ...spec.options, help: HELP }).map(([name, option]) => {
    return [usageOf(name, option), `${option.help}${defaultOf(option)}`] as const;
  });
  const sections = [
    `Usage: ${[spec.name, ...usage, '[options]'].join(' ')}`,
    wrapped(spec.summary, WIDTH).join('\n'),
    table(operands.map(({ name, help }) => [name, help])),
    `Options:\n${table(rows)}`,
    (spec.notes ?? '')
      .split('\n')
      .flatMap((line) => wrapped(line, WIDTH))
      .join('\n'),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function usageOf(name: string, option: OptionSpec): string {
  const short = option.short === undefined ? '' : `-${option.short}, `;
  if (option.kind === 'flag') return `${short}--${name}`;
  const choices = option.kind === 'text' ? option.choices?.join('|') : undefined;
  return `${short}--${name} ${choices ?? option.value ?? (option.kind === 'text' ? 'TEXT' : 'N')}`;
}

function defaultOf(option: OptionSpec): string {
  return option.kind === 'flag' || option.default === undefined ? '' : ` (default ${option.default})`;
}

/** The help column starts behind the longest name that leaves it room; a longer name has its help on the next line. */
function table(rows: readonly (readonly [string, string])[]): string {
  const widest = Math.max(0, ...rows.map(([name]) => name.length).filter((length) => length <= WIDEST_NAME));
  const indent = ' '.repeat(widest + 4);
  const lines = rows.flatMap(([name, help]) => {
    const [first = '', ...rest] = wrapped(help, WIDTH - indent.length);
    const below = rest.map((line) => `${indent}${line}`);
    if (name.length > widest) return [`  ${name}`, `${indent}${first}`, ...below];
    return [`  ${name.padEnd(widest)}  ${first}`, ...below];
  });
  return lines.join('\n');
}

const WIDTH = 100;
const WIDEST_NAME = 40;

function wrapped(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function list(choices: readonly string[]): string {
  return choices.length === 1 ? String(choices[0]) : `one of ${choices.join(', ')}`;
}
