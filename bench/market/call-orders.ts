import { priceAtStep } from './command-stream.ts';

/** The orders of one call, column by column. Members of an even number buy, of an odd number sell. */
export interface CallColumns {
  readonly count: number;
  readonly members: Int32Array;
  readonly clientOrderIds: Int32Array;
  readonly steps: Int32Array;
  readonly energies: Int32Array;
}

export const CALL_MEMBERS = 1000;

/** Limits spread evenly over the ladder: the curves meet near its middle. */
export function callOrders(count: number, steps: number, seed: number): CallColumns {
  let random = seed;
  const below = (bound: number) => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((random / 2 ** 32) * bound);
  };
  const sent = new Int32Array(CALL_MEMBERS);
  const columns = {
    count,
    members: new Int32Array(count),
    clientOrderIds: new Int32Array(count),
    steps: new Int32Array(count),
    energies: new Int32Array(count),
  };
  for (let at = 0; at < count; at += 1) {
    const member = below(CALL_MEMBERS);
    sent[member] = (sent[member] ?? 0) + 1;
    columns.members[at] = member;
    columns.clientOrderIds[at] = sent[member] ?? 0;
    columns.steps[at] = below(steps);
    columns.energies[at] = 1 + below(2000);
  }
  return columns;
}

export function sideAt({ members }: CallColumns, at: number): number {
  return (members[at] as number) & 1;
}

export function limitAt({ steps }: CallColumns, at: number): number {
  return priceAtStep(steps[at] as number);
}
