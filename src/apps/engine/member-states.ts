import type { EngineState } from '../../domain/engine/state.ts';
import type { MemberState } from '../../domain/proof/gate-root.ts';
import { assert } from '../../domain/units/assert.ts';

/**
 * Every member ever admitted, by number, as it is after the last command that changed the terms or halted somebody.
 * `before`: what the last call returned; who has left the terms keeps what it had.
 */
export function memberStatesOf(
  { terms, members, current }: EngineState,
  before: readonly Omit<MemberState, 'sequence'>[],
): Omit<MemberState, 'sequence'>[] {
  assert(terms !== null, 'the terms come first');
  const named = new Map(terms.members.map((member) => [member.id, member]));
  /** The first member of each owner gives its group the number. */
  const leaders = new Map<string, number>();
  for (const { id, owner } of terms.members) {
    const number = members.numberOf(id);
    assert(number !== undefined, `member ${id} was admitted with the terms`);
    if (owner !== undefined && !leaders.has(owner)) leaders.set(owner, number);
  }
  return members.ids.map((id, number) => {
    const { table } = members;
    const halted = table.isHalted(number);
    const member = current.has(number) ? named.get(id) : undefined;
    const known = before[number];
    if (member === undefined) {
      assert(known !== undefined, `member ${id} was never named by the terms`);
      return { ...known, halted, active: false };
    }
    const { address, owner, collateral = null } = member;
    const group = (owner === undefined ? undefined : leaders.get(owner)) ?? number;
    const rules = { capability: table.capability(number), collateral, group, zone: table.zone(number) };
    return { number, id, address, ...rules, active: true, halted };
  });
}
