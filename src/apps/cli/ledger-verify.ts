import { type CommandSpec, type OptionSpec, parseCommandLine } from '../../adapters/config/arguments.ts';
import { readText } from '../../adapters/config/load-yaml.ts';
import { isHex } from '../../domain/proof/canonical-bytes.ts';
import { readArtefact, readReceipts } from '../../domain/proof/read-artefact.ts';
import type { SignedReceipt } from '../../domain/proof/receipt.ts';
import { type ClearingCheck, verifyClearing } from '../../domain/proof/verify-clearing.ts';
import { type EpochMs, formatUtc, parseUtc } from '../../domain/units/time.ts';
import { isFault } from '../../errors/fault.ts';
import { jsonOfCheck, notesOfCheck, sentenceOfCheck, type VerifiedClearing } from './ledger-verify-report.ts';
import { EXIT, type Terminal } from './terminal.ts';
import { verifyTools } from './verify-tools.ts';

const SPEC = {
  name: 'p2p-cli ledger verify',
  summary: 'Replays the clearing of one interval from its artefact and compares it with the root that was signed.',
  options: {
    interval: { kind: 'text', value: 'I', required: true, help: 'its start: 2026-06-21T12:00Z, or epoch ms' },
    artefact: { kind: 'text', value: 'FILE', help: 'the artefact, as a file' },
    engine: { kind: 'text', value: 'URL', help: 'the engine to ask for it (default http://127.0.0.1:8080)' },
    member: { kind: 'text', value: 'ID', help: "of the engine's artefact only what this member may see" },
    receipt: { kind: 'text', value: 'FILE[,FILE]', help: 'receipts that it must agree with: JSON, one or a list each' },
    root: { kind: 'text', value: '0x..', help: 'the root that the ledger, or the message at the gate, names' },
    signer: { kind: 'text', value: '0x..', help: 'the account that must have signed: that of the engine' },
    twin: {
      kind: 'flag',
      help: 'replay in the plain twin of the book: slower, and short enough to be read; one zone only',
    },
    json: { kind: 'flag', help: 'one JSON object' },
  },
  notes: `Exit codes: 0 it holds, 1 a breach, 2 usage, 3 there is no artefact.
The artefact of a member shows its own orders only: they are found under the root, and nothing is replayed.
Example: p2p-cli ledger verify --interval 2026-06-21T12:00Z --artefact clearing.json --root 0x5f..`,
} as const satisfies CommandSpec<Record<string, OptionSpec>>;

const DEFAULT_ENGINE = 'http://127.0.0.1:8080';
const ENGINE_PATIENCE_MS = 30_000;
const ROOT_BYTES = 32;
const ACCOUNT_BYTES = 20;

type Options = Extract<ReturnType<typeof parse>, { kind: 'values' }>['options'];

function parse(argv: readonly string[]) {
  return parseCommandLine(SPEC, argv);
}

/** `p2p-cli ledger verify`. @throws Fault FILE_UNREADABLE for a receipt */
export async function ledgerVerify(argv: readonly string[], terminal: Terminal): Promise<number> {
  const line = parse(argv);
  if (line.kind === 'help') return terminal.out(line.text).then(() => EXIT.ok);
  if (line.kind === 'refusal') return terminal.err(`${line.message}\n`).then(() => EXIT.usage);
  const { options } = line;
  const wanted = wantedOf(options);
  if (typeof wanted === 'string') return terminal.err(`${wanted}\n`).then(() => EXIT.usage);
  const source = await artefactText(options, wanted.interval);
  if ('missing' in source) return terminal.err(`${source.missing}\n`).then(() => EXIT.couldNotRun);
  const verified = verify(source.text, wanted, options);
  if (options.twin && hasZones(verified)) return terminal.err(TWIN_OF_ZONES).then(() => EXIT.usage);
  if (verified === null) {
    return terminal.err(`${source.from} is of another interval.\n`).then(() => EXIT.couldNotRun);
  }
  const notes = notesOfCheck(verified);
  if (notes !== '') await terminal.err(notes);
  await terminal.out(options.json ? jsonOfCheck(verified) : sentenceOfCheck(verified));
  return verified.check.ok ? EXIT.ok : EXIT.failed;
}

/** Between zones several allocations can be equally right, and the two books need not choose the same one. */
const TWIN_OF_ZONES =
  'the twin cannot replay a clearing with several zones: it may find other prices that are just as right; leave --twin out\n';

function hasZones(verified: VerifiedClearing | null): boolean {
  return (verified?.artefact?.rules.product.fees.length ?? 0) > 1;
}

interface Wanted {
  readonly interval: EpochMs;
  readonly receipts: readonly SignedReceipt[];
}

/** What was asked for, or what is wrong with how it was asked. */
function wantedOf({ interval: text, artefact, engine, member, root, signer, receipt }: Options): Wanted | string {
  const interval = /^\d{1,15}$/.test(text) ? (Number(text) as EpochMs) : parseUtc(text);
  if (interval === null) return `--interval must be an instant such as 2026-06-21T12:00Z, or epoch ms; not "${text}"`;
  if (artefact !== undefined && engine !== undefined) return '--artefact and --engine exclude each other';
  if (artefact !== undefined && member !== undefined) return '--artefact and --member exclude each other';
  if (root !== undefined && !isHex(root, ROOT_BYTES)) return '--root must be 0x and 64 hexadecimal digits, lower case';
  if (signer !== undefined && !isHex(signer.toLowerCase(), ACCOUNT_BYTES)) {
    return '--signer must be 0x and 40 hexadecimal digits';
  }
  const receipts: SignedReceipt[] = [];
  for (const path of receipt?.split(',') ?? []) {
    const read = readReceipts(readText(path));
    if ('malformed' in read) return `${path} holds no receipt: see ${read.malformed || 'its beginning'}`;
    receipts.push(...read);
  }
  return { interval, receipts };
}

type Source = { readonly text: string; readonly from: string } | { readonly missing: string };

async function artefactText({ artefact: path, engine, member }: Options, interval: EpochMs): Promise<Source> {
  if (path !== undefined) {
    try {
      return { text: readText(path), from: path };
    } catch (error) {
      if (isFault(error)) return { missing: `There is no artefact: ${error.message}` };
      throw error;
    }
  }
  const query = member === undefined ? '' : `?member=${encodeURIComponent(member)}`;
  const url = `${(engine ?? DEFAULT_ENGINE).replace(/\/$/, '')}/api/v1/clearing/${interval}/artefact${query}`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ENGINE_PATIENCE_MS) });
    if (response.ok) return { text: await response.text(), from: url };
    return { missing: `There is no artefact of ${formatUtc(interval)}: ${url} answers ${response.status}` };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { missing: `There is no artefact: ${url} does not answer (${reason})` };
  }
}

/** null: the artefact is sound and of another interval. */
function verify(json: string, { interval, receipts }: Wanted, options: Options): VerifiedClearing | null {
  const { root, twin } = options;
  const engine = options.signer?.toLowerCase();
  const artefact = readArtefact(json);
  const given = { interval, isAnchored: root !== undefined || engine !== undefined, receipts: receipts.length };
  if ('malformed' in artefact) {
    const detail = `it has no sound value at ${artefact.malformed || 'its beginning'}`;
    const check: ClearingCheck = { ok: false, breach: 'malformed', sequence: null, detail };
    return { ...given, artefact: null, check };
  }
  if (artefact.gate.product !== interval) return null;
  const check = verifyClearing(artefact, verifyTools(twin ? 'twin' : 'engine'), { root, engine, receipts });
  return { ...given, artefact, check };
}
