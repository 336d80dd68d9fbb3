import type { GridCode, QuantityLimits, RideThroughBand, ServiceWindow, Sides, TripLimit } from './grid-code.ts';

export type GridCodeCheck =
  | { readonly ok: true; readonly code: GridCode }
  | { readonly ok: false; readonly problem: string };

const MODES = ['mandatory', 'permissive', 'momentary', 'cease', 'none'];

/**
 * Takes the content of a grid code file. The problem names the place: `voltage.trip.high[1].above: not an integer`.
 * Refused too: limits out of order, a trip limit inside the region of continuous operation, an enter-service window
 * that reaches outside it.
 */
export function checkGridCode(data: unknown): GridCodeCheck {
  try {
    return { ok: true, code: readCode(data) };
  } catch (error) {
    if (error instanceof Problem) return { ok: false, problem: error.message };
    throw error;
  }
}

class Problem extends Error {}

function readCode(data: unknown): GridCode {
  const top = record(data, 'grid code');
  const code: GridCode = {
    name: text(top.name, 'name'),
    standard: text(top.standard, 'standard'),
    nominalFrequency: integer(top.nominalFrequency, 'nominalFrequency', 1),
    voltage: readQuantity(top.voltage, 'voltage'),
    frequency: readQuantity(top.frequency, 'frequency'),
    enterService: readEnterService(top.enterService),
  };
  checkWindow(code.enterService.voltage, code.voltage, 'enterService.voltage');
  checkWindow(code.enterService.frequency, code.frequency, 'enterService.frequency');
  return code;
}

function readQuantity(data: unknown, at: string): QuantityLimits {
  const { trip, rideThrough } = record(data, at);
  const limits = {
    trip: readSides(trip, `${at}.trip`, readTrip),
    rideThrough: readSides(rideThrough, `${at}.rideThrough`, readBand),
  };
  checkContinuous(limits, at);
  return limits;
}

function readSides<Row>(data: unknown, at: string, readRow: (data: unknown, at: string) => Row): Sides<Row> {
  const sides = record(data, at);
  const high = list(sides.high, `${at}.high`).map((row, index) => {
    const where = `${at}.high[${index}]`;
    return { above: integer(record(row, where).above, `${where}.above`, 1), ...readRow(row, where) };
  });
  const low = list(sides.low, `${at}.low`).map((row, index) => {
    const where = `${at}.low[${index}]`;
    return { below: integer(record(row, where).below, `${where}.below`, 1), ...readRow(row, where) };
  });
  for (const [index, row] of high.entries()) {
    const next = high[index + 1];
    if (next !== undefined && next.above >= row.above)
      throw new Problem(`${at}.high[${index + 1}]: not in falling order`);
  }
  for (const [index, row] of low.entries()) {
    const next = low[index + 1];
    if (next !== undefined && next.below <= row.below)
      throw new Problem(`${at}.low[${index + 1}]: not in rising order`);
  }
  return { high, low };
}

function readTrip(data: unknown, at: string): TripLimit {
  const row = record(data, at);
  return {
    name: text(row.name, `${at}.name`),
    withinMs: integer(row.withinMs, `${at}.withinMs`, 0),
    ...provenance(row, at),
  };
}

function readBand(data: unknown, at: string): RideThroughBand {
  const row = record(data, at);
  const mode = text(row.mode, `${at}.mode`);
  if (!MODES.includes(mode)) throw new Problem(`${at}.mode: not one of ${MODES.join(', ')}`);
  const band = { mode, minimumMs: integer(row.minimumMs, `${at}.minimumMs`, 0), ...provenance(row, at) };
  const known = band as RideThroughBand;
  if (row.slope === undefined) return known;
  const slope = record(row.slope, `${at}.slope`);
  return {
    ...known,
    slope: {
      from: integer(slope.from, `${at}.slope.from`, 0),
      microsPerUnit: integer(slope.microsPerUnit, `${at}.slope.microsPerUnit`, 0),
    },
  };
}

function readEnterService(data: unknown): GridCode['enterService'] {
  const service = record(data, 'enterService');
  const delay = record(service.delay, 'enterService.delay');
  return {
    voltage: readWindow(service.voltage, 'enterService.voltage'),
    frequency: readWindow(service.frequency, 'enterService.frequency'),
    delay: { ms: integer(delay.ms, 'enterService.delay.ms', 0), ...provenance(delay, 'enterService.delay') },
  };
}

function readWindow(data: unknown, at: string): ServiceWindow {
  const window = record(data, at);
  const low = integer(window.low, `${at}.low`, 1);
  const high = integer(window.high, `${at}.high`, 1);
  if (low >= high) throw new Problem(`${at}: low is not below high`);
  return { low, high, ...provenance(window, at) };
}

/** The mildest ride-through bands bound continuous operation; no trip limit may lie inside it. */
function checkContinuous(limits: QuantityLimits, at: string): void {
  const { high, low } = continuousRange(limits);
  if (low >= high) throw new Problem(`${at}: no range of continuous operation is left`);
  if (limits.trip.high.some((row) => row.above < high))
    throw new Problem(`${at}.trip.high: inside continuous operation`);
  if (limits.trip.low.some((row) => row.below > low)) throw new Problem(`${at}.trip.low: inside continuous operation`);
}

function checkWindow(window: ServiceWindow, limits: QuantityLimits, at: string): void {
  const { high, low } = continuousRange(limits);
  if (window.low < low || window.high > high) throw new Problem(`${at}: reaches outside continuous operation`);
}

function continuousRange(limits: QuantityLimits): { readonly low: number; readonly high: number } {
  return {
    low: Math.max(0, ...limits.rideThrough.low.map((band) => band.below)),
    high: Math.min(Number.MAX_SAFE_INTEGER, ...limits.rideThrough.high.map((band) => band.above)),
  };
}

function provenance(
  row: Record<string, unknown>,
  at: string,
): { clause: string; confirmed: boolean; sources: string[] } {
  if (typeof row.confirmed !== 'boolean') throw new Problem(`${at}.confirmed: not true or false`);
  const sources = list(row.sources, `${at}.sources`).map((source, index) => text(source, `${at}.sources[${index}]`));
  return { clause: text(row.clause, `${at}.clause`), confirmed: row.confirmed, sources };
}

function record(data: unknown, at: string): Record<string, unknown> {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw new Problem(`${at}: not an object`);
  return data as Record<string, unknown>;
}

function list(data: unknown, at: string): unknown[] {
  if (!Array.isArray(data)) throw new Problem(`${at}: not a list`);
  return data;
}

function text(data: unknown, at: string): string {
  if (typeof data !== 'string' || data === '') throw new Problem(`${at}: no text`);
  return data;
}

function integer(data: unknown, at: string, least: number): number {
  if (!Number.isSafeInteger(data) || (data as number) < least) throw new Problem(`${at}: not an integer from ${least}`);
  return data as number;
}
