import type { BatteryReading } from '../../adapters/modbus/sunspec-battery.ts';
import type { InverterReading } from '../../adapters/modbus/sunspec-inverter.ts';
import type { MeterRegisters } from '../../adapters/modbus/sunspec-meter.ts';
import { rowOf } from '../../domain/interval-cycle.ts';
import {
  type MeterLimits,
  type MeterTrack,
  NEW_METER,
  type ReadingRefusal,
} from '../../domain/metering/interval-energy.ts';
import type { MeterReading, ReadingQuality } from '../../domain/metering/meter-reading.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { DeviceLink, type LinkListener } from './device-link.ts';
import type { HomeDevices } from './home-devices.ts';
import type { MeterLog } from './meter-log.ts';
import type { TelemetryPublisher } from './telemetry.ts';

const { step: readMeter } = rowOf('read meter');

/** What one round of readings showed; null where a device is absent, silent or not to be believed. */
export interface HomeReadings {
  readonly meter: MeterRegisters | null;
  readonly inverter: InverterReading | null;
  readonly battery: BatteryReading | null;
}

export interface WatchTerms {
  readonly limits: MeterLimits;
  /** What is older than twice this, in wall time, is stale. */
  intervalMs(): number;
}

export interface WatchParts {
  readonly devices: HomeDevices;
  readonly telemetry: TelemetryPublisher;
  readonly meterLog: MeterLog;
  wallNow(): EpochMs;
  marketNow(): EpochMs;
  log(line: string): void;
}

/** The devices of one home: read, judged, and published with the quality they have. */
export class HomeWatch {
  readonly #terms: WatchTerms;
  readonly #parts: WatchParts;
  readonly #meter: DeviceLink<MeterRegisters>;
  readonly #inverter: DeviceLink<InverterReading> | null;
  readonly #battery: DeviceLink<BatteryReading> | null;
  #track: MeterTrack = NEW_METER;
  #refusal: ReadingRefusal | null = null;

  constructor(terms: WatchTerms, parts: WatchParts) {
    const { meter, inverter, battery } = parts.devices;
    const listener = listenerOf(parts);
    this.#terms = terms;
    this.#parts = parts;
    this.#meter = new DeviceLink('meter', meter, listener);
    this.#inverter = inverter === null ? null : new DeviceLink('inverter', inverter, listener);
    this.#battery = battery === null ? null : new DeviceLink('battery', battery, listener);
  }

  /** What is known of the battery at this moment, or null where it is absent or stale. */
  battery(): BatteryReading | null {
    return this.#battery?.fresh(this.#terms.intervalMs(), this.#parts.wallNow()) ?? null;
  }

  /** Whether the home is measured: without that it does not trade. */
  isMeasured(): boolean {
    const fresh = this.#meter.fresh(this.#terms.intervalMs(), this.#parts.wallNow());
    return fresh !== null && this.#refusal === null;
  }

  /** Reads every device once, side by side: one that fails does not keep the others from being heard. */
  async round(endsInterval: boolean): Promise<HomeReadings> {
    const { marketNow, wallNow, telemetry } = this.#parts;
    const at = marketNow();
    const read = <Reading>(link: DeviceLink<Reading> | null) => link?.read(this.#terms.intervalMs(), wallNow) ?? null;
    const [meter, inverter, battery] = await Promise.all([
      read(this.#meter),
      read(this.#inverter),
      read(this.#battery),
    ]);
    const wall = wallNow();
    const believed = meter !== null && (await this.#takeMeter(meter, at, endsInterval));
    if (inverter !== null) await telemetry.inverter(inverter, qualityOf(this.#inverter), at, wall);
    if (battery !== null) await telemetry.battery(battery, qualityOf(this.#battery), at, wall);
    return { meter: believed ? meter : null, inverter, battery };
  }

  /** True where the reading counts. One that cannot be is published as bad. */
  async #takeMeter(registers: MeterRegisters, at: EpochMs, endsInterval: boolean): Promise<boolean> {
    const { importRegister, exportRegister, power } = registers;
    const reading: MeterReading = { at, importRegister, exportRegister, power, quality: this.#meter.quality };
    const { state, outputs: verdict } = readMeter(this.#track, { reading, limits: this.#terms.limits });
    this.#track = state;
    const isBad = !verdict.ok && (verdict.code === 'counter_went_back' || verdict.code === 'implausible_jump');
    this.#tellRefusal(isBad ? verdict.code : null, registers);
    const judged: MeterReading = isBad ? { ...reading, quality: 'bad' } : reading;
    const wall = this.#parts.wallNow();
    await this.#parts.telemetry.meter(judged, registers, wall, endsInterval);
    this.#parts.meterLog.write(judged, endsInterval, wall);
    return judged.quality === 'good';
  }

  #tellRefusal(code: ReadingRefusal | null, { importRegister, exportRegister }: MeterRegisters): void {
    if (code === this.#refusal) return;
    this.#refusal = code;
    const registers = `import ${importRegister} Wh, export ${exportRegister} Wh`;
    this.#parts.log(
      code === null ? 'meter: its readings count again' : `meter: ${code}, ${registers}: it does not count`,
    );
  }
}

function qualityOf(link: DeviceLink<unknown> | null): ReadingQuality {
  return link?.quality ?? 'good';
}

function listenerOf({ telemetry, marketNow, log }: WatchParts): LinkListener {
  return {
    stale: (device) => void telemetry.stale(device, marketNow()),
    lossy: (device, isLossy) =>
      log(isLossy ? `${device}: its link loses too much, so it is stale` : `${device}: its link is good again`),
    died(device, fault) {
      log(`${device} does not answer: ${fault.message}`);
      void telemetry.died(device);
    },
  };
}
