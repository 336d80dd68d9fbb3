import { readFileSync } from 'node:fs';
import { type Document, isMap, isNode, LineCounter, type Node, parseDocument } from 'yaml';
import { z } from 'zod';
import { Fault } from '../../errors/fault.ts';
import { didYouMean } from './nearest-name.ts';

/**
 * A YAML file checked against `schema`.
 * @throws Fault FILE_UNREADABLE, or CONFIG_INVALID with one `file:line:column place: what is wrong` per line
 */
export function loadYaml<T>(path: string, schema: z.ZodType<T>): T {
  return parseYaml(readText(path), path, schema);
}

/** The whole text of a UTF-8 file. @throws Fault FILE_UNREADABLE */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? error.code : error;
    throw new Fault('FILE_UNREADABLE', `${path}: cannot be read (${String(reason)})`, error);
  }
}

/** As `loadYaml`, on a text; `path` only names it in messages. */
export function parseYaml<T>(text: string, path: string, schema: z.ZodType<T>): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const source: Source = { path, document, lines, schema };
  const broken = document.errors.map((error) => at(source, error.pos[0], firstLine(error.message)));
  if (broken.length > 0) throw new Fault('CONFIG_INVALID', broken.join('\n'));
  const result = schema.safeParse(plainValue(source), { reportInput: true });
  if (result.success) return result.data;
  const messages = result.error.issues.flatMap((issue) => describe(source, innermost(issue)));
  throw new Fault('CONFIG_INVALID', messages.join('\n'), result.error);
}

/** A place in the file for a check that a schema cannot make: `path:line:column`. */
export function yamlPlace(text: string, path: string, keys: readonly PropertyKey[]): string {
  const lines = new LineCounter();
  const { line, col } = lines.linePos(offsetOf(parseDocument(text, { lineCounter: lines }), keys));
  return `${path}:${line}:${col}`;
}

interface Source {
  readonly path: string;
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  readonly schema: z.ZodType;
}

type Issue = z.core.$ZodIssue;

function plainValue(source: Source): unknown {
  try {
    return source.document.toJS() ?? {};
  } catch (error) {
    throw new Fault('CONFIG_INVALID', at(source, 0, error instanceof Error ? error.message : String(error)), error);
  }
}

/** One line per thing to correct. */
function describe(source: Source, issue: Issue): string[] {
  const { document } = source;
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(source.schema, issue.path);
    return issue.keys.map((key) => {
      const hint = didYouMean(key, known) || (known.length > 0 ? `; known here: ${known.join(', ')}` : '');
      return at(source, keyOffset(document, issue.path, key), `${placeName([...issue.path, key])}: unknown key${hint}`);
    });
  }
  const missing = (issue.code === 'invalid_type' || issue.code === 'invalid_union') && issue.input === undefined;
  const message = missing ? 'is missing' : plainMessage(issue);
  return [at(source, offsetOf(document, missing ? issue.path.slice(0, -1) : issue.path), label(issue.path, message))];
}

function plainMessage(issue: Issue): string {
  const { input } = issue;
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String);
    const hint = typeof input === 'string' ? didYouMean(input, values) : '';
    return `must be ${values.length === 1 ? '' : 'one of '}${values.join(', ')}${hint}`;
  }
  if (issue.code === 'invalid_type')
    return `must be ${nounOf(issue.expected)}, not ${shown(input)}${quotesHint(issue)}`;
  if (issue.code === 'invalid_union') return `must be ${formsOf(issue)}, not ${shown(input)}`;
  if (issue.code === 'too_small') return `must be ${bound(issue, issue.minimum, 'at least', 'more than')}`;
  if (issue.code === 'too_big') return `must be ${bound(issue, issue.maximum, 'at most', 'less than')}`;
  return issue.message.charAt(0).toLowerCase() + issue.message.slice(1);
}

const NOUNS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys and values',
};

function nounOf(expected: string): string {
  return NOUNS[expected] ?? expected;
}

function formsOf({ errors }: Extract<Issue, { code: 'invalid_union' }>): string {
  const nouns = errors.flat().flatMap((inner) => (inner.code === 'invalid_type' ? [nounOf(inner.expected)] : []));
  return [...new Set(nouns)].join(' or ') || 'of another form';
}

/** YAML turns what looks like a number into one, and what stands in quotes into text. */
function quotesHint({ expected, input }: Extract<Issue, { code: 'invalid_type' }>): string {
  if (expected === 'string' && (typeof input === 'number' || typeof input === 'boolean')) return '; put it in quotes';
  const wantsNumber = expected === 'number' || expected === 'int';
  const isNumeral = typeof input === 'string' && input.trim() !== '' && Number.isFinite(Number(input));
  return wantsNumber && isNumeral ? '; leave out the quotes' : '';
}

function bound(
  { origin, inclusive, input }: Extract<Issue, { code: 'too_small' | 'too_big' }>,
  limit: number | bigint,
  within: string,
  beyond: string,
): string {
  const edge = `${inclusive === false ? beyond : within} ${limit}`;
  if (origin === 'array') return `a list of ${edge}, not of ${Array.isArray(input) ? input.length : '?'}`;
  if (origin !== 'string') return `${edge}, not ${shown(input)}`;
  return limit === 1 ? 'some text, not empty' : `${edge} characters long`;
}

function shown(input: unknown): string {
  if (Array.isArray(input)) return 'a list';
  if (input === null) return 'empty';
  return typeof input === 'object' ? 'a map' : JSON.stringify(input);
}

/** Of a union the branch that the file comes nearest to: the most specific complaint. */
function innermost(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const unknownKeys = (branch: readonly Issue[]) => branch.filter(({ code }) => code === 'unrecognized_keys').length;
  const entered = issue.errors.filter(
    (branch) => unknownKeys(branch) > 0 || branch.some(({ path }) => path.length > 0),
  );
  const nearest = entered.toSorted((a, b) => unknownKeys(a) - unknownKeys(b) || a.length - b.length)[0];
  const inner = nearest?.find(({ code }) => code === 'unrecognized_keys') ?? nearest?.[0];
  return inner === undefined ? issue : innermost({ ...inner, path: [...issue.path, ...inner.path] });
}

function at(source: Source, offset: number, message: string): string {
  const { line, col } = source.lines.linePos(offset);
  return `${source.path}:${Math.max(1, line)}:${Math.max(1, col)} ${message}`;
}

function label(path: readonly PropertyKey[], message: string): string {
  return path.length === 0 ? message : `${placeName(path)}: ${message}`;
}

/** `members[2].battery.power_w` */
function placeName(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}

/** Where the value at `path` stands, or the nearest thing above it that exists. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const node = nodeAt(document, path.slice(0, depth));
    if (node?.range) return node.range[0];
  }
  return 0;
}

function nodeAt(document: Document.Parsed, path: readonly PropertyKey[]): Node | null {
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  return isNode(node) ? node : null;
}

function keyOffset(document: Document.Parsed, path: readonly PropertyKey[], key: string): number {
  const map = nodeAt(document, path);
  const pair = isMap(map) ? map.items.find((item) => String(item.key) === key) : undefined;
  return isNode(pair?.key) && pair.key.range ? pair.key.range[0] : offsetOf(document, path);
}

/** The keys that the schema knows at `path`. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodUnion) return inner.options.flatMap((option) => keysAt(option as z.ZodType, path));
  const [head, ...rest] = path;
  if (inner instanceof z.ZodArray) return head === undefined ? [] : keysAt(inner.element as z.ZodType, rest);
  if (!(inner instanceof z.ZodObject)) return [];
  if (head === undefined) return Object.keys(inner.shape);
  const next: unknown = inner.shape[String(head)];
  return next instanceof z.ZodType ? keysAt(next, rest) : [];
}

function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodPipe) return unwrap(schema.in as z.ZodType);
  const wrapped = schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable;
  return wrapped ? unwrap(schema.unwrap() as z.ZodType) : schema;
}

function firstLine(text: string): string {
  return (text.split('\n', 1)[0] ?? text).replace(/ at line \d+, column \d+:?$/, '');
}
