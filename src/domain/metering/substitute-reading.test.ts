import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wh } from '../units/energy.ts';
import { epochMs } from '../units/time.ts';
import { splitGap, substituteEnergy } from './substitute-reading.ts';

test.each([
  ['what was bought, where last week is unknown', 300, null, 300],
  ['what was bought, where that is more', 300, 200, 300],
  ['last week, where that is more', 300, 400, 400],
])('a substitute imports %s, exports nothing and is flagged', (_, bought, lastWeek, imported) => {
  const energy = substituteEnergy(wh(bought), lastWeek === null ? null : wh(lastWeek));
  expect(energy).toEqual({ imported, exported: 0, origin: 'substituted' });
});

test('a gap is split exactly, no interval up while another goes down, and evenly where the substitutes are zero', () => {
  const anyEnergy = fc.oneof(fc.constant(0), fc.nat(3000));
  const anyGap = fc.array(fc.tuple(anyEnergy, anyEnergy), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(anyGap, anyEnergy, anyEnergy, (substitutes, imported, exported) => {
      const gap = substitutes.map(([drawn, fedIn], index) => ({
        interval: { start: epochMs(index * 900_000), lengthMs: 900_000 } as const,
        imported: wh(drawn),
        exported: wh(fedIn),
      }));
      const split = splitGap(gap, { imported: wh(imported), exported: wh(exported) });
      for (const register of ['imported', 'exported'] as const) {
        const total = { imported, exported }[register];
        const shares = split.map(({ energy }) => energy[register]);
        const booked = gap.map((each) => each[register]);
        expect(shares.reduce((a, b) => a + b, 0)).toBe(total);
        const [most, least] = [Math.max(...shares), Math.min(...shares)];
        if (booked.every((energy) => energy === 0)) expect(most - least).toBeLessThanOrEqual(1);
        else {
          const changes = shares.map((share, index) => share - (booked[index] ?? 0));
          expect(changes.some((change) => change > 1) && changes.some((change) => change < -1)).toBe(false);
        }
      }
      expect(split.map(({ booked }) => booked)).toEqual(gap);
    }),
  );
});
