import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VERDICTS } from '../../domain/market/verdict.ts';
import { CommandTape, type TapedCommand } from './command-tape.ts';

const command: fc.Arbitrary<TapedCommand> = fc.record({
  kind: fc.constantFrom('order', 'cancel'),
  sequence: fc.maxSafeNat(),
  member: fc.nat(2 ** 32 - 1),
  clientOrderId: fc.nat(2 ** 32 - 1),
  verdict: fc.constantFrom(...VERDICTS),
  reserved: fc.option(fc.maxSafeNat()),
  record: fc.uint8Array({ maxLength: 1200 }),
  receipt: fc.uint8Array({ minLength: 32, maxLength: 32 }),
});

test('a tape gives back what was put on it, and so does another one made of its bytes', () => {
  fc.assert(
    fc.property(fc.array(command), command, (commands, last) => {
      const tape = new CommandTape();
      for (const one of commands) tape.add(one);
      const again = new CommandTape(tape.bytes);
      again.add(last);
      expect([tape.count, [...tape.commands()]]).toEqual([commands.length, commands]);
      expect([again.count, [...again.commands()]]).toEqual([commands.length + 1, [...commands, last]]);
    }),
    { numRuns: 50 },
  );
});
