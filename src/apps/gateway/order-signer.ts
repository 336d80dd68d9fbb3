import { signCancel, signOrder } from '../../adapters/keys/order-signatures.ts';
import type { CancelMessage, OrderMessage } from '../../adapters/mqtt/wire.ts';
import type { MarketId, MemberId } from '../../domain/units/identity.ts';

/** Signs what a member sends, with its key and for its market's chain. */
export type OrderSigner = (
  message: Omit<OrderMessage, 'signature'> | Omit<CancelMessage, 'signature'>,
) => Promise<string>;

export function orderSigner(owner: { market: string; member: string; chainId: number }, key: Uint8Array): OrderSigner {
  const market = owner.market as MarketId;
  const member = owner.member as MemberId;
  return async (message) => {
    const { product, clientOrderId } = message;
    const orderKey = { market, member, product, clientOrderId };
    if (message.kind === 'cancel') return signCancel(owner.chainId, orderKey, key);
    const { side, type, limit, energy } = message;
    return signOrder(owner.chainId, { ...orderKey, side, type, limit, energy }, key);
  };
}
