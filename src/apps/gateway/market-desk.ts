import { join } from 'node:path';
import type { FollowingClock } from '../../adapters/clock/market-clock.ts';
import { subscribeJson } from '../../adapters/mqtt/json-topics.ts';
import { marketTopic, productsMessage } from '../../adapters/mqtt/wire.ts';
import { oneWayEfficiencyPpm } from '../../domain/dispatch/battery-rule.ts';
import type { MeasuredLoad } from '../../domain/forecast/load.ts';
import type { DeviceBus } from '../../domain/ports.ts';
import { mulDivFloor } from '../../domain/units/division.ts';
import { wh, ZERO_WH } from '../../domain/units/energy.ts';
import type { MarketId, MemberId } from '../../domain/units/identity.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { type AgentTerms, Bidder, type HomeNow } from './bidding.ts';
import type { GatewayConfig } from './gateway-config.ts';
import type { HomeWatch } from './home-watch.ts';
import { openOrderClient } from './order-client.ts';
import { orderSigner } from './order-signer.ts';
import type { ReadySign } from './ready-sign.ts';
import { StandingOrders } from './standing-orders.ts';

/** The agent of one home at its market. */
export interface MarketDesk {
  /** The last plan of the products whose gate closes at `gate`. */
  lastPlan(gate: EpochMs): Promise<void>;
  /** Resolves when nothing is on its way. */
  settled(): Promise<void>;
  close(): void;
}

export interface DeskParts {
  readonly bus: DeviceBus;
  readonly clock: FollowingClock;
  readonly key: Uint8Array;
  readonly home: HomeWatch;
  readonly measured: MeasuredLoad;
  readonly ready: ReadySign;
  log(line: string): void;
}

const REPEAT_MS = 2000;
const ATTEMPTS = 15;

/** Plans and bids whenever the engine says which products take orders. */
export async function openMarketDesk(config: GatewayConfig, parts: DeskParts): Promise<MarketDesk> {
  const { bus, clock, key, home, measured, ready, log } = parts;
  const { market, member, chain_id: chainId, state } = config;
  const sign = orderSigner({ market, member, chainId }, key);
  const client = await openOrderClient({ bus, market, member, repeatMs: REPEAT_MS, attempts: ATTEMPTS, sign });
  const orders = new StandingOrders(client, join(state, 'orders.json'), log);
  const bidder = new Bidder(agentTerms(config), measured, orders);
  await subscribeJson(bus, marketTopic(market, 'products'), productsMessage, (products) => {
    const now = clock.now();
    void bidder.open(products, now, homeNow(home, config.agent)).then(() => ready.say(now));
  });
  return {
    lastPlan: (gate) => bidder.lastPlan(gate, clock.now(), homeNow(home, config.agent)),
    settled: () => bidder.settled(),
    close: () => client.close(),
  };
}

function agentTerms(config: GatewayConfig): AgentTerms {
  const { market, member, interval: lengthMs, timezone, agent } = config;
  const { sell_at_least_per_kwh: sellAtLeast, buy_at_most_per_kwh: buyAtMost } = agent ?? {};
  return {
    market: market as MarketId,
    member: member as MemberId,
    lengthMs,
    timezone,
    preference: {
      ...(sellAtLeast === undefined ? {} : { sellAtLeast }),
      ...(buyAtMost === undefined ? {} : { buyAtMost }),
    },
  };
}

/** What a plan reckons with. A battery that is absent or silent is left out; without its meter a home does not trade. */
function homeNow(home: HomeWatch, agent: GatewayConfig['agent']): HomeNow {
  if (!home.isMeasured()) return null;
  const battery = home.battery();
  if (battery === null || agent === undefined) return { battery: null, stored: ZERO_WH };
  const { round_trip_efficiency: efficiency, sell_above_soc: sellAbove } = agent;
  const { capacity, maxCharge: maxPower, socPermille } = battery;
  const sellAbovePermille = sellAbove === undefined ? null : Math.round(sellAbove * 1000);
  return {
    battery: { capacity, maxPower, oneWayPpm: oneWayEfficiencyPpm(efficiency), sellAbovePermille },
    stored: wh(mulDivFloor(capacity, socPermille, 1000)),
  };
}
