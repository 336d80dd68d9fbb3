import { applyRecord } from '../../domain/engine/apply-record.ts';
import type { Command, MarketTerms } from '../../domain/engine/command.ts';
import { JournalNumbers } from '../../domain/engine/command-reader.ts';
import { encodeCommand } from '../../domain/engine/command-record.ts';
import { newEngineState } from '../../domain/engine/state.ts';
import type { Wh } from '../../domain/units/energy.ts';
import { type PricePerKwh, pricePerKwh } from '../../domain/units/price.ts';
import { type EpochMs, epochMs } from '../../domain/units/time.ts';

const ORDERS = 20_000;
const SIGNATURE = `0x${'00'.repeat(64)}1b`;

/**
 * Runs a product of many orders on a state that is thrown away, so that the first real order meets compiled code: a cold
 * engine takes milliseconds for what a warm one does in microseconds. A journal that was replayed has done the same.
 */
export function warmUp(terms: MarketTerms, tariff: { importPrice: PricePerKwh; exportPrice: PricePerKwh }): void {
  if (tariff.importPrice <= tariff.exportPrice) return;
  const state = newEngineState();
  const numbers = new JournalNumbers();
  const product = epochMs(terms.lookAheadMs);
  const take = (command: Command) => {
    numbers.see(command);
    applyRecord(state, encodeCommand(command, numbers));
  };
  take({ type: 'terms', at: epochMs(0), terms });
  take({ type: 'open', at: epochMs(0), product, tariff });
  for (let turn = 0; turn < ORDERS; turn += 1) take(orderOf(terms, tariff, product, turn));
  take({ type: 'close', at: epochMs(0), product });
}

/** Members in turn, half of them buyers, all over the band; every fifth command withdraws the order before it. */
function orderOf(
  { members, tick }: MarketTerms,
  { importPrice, exportPrice }: { importPrice: PricePerKwh; exportPrice: PricePerKwh },
  product: EpochMs,
  turn: number,
): Command {
  const place = turn % members.length;
  const member = members[place]?.id;
  if (member === undefined) throw new Error('bug: a market without members');
  const key = { at: epochMs(0), product, member, clientOrderId: turn, signature: SIGNATURE };
  if (turn % 5 === 4) return { type: 'cancel', ...key, clientOrderId: turn - members.length };
  const ticks = Math.floor((importPrice - exportPrice) / tick);
  const limit = pricePerKwh((Math.ceil(exportPrice / tick) + ((turn * 7919) % Math.max(1, ticks))) * tick);
  const side = place % 2 === 0 ? 'buy' : 'sell';
  return { type: 'order', ...key, side, orderType: 'limit', limit, energy: (1 + (turn % 10)) as Wh, clockOffMs: 0 };
}
