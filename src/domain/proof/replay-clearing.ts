import type { CancelCommand, OrderCommand } from '../engine/command.ts';
import type { Book, BookTrade, MemberNumber, Members, ProductRules } from '../market/book.ts';
import { ORDER_FATES, ORDER_TYPES, SIDES } from '../market/order.ts';
import { VERDICTS, type VerdictName, verdictCode } from '../market/verdict.ts';
import { wh } from '../units/energy.ts';
import type { LoggedCommand } from './clearing-artefact.ts';
import type { ClearingRules, CommandOutcome, MemberState } from './gate-root.ts';
import { type LogOrigin, LogReader, type RecordTools } from './log-reader.ts';

/** A book to replay in, and the members that it shares with no other. */
export interface OpenedBook {
  readonly book: Book;
  readonly members: Members;
  /** Makes what the member has reserved outside of this book larger by so much, nano-currency, or, below 0, smaller. */
  readonly reserveElsewhere: (member: MemberNumber, amount: number) => void;
}

export interface ReplayTools extends RecordTools {
  open(rules: ProductRules): OpenedBook;
}

/** Everything that decides about one product, in the open. */
export interface ProductLog extends LogOrigin {
  readonly rules: ClearingRules;
  readonly atOpening: readonly MemberState[];
  readonly changes: readonly MemberState[];
  readonly commands: readonly LoggedCommand[];
}

/** What the replay says of one command. */
export interface ReplayedCommand {
  /** Hash of its receipt. */
  readonly receipt: Uint8Array;
  /** null: the log says that less was reserved than this product alone had reserved. */
  readonly verdict: VerdictName | null;
  readonly filled: number;
  readonly fate: CommandOutcome['fate'];
}

export interface Replayed {
  readonly commands: readonly ReplayedCommand[];
  /** The first command that no member can have sent; the replay ends before it. */
  readonly invented: { readonly sequence: number; readonly detail: string } | null;
  /** By zone. */
  readonly prices: readonly (number | null)[];
  readonly trades: readonly BookTrade[];
}

const NOT_REPLACING = -1;
const ACCEPTED = verdictCode('accepted');

/** Decides every command of a log anew, with what held for its member at that moment, and closes the gate. */
export function replayClearing(log: ProductLog, tools: ReplayTools): Replayed {
  const replay = new Replay(log, tools);
  const decided: Decided[] = [];
  let invented: Replayed['invented'] = null;
  for (const logged of log.commands) {
    const step = replay.step(logged);
    if ('invented' in step) {
      invented = { sequence: logged.sequence, detail: step.invented };
      break;
    }
    decided.push(step);
  }
  const { book } = replay;
  book.closeGate();
  const commands = decided.map(({ receipt, verdict, sequence, order }) => {
    return { receipt, verdict, ...outcomeOf(book, sequence, order) };
  });
  return { commands, invented, prices: book.clearingPrices(), trades: tradesOf(book) };
}

interface Decided {
  readonly sequence: number;
  readonly receipt: Uint8Array;
  readonly verdict: VerdictName | null;
  readonly order: OrderNumbers | null;
}

interface OrderNumbers {
  readonly member: number;
  readonly clientOrderId: number;
}

/** What became of the order that the command at `sequence` placed; every other command has no fate. */
export function outcomeOf(
  book: Book,
  sequence: number,
  key: OrderNumbers | null,
): Pick<CommandOutcome, 'filled' | 'fate'> {
  const order = key === null ? null : book.find(key.member, key.clientOrderId);
  if (order?.sequence !== sequence || order.answer !== ACCEPTED) return { filled: 0, fate: null };
  return { filled: order.filled, fate: ORDER_FATES[order.fate] ?? null };
}

export function tradesOf(book: Book): BookTrade[] {
  return Array.from({ length: book.tradeCount }, (_, at) => book.tradeAt(at));
}

class Replay {
  readonly book: Book;
  readonly #opened: OpenedBook;
  readonly #reader: LogReader;
  readonly #halts: ClearingRules['halts'];
  /** What the member has reserved in other products, as far as the log said so. */
  readonly #elsewhere = new Map<MemberNumber, number>();
  #nextHalt = 0;

  constructor(log: ProductLog, tools: ReplayTools) {
    this.#opened = tools.open(log.rules.product);
    this.book = this.#opened.book;
    this.#halts = log.rules.halts;
    this.#reader = new LogReader(log, log, tools, (state) => this.#enter(state));
  }

  step(logged: LoggedCommand): Decided | { readonly invented: string } {
    const { sequence } = logged;
    for (let halt = this.#halts[this.#nextHalt]; halt !== undefined && halt.sequence < sequence; ) {
      this.#opened.members.haltMarket(halt.halted);
      this.#nextHalt += 1;
      halt = this.#halts[this.#nextHalt];
    }
    const read = this.#reader.read(logged);
    if (read.invented !== null) return { invented: read.invented };
    const { command, sender, receipt } = read;
    const verdict = this.#decide(sender, command, logged);
    const order = command.type === 'cancel' ? null : { member: sender.number, clientOrderId: command.clientOrderId };
    return { receipt, verdict, sequence, order };
  }

  #decide(sender: MemberState, command: OrderCommand | CancelCommand, logged: LoggedCommand): VerdictName | null {
    const { book } = this;
    const { sequence } = logged;
    const { number } = sender;
    if (command.type === 'cancel') return VERDICTS[book.cancel(number, command.clientOrderId, sequence)] ?? null;
    if (!sender.active) return 'unknown_member';
    if (!this.#coverElsewhere(sender, logged.reserved)) return null;
    const { clientOrderId, limit, energy, replaces = NOT_REPLACING, clockOffMs } = command;
    const [side, type] = [SIDES.indexOf(command.side), ORDER_TYPES.indexOf(command.orderType)];
    const code = book.place(number, clientOrderId, side, type, limit, energy, replaces, clockOffMs, sequence);
    return VERDICTS[code] ?? null;
  }

  /**
   * Puts on the member what it had reserved in other products: the log says how much it was in all, and the replayed book
   * knows its own part. False where the log names less than this product alone had reserved.
   */
  #coverElsewhere({ number, collateral }: MemberState, reserved: number | null): boolean {
    if (collateral === null || reserved === null) return collateral === reserved;
    const { members, reserveElsewhere } = this.#opened;
    const before = this.#elsewhere.get(number) ?? 0;
    const elsewhere = reserved - (members.reserved(number) - before);
    if (elsewhere < 0) return false;
    reserveElsewhere(number, elsewhere - before);
    this.#elsewhere.set(number, elsewhere);
    return true;
  }

  #enter(state: MemberState): void {
    const { members } = this.#opened;
    const { number, id, capability, collateral, group, zone, halted } = state;
    const rules = { capability: wh(capability), collateral, group, zone };
    if (number === members.count) members.admit(id, rules);
    else members.change(number, rules);
    members.halt(number, halted);
  }
}
