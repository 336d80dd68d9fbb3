import { deficitOf, type Load, surplusOf } from '../forecast/load.ts';
import { addWh, excessWh, minWh, type Wh, wh, ZERO_WH } from '../units/energy.ts';
import { type Battery, type BatteryFlow, deliver, offerAboveThreshold, selfConsume } from './battery-rule.ts';
import type { Plan } from './rule-agent.ts';

/** A home's flexible devices at the start of an interval. */
export interface HomeDevices {
  readonly battery: Battery | null;
  /** Inside the battery, Wh. */
  readonly stored: Wh;
}

/** What flows through a home's meter in one interval, and what its battery does. */
export interface HomeFlow {
  readonly imported: Wh;
  readonly exported: Wh;
  /** Generation that had nowhere to go because the export path is open. */
  readonly curtailed: Wh;
  readonly stored: Wh;
}

/** What a home will have for sale or lack, if its load is as forecast: after its battery's rule, plus what that offers. */
export function planHome(devices: HomeDevices, forecast: Load, lengthMs: number): Plan {
  const [surplus, deficit] = [surplusOf(forecast), deficitOf(forecast)];
  if (devices.battery === null) return { surplus, deficit };
  const flow = selfConsume(devices.battery, devices.stored, surplus, deficit, lengthMs);
  const offer = offerAboveThreshold(devices.battery, devices.stored, flow, lengthMs);
  return {
    surplus: addWh(excessWh(surplus, flow.charged), offer),
    deficit: excessWh(deficit, flow.discharged),
  };
}

/**
 * The interval as it then goes: the battery serves its home first whatever was traded, and delivers what was sold beyond
 * that only from above its threshold. With the export path open nothing is exported.
 */
export function dispatchHome(
  devices: HomeDevices,
  load: Load,
  sold: Wh,
  exportPathClosed: boolean,
  lengthMs: number,
): HomeFlow {
  const flow = batteryFlow(devices, load, exportPathClosed ? sold : ZERO_WH, lengthMs);
  const into = wh(load.consumption + (flow?.charged ?? 0));
  const from = wh(load.generation + (flow?.discharged ?? 0));
  const surplus = excessWh(from, into);
  return {
    imported: excessWh(into, from),
    exported: exportPathClosed ? surplus : ZERO_WH,
    curtailed: exportPathClosed ? ZERO_WH : surplus,
    stored: flow?.stored ?? devices.stored,
  };
}

function batteryFlow({ battery, stored }: HomeDevices, load: Load, sold: Wh, lengthMs: number): BatteryFlow | null {
  if (battery === null) return null;
  const flow = selfConsume(battery, stored, surplusOf(load), deficitOf(load), lengthMs);
  const missing = excessWh(sold, excessWh(surplusOf(load), flow.charged));
  return deliver(battery, stored, flow, minWh(missing, offerAboveThreshold(battery, stored, flow, lengthMs)));
}
