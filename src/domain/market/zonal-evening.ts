import type { CallOrders, SharedLevel } from './call-clearing.ts';
import { CALL_OPEN, CALL_STRIDE, positionsAt } from './call-levels.ts';
import type { Rationing } from './order.ts';
import { at, type ZoneLevels } from './zone-levels.ts';
import { pathsFrom, pushAlong, roomAlong, type ZoneNetwork } from './zone-network.ts';
import { flowsNow } from './zone-routing.ts';

/** A level that its orders in several zones have in common. */
export interface RivalLevel extends SharedLevel {
  readonly zones: ReadonlySet<number>;
}

/** Moves energy from one rival to another while that makes them more alike and finds a way. Each rival is then by itself. */
export function evenOut(
  orders: CallOrders,
  { key, zones }: RivalLevel,
  rationing: Rationing,
  zoned: ZoneLevels,
  network: ZoneNetwork,
): RivalLevel[] {
  const flows = flowsNow(zoned, network);
  const rivals = [...zones];
  const pairs = rivals.flatMap((from) => rivals.filter((to) => to !== from).map((to) => ({ from, to })));
  const energyToMove = rationing === 'pro-rata' ? inProportion(zoned, key) : inTurn(orders, zoned, key, zones);
  for (let hasMoved = true; hasMoved; ) {
    hasMoved = false;
    for (const { from, to } of pairs) {
      // A zone that sells less takes from the one that sells more; one that buys less passes on what it bought.
      const [start, end] = (key & 1) === 0 ? [from, to] : [to, from];
      const paths = pathsFrom(network, flows, start);
      if ((paths.hops[end] as number) < 0) continue;
      const energy = Math.min(energyToMove(from, to), roomAlong(network, flows, paths, end));
      if (energy === 0) continue;
      pushAlong(flows, paths, end, energy);
      zoned.given[from * 2 * zoned.ticks + key] = at(zoned.given, zoned, from, key) - energy;
      zoned.given[to * 2 * zoned.ticks + key] = at(zoned.given, zoned, to, key) + energy;
      hasMoved = true;
    }
  }
  const partial = rivals.filter((zone) => {
    const given = at(zoned.given, zoned, zone, key);
    return given > 0 && given < at(zoned.levels, zoned, zone, key);
  });
  return partial.map((zone) => ({ key, zones: new Set([zone]), given: at(zoned.given, zoned, zone, key) }));
}

/** How many Wh to take from one zone and give to the other, Wh; 0: the other is served as well, or better. */
type EnergyToMove = (from: number, to: number) => number;

/** Towards the same part of what stands. A Wh moves where it makes the sum of given^2 / stands smaller. */
function inProportion(zoned: ZoneLevels, key: number): EnergyToMove {
  return (from, to) => {
    const [give, take] = [BigInt(at(zoned.given, zoned, from, key)), BigInt(at(zoned.given, zoned, to, key))];
    const [ofFrom, ofTo] = [BigInt(at(zoned.levels, zoned, from, key)), BigInt(at(zoned.levels, zoned, to, key))];
    if ((2n * give - 1n) * ofTo <= (2n * take + 1n) * ofFrom) return 0;
    return Math.max(1, Number((give * ofTo - take * ofFrom) / (ofFrom + ofTo)));
  };
}

/** Towards the order that came earlier. */
function inTurn(orders: CallOrders, zoned: ZoneLevels, key: number, zones: ReadonlySet<number>): EnergyToMove {
  const queues = new Map([...zones].map((zone) => [zone, queueOf(orders, key, zone)]));
  return (from, to) => {
    const [queue, other] = [queues.get(from), queues.get(to)];
    const [give, take] = [at(zoned.given, zoned, from, key), at(zoned.given, zoned, to, key)];
    if (queue === undefined || other === undefined || give === 0 || take === at(zoned.levels, zoned, to, key)) return 0;
    const last = orderAt(queue, give - 1);
    const next = orderAt(other, take);
    if ((other.positions[next] as number) > (queue.positions[last] as number)) return 0;
    return Math.min(give - (queue.starts[last] as number), (other.starts[next + 1] as number) - take);
  };
}

/** Orders as they came, and the Wh before each of them; one word more than orders. */
interface Queue {
  readonly positions: Int32Array;
  readonly starts: Float64Array;
}

function queueOf(orders: CallOrders, key: number, zone: number): Queue {
  const positions = positionsAt(orders, key, new Set([zone]));
  const starts = new Float64Array(positions.length + 1);
  for (const [place, position] of positions.entries()) {
    starts[place + 1] = (starts[place] as number) + (orders.hot[position * CALL_STRIDE + CALL_OPEN] as number);
  }
  return { positions, starts };
}

/** The order that has this Wh, counted from 0. */
function orderAt({ starts }: Queue, energy: number): number {
  let [low, high] = [0, starts.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((starts[middle] as number) <= energy) low = middle;
    else high = middle;
  }
  return low;
}
