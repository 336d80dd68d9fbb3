import { assert } from '../../domain/units/assert.ts';

/**
 * What waits, in one line a member. The lines take turns, one item each, so that a member waits for as many others as
 * there are and never for how much one of them sent. Within a line the first is the first.
 */
export class FairQueue<Item> {
  /** In the order of the turns: who has just had one goes to the end. No line is empty. */
  readonly #lines = new Map<string, Item[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(member: string, item: Item): void {
    const line = this.#lines.get(member);
    if (line === undefined) this.#lines.set(member, [item]);
    else line.push(item);
    this.#size += 1;
  }

  /** The next in turn, at most that many. */
  take(count: number): Item[] {
    const taken: Item[] = [];
    while (taken.length < count) {
      const [next] = this.#lines;
      if (next === undefined) break;
      taken.push(this.#turn(...next));
    }
    return taken;
  }

  #turn(member: string, line: Item[]): Item {
    const item = line.shift();
    assert(item !== undefined, `the line of ${member} is empty`);
    this.#lines.delete(member);
    if (line.length > 0) this.#lines.set(member, line);
    this.#size -= 1;
    return item;
  }
}
