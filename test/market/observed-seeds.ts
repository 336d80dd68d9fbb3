import { AcceptanceLog } from './acceptance-log.ts';
import { BookCommands } from './book-commands.ts';
import { apply, type Market, type MarketCommand } from './market-command.ts';
import { fastMarket } from './twin-markets.ts';

const COMMANDS_A_SEED = 300;

/** A market in the middle of its random commands. */
export interface Scene {
  readonly market: Market;
  readonly log: AcceptanceLog;
  readonly command: MarketCommand;
  readonly answer: string | null;
}

/** What is looked at around each command; `after` gets what `before` returned. */
export interface Observer<T> {
  readonly before?: (market: Market, command: MarketCommand, log: AcceptanceLog) => T;
  readonly after: (scene: Scene, before: T | undefined) => void;
}

/** Runs the commands of the seeds 1 to `seeds` over the fast book and shows every one of them to the observer. */
export function observeSeeds<T>(seeds: number, { before, after }: Observer<T>): void {
  for (let seed = 1; seed <= seeds; seed += 1) {
    try {
      observeSeed(seed, before, after);
    } catch (thrown) {
      throw new Error(`seed ${seed}`, { cause: thrown });
    }
  }
}

function observeSeed<T>(seed: number, before: Observer<T>['before'], after: Observer<T>['after']): void {
  const source = new BookCommands(seed, COMMANDS_A_SEED);
  const market = fastMarket(source.products);
  const log = new AcceptanceLog();
  for (let count = 0; count < COMMANDS_A_SEED; count += 1) {
    const command = source.next(market);
    const seen = before?.(market, command, log);
    const answer = apply(market, command);
    log.note(command, answer);
    after({ market, log, command, answer }, seen);
  }
}
