import { RestartingMarket } from './restarting-market.ts';
import { type MODULES, naiveMarket } from './twin-markets.ts';
import { describeDifference, lengthOf, runSeed, shorten } from './twin-search.ts';

/**
 * `twin-program.ts FOLDER FIRST_SEED COMMANDS [shorten]`: runs the naive book beside the one of `src/domain`, or of a copy
 * of it in that folder, until there were so many commands. At the first difference it prints it and ends with 1. A program
 * of its own: it is quicker than the same inside the test runner, and one that never comes back can be ended.
 */
const [folder = '', firstSeed = '', commands = '', isShortening = ''] = process.argv.slice(2);
const { ProductBook } = await import(`${folder}/market/product-book.ts`);
const { MemberTable } = await import(`${folder}/market/member-table.ts`);
const modules: typeof MODULES = { ProductBook, MemberTable };
process.exitCode = runTwins();

function runTwins(): number {
  const market = (products: ConstructorParameters<typeof RestartingMarket>[1]) =>
    new RestartingMarket(modules, products);
  let done = 0;
  for (let seed = Number(firstSeed); done < Number(commands); seed += 1) {
    const difference = runSeed(seed, naiveMarket, market);
    done += lengthOf(seed);
    if (difference === null) continue;
    const shown = isShortening === '' ? { ...difference, commands: [] } : shorten(difference, naiveMarket, market);
    console.log(describeDifference(seed, shown));
    return 1;
  }
  console.log('no difference');
  return 0;
}
