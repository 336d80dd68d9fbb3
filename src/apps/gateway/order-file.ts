import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeStateFile } from '../../adapters/process/state-file.ts';
import { NO_PLAN, type OpenPlan } from '../../domain/interval-cycle.ts';
import type { ClientOrderId, Order } from '../../domain/market/order.ts';
import type { EpochMs } from '../../domain/units/time.ts';

/** What a gateway has on the market for one product, and what of it the engine has not answered. */
export interface Standing {
  readonly plan: OpenPlan;
  /** Orders of the plan that were sent, or were about to be. */
  readonly unanswered: readonly ClientOrderId[];
  /** Orders that are withdrawn, or were about to be. */
  readonly withdrawing: readonly ClientOrderId[];
}

export const NOTHING_SENT: Standing = { plan: NO_PLAN, unanswered: [], withdrawing: [] };

export type Standings = Map<EpochMs, Standing>;

const whole = z.int();
const number = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);
const order = z.strictObject({
  market: z.string(),
  product: whole,
  member: z.string(),
  clientOrderId: number,
  side: z.enum(['buy', 'sell']),
  type: z.enum(['limit', 'market']),
  limit: whole,
  energy: whole,
});
const standing = z.strictObject({
  plan: z.strictObject({ orders: z.array(order.transform((fields) => fields as Order)), nextClientOrderId: number }),
  unanswered: z.array(number),
  withdrawing: z.array(number),
});
const file = z.array(z.tuple([whole.transform((at) => at as EpochMs), standing]));

/** Empty where there is no file, or one that cannot be read: then the engine's answers tell which numbers are taken. */
export function readOrders(path: string, log: (line: string) => void): Standings {
  if (!existsSync(path)) return new Map();
  try {
    return new Map(file.parse(JSON.parse(readFileSync(path, 'utf8'))));
  } catch {
    log(`${path} cannot be read: the numbers of earlier orders are found by asking`);
    return new Map();
  }
}

/** @throws Fault DISK_FULL, STATE_UNWRITABLE */
export function writeOrders(path: string, standings: Standings): void {
  writeStateFile(path, JSON.stringify([...standings]));
}
