import type { CancelVerdict, ClientOrderId, OrderVerdict } from '../market/order.ts';
import type { Clearing, Trade } from '../market/trade.ts';
import type { IntervalSettlement } from '../settlement/interval-settlement.ts';
import type { MemberId } from '../units/identity.ts';
import type { PriceBand, Tariff, TariffRefusal } from '../units/tariff.ts';
import type { EpochMs } from '../units/time.ts';

/** What a command led to. Events are computed again on every replay and are never journaled. */
export type EngineEvent =
  | { readonly type: 'terms_changed' }
  | {
      readonly type: 'opened';
      readonly product: EpochMs;
      readonly tariff: Tariff;
      readonly band: PriceBand | TariffRefusal;
    }
  | {
      readonly type: 'answered';
      readonly kind: 'order';
      readonly product: EpochMs;
      readonly member: MemberId;
      readonly clientOrderId: ClientOrderId;
      readonly verdict: OrderVerdict;
    }
  | {
      readonly type: 'answered';
      readonly kind: 'cancel';
      readonly product: EpochMs;
      readonly member: MemberId;
      readonly clientOrderId: ClientOrderId;
      readonly verdict: CancelVerdict;
    }
  | { readonly type: 'traded'; readonly product: EpochMs; readonly trades: readonly Trade[] }
  | { readonly type: 'halted'; readonly member: MemberId | null; readonly halted: boolean }
  | { readonly type: 'cleared'; readonly product: EpochMs; readonly clearing: Clearing }
  | { readonly type: 'baseline'; readonly boundary: EpochMs }
  | { readonly type: 'settled'; readonly settlement: IntervalSettlement };
