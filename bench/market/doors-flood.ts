import { atRate, openLoop, quantile } from './doors-load.ts';
import type { LoadDoor } from './doors-open.ts';
import type { OrderMaker, ReadyOrder } from './doors-orders.ts';
import { median, rounded } from './rounds.ts';

export interface FloodSize {
  readonly members: number;
  /** Of all members together. */
  readonly perSecond: number;
  readonly pairs: number;
  readonly floodSeconds: number;
}

const TIMES_ITS_SHARE = 1000;
const FLOODER = 0;

/** Others' answers while one member sends a thousand times its share, against those while it does not, pair by pair. */
export async function measureFlood(
  door: LoadDoor,
  maker: OrderMaker,
  size: FloodSize,
): Promise<Record<string, string | number>> {
  const floodPerSecond = (size.perSecond / size.members) * TIMES_ITS_SHARE;
  const pairs: Pair[] = [];
  for (let pair = 0; pair < size.pairs; pair += 1) {
    const first = await othersP99(door, maker, size, pair % 2 === 0 ? 0 : floodPerSecond);
    const second = await othersP99(door, maker, size, pair % 2 === 0 ? floodPerSecond : 0);
    pairs.push(pair % 2 === 0 ? { calm: first, flooded: second } : { calm: second, flooded: first });
  }
  const ratio = median(pairs.map(({ calm, flooded }) => flooded / calm));
  return {
    ...{ bench: 'market', flood: 'mqtt', members: size.members, ordersPerSecond: size.perSecond, floodPerSecond },
    calmMsP99: rounded(median(pairs.map(({ calm }) => calm))),
    floodedMsP99: rounded(median(pairs.map(({ flooded }) => flooded))),
    ...{ ratio: rounded(ratio), pairs: pairs.length },
    ...{ bar: 'flood', measured: (ratio - 1) * 100 },
  };
}

interface Pair {
  readonly calm: number;
  readonly flooded: number;
}

async function othersP99(
  door: LoadDoor,
  maker: OrderMaker,
  { perSecond, floodSeconds }: FloodSize,
  floodPerSecond: number,
): Promise<number> {
  const orders = maker.inTurn(perSecond * floodSeconds).filter(({ member }) => member !== FLOODER);
  const flood = maker.of(FLOODER, Math.round(floodPerSecond * floodSeconds));
  const flooding = atRate(flood.length, floodPerSecond, (at) => void door.send(flood[at] as ReadyOrder));
  const { waits } = await openLoop(door, orders, perSecond);
  await flooding;
  return quantile(waits, 0.99);
}
