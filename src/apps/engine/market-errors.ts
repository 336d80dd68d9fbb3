import { accessSync, constants } from 'node:fs';
import { appendFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { EpochMs } from '../../domain/units/time.ts';
import type { FaultCode } from '../../errors/catalogue.ts';

const PRODUCTION_FOLDER = '/var/log/energy-logic';
const FILE = 'market.err';
const MOST_LINES_A_SECOND = 10;
const LONGEST_LINE = 500;

/** Where the market's errors are logged: as configured, or the log folder of an installed system, or the engine's state. */
export function marketErrorsPath(configured: string | undefined, state: string, folder = PRODUCTION_FOLDER): string {
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

export interface MarketErrorsOptions {
  readonly path: string;
  wallNow(): EpochMs;
  /** Told once where the file cannot be written, and again after it could. */
  log(line: string): void;
}

/**
 * What an operator greps for when acknowledgements or peers are late: lines `time CODE why`. Writing never waits and
 * never fails the market, is bounded to ten lines a second (the rest is counted), and opens the file anew every time, so
 * that a rotated one is let go of.
 */
export class MarketErrors {
  readonly #options: MarketErrorsOptions;
  #lines: string[] = [];
  #writing: Promise<void> | null = null;
  #second = Number.NEGATIVE_INFINITY;
  #inSecond = 0;
  #leftOut = 0;
  #broken = false;

  constructor(options: MarketErrorsOptions) {
    this.#options = options;
  }

  write(code: FaultCode, why: string): void {
    const now = this.#options.wallNow();
    const second = Math.floor(now / 1000);
    if (second !== this.#second) this.#newSecond(second, now);
    this.#inSecond += 1;
    if (this.#inSecond > MOST_LINES_A_SECOND) this.#leftOut += 1;
    else this.#add(now, `${code} ${why}`);
  }

  /** Resolves when everything is written, or cannot be. */
  async close(): Promise<void> {
    this.#tellLeftOut(this.#options.wallNow());
    await this.#writing;
  }

  #newSecond(second: number, now: EpochMs): void {
    this.#tellLeftOut(now);
    this.#second = second;
    this.#inSecond = 0;
  }

  #tellLeftOut(now: EpochMs): void {
    if (this.#leftOut > 0) this.#add(now, `${this.#leftOut} more errors came at once and are not listed`);
    this.#leftOut = 0;
  }

  #add(now: EpochMs, text: string): void {
    this.#lines.push(`${new Date(now).toISOString()} ${text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, LONGEST_LINE)}\n`);
    // A disk that hangs holds one write; what cannot be kept behind it is counted.
    if (this.#lines.length > MOST_WAITING) this.#leftOut += this.#lines.splice(0, 1).length;
    this.#writing ??= this.#flush().finally(() => {
      this.#writing = null;
    });
  }

  async #flush(): Promise<void> {
    const { path, log } = this.#options;
    while (this.#lines.length > 0) {
      const text = this.#lines.splice(0).join('');
      try {
        await mkdir(dirname(path), { recursive: true });
        await appendFile(path, text);
        this.#broken = false;
      } catch (error) {
        if (!this.#broken) log(`${path} cannot be written: ${String(error)}`);
        this.#broken = true;
      }
    }
  }
}

const MOST_WAITING = 1000;
