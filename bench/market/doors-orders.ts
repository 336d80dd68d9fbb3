import type { EpochMs } from '../../src/domain/units/time.ts';
import type { LoadMembers } from './doors-members.ts';

/** An order that was signed before the clock started. */
export interface ReadyOrder {
  readonly member: number;
  readonly clientOrderId: number;
  /** As the wire carries it, without the member. */
  readonly json: string;
}

/** Signs orders for one product, each with a number of its own. */
export class OrderMaker {
  readonly #members: LoadMembers;
  readonly #product: EpochMs;
  readonly #made: number[];
  #turn = 0;

  constructor(members: LoadMembers, product: EpochMs) {
    this.#members = members;
    this.#product = product;
    this.#made = members.ids.map(() => 0);
  }

  /** Of all members in turn. */
  inTurn(count: number): ReadyOrder[] {
    return Array.from({ length: count }, () => {
      const member = this.#turn;
      this.#turn = (member + 1) % this.#members.ids.length;
      return this.#next(member);
    });
  }

  of(member: number, count: number): ReadyOrder[] {
    return Array.from({ length: count }, () => this.#next(member));
  }

  #next(member: number): ReadyOrder {
    const clientOrderId = (this.#made[member] ?? 0) + 1;
    this.#made[member] = clientOrderId;
    return { member, clientOrderId, json: this.#members.order(member, this.#product, clientOrderId) };
  }
}
