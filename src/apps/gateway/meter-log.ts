import { accessSync, appendFileSync, constants, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { MeterReading } from '../../domain/metering/meter-reading.ts';
import { formatUtc } from '../../domain/units/time.ts';

const PRODUCTION_FOLDER = '/var/log/energy-logic';
const FILE = 'meter-sync.log';
const ROTATE_AT_BYTES = 1_000_000;
const EVERY_MS = 10_000;

/** Where readings are logged: as configured, or the log folder of an installed system, or the gateway's own state. */
export function meterLogPath(configured: string | undefined, state: string, folder = PRODUCTION_FOLDER): string {
  return configured ?? join(isWritable(folder) ? folder : state, FILE);
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** For a person with `tail -f`: a line for every reading that ends an interval, and one in between every ten seconds. */
export class MeterLog {
  readonly #path: string;
  readonly #meter: string;
  readonly #log: (line: string) => void;
  readonly #rotateAtBytes: number;
  #lastWall = Number.NEGATIVE_INFINITY;
  #broken = false;

  constructor(path: string, meter: string, log: (line: string) => void, rotateAtBytes = ROTATE_AT_BYTES) {
    this.#path = path;
    this.#meter = meter;
    this.#log = log;
    this.#rotateAtBytes = rotateAtBytes;
    this.#attempt(() => mkdirSync(dirname(path), { recursive: true }));
  }

  write(reading: MeterReading, endsInterval: boolean, wall: number): void {
    if (!endsInterval && wall - this.#lastWall < EVERY_MS) return;
    this.#lastWall = wall;
    this.#attempt(() => {
      this.#rotateWhenFull();
      appendFileSync(this.#path, `${logLine(this.#meter, reading)}\n`);
    });
  }

  /** One older file is kept. */
  #rotateWhenFull(): void {
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    if (size >= this.#rotateAtBytes) renameSync(this.#path, `${this.#path}.1`);
  }

  /** Metering goes on without its log; a disk that is full says so once. */
  #attempt(write: () => void): void {
    try {
      write();
      this.#broken = false;
    } catch (error) {
      if (!this.#broken) this.#log(`${this.#path} cannot be written: ${String(error)}`);
      this.#broken = true;
    }
  }
}

function logLine(meter: string, { at, power, importRegister, exportRegister, quality }: MeterReading): string {
  return `${formatUtc(at)} ${meter} ${power} W, import ${importRegister} Wh, export ${exportRegister} Wh, ${quality}`;
}
