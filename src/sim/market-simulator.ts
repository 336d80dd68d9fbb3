import type { HaltCommand, MarketTerms } from '../domain/engine/command.ts';
import type { EngineState } from '../domain/engine/state.ts';
import type { MarketClock } from '../domain/ports.ts';
import type { MemberId } from '../domain/units/identity.ts';
import { MINUTE_MS } from '../domain/units/interval.ts';
import { type EpochMs, epochMs, plusMs } from '../domain/units/time.ts';
import { FaultyBus } from './faulty-bus.ts';
import { FaultyDisk, type Survival } from './faulty-disk.ts';
import { type EngineWitness, MarketAuditor, MarketProblem } from './market-auditor.ts';
import { MarketChance } from './market-chance.ts';
import { MarketDisk } from './market-disk.ts';
import { ENGINE_LINK, MarketMember } from './market-member.ts';
import { MarketMeters } from './market-meters.ts';
import type { MarketAnswer, MarketMessage, MarketRequest } from './market-request.ts';
import { MarketSchedule } from './market-schedule.ts';
import { drawRules, drawTerms, FEEDER, LENGTH_MS } from './market-terms.ts';
import { MarketTrouble } from './market-trouble.ts';

/** One life of an engine, from its start until it fails or is killed. */
export interface EngineLife {
  readonly state: EngineState;
  /** Null where this life cannot go on; `failed` has been told why. */
  submit(request: MarketRequest | Omit<HaltCommand, 'at'>): Promise<MarketAnswer | null>;
  stop(): void;
}

export interface EngineSurroundings {
  readonly disk: MarketDisk;
  readonly clock: MarketClock & { until(at: EpochMs): Promise<void> };
  readonly terms: MarketTerms;
  readonly meters: MarketMeters;
  readonly feeder: string;
  readonly witness: EngineWitness;
  drawSalt(): number;
  failed(error: unknown): void;
}

/** The program under test. */
export interface EngineProgram {
  /** Resolves when its doors are open. */
  start(surroundings: EngineSurroundings): Promise<EngineLife>;
  /** Whether the error says that the world failed, and not the engine. */
  isWorldsFault(error: unknown): boolean;
  /** Whether it says that what was read had been damaged. */
  isDamage(error: unknown): boolean;
}

export interface MarketRun {
  readonly events: number;
  readonly commands: number;
  readonly answers: number;
  readonly lives: number;
  readonly hash: string;
  /** How often each thing happened. */
  readonly seen: ReadonlyMap<string, number>;
}

const START = epochMs(Date.UTC(2026, 5, 21, 8, 2, 11));
const RUN_MS = 42 * MINUTE_MS;
const BUS_FAULTS = { droppedPerMille: 90, doubledPerMille: 90, latePerMille: 50 };
/** Places in the list of streams of a seed. */
const STREAM = { terms: 1, bus: 2, disk: 3, clock: 4, restart: 5, salt: 6, trouble: 7, member: 100 };

/**
 * A market under faults: engine, members, bus, disk and clock in one process, all of it led by one seed.
 * `settle` resolves when everything that can happen without the schedule has happened. @throws MarketProblem
 */
export async function simulateMarket(
  seed: number,
  program: EngineProgram,
  settle: () => Promise<void>,
): Promise<MarketRun> {
  const market = new SimulatedMarket(seed, program);
  const end = START + RUN_MS;
  while (market.schedule.now() < end) {
    if (market.schedule.next() === null) break;
    await settle();
    market.audit();
  }
  await market.finish(settle);
  const { schedule, auditor, lives } = market;
  return {
    events: schedule.count,
    commands: auditor.commands,
    answers: auditor.answers.given,
    lives,
    hash: schedule.hash,
    seen: schedule.seen,
  };
}

class SimulatedMarket {
  readonly schedule = new MarketSchedule(START);
  readonly auditor = new MarketAuditor();
  lives = 0;
  readonly #seed: number;
  readonly #program: EngineProgram;
  readonly #disk: FaultyDisk;
  readonly #bus: FaultyBus<MarketMessage>;
  readonly #diskChance: MarketChance;
  readonly #clockChance: MarketChance;
  readonly #restartChance: MarketChance;
  readonly #saltChance: MarketChance;
  readonly #trouble: MarketTrouble;
  #terms: MarketTerms;
  #lifeDisk: MarketDisk | null = null;
  #life: EngineLife | null = null;
  #problem: unknown = null;

  constructor(seed: number, program: EngineProgram) {
    this.#seed = seed;
    this.#program = program;
    this.#disk = new FaultyDisk(seed);
    this.#terms = drawTerms(new MarketChance(seed, STREAM.terms));
    this.#diskChance = new MarketChance(seed, STREAM.disk);
    this.#clockChance = new MarketChance(seed, STREAM.clock);
    this.#restartChance = new MarketChance(seed, STREAM.restart);
    this.#saltChance = new MarketChance(seed, STREAM.salt);
    this.#bus = new FaultyBus(this.schedule, new MarketChance(seed, STREAM.bus), BUS_FAULTS);
    this.#bus.listen(ENGINE_LINK, (message) => {
      if (!('answer' in message)) for (const request of message) this.#serve(request);
    });
    for (const [place, { id }] of this.#terms.members.entries()) this.#join(id, place);
    this.#trouble = new MarketTrouble({
      ...{ schedule: this.schedule, chance: new MarketChance(seed, STREAM.trouble), disk: this.#disk, bus: this.#bus },
      links: this.#terms.members.map(({ id }) => id),
      crash: (survival) => this.#crash(survival),
      halt: (command) => void this.#life?.submit(command),
    });
    this.#start();
  }

  /** After every event. */
  audit(): void {
    if (this.#problem !== null) throw this.#problem;
    if (this.#life !== null) this.auditor.check(this.#life.state);
  }

  /** The troubles end; whatever was acknowledged is there in a last life, which begins with what is synced and no more. */
  async finish(settle: () => Promise<void>): Promise<void> {
    this.#trouble.end();
    this.#crash('none');
    for (let waited = 0; this.#life === null; waited += 1) {
      if (waited > 10_000) throw new MarketProblem('the engine does not start any more');
      this.schedule.next();
      await settle();
      this.audit();
    }
    this.#life.stop();
  }

  #join(id: MemberId, place: number): void {
    const chance = new MarketChance(this.#seed, STREAM.member + place);
    new MarketMember({ id, chance, terms: () => this.#terms, schedule: this.schedule, bus: this.#bus });
  }

  #serve(request: MarketRequest): void {
    const life = this.#life;
    void life?.submit(request).then((answer) => {
      if (answer === null || life !== this.#life) return;
      this.#guard(() => this.auditor.answered(request, answer));
      this.schedule.note(`answer: ${answer.code}`, answer.ok ? String(answer.sequence) : '');
      this.#bus.send(ENGINE_LINK, request.member, { request, answer });
      this.#trouble.afterAnswer();
    });
  }

  #start(): void {
    const disk = new MarketDisk(this.#disk, this.schedule, this.#diskChance);
    this.#lifeDisk = disk;
    this.lives += 1;
    if (this.lives > 1 && this.#restartChance.happens(150)) {
      this.#terms = { ...this.#terms, ...drawRules(this.#restartChance) };
    }
    this.#program.start(this.#surroundings(disk)).then(
      (life) => {
        if (disk !== this.#lifeDisk) return;
        this.#life = life;
        this.schedule.note('engine is open');
      },
      (error: unknown) => this.#fail(disk, error),
    );
  }

  #surroundings(disk: MarketDisk): EngineSurroundings {
    const { schedule } = this;
    const behindMs = this.#clockChance.happens(250) ? this.#clockChance.between(1, 40_000) : 0;
    const members = this.#terms.members.map(({ id }) => id);
    const epoch = epochMs(Math.floor(START / LENGTH_MS) * LENGTH_MS);
    return {
      disk,
      clock: {
        now: () => plusMs(schedule.now(), -behindMs),
        until: (at) =>
          new Promise((resolve) => {
            const delayMs = Math.max(0, at + behindMs - schedule.now());
            schedule.after(delayMs, 'clock', () => {
              if (disk === this.#lifeDisk) resolve();
            });
          }),
      },
      terms: this.#terms,
      meters: new MarketMeters(this.#seed, members, FEEDER, epoch, LENGTH_MS),
      feeder: FEEDER,
      witness: this.#witness(disk),
      drawSalt: () => this.#saltChance.between(0, 2 ** 32 - 1),
      failed: (error) => this.#fail(disk, error),
    };
  }

  /** Only of the life that is lived. */
  #witness(disk: MarketDisk): EngineWitness {
    const ifAlive = (tell: () => void) => {
      if (disk === this.#lifeDisk) this.#guard(tell);
    };
    return {
      appended: (record) => ifAlive(() => this.auditor.appended(record)),
      refused: (record) => ifAlive(() => this.auditor.refused(record)),
      committed: (sequence, record, events) =>
        ifAlive(() => {
          for (const { type } of events) this.schedule.note(`event: ${type}`);
          this.auditor.committed(sequence, record, events);
        }),
      recovered: (state, records) =>
        ifAlive(() => {
          this.#trouble.recovered();
          this.auditor.recovered(state, records);
        }),
    };
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#problem ??= error;
    }
  }

  /** What an engine cannot live with ends it, like a kill; what the world has no part in is a problem. */
  #fail(disk: MarketDisk, error: unknown): void {
    if (disk !== this.#lifeDisk) return;
    this.schedule.note(`failed: ${codeOf(error)}`, String(error));
    const isExpected = this.#program.isDamage(error)
      ? this.#trouble.repair()
      : this.#program.isWorldsFault(error) && this.#trouble.isToBlame;
    if (!isExpected) this.#problem ??= new MarketProblem('the engine failed of itself', { cause: error });
    this.#crash(this.#disk.hasPower ? 'kill' : this.#trouble.drawSurvival());
  }

  /** A kill leaves the disk as programs see it; a loss of power leaves what was synced, and of the rest what it will. */
  #crash(end: Survival | 'kill'): void {
    this.#lifeDisk?.end();
    this.#lifeDisk = null;
    this.#life?.stop();
    this.#life = null;
    const survival = end === 'kill' && !this.#disk.hasPower ? 'some' : end;
    if (survival !== 'kill') this.#disk.restart(survival);
    this.schedule.note(`crash: ${survival}`);
    const downMs = this.#trouble.afterCrash();
    const { lives } = this;
    this.schedule.after(downMs, 'engine starts', () => {
      if (this.#lifeDisk === null && this.lives === lives) this.#start();
    });
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'a bug';
}
