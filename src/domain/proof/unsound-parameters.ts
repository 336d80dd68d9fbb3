import type { ClearingArtefact } from './clearing-artefact.ts';
import { isShown, type Part } from './clearing-artefact.ts';
import type { ClearingRules, MemberState } from './gate-root.ts';

/** Why parameters could never have been those of a market: a replay of them would have no meaning. null: they could. */
export function unsoundParameters(artefact: ClearingArtefact): string | null {
  const { gate, rules, members, changes } = artefact;
  if (rules.product.product !== gate.product) return 'the rules are those of another product';
  if (artefact.commands.length !== gate.commands) return `the log has ${artefact.commands.length} commands`;
  if (rules.opened >= gate.sequence) return 'the product opened after its gate';
  const during = [...rules.halts, ...changes.flatMap((change) => (isShown(change) ? [change] : []))];
  if (during.some(({ sequence }) => sequence < rules.opened || sequence >= gate.sequence)) {
    return 'a change lies outside the life of the product';
  }
  return unsoundRules(rules) ?? unsoundMembers(members, changes);
}

function unsoundRules({ halts, product }: ClearingRules): string | null {
  const { tick, band, fees, zoneLimits } = product;
  if (!isAscending(halts)) return 'the halts are not in order';
  if (band.lowest > band.highest || band.lowest % tick !== 0 || band.highest % tick !== 0) return 'the band is none';
  if (fees.length === 0) return 'there is no zone';
  const isZone = (zone: number) => zone < fees.length;
  if (!zoneLimits.every(({ from, to }) => isZone(from) && isZone(to) && from !== to)) return 'a limit names no zone';
  return null;
}

function unsoundMembers(members: readonly Part<MemberState>[], changes: readonly Part<MemberState>[]): string | null {
  const ids = new Map<number, string>();
  const shownChanges = changes.flatMap((change) => (isShown(change) ? [change] : []));
  if (!isAscending(shownChanges)) return 'the changes of members are not in order';
  for (const [number, member] of members.entries()) {
    if (!isShown(member)) continue;
    if (member.number !== number) return `member ${member.id} stands in another place`;
    ids.set(number, member.id);
  }
  if (new Set(ids.values()).size !== ids.size) return 'two members have one name';
  return members.every(isShown) && changes.every(isShown) ? unsoundChanges(shownChanges, ids) : null;
}

function unsoundChanges(changes: readonly MemberState[], ids: Map<number, string>): string | null {
  const names = new Set(ids.values());
  for (const { number, id } of changes) {
    const known = ids.get(number);
    if (known === undefined ? number !== ids.size || names.has(id) : known !== id) {
      return `${id} is admitted under a number that is not its own`;
    }
    ids.set(number, id);
    names.add(id);
  }
  return null;
}

function isAscending(entries: readonly { readonly sequence: number }[]): boolean {
  return entries.every(({ sequence }, at) => sequence >= (entries[at - 1]?.sequence ?? 0));
}
