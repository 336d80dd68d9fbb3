import { assert, assertSafeInteger } from '../units/assert.ts';
import { wh } from '../units/energy.ts';
import type { ZoneLimit } from './book.ts';
import type { ZoneEnergy } from './call-clearing.ts';

/** How much may flow between zones, Wh: the word from x zones + to. */
export interface ZoneNetwork {
  readonly zones: number;
  readonly capacity: Float64Array;
}

/** What flows, Wh, net: the word from x zones + to, and its negative in the word the other way round. */
export type ZoneFlows = Float64Array;

/** Limits of the same two zones in the same direction add up. */
export function networkOf(zones: number, limits: readonly ZoneLimit[]): ZoneNetwork {
  const capacity = new Float64Array(zones * zones);
  for (const limit of limits) {
    assert(limit.from >= 0 && limit.from < zones && limit.to >= 0 && limit.to < zones, 'a limit of no zone');
    assert(limit.from !== limit.to && limit.capacity >= 0, 'a limit of a zone with itself, or below zero');
    const word = limit.from * zones + limit.to;
    capacity[word] = (capacity[word] as number) + limit.capacity;
    assertSafeInteger(capacity[word] as number, 'capacity between two zones');
  }
  return { zones, capacity };
}

export function noFlows({ zones }: ZoneNetwork): ZoneFlows {
  return new Float64Array(zones * zones);
}

/** How much more may flow: what is free, and what comes the other way and can stay there. */
export function roomBetween({ zones, capacity }: ZoneNetwork, flows: ZoneFlows, from: number, to: number): number {
  const word = from * zones + to;
  return (capacity[word] as number) - (flows[word] as number);
}

/** The zones in groups between which nothing can ever flow; zones and groups rise. */
export function separateParts(network: ZoneNetwork): number[][] {
  const parts: number[][] = [];
  const part = new Array<number>(network.zones).fill(-1);
  for (let zone = 0; zone < network.zones; zone++) {
    if (part[zone] !== -1) continue;
    const members = [zone];
    part[zone] = parts.length;
    for (const from of members) {
      for (let to = 0; to < network.zones; to++) {
        const isJoined = network.capacity[from * network.zones + to] || network.capacity[to * network.zones + from];
        if (part[to] !== -1 || !isJoined) continue;
        part[to] = parts.length;
        members.push(to);
      }
    }
    parts.push(members.sort((a, b) => a - b));
  }
  return parts;
}

/** The ways with room from one zone, over the fewest limits. */
export interface ZonePaths {
  readonly start: number;
  /** By zone: how many limits away, or -1. */
  readonly hops: Int32Array;
  /** By zone: the zone before it. */
  readonly before: Int32Array;
}

export function pathsFrom(network: ZoneNetwork, flows: ZoneFlows, start: number): ZonePaths {
  const hops = new Int32Array(network.zones).fill(-1);
  const before = new Int32Array(network.zones).fill(-1);
  hops[start] = 0;
  const seen = [start];
  for (const from of seen) {
    for (let to = 0; to < network.zones; to++) {
      if (hops[to] !== -1 || roomBetween(network, flows, from, to) <= 0) continue;
      hops[to] = (hops[from] as number) + 1;
      before[to] = from;
      seen.push(to);
    }
  }
  return { start, hops, before };
}

/** The least room along the way to that zone; to the start itself there is no end of it. */
export function roomAlong(network: ZoneNetwork, flows: ZoneFlows, { start, before }: ZonePaths, end: number): number {
  let room = Number.POSITIVE_INFINITY;
  for (let to = end; to !== start; to = before[to] as number) {
    room = Math.min(room, roomBetween(network, flows, before[to] as number, to));
  }
  return room;
}

export function pushAlong(flows: ZoneFlows, { start, before, hops }: ZonePaths, end: number, energy: number): void {
  for (let to = end; to !== start; to = before[to] as number) {
    const from = before[to] as number;
    const word = from * hops.length + to;
    const opposite = to * hops.length + from;
    flows[word] = (flows[word] as number) + energy;
    flows[opposite] = -(flows[word] as number);
  }
}

/** What flows, by limit. */
export function flowsOf({ zones }: ZoneNetwork, flows: ZoneFlows): ZoneEnergy[] {
  const named: ZoneEnergy[] = [];
  flows.forEach((energy, word) => {
    if (energy > 0) named.push({ from: Math.floor(word / zones), to: word % zones, energy: wh(energy) });
  });
  return named;
}
