import { BookCommands } from './book-commands.ts';
import { describeCommand, type Episode, type MarketCommand, type MarketMaker } from './market-command.ts';
import { TwinRun } from './twin-run.ts';

/** An episode after which the two markets differ. */
export interface TwinDifference extends Episode {
  readonly text: string;
}

/** How many commands a seed stands for: now and then so many that every table has to grow several times. */
export function lengthOf(seed: number): number {
  return seed % 97 === 0 ? 6000 : 400;
}

/** Runs one seed's commands over both; the first difference, with the commands up to it. */
export function runSeed(seed: number, reference: MarketMaker, other: MarketMaker): TwinDifference | null {
  const length = lengthOf(seed);
  const source = new BookCommands(seed, length);
  const settings = { products: source.products, restartEvery: seed % 4 === 0 ? 37 : 0 };
  const run = new TwinRun(settings, reference, other);
  const commands: MarketCommand[] = [];
  for (let count = 0; count < length; count += 1) {
    const command = source.next(run.reference);
    commands.push(command);
    const text = run.step(command);
    if (text !== null) return { ...settings, commands, text };
  }
  const text = run.compareAll();
  return text === null ? null : { ...settings, commands, text };
}

/** The same commands again, from a list. */
function runEpisode(episode: Episode, reference: MarketMaker, other: MarketMaker): string | null {
  const run = new TwinRun(episode, reference, other);
  for (const command of episode.commands) {
    const text = run.step(command);
    if (text !== null) return text;
  }
  return run.compareAll();
}

/** So many commands are carried out to shorten a difference, and no more: a long one would take hours. */
const SHORTENING_BUDGET = 1_000_000;
const SHORTENING_BUDGET_WITH_RESTARTS = 50_000;

/** Leaves out what the difference does not need: ever smaller runs of commands, as long as something can go. */
export function shorten(difference: TwinDifference, reference: MarketMaker, other: MarketMaker): TwinDifference {
  let best = difference.restartEvery === 0 ? difference : withMoreRestarts(difference, reference, other);
  let budget = best.restartEvery === 0 ? SHORTENING_BUDGET : SHORTENING_BUDGET_WITH_RESTARTS;
  for (let size = Math.ceil(best.commands.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = best.commands.length - size; start > -size && budget > 0; start -= size) {
      const commands = best.commands.filter(
        (command, at) => command.kind === 'admit' || at < start || at >= start + size,
      );
      if (commands.length === best.commands.length) continue;
      budget -= commands.length;
      const text = runEpisode({ ...best, commands }, reference, other);
      if (text !== null && kindOf(text) === kindOf(best.text)) best = { ...best, commands, text };
    }
  }
  return best;
}

/** A restart before every command does not depend on how many commands are left out. */
function withMoreRestarts(difference: TwinDifference, reference: MarketMaker, other: MarketMaker): TwinDifference {
  const more = { ...difference, restartEvery: 1 };
  const text = runEpisode(more, reference, other);
  return text !== null && kindOf(text) === kindOf(difference.text) ? { ...more, text } : difference;
}

/** The text without its figures: the same fault after fewer commands. */
function kindOf(text: string): string {
  return text.replace(/-?\d+/g, '').split('\n')[0] ?? '';
}

/** For people: what differs after which commands. */
export function describeDifference(seed: number, { text, products, commands, restartEvery }: TwinDifference): string {
  const rules = products.map((product, position) => `book ${position}: ${JSON.stringify(product)}`);
  const restarts = restartEvery === 0 ? [] : [`restarted every ${restartEvery} commands`];
  return [`seed ${seed}: ${text}`, ...rules, ...restarts, ...commands.map(describeCommand)].join('\n');
}
