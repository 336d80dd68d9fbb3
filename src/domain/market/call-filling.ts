import type { CallClearingRules, CallOrders, CallPlan, CallResult, SharedLevel } from './call-clearing.ts';
import { CALL_KEY, CALL_OPEN, CALL_STRIDE, positionsAt } from './call-levels.ts';
import { shareLevel } from './level-sharing.ts';
import { fateCode } from './verdict.ts';

/** What each order got, and why not more. */
export type CallFills = Pick<CallResult, 'filled' | 'fate'>;

const FILLED = fateCode('filled');
const PARTLY_FILLED = fateCode('partly_filled');
const RATIONED_OUT = fateCode('rationed_out');
const PRICE_NOT_REACHED = fateCode('price_not_reached');
const NO_TRADE = fateCode('no_trade');

/** Brings a plan down to the orders: one pass for the full and the empty levels, then the shared ones. */
export function fillOrders(
  orders: CallOrders,
  rules: CallClearingRules,
  levels: Int32Array,
  plan: CallPlan,
): CallFills {
  const outcomes = outcomesOf(orders, rules.tick, levels, plan);
  const fills = fillByLevel(orders, outcomes, plan.prices.length > 1);
  for (const shared of plan.shared) fillShared(orders, shared, rules, fills);
  return fills;
}

/**
 * By level: the fate of its orders, and above the low byte a mask for their energy, all or nothing. A branch would be
 * guessed wrong every second time on orders that come in no order.
 */
function outcomesOf(
  { base, ticks }: CallOrders,
  tick: number,
  levels: Int32Array,
  { given, prices }: CallPlan,
): Int32Array {
  const outcomes = new Int32Array(levels.length);
  for (let level = 0, zone = 0; zone < prices.length; zone++) {
    const price = prices[zone] ?? null;
    for (let key = 0; key < 2 * ticks; key++, level++) {
      const part = given[level] as number;
      if (part > 0) outcomes[level] = part === levels[level] ? FILLED | ~0xff : PARTLY_FILLED;
      else outcomes[level] = price === null ? NO_TRADE : unfilledFate(key, base + (key >> 1) * tick, price);
    }
  }
  return outcomes;
}

function unfilledFate(key: number, limit: number, price: number): number {
  const hasReached = (key & 1) === 0 ? limit >= price : limit <= price;
  return hasReached ? RATIONED_OUT : PRICE_NOT_REACHED;
}

function fillByLevel(orders: CallOrders, outcomes: Int32Array, isZoned: boolean): CallFills {
  const { hot, count, ticks } = orders;
  const filled = new Int32Array(count);
  const fate = new Uint8Array(count);
  for (let position = 0, word = 0; position < count; position++, word += CALL_STRIDE) {
    const open = hot[word + CALL_OPEN] as number;
    if (open === 0) continue;
    const key = hot[word + CALL_KEY] as number;
    const level = isZoned ? (key + orders.zone(position) * 2 * ticks) | 0 : key;
    const outcome = outcomes[level] as number;
    fate[position] = outcome & 0xff;
    filled[position] = open & (outcome >> 8);
  }
  return { filled, fate };
}

function fillShared(
  orders: CallOrders,
  { key, zones, given }: SharedLevel,
  { rationing }: CallClearingRules,
  { filled, fate }: CallFills,
): void {
  const positions = positionsAt(orders, key, zones);
  const shares = shareLevel(orders, positions, given, rationing);
  for (let at = 0; at < positions.length; at++) {
    const position = positions[at] as number;
    const share = shares[at] as number;
    const isWhole = share === orders.hot[position * CALL_STRIDE + CALL_OPEN];
    filled[position] = share;
    if (isWhole) fate[position] = FILLED;
    else if (share > 0) fate[position] = PARTLY_FILLED;
    // Its zone got something. Where it got nothing, the fate by its zone's price stands already.
    else if (fate[position] === PARTLY_FILLED || fate[position] === FILLED) fate[position] = RATIONED_OUT;
  }
}
