import { expect, test } from 'vitest';
import { wh } from '../units/energy.ts';
import { substituteEnergy } from './substitute-reading.ts';

test.each([
  ['what was bought, where last week is unknown', 300, null, 300],
  ['what was bought, where that is more', 300, 200, 300],
  ['last week, where that is more', 300, 400, 400],
])('a substitute imports %s, exports nothing and is flagged', (_, bought, lastWeek, imported) => {
  const energy = substituteEnergy(wh(bought), lastWeek === null ? null : wh(lastWeek));
  expect(energy).toEqual({ imported, exported: 0, origin: 'substituted' });
});
