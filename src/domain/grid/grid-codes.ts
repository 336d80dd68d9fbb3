import { checkGridCode } from './check-grid-code.ts';
import cat1 from './codes/ieee1547-2018-cat1.json' with { type: 'json' };
import cat2 from './codes/ieee1547-2018-cat2.json' with { type: 'json' };
import cat2At50Hz from './codes/ieee1547-2018-cat2-50hz.json' with { type: 'json' };
import cat3 from './codes/ieee1547-2018-cat3.json' with { type: 'json' };
import type { GridCode } from './grid-code.ts';

const BUILT_IN: readonly unknown[] = [cat1, cat2, cat3, cat2At50Hz];

/** The codes that come with the product. */
export const GRID_CODES: readonly GridCode[] = BUILT_IN.map((data) => {
  const checked = checkGridCode(data);
  if (!checked.ok) throw new Error(`bug: a built-in grid code is wrong: ${checked.problem}`);
  return checked.code;
});

/** `'ieee1547-2018-cat2'` -> its numbers; null where no code has that name. */
export function gridCode(name: string): GridCode | null {
  return GRID_CODES.find((code) => code.name === name) ?? null;
}
