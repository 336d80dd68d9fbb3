import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { wh } from '../../domain/units/energy.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { feederRegisters, homeRegisters, type RegisterImage } from '../../sim/devices/device-registers.ts';
import { type FeederState, FeederWorld } from '../../sim/devices/feeder-world.ts';
import { type HomeState, HomeWorld } from '../../sim/devices/home-world.ts';
import type { StreetPlan } from '../../sim/homes/street-plan.ts';

/** The physics of the whole street. What any meter shows is of one instant: the street moves as one. */
export interface StreetWorld {
  readonly homes: readonly HomeWorld[];
  readonly feeder: FeederWorld;
  /** A register image that is up to date with market time at every read and write. */
  image(home: HomeWorld | null): RegisterImage;
  /** Written whole and renamed: meters that were read keep their registers over a crash. */
  save(): void;
}

interface SavedStreet {
  readonly homes: Readonly<Record<string, HomeState>>;
  readonly feeder: FeederState;
}

export interface WorldOptions {
  readonly plan: StreetPlan;
  readonly path: string;
  readonly start: EpochMs;
  readonly firstDelivery: EpochMs;
  readonly meterError: { readonly home: string; readonly wh: number } | undefined;
  now(): EpochMs;
}

export function openStreetWorld(options: WorldOptions): StreetWorld {
  const { plan, path, start, now } = options;
  const saved: SavedStreet | null = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null;
  const homes = plan.homes.map((home) => {
    const state = saved?.homes[home.id];
    return new HomeWorld({
      plan: home,
      start,
      ...(state === undefined ? {} : { saved: state }),
      ...plantedError(options, home.id),
    });
  });
  const feeder = new FeederWorld(homes, saved?.feeder);
  const advance = () => feeder.advanceTo(Math.max(start, now()) as EpochMs);
  return {
    homes,
    feeder,
    image: (home) => current(home === null ? feederRegisters(feeder) : homeRegisters(home), advance),
    save() {
      advance();
      mkdirSync(dirname(path), { recursive: true });
      const street: SavedStreet = {
        homes: Object.fromEntries(homes.map((home) => [home.plan.id, home.save()])),
        feeder: feeder.save(),
      };
      writeFileSync(`${path}.new`, JSON.stringify(street), { flush: true });
      renameSync(`${path}.new`, path);
    },
  };
}

function plantedError({ meterError, firstDelivery }: WorldOptions, home: string) {
  if (meterError?.home !== home) return {};
  return { meterError: { energy: wh(meterError.wh), after: firstDelivery } };
}

function current(image: RegisterImage, advance: () => void): RegisterImage {
  return {
    readHolding(...args) {
      advance();
      return image.readHolding(...args);
    },
    readCoils(...args) {
      advance();
      return image.readCoils(...args);
    },
    readDiscreteInputs(...args) {
      advance();
      return image.readDiscreteInputs(...args);
    },
    writeHolding(...args) {
      advance();
      return image.writeHolding(...args);
    },
    writeCoils(...args) {
      advance();
      return image.writeCoils(...args);
    },
  };
}
