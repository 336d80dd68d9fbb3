/** Wh that stand and Wh that are given, by level: zone x 2 x ticks + key. */
export interface ZoneLevels {
  readonly levels: Int32Array;
  readonly given: Int32Array;
  readonly ticks: number;
}

/** What the orders of each zone were given, Wh. */
export function energyByZone({ given, ticks }: ZoneLevels, zones: number): { bought: number[]; sold: number[] } {
  const bought = new Array<number>(zones).fill(0);
  const sold = new Array<number>(zones).fill(0);
  for (let zone = 0, level = 0; zone < zones; zone++) {
    for (let tick = 0; tick < ticks; tick++, level += 2) {
      bought[zone] = (bought[zone] as number) + (given[level] as number);
      sold[zone] = (sold[zone] as number) + (given[level + 1] as number);
    }
  }
  return { bought, sold };
}

/** By zone: Wh sold to others, or, below zero, bought from them. */
export function exportsOf(zoned: ZoneLevels, zones: number): number[] {
  const { bought, sold } = energyByZone(zoned, zones);
  return sold.map((energy, zone) => energy - (bought[zone] as number));
}

/** Wh of `energies` at this level. */
export function at(energies: Int32Array, { ticks }: ZoneLevels, zone: number, key: number): number {
  return energies[zone * 2 * ticks + key] as number;
}
