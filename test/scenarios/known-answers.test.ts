import { describe, expect, test } from 'vitest';
import { DATA_IS_MISSING, dataFile, kpisOf, nano } from './simulate-command.ts';

/** Computed apart from this project, in integers, from the same files. */
const KNOWN = [
  {
    file: 'sierra-crest/all-pv.yaml',
    own: 0.33908,
    community: 0.44339,
    tradedWh: 17_695_672,
    baseline: '29722.51747',
    saving: '3062.14462',
    savingRatio: 0.10302,
  },
  {
    file: 'sierra-crest/mixed.yaml',
    own: 0.16932,
    community: 0.30223,
    tradedWh: 22_548_459,
    baseline: '38989.17306',
    saving: '3590.67512',
    savingRatio: 0.09209,
  },
  {
    file: 'german-street-15min/community.yaml',
    own: 0.19426,
    community: 0.33694,
    tradedWh: 1_010_037,
    baseline: '1198.62138',
    saving: '222.20814',
    savingRatio: 0.18539,
  },
] as const;

const MECHANISMS = ['call', 'mid-market'] as const;

describe.skipIf(DATA_IS_MISSING).each(KNOWN)('$file', ({ file, ...known }) => {
  const run = (...args: readonly string[]) => kpisOf(dataFile(file), '--no-battery', '--agents', 'rule', ...args);

  test.each(MECHANISMS)('%s with a perfect forecast gives the known answer to the last digit', async (mechanism) => {
    const kpis = await run('--mechanism', mechanism, '--forecast', 'perfect');
    expect(kpis.selfSufficiency.own.toFixed(5)).toBe(known.own.toFixed(5));
    expect(kpis.selfSufficiency.community.toFixed(5)).toBe(known.community.toFixed(5));
    expect(kpis.bills.savingRatio.toFixed(5)).toBe(known.savingRatio.toFixed(5));
    expect(kpis.energy).toMatchObject({ tradedWh: known.tradedWh, balancedWh: 0, storedDeltaWh: 0 });
    const { baseline, saving, communityAccount, losers } = kpis.bills;
    expect({ baseline, saving, communityAccount, losers }).toEqual({
      baseline: known.baseline,
      saving: known.saving,
      communityAccount: '0',
      losers: 0,
    });
    expect(kpis.feederPeakImportW.community).toBe(kpis.feederPeakImportW.baseline);
    expect(kpis.conservation).toEqual({ energyWh: '0', money: '0' });
    expect(kpis.seconds).toBeLessThan(60);
  });

  test('with the forecast of yesterday saving and community account are that same saving, to the nano', async () => {
    const kpis = await run('--mechanism', 'call', '--forecast', 'yesterday');
    expect(nano(kpis.bills.saving) + nano(kpis.bills.communityAccount)).toBe(nano(known.saving));
    expect(kpis.energy.balancedWh).toBeGreaterThan(0);
    expect(kpis.bills.baseline).toBe(known.baseline);
    expect(kpis.conservation).toEqual({ energyWh: '0', money: '0' });
  });
});

test.skipIf(DATA_IS_MISSING)(
  'a year of 17 homes with batteries adds up, and its own rule leaves the feeder peak alone',
  async () => {
    const kpis = await kpisOf(dataFile('sierra-crest/all-pv-battery.yaml'), '--forecast', 'perfect');
    expect(kpis.conservation).toEqual({ energyWh: '0', money: '0' });
    expect(kpis.bills).toMatchObject({ losers: 0, communityAccount: '0' });
    expect(kpis.feederPeakImportW.community).toBe(kpis.feederPeakImportW.baseline);
    expect(kpis.selfSufficiency.own).toBeGreaterThan(KNOWN[0].own);
    expect(kpis.energy.storedDeltaWh).not.toBe(0);
  },
);
