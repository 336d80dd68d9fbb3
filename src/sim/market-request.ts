import type { CancelCommand, OrderCommand } from '../domain/engine/command.ts';
import type { CancelVerdict, OrderVerdict } from '../domain/market/order.ts';

/** What a member sends, verified: a command that has no place in time yet. */
export type MarketRequest = Omit<OrderCommand, 'at'> | Omit<CancelCommand, 'at'>;

/** `disk_full`: not journaled, so not remembered. */
export type MarketAnswer = OrderVerdict | CancelVerdict | { readonly ok: false; readonly code: 'disk_full' };

interface MarketReply {
  readonly request: MarketRequest;
  readonly answer: MarketAnswer;
}

/** What the bus carries: one request or several at once, and the answer to one. */
export type MarketMessage = readonly MarketRequest[] | MarketReply;

/** The order that a request speaks of. */
export function requestKey({ product, member, clientOrderId }: MarketRequest): string {
  return `${product} ${member} ${clientOrderId}`;
}

export function describeRequest(request: MarketRequest): string {
  const { type, product, member, clientOrderId } = request;
  const name = `${type} ${clientOrderId} of ${member} for ${product}`;
  if (request.type === 'cancel') return name;
  const { side, orderType, energy, limit, replaces } = request;
  return `${name}: ${side} ${orderType} ${energy} Wh at ${limit}${replaces === undefined ? '' : ` for ${replaces}`}`;
}
