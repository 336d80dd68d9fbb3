import type { HaltCommand } from '../domain/engine/command.ts';
import { assert } from '../domain/units/assert.ts';
import type { MemberId } from '../domain/units/identity.ts';
import { MINUTE_MS } from '../domain/units/interval.ts';
import type { FaultyDisk, Survival } from './faulty-disk.ts';
import type { MarketChance } from './market-chance.ts';
import type { MarketSchedule } from './market-schedule.ts';

export interface TroubleParts {
  readonly schedule: MarketSchedule;
  readonly chance: MarketChance;
  readonly disk: FaultyDisk;
  readonly bus: { cut(name: string, isCut: boolean): void };
  readonly links: readonly MemberId[];
  crash(end: Survival | 'kill'): void;
  halt(command: Omit<HaltCommand, 'at'>): void;
}

interface Damage {
  readonly path: string;
  readonly before: Uint8Array;
}

const KINDS = ['kill', 'power', 'countdown', 'tear', 'sync', 'write', 'full', 'link', 'link', 'halt'] as const;
const BETWEEN_MS = 80_000;
const LIVE_TAIL_BYTES = 400;

/** Everything that goes wrong around an engine, and when. */
export class MarketTrouble {
  readonly #parts: TroubleParts;
  #hasEnded = false;
  #damage: Damage | null = null;
  #isDiskBad = false;

  constructor(parts: TroubleParts) {
    this.#parts = parts;
    this.#next();
  }

  /** Whether the world has a part in what failed. */
  get isToBlame(): boolean {
    return this.#isDiskBad;
  }

  end(): void {
    this.#hasEnded = true;
    this.#heal();
  }

  drawSurvival(): Survival {
    return this.#parts.chance.oneOf(['some', 'some', 'none', 'all']);
  }

  /** Somebody was just answered: of all moments the one at which a lie would show. */
  afterAnswer(): void {
    const { schedule, chance, crash } = this.#parts;
    if (!chance.happens(12)) return;
    schedule.after(chance.between(0, 2), 'power lost after an answer', () => {
      if (!this.#hasEnded) crash(this.drawSurvival());
    });
  }

  /** How long the engine is away. A bit may flip meanwhile. */
  afterCrash(): number {
    const { chance } = this.#parts;
    this.#heal();
    if (!this.#hasEnded && this.#damage === null && chance.happens(200)) this.#flip();
    if (!this.#hasEnded && chance.happens(150)) this.#spoilDisk('countdown');
    if (this.#hasEnded || !chance.happens(100)) return chance.between(50, 8000);
    return chance.between(MINUTE_MS, 8 * MINUTE_MS);
  }

  /** What was found damaged comes back from a copy. False where nothing had been damaged. */
  repair(): boolean {
    if (this.#damage === null) return false;
    this.#parts.disk.place(this.#damage.path, this.#damage.before);
    this.#damage = null;
    return true;
  }

  /** The journal was read: what had been damaged lay where nothing stood. */
  recovered(): void {
    this.#damage = null;
  }

  #next(): void {
    const { schedule, chance } = this.#parts;
    const kind = chance.oneOf(KINDS);
    schedule.after(chance.between(1, BETWEEN_MS), `trouble: ${kind}`, () => {
      if (this.#hasEnded) return;
      this.#begin(kind);
      this.#next();
    });
  }

  #begin(kind: (typeof KINDS)[number]): void {
    const { chance, crash } = this.#parts;
    if (kind === 'kill') crash('kill');
    else if (kind === 'power') crash(this.drawSurvival());
    else if (kind === 'link') this.#cutLink();
    else if (kind === 'halt') this.#halt();
    else this.#spoilDisk(kind);
    if (kind === 'full') this.#parts.schedule.after(chance.between(5000, 60_000), 'trouble: space', () => this.#free());
  }

  #spoilDisk(kind: 'countdown' | 'tear' | 'sync' | 'write' | 'full'): void {
    const { chance, disk } = this.#parts;
    this.#isDiskBad = true;
    if (kind === 'countdown') disk.operationsLeft = chance.between(0, 14);
    if (kind === 'tear') disk.bytesLeft = chance.between(0, 900);
    if (kind === 'sync') disk.syncsLeft = chance.between(0, 3);
    if (kind === 'write') disk.writesLeft = chance.between(0, 3);
    if (kind === 'full') disk.capacityBytes = this.#usedBytes() + chance.between(0, 2500);
  }

  /** What failed before may be told later, so the blame stays until the crash. */
  #heal(): void {
    this.#isDiskBad = false;
    this.#free();
  }

  #free(): void {
    const { disk } = this.#parts;
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    disk.operationsLeft = Number.POSITIVE_INFINITY;
    disk.bytesLeft = Number.POSITIVE_INFINITY;
    disk.syncsLeft = Number.POSITIVE_INFINITY;
    disk.writesLeft = Number.POSITIVE_INFINITY;
  }

  #usedBytes(): number {
    const { disk } = this.#parts;
    return disk.paths().reduce((sum, path) => sum + disk.contentOf(path).length, 0);
  }

  #cutLink(): void {
    const { schedule, chance, bus } = this.#parts;
    const link = this.#link();
    bus.cut(link, true);
    schedule.after(chance.between(1000, 60_000), `trouble: ${link} is back`, () => bus.cut(link, false));
  }

  #halt(): void {
    const { schedule, chance, halt } = this.#parts;
    const member = chance.happens(400) ? null : this.#link();
    halt({ type: 'halt', member });
    const untilMs = chance.between(1000, 40_000);
    // An engine that is away hears nothing.
    for (const moreMs of [0, 20_000, 90_000]) {
      schedule.after(untilMs + moreMs, 'trouble: resume', () => halt({ type: 'resume', member }));
    }
  }

  #link(): MemberId {
    const { chance, links } = this.#parts;
    const link = links[chance.between(0, links.length - 1)];
    assert(link !== undefined, 'nobody to cut off');
    return link;
  }

  /** In the end of the journal, where bytes may be that nobody synced, or in the newest snapshot. */
  #flip(): void {
    const { chance, disk } = this.#parts;
    const paths = disk.paths().filter((path) => /commands-\d+\.log$|snapshot-\d+\.bin$/.test(path));
    const [journal, snapshot] = ['commands', 'snapshot'].map((kind) =>
      paths.filter((path) => path.includes(kind)).at(-1),
    );
    const path = snapshot !== undefined && chance.happens(300) ? snapshot : journal;
    if (path === undefined) return;
    const before = disk.contentOf(path);
    if (before.length === 0) return;
    const first = path === journal ? Math.max(0, before.length - LIVE_TAIL_BYTES) : 0;
    if (path === journal) this.#damage = { path, before };
    disk.flipBit(path, chance.between(first * 8, before.length * 8 - 1));
  }
}
