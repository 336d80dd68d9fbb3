import { plainCode } from './plain-code.ts';

const MAX_FILE_LINES = 500;
const MAX_FUNCTION_LINES = 100;

/** Each rule returns what is wrong and what to do instead, one message a place. */
type Rule = (text: string, path: string) => string[];

export const fileLength: Rule = (text) => {
  const lines = text.trimEnd().split('\n').length;
  if (lines <= MAX_FILE_LINES) return [];
  return [`${lines} lines, at most ${MAX_FILE_LINES}: move a part with a name of its own into its own file`];
};

/** Blocks that follow `)`, `): Type` or `=>` and are no loop or condition. */
export const functionLength: Rule = (text) => {
  const found: string[] = [];
  for (const { header, from, to } of blocks(plainCode(text))) {
    const lines = to - from + 1;
    if (lines > MAX_FUNCTION_LINES && isFunction(header))
      found.push(`line ${from}: a function of ${lines} lines, at most ${MAX_FUNCTION_LINES}: give its steps names`);
  }
  return found;
};

interface Block {
  readonly header: string;
  readonly from: number;
  readonly to: number;
}

function blocks(code: string): Block[] {
  const open: { header: string; from: number }[] = [];
  const closed: Block[] = [];
  let line = 1;
  let headerStart = 0;
  for (let at = 0; at < code.length; at += 1) {
    const char = code[at];
    if (char === '\n') line += 1;
    if (char === '{') open.push({ header: code.slice(headerStart, at), from: line });
    const block = char === '}' ? open.pop() : undefined;
    if (block !== undefined) closed.push({ ...block, to: line });
    if (char === '{' || char === '}' || char === ';') headerStart = at + 1;
  }
  return closed;
}

function isFunction(header: string): boolean {
  const text = header.trim();
  if (/^(else\s+)?(if|for|while|switch|catch)\b/.test(text)) return false;
  return /=>$/.test(text) || /\)\s*(:[^=]*)?$/.test(text);
}

const IMPURE: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\b/, 'Date.now: take `now: EpochMs` as an argument'],
  [/\bnew Date\(\s*\)/, 'new Date() without an argument: take `now: EpochMs` as an argument'],
  [/\bMath\.random\b/, 'Math.random: take the number, or a generator with a seed, as an argument'],
  [/\bperformance\s*\./, 'performance: measure in src/apps or bench'],
  [/\bconsole\s*\./, 'console: return what happened, an app prints it'],
  [/\bprocess\s*\./, 'process: take the value as an argument'],
  [/\b(setTimeout|setInterval|setImmediate|queueMicrotask)\s*\(/, 'a timer: return when to be called next'],
  [/\b(async\s|await\s|new Promise\b)/, 'a promise: domain steps are synchronous, the app waits'],
];

/** What neither the linter nor the domain's tsconfig can see: a clock, a die, a promise. */
export const domainPurity: Rule = (text, path) => {
  if (path.endsWith('/ports.ts')) return [];
  return matches(plainCode(text), IMPURE);
};

const FOCUS: readonly (readonly [RegExp, string])[] = [
  [/\b(test|it|describe|suite)(\.\w+)*\.only\b/, '.only: remove it, the other tests must run too'],
  [
    /\b(test|it|describe|suite)(\.\w+)*\.(skip|todo)\b/,
    "a skipped test: finish or delete it; where the machine lacks a part, say which: test.skip('bus over mosquitto (not installed)', () => {})",
  ],
];
const WITHOUT_REASON = /(?<!\.)\bskip\(\s*\)/;
/** An empty test whose name says what is missing, at its end in brackets or as `needs ...`: the report shows it. */
const SKIPPED_WITH_REASON = /\b(test|describe)\.skip\((['"`])(needs .*|.*\([^()]+\))\2, \(\) => (\{\}|undefined)\)/g;

export const focusedTests: Rule = (text) => [
  ...matches(plainCode(text.replace(SKIPPED_WITH_REASON, '')), FOCUS),
  ...matches(withoutComments(text), [[WITHOUT_REASON, 'skip() without a reason: say what is missing']]),
];

const REMINDER = new RegExp(
  `\\b(${['TO', 'FIX', 'X', 'HA'].map((head, i) => head + ['DO', 'ME', 'XX', 'CK'][i]).join('|')})\\b`,
);

export const reminders: Rule = (text) =>
  matches(text, [[REMINDER, 'a reminder in the code: do it now, or file an issue and delete the line']]);

const EMPTY_NAMES = /^(utils?|helpers?|managers?|misc|common|stuff|types|constants|index)$/;
const EMPTY_SUFFIX = /\b(?:class|interface|type|function|const)\s+(\w*(?:Manager|Helpers?|Utils?|Impl))\b/;

/** Names that say nothing about the field. */
export const names: Rule = (text, path) => {
  const parts = path.replace(/\.\w+$/, '').split(/[/.]/);
  const inPath = parts
    .filter((part) => part.split('-').some((word) => EMPTY_NAMES.test(word)) && !isOwnTerm(part))
    .map((part) => `the name "${part}": name the file after what it exports, in the field's words`);
  return [...inPath, ...matches(plainCode(text), [[EMPTY_SUFFIX, 'an empty noun: say what it does in the field']])];
};

/** `datatype`, `common-model` (SunSpec's model 1 is named so) are terms of a standard. */
function isOwnTerm(part: string): boolean {
  return ['common-model', 'sunspec-common'].includes(part);
}

const MACHINE: readonly (readonly [RegExp, string])[] = [
  [
    /(?<![\w.~-])\/(?:work|root|Users|home\/[a-z]\w*)\//,
    'a path of one machine: build it from import.meta.url or take it as an argument',
  ],
  [/(?<![\w.])\/tmp\//, 'a fixed temporary path: use mkdtemp(join(tmpdir(), ...))'],
  [
    /https?:\/\/[^\s"'`)]*(?:npmjs|\bregistry\b|artifactory|nexus|\bpypi\b)/i,
    "a registry's address: name the package instead",
  ],
];

const OUTSIDE: readonly (readonly [RegExp, string])[] = [
  [
    /\bdesign \d+(\.\d+)?\b|\bissue #?\d+\b|\blanding \d+\b/i,
    'a text outside the project: say it here, or name a file of docs/',
  ],
];

/** A reader has the clone and nothing else. */
export const outsideTexts: Rule = (text) => matches(text, OUTSIDE);

export const machinePaths: Rule = (text) => matches(text, MACHINE);

function matches(text: string, table: readonly (readonly [RegExp, string])[]): string[] {
  return text
    .split('\n')
    .flatMap((line, index) =>
      table.filter(([pattern]) => pattern.test(line)).map(([, message]) => `line ${index + 1}: ${message}`),
    );
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm, (part) => part.replace(/[^\n]/g, ' '));
}
