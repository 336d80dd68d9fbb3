import type { MarketTerms } from '../../domain/engine/command.ts';
import type { EngineState, Product } from '../../domain/engine/state.ts';
import { type DuePoint, duePoints, nextDue } from '../../domain/market/due-points.ts';
import { gateClosureOf, isProductOpen, productsToOpen } from '../../domain/market/products.ts';
import type { Tariff } from '../../domain/units/tariff.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import type { CommandWriter } from './command-writer.ts';
import type { MeterDesk } from './meter-desk.ts';

/** The time the loop runs on. In real time `holdUntil` does nothing but remember. */
export interface LoopClock {
  now(): EpochMs;
  /** Resolves when market time has reached `at`; never when the loop was stopped. */
  until(at: EpochMs): Promise<void>;
  /** Lets market time run on from `from` to `holdAt`, where it stands until the next call. */
  release(from: EpochMs, holdAt: EpochMs): void;
}

/** Who has to be heard before market time may pass a due point. */
export interface Roll {
  /** Resolves when all have said that they are done with `at`, or their time is up. */
  ready(point: DuePoint): Promise<void>;
}

export interface LoopParts {
  readonly writer: CommandWriter;
  readonly clock: LoopClock;
  readonly roll: Roll;
  readonly meters: MeterDesk;
  readonly feeder: string;
  readonly terms: MarketTerms;
  tariffAt(interval: EpochMs): Tariff;
  /** Called when the products that take orders have changed. */
  onProducts(): Promise<void>;
  /** Called at the gate of every product, whatever was traded in it: from here on its interval can be leased. */
  onGate(product: EpochMs): Promise<unknown>;
}

/**
 * What fell due while the engine was away is done first, from the last completed point on and in order, without waiting
 * for anybody: before the doors open, every gate that should be closed is closed. A new market has nothing behind it;
 * one that ended before its first boundary begins at that boundary, so that what it traded is settled.
 */
export async function catchUp(parts: LoopParts): Promise<void> {
  const { writer, clock, terms } = parts;
  const now = clock.now();
  const { completedUntil, products } = writer.state;
  const firstProduct = products.keys().next().value ?? null;
  const from = completedUntil ?? (((firstProduct ?? now) - 1) as EpochMs);
  await closeOverdue(parts, from);
  for (const point of duePoints(from, now, terms)) await doWork(parts, point);
  await openDue(parts, now);
}

/** Where the operator moved the gates, one may lie before the point from which the due points are counted. */
async function closeOverdue({ writer, terms }: LoopParts, from: EpochMs): Promise<void> {
  const overdue = [...writer.state.products.keys()].filter((product) => gateClosureOf(product, terms) <= from);
  for (const product of overdue) if (gateIsOpen(writer.state, product)) await writer.commit({ type: 'close', product });
}

/** Runs the market from one due point to the next until `stopped`. */
export async function runMarket(parts: LoopParts, stopped: AbortSignal): Promise<void> {
  const { clock, roll, terms } = parts;
  const start = clock.now();
  await roll.ready({ at: start, gateOf: null, boundary: false });
  let point = nextDue(start, terms);
  clock.release(start, point.at);
  while (!stopped.aborted) {
    await clock.until(point.at);
    // A gate is firm: where a boundary falls on the same instant, it does not wait for that boundary's late readings.
    if (point.gateOf !== null) {
      await roll.ready({ ...point, boundary: false });
      if (stopped.aborted) return;
      await closeGate(parts, point.gateOf);
    }
    if (point.boundary) {
      await roll.ready(point);
      if (stopped.aborted) return;
      await endInterval(parts, point.at);
    }
    const next = nextDue(point.at, terms);
    clock.release(point.at, next.at);
    point = next;
  }
}

/** Everything here may be done twice: what is journaled already is not journaled again. */
async function doWork(parts: LoopParts, point: DuePoint): Promise<void> {
  if (point.gateOf !== null) await closeGate(parts, point.gateOf);
  if (point.boundary) await endInterval(parts, point.at);
}

async function closeGate(parts: LoopParts, product: EpochMs): Promise<void> {
  const { writer } = parts;
  if (gateIsOpen(writer.state, product)) {
    await writer.commit({ type: 'close', product });
    await parts.onProducts();
  }
  await parts.onGate(product);
}

async function endInterval(parts: LoopParts, boundary: EpochMs): Promise<void> {
  const { completedUntil } = parts.writer.state;
  if (completedUntil === null || completedUntil < boundary) await complete(parts, boundary);
  await openDue(parts, boundary);
}

function gateIsOpen(state: EngineState, product: EpochMs): boolean {
  const known = state.products.get(product);
  return known !== undefined && known.book !== null && known.clearing === null;
}

async function complete({ writer, meters, feeder, terms, tariffAt }: LoopParts, boundary: EpochMs): Promise<void> {
  const readings = terms.members.flatMap(({ id }) => {
    const reading = meters.at(id, boundary);
    return reading === null ? [] : [{ member: id, ...reading }];
  });
  const tariff = tariffAt((boundary - terms.lengthMs) as EpochMs);
  await writer.commit({ type: 'complete', boundary, tariff, readings, feeder: meters.at(feeder, boundary) });
}

async function openDue(parts: LoopParts, now: EpochMs): Promise<void> {
  const { writer, terms, tariffAt } = parts;
  const due = productsToOpen(now, terms, writer.state.lastOpened);
  for (const { start } of due) await writer.commit({ type: 'open', product: start, tariff: tariffAt(start) });
  if (due.length > 0) await parts.onProducts();
}

/** The products that take orders at `now`. */
export function openBooks({ products, terms }: EngineState, now: EpochMs): Product[] {
  if (terms === null) return [];
  return [...products.values()].filter(
    ({ start, book, clearing }) => book !== null && clearing === null && isProductOpen(start, now, terms),
  );
}
