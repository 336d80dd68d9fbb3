import { RestartingMarket } from './restarting-market.ts';
import { type MODULES, naiveMarket } from './twin-markets.ts';
import { describeDifference, runSeed } from './twin-search.ts';

/**
 * `planted-fault-run.ts FOLDER SEEDS`: the differential test, reduced, of the copy of `src/domain` in that folder. It
 * prints the first difference and ends with 1; or says how many seeds it ran. A program of its own, so that a fault that
 * never comes back can be ended.
 */
const [folder = '', seeds = ''] = process.argv.slice(2);
const { ProductBook } = await import(`${folder}/market/product-book.ts`);
const { MemberTable } = await import(`${folder}/market/member-table.ts`);
const modules: typeof MODULES = { ProductBook, MemberTable };
process.exitCode = firstDifference();

function firstDifference(): number {
  for (let seed = 1; seed <= Number(seeds); seed += 1) {
    const difference = runSeed(seed, naiveMarket, (products) => new RestartingMarket(modules, products));
    if (difference === null) continue;
    console.log(describeDifference(seed, difference).split('\n')[0]);
    return 1;
  }
  console.log(`no difference in ${seeds} seeds`);
  return 0;
}
