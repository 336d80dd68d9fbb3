import type { BookTrade } from '../market/book.ts';
import type { Hasher } from '../ports.ts';
import { assert } from '../units/assert.ts';
import type { Breach } from './breach.ts';
import { fromHex, toHex } from './canonical-bytes.ts';
import { type ClearingArtefact, isShown, type LoggedCommand } from './clearing-artefact.ts';
import { commandLeaf } from './gate-root.ts';
import { LogReader, type RecordTools } from './log-reader.ts';
import { merkleRoot } from './merkle-tree.ts';
import { chainStart } from './receipt.ts';
import { type Replayed, type ReplayedCommand, type ReplayTools, replayClearing } from './replay-clearing.ts';

/** The whole log against its replay: who sent it, in which order, how it was decided, to what end, under which root. */
export function replayBreach(artefact: ClearingArtefact, tools: ReplayTools): Breach | null {
  const { gate, chainId, rules, result } = artefact;
  const log = {
    ...{ market: gate.market, product: gate.product, chainId, rules },
    atOpening: artefact.members.filter(isShown),
    changes: artefact.changes.filter(isShown),
    commands: artefact.commands.filter(isShown),
  };
  const shown = log.atOpening.length + log.changes.length + log.commands.length;
  if (
    shown !== artefact.members.length + artefact.changes.length + artefact.commands.length ||
    'leaf' in result.trades
  ) {
    return { breach: 'malformed', sequence: null, detail: 'it hides what the operator must show' };
  }
  const misplaced = orderBreach(artefact);
  if (misplaced !== null) return misplaced;
  const replayed = replayClearing(log, tools);
  if (replayed.invented !== null) return { breach: 'order_invented', ...replayed.invented };
  const pairs = log.commands.map((logged, at) => ({ logged, replayed: replayed.commands[at] as ReplayedCommand }));
  const receipts = replayed.commands.map(({ receipt }) => receipt);
  return (
    earlier(verdictBreach(pairs), chainBreach(artefact, log.commands, receipts, tools.hasher)) ??
    resultBreach(artefact, result.trades.list, replayed) ??
    fateBreach(pairs) ??
    rootBreach(artefact, receipts, tools.hasher)
  );
}

/** What a view shows: its commands are signed by their senders, in their places, and under the root. */
export function viewBreach(artefact: ClearingArtefact, tools: RecordTools): Breach | null {
  const { gate, chainId, commands } = artefact;
  const members = { atOpening: artefact.members.filter(isShown), changes: artefact.changes.filter(isShown) };
  const reader = new LogReader({ market: gate.market, product: gate.product, chainId }, members, tools);
  const misplaced = orderBreach(artefact);
  if (misplaced !== null) return misplaced;
  const receipts: Uint8Array[] = [];
  for (const logged of commands.filter(isShown)) {
    const read = reader.read(logged);
    if (read.invented !== null) {
      return { breach: 'order_invented', sequence: logged.sequence, detail: read.invented };
    }
    receipts.push(read.receipt);
  }
  return rootBreach(artefact, receipts, tools.hasher);
}

function orderBreach({ commands, rules, gate }: ClearingArtefact): Breach | null {
  let last = rules.opened;
  for (const { sequence } of commands.filter(isShown)) {
    if (sequence <= last || sequence >= gate.sequence) {
      return { breach: 'reordered', sequence, detail: `it stands between ${last} and the gate at ${gate.sequence}` };
    }
    last = sequence;
  }
  return null;
}

type Pair = { readonly logged: LoggedCommand; readonly replayed: ReplayedCommand };

function verdictBreach(pairs: readonly Pair[]): Breach | null {
  const wrong = pairs.find(({ logged, replayed }) => logged.verdict !== replayed.verdict);
  if (wrong === undefined) return null;
  const { sequence, verdict } = wrong.logged;
  const replayed = wrong.replayed.verdict ?? 'that less is reserved than this product alone reserves';
  return { breach: 'verdict_differs', sequence, detail: `the log says ${verdict}, the replay ${replayed}` };
}

/** Every receipt names the one before it. Where it names another one of the log, the log was put in another order. */
function chainBreach(
  { gate }: ClearingArtefact,
  commands: readonly LoggedCommand[],
  receipts: readonly Uint8Array[],
  hasher: Hasher,
): Breach | null {
  const start = toHex(chainStart(gate.market, gate.product, hasher));
  const links = [start, ...receipts.map(toHex)];
  const at = commands.findIndex(({ previous }, index) => previous !== links[index]);
  const broken = commands[at];
  if (broken === undefined) return null;
  const { sequence, previous } = broken;
  if (links.includes(previous)) return { breach: 'reordered', sequence, detail: 'its receipt names another place' };
  return { breach: 'chain_broken', sequence, detail: 'its receipt names one before it that the log lacks' };
}

/** A changed verdict shows at its command and breaks the chain at the next; something left out does both at once. */
function earlier(verdict: Breach | null, chain: Breach | null): Breach | null {
  if (verdict === null || chain === null) return verdict ?? chain;
  return (verdict.sequence ?? 0) < (chain.sequence ?? 0) ? verdict : chain;
}

function resultBreach({ result }: ClearingArtefact, list: readonly BookTrade[], replayed: Replayed): Breach | null {
  const { prices, volume } = result;
  if (JSON.stringify(prices) !== JSON.stringify(replayed.prices)) {
    const detail = `the artefact says ${pricesText(prices)}, the replay ${pricesText(replayed.prices)}`;
    return { breach: 'price_differs', sequence: null, detail };
  }
  const differ = (detail: string): Breach => ({ breach: 'trades_differ', sequence: null, detail });
  const { trades } = replayed;
  if (trades.length !== list.length) return differ(`${list.length} trades, and ${trades.length} in the replay`);
  const at = trades.findIndex((trade, index) => !isSameTrade(trade, list[index]));
  if (at !== -1) return differ(`trade ${at + 1} is another one in the replay`);
  const sum = trades.reduce((total, { energy }) => total + energy, 0);
  return sum === volume ? null : differ(`${volume} Wh, and ${sum} Wh in the replay`);
}

function pricesText(prices: readonly (number | null)[]): string {
  return prices.map((price) => price ?? 'none').join(', ');
}

function isSameTrade(a: BookTrade, b: BookTrade | undefined): boolean {
  if (b === undefined || a.buyer !== b.buyer || a.seller !== b.seller) return false;
  if (a.buyOrder !== b.buyOrder || a.sellOrder !== b.sellOrder) return false;
  return a.energy === b.energy && a.price === b.price && a.sellerPrice === b.sellerPrice;
}

function fateBreach(pairs: readonly Pair[]): Breach | null {
  const wrong = pairs.find(({ logged, replayed }) => {
    return logged.filled !== replayed.filled || logged.fate !== replayed.fate;
  });
  if (wrong === undefined) return null;
  const { logged, replayed } = wrong;
  const detail = `the log says ${logged.fate}, ${logged.filled} Wh, the replay ${replayed.fate}, ${replayed.filled} Wh`;
  return { breach: 'fate_differs', sequence: logged.sequence, detail };
}

/** `receipts`: of the shown commands, in their order. */
function rootBreach({ commands, gate }: ClearingArtefact, receipts: readonly Uint8Array[], hasher: Hasher) {
  let next = 0;
  const leaves = commands.map((part) => {
    if (!isShown(part)) return fromHex(part.leaf);
    const receipt = receipts[next];
    assert(receipt !== undefined, 'every shown command was read');
    next += 1;
    return commandLeaf(receipt, part, fromHex(part.salt), hasher);
  });
  if (toHex(merkleRoot(leaves, hasher)) === gate.log) return null;
  return { breach: 'root_differs', sequence: null, detail: 'the root names another log' } satisfies Breach;
}
