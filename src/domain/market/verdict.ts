import { type CancelVerdict, ORDER_FATES, ORDER_REFUSALS, type OrderFate, type OrderVerdict } from './order.ts';

/** Every answer to an order or a withdrawal. Its place is its number inside one version of the engine; names alone leave it. */
export const VERDICTS = ['accepted', 'exists', 'cancelled', 'unknown_order', 'not_open', ...ORDER_REFUSALS] as const;

export type VerdictName = OrderVerdict['code'] | CancelVerdict['code'];

/** The place of an answer in `VERDICTS`. */
export type VerdictCode = number;

/** The place of a fate in `ORDER_FATES`. */
export type FateCode = number;

export function verdictCode(name: VerdictName): VerdictCode {
  return VERDICTS.indexOf(name);
}

export function fateCode(name: OrderFate): FateCode {
  return ORDER_FATES.indexOf(name);
}
