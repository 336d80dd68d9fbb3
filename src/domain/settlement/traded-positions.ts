import { assert } from '../units/assert.ts';
import { addWh, type Wh, ZERO_WH } from '../units/energy.ts';
import type { MemberId } from '../units/identity.ts';
import { amountOf, type Nano, type NanoTotal, ZERO_NANO } from '../units/money.ts';
import { floorToTick, type PricePerKwh, pricePerKwh } from '../units/price.ts';
import type { TradeAmounts } from './interval-settlement.ts';

/** What settlement needs of a trade. `sellerPrice`: between zones of different prices; absent: what the buyer pays. */
export interface SettledTrade {
  readonly buyer: MemberId;
  readonly seller: MemberId;
  readonly energy: Wh;
  readonly price: PricePerKwh;
  readonly sellerPrice?: PricePerKwh;
}

/** What all trades of a product come to for one member. */
export interface TradedPosition {
  readonly bought: Wh;
  readonly sold: Wh;
  readonly tradeAmounts: TradeAmounts;
}

export interface TradedPositions {
  readonly members: ReadonlyMap<MemberId, TradedPosition>;
  /** The one local price that anchors the imbalance prices; null where nothing traded. */
  readonly price: PricePerKwh | null;
  /** What buyers paid more than sellers got, nano-currency: the community's. */
  readonly zoneRent: NanoTotal;
}

const NOTHING: TradedPosition = {
  bought: ZERO_WH,
  sold: ZERO_WH,
  tradeAmounts: { bought: ZERO_NANO, sold: ZERO_NANO },
};

/**
 * The trades of a product by member, each at its own price. The local price is the mean of what buyers paid and sellers
 * got, weighted by Wh, floored to the tick toward minus infinity; where all trades have one price it is that price.
 */
export function tradedPositions(trades: readonly SettledTrade[], tick: number): TradedPositions {
  const members = new Map<MemberId, TradedPosition>();
  let [paid, received, traded] = [0n, 0n, 0n];
  for (const { buyer, seller, energy, price, sellerPrice = price } of trades) {
    const [pays, gets] = [amountOf(price, energy), amountOf(sellerPrice, energy)];
    members.set(buyer, withPurchase(members.get(buyer) ?? NOTHING, energy, pays));
    members.set(seller, withSale(members.get(seller) ?? NOTHING, energy, gets));
    paid += BigInt(pays);
    received += BigInt(gets);
    traded += BigInt(energy);
  }
  const price = traded === 0n ? null : meanPrice(paid + received, 2n * traded, tick);
  return { members, price, zoneRent: (paid - received) as NanoTotal };
}

function withPurchase(position: TradedPosition, energy: Wh, pays: Nano): TradedPosition {
  const { bought, sold } = position.tradeAmounts;
  const tradeAmounts = { bought: exact(bought - pays), sold };
  return { ...position, bought: addWh(position.bought, energy), tradeAmounts };
}

function withSale(position: TradedPosition, energy: Wh, gets: Nano): TradedPosition {
  const { bought, sold } = position.tradeAmounts;
  const tradeAmounts = { bought, sold: exact(sold + gets) };
  return { ...position, sold: addWh(position.sold, energy), tradeAmounts };
}

function meanPrice(amount: bigint, energy: bigint, tick: number): PricePerKwh {
  const floored = amount / energy - (amount % energy < 0n ? 1n : 0n);
  return floorToTick(pricePerKwh(Number(floored)), tick);
}

function exact(amount: number): Nano {
  assert(Number.isSafeInteger(amount), `the trades of one member come to ${amount}, which is not exact`);
  return (amount === 0 ? 0 : amount) as Nano;
}
