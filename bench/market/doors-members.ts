import { instantiateSecp256k1 } from '@bitauth/libauth/build/lib/crypto/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { demoOrderKey } from '../../src/adapters/keys/demo-keys.ts';
import { toHex } from '../../src/adapters/keys/hex.ts';
import { orderDigest } from '../../src/adapters/keys/order-signatures.ts';
import type { Order } from '../../src/domain/market/order.ts';
import { wh } from '../../src/domain/units/energy.ts';
import type { MarketId, MemberId } from '../../src/domain/units/identity.ts';
import { pricePerKwh } from '../../src/domain/units/price.ts';
import { type EpochMs, epochMs } from '../../src/domain/units/time.ts';

export const DOOR_MARKET = 'bench' as MarketId;
export const DOOR_SEED = 7;
export const DOOR_CHAIN = 31_337;

/** Members of a market under load: who they are, and their orders as they go over the wire, signed. */
export interface LoadMembers {
  readonly ids: readonly MemberId[];
  /** Lower-case EVM accounts, in the order of the ids. */
  readonly addresses: readonly string[];
  /** An order of that member by number, as JSON; even numbers buy, odd ones sell. */
  order(member: number, product: EpochMs, clientOrderId: number): string;
}

const LOWEST_LIMIT = 100_000;
const LIMIT_STEP = 1_000;
const LIMITS = 150;
const LEAST_WH = 10;
const ENERGIES = 90;
const PARITY_OFFSET = 27;

/** Keys of the public demo seed, signed with libsecp256k1: a benchmark needs many signatures before it begins. */
export async function openLoadMembers(count: number): Promise<LoadMembers> {
  const curve = await instantiateSecp256k1();
  const ids = Array.from({ length: count }, (_, member) => `home-${member}` as MemberId);
  const keys = ids.map((id) => demoOrderKey(DOOR_SEED, id));
  const sign = (member: number, order: Order) => {
    const signed = curve.signMessageHashRecoverableCompact(
      keys[member] ?? new Uint8Array(),
      orderDigest(DOOR_CHAIN, order),
    );
    if (typeof signed === 'string') throw new Error(signed);
    return `${toHex(signed.signature)}${(signed.recoveryId + PARITY_OFFSET).toString(16)}`;
  };
  const addressOf = (key: Uint8Array) => {
    const point = curve.derivePublicKeyUncompressed(key);
    if (typeof point === 'string') throw new Error(point);
    return toHex(keccak_256(point.subarray(1)).subarray(-20));
  };
  return {
    ids,
    addresses: keys.map(addressOf),
    order(member, product, clientOrderId) {
      const { market: _, member: __, ...order } = orderOf(ids[member] as MemberId, member, product, clientOrderId);
      const signature = sign(member, { ...order, market: DOOR_MARKET, member: ids[member] as MemberId });
      return JSON.stringify({ kind: 'order', ...order, signature });
    },
  };
}

/** Limits of both sides overlap, so that every gate has trades. */
function orderOf(id: MemberId, member: number, product: number, clientOrderId: number): Order {
  const spread = (member * 7 + clientOrderId * 13) % LIMITS;
  return {
    ...{ market: DOOR_MARKET, member: id, product: epochMs(product), clientOrderId },
    ...{ side: member % 2 === 0 ? 'buy' : 'sell', type: 'limit' },
    limit: pricePerKwh(LOWEST_LIMIT + spread * LIMIT_STEP),
    energy: wh(LEAST_WH + (spread % ENERGIES)),
  };
}
