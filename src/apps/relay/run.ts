import type { GridMeasurement } from '../../domain/grid/conditions.ts';
import { gridCode } from '../../domain/grid/grid-codes.ts';
import { rowOf } from '../../domain/interval-cycle.ts';
import type { DeviceBus, RelayDriver } from '../../domain/ports.ts';
import { FAULT_TEXTS, type FaultCode, LAMP_STEP_MS, lampPattern } from '../../domain/safety/fault-code.ts';
import {
  INTERLOCK_AT_BOOT,
  type InterlockInput,
  type InterlockPhase,
  type InterlockSettings,
  type InterlockState,
} from '../../domain/safety/interlock-state.ts';
import type { Watt } from '../../domain/units/power.ts';
import { Fault } from '../../errors/fault.ts';
import { ClearingSignal, type RelayClocks } from './clearing-signal.ts';
import { Complaints } from './complaints.ts';
import { ContactLine, messageOf } from './contact-line.ts';
import { GridWatch } from './grid-watch.ts';
import type { RelayConfig } from './relay-config.ts';

const { step: interlock } = rowOf('dispatch and interlock');

export interface RelayPorts extends RelayClocks {
  readonly bus: DeviceBus;
  readonly relay: RelayDriver;
  /** Voltage in mV, line to neutral, and frequency in mHz at the connection point. */
  readonly readGrid: () => Promise<GridMeasurement>;
  readonly log: (message: string) => void;
  /** Called with every change of phase, fault, contact or permitted export. */
  /** Integer ms that never go back nor leap, from any origin. Default: the process's own. */
  readonly monotonicNow?: () => number;
  readonly onState?: (state: RelayState) => void;
  /** The lamp beside the relay, every 200 ms. */
  readonly onLamp?: (lit: boolean) => void;
}

/** What a gateway publishes as `Safety/Relay` and `Safety/FaultCode`, and a person wants to see. */
export interface RelayState {
  readonly phase: InterlockPhase;
  readonly commandedClosed: boolean;
  /** null: the contact cannot be read. */
  readonly contactClosed: boolean | null;
  readonly fault: FaultCode;
  readonly faultText: string;
  /** Of the lease of this moment; zero while open. */
  readonly permittedExport: Watt;
  readonly heartbeatAgeMs: number | null;
  readonly grid: GridMeasurement | null;
}

export interface RunningRelay {
  state(): RelayState;
  /** A person has looked: ends a lockout. */
  reset(): void;
  /** Opens the contact and ends. Rejects with RELAY_UNREACHABLE where the driver did not take the command. */
  stop(): Promise<void>;
}

/**
 * Runs the interlock of one relay. It commands open at once and needs no connection to begin: without a broker it
 * waits open. A bug in a step opens the contact before the process ends of it.
 * @throws Fault CONFIG_INVALID
 */
export function run(config: RelayConfig, ports: RelayPorts): RunningRelay {
  return new RelayProcess(config, ports);
}

class RelayProcess implements RunningRelay {
  readonly #ports: RelayPorts;
  readonly #settings: InterlockSettings;
  readonly #monotonicNow: () => number;
  readonly #signal: ClearingSignal;
  readonly #grid: GridWatch;
  readonly #contact: ContactLine;
  readonly #timers: NodeJS.Timeout[] = [];
  #interlock: InterlockState = INTERLOCK_AT_BOOT;
  #lastTold = '';
  #lampStep = 0;
  #stopped: Promise<void> | null = null;

  constructor(config: RelayConfig, ports: RelayPorts) {
    const code = gridCode(config.gridCode);
    if (code === null) throw new Fault('CONFIG_INVALID', `there is no grid code ${config.gridCode}`);
    const { readGrid, monotonicNow = () => Math.floor(performance.now()) } = ports;
    const { tickMs, pollMs, contactMs, maximumSpeed, nominalMilliV } = config;
    const complaints = new Complaints((message) => ports.log(`${config.member} ${message}`));
    const signal = new ClearingSignal(config, ports, complaints);
    this.#ports = ports;
    this.#settings = { delayMs: config.delayMs ?? code.enterService.delay.ms, tickMs, pollMs, contactMs, maximumSpeed };
    this.#monotonicNow = monotonicNow;
    this.#signal = signal;
    this.#contact = new ContactLine(ports.relay, monotonicNow, complaints);
    const marketNow = () => signal.marketNow();
    this.#grid = new GridWatch({ readGrid, code, nominalMilliV, monotonicNow, marketNow, complaints });
    signal.listen(ports.bus).catch((error: unknown) => {
      if (this.#stopped === null) complaints.raise('bus', messageOf(error));
    });
    this.#start();
  }

  state(): RelayState {
    const { phase, fault } = this.#interlock;
    return {
      phase,
      commandedClosed: this.#contact.commandedClosed,
      contactClosed: this.#contact.feedback()?.closed ?? null,
      fault,
      faultText: FAULT_TEXTS[fault],
      permittedExport: phase === 'CLOSED' ? (this.#signal.lease()?.permittedExport ?? NO_EXPORT) : NO_EXPORT,
      heartbeatAgeMs: this.#signal.heartbeatAgeMs(),
      grid: this.#grid.measured,
    };
  }

  reset(): void {
    if (this.#stopped === null) this.#step({ kind: 'reset' });
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  #start(): void {
    void this.#grid.poll();
    this.#contact.step(false);
    this.#timers.push(setInterval(() => void this.#grid.poll(), this.#settings.pollMs));
    this.#timers.push(setInterval(() => this.#tick(), this.#settings.tickMs));
    const { onLamp } = this.#ports;
    if (onLamp !== undefined) this.#timers.push(setInterval(() => onLamp(this.#lampLit()), LAMP_STEP_MS));
  }

  #tick(): void {
    this.#step({
      kind: 'tick',
      reading: this.#grid.reading(),
      lease: this.#signal.validity(),
      heartbeatAgeMs: this.#signal.heartbeatAgeMs(),
      feedback: this.#contact.feedback(),
      clockOffsetMs: this.#signal.clockOffsetMs(),
    });
  }

  #step(input: InterlockInput): void {
    try {
      const now = { market: this.#signal.marketNow(), wall: this.#monotonicNow() };
      const { state, outputs } = interlock(this.#interlock, { settings: this.#settings, input, time: now });
      this.#interlock = state;
      this.#contact.step(outputs.closed);
    } catch (bug) {
      void this.stop();
      throw bug;
    }
    this.#tell();
  }

  #tell(): void {
    const { onState } = this.#ports;
    if (onState === undefined) return;
    const state = this.state();
    const { phase, fault, contactClosed, permittedExport } = state;
    const told = [phase, fault, contactClosed, permittedExport].join();
    if (told === this.#lastTold) return;
    this.#lastTold = told;
    onState(state);
  }

  #lampLit(): boolean {
    const pattern = lampPattern(this.#interlock.fault, this.#interlock.phase === 'CLOSED');
    this.#lampStep = (this.#lampStep + 1) % pattern.length;
    return pattern[this.#lampStep] === true;
  }

  async #end(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#interlock = INTERLOCK_AT_BOOT;
    const opened = await this.#contact.open();
    this.#ports.onLamp?.(false);
    this.#tell();
    if (!opened) throw new Fault('RELAY_UNREACHABLE', 'the relay did not take the command to open at the end');
  }
}

const NO_EXPORT = 0 as Watt;
