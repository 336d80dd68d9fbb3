import type { Book, MemberNumber, MemberRules, OrderState } from '../../src/domain/market/book.ts';
import type { MarketCommand } from './market-command.ts';
import type { GateOrder } from './zonal-optimality.ts';

/** What an observer of the commands and their answers knows: members' rules, and in which zone an order was accepted. */
export class AcceptanceLog {
  readonly #rules: MemberRules[] = [];
  readonly #ids: string[] = [];
  readonly #zones = new Map<string, number>();
  /** A member came into another owner group: what stands may then be of one group on both sides. */
  hasMovedGroups = false;

  note(command: MarketCommand, answer: string | null): void {
    if (command.kind === 'admit') {
      this.#rules.push(command.rules);
      this.#ids.push(command.id);
    }
    if (command.kind === 'change') {
      if (this.rulesOf(command.member).group !== command.rules.group) this.hasMovedGroups = true;
      this.#rules[command.member] = command.rules;
    }
    if (command.kind !== 'place' || answer !== 'accepted') return;
    this.#zones.set(keyOf(command.book, command), this.rulesOf(command.member).zone);
  }

  rulesOf(member: MemberNumber): MemberRules {
    const rules = this.#rules[member];
    if (rules === undefined) throw new Error(`no member ${member}`);
    return rules;
  }

  zoneOf(position: number, order: { member: MemberNumber; clientOrderId: number }): number {
    return this.#zones.get(keyOf(position, order)) ?? 0;
  }

  /** The limit without the grid fee of the buyer's zone, floored to the tick. */
  bookPriceOf({ rules: { fees, tick } }: Book, position: number, order: OrderState): number {
    if (order.side === 1) return order.limit;
    return Math.floor((order.limit - (fees[this.zoneOf(position, order)] ?? 0)) / tick) * tick;
  }

  /** What stands now. */
  standingIn(book: Book, position: number): GateOrder[] {
    const standing: GateOrder[] = [];
    for (let at = 0; at < book.orderCount; at += 1) {
      const order = book.orderAt(at);
      if (order.open === 0) continue;
      const { member, clientOrderId, sequence, side, open } = order;
      standing.push({
        member,
        memberId: this.#ids[member] ?? '',
        clientOrderId,
        sequence,
        isBuy: side === 0,
        price: this.bookPriceOf(book, position, order),
        energy: open,
        zone: this.zoneOf(position, order),
      });
    }
    return standing;
  }
}

function keyOf(position: number, { member, clientOrderId }: { member: MemberNumber; clientOrderId: number }): string {
  return `${position} ${member} ${clientOrderId}`;
}
