/** One change of one file of `src` or of the test's own wiring: `from`, which is there exactly once, becomes `to`. */
interface PlantedFault {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const TAIL = 'src/adapters/journal/journal-tail.ts';
const WRITER = 'src/apps/engine/command-writer.ts';

export const PLANTED_FAULTS: readonly PlantedFault[] = [
  {
    name: 'an answer leaves before the sync',
    file: TAIL,
    from: `    await this.#segment.file.sync();
    const firstSequence`,
    to: `    void this.#segment.file.sync().catch(() => undefined);
    const firstSequence`,
  },
  {
    name: 'a sync that fails is passed over',
    file: TAIL,
    from: `    await this.#segment.file.sync();
    const firstSequence`,
    to: `    await this.#segment.file.sync().catch(() => undefined);
    const firstSequence`,
  },
  {
    name: 'the name of a new segment is not synced',
    file: TAIL,
    from: `  await disk.syncFolder(folder);
  return { file, firstSequence`,
    to: '  return { file, firstSequence',
  },
  {
    name: 'a frame that a failed sync left in the memory of the system is built on',
    file: TAIL,
    from: '    await writeAgain(file, end.lastFrameAt, end.validBytes);',
    to: '',
  },
  {
    name: 'a torn frame is taken for whole',
    file: 'src/adapters/journal/segment.ts',
    from: 'return isWhole ? frame.subarray',
    to: 'return isWhole || frame.length === length ? frame.subarray',
  },
  {
    name: 'a record is applied twice after a restart',
    file: WRITER,
    from: 'for (const record of records) {',
    to: 'for (const record of firstSequence % 5 === 0 ? [...records, ...records.slice(-1)] : records) {',
  },
  {
    name: 'a snapshot that is one command old is taken for the newest',
    file: 'test/scenarios/market-under-faults-engine.ts',
    from: 'const bytes = snapshotState(state);',
    to: 'const bytes = snapshotState({ ...state, sequence: state.sequence + 1 });',
  },
  {
    name: 'an order number is free again after a restart',
    file: 'src/domain/market/product-book.ts',
    from: 'this.#keys.put(this.#keys.find(member, clientOrderId), member, clientOrderId);',
    to: `const name = this.#lines.openOf(position) > 0 ? clientOrderId : clientOrderId ^ 0x5555;
    this.#keys.put(this.#keys.find(member, name), member, name);`,
  },
  {
    name: 'a gate closes before the last order that was journaled ahead of it',
    file: WRITER,
    from: 'const applied = tail.then(',
    to: "const applied = (command.type === 'close' ? Promise.resolve() : tail).then(",
  },
  {
    name: 'market time follows a clock that goes back',
    file: WRITER,
    from: 'lastAt = Math.max(lastAt, Math.floor(clock.now())) as EpochMs;',
    to: 'lastAt = Math.floor(clock.now()) as EpochMs;',
  },
  {
    name: 'an interval is completed again after a restart',
    file: 'src/apps/engine/market-loop.ts',
    from: 'completedUntil < boundary',
    to: 'completedUntil <= boundary',
  },
  {
    name: 'a buy at the price of a sell does not meet it',
    file: 'src/domain/market/price-time-book.ts',
    from: 'while (left > 0 && levels.bestSell <= tick) left',
    to: 'while (left > 0 && levels.bestSell < tick) left',
  },
  {
    name: 'what an order holds reserved is given back by half when it ends',
    file: 'src/domain/market/product-book.ts',
    from: 'this.#members.reserve(member, -this.#checks.reservation(position, energy));',
    to: 'this.#members.reserve(member, -this.#checks.reservation(position, energy >> 1));',
  },
  {
    name: 'a home is settled for one Wh more than its meter shows',
    file: 'src/domain/engine/complete-interval.ts',
    from: '  return { member, ...traded, energy: verified.outputs.energy };',
    to: `  const { imported, ...metered } = verified.outputs.energy;
  const energy = { ...metered, imported: (imported + (interval.start % 4 === 0 ? 1 : 0)) as typeof imported };
  return { member, ...traded, energy };`,
  },
];
