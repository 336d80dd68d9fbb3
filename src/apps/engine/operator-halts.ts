import type { HaltCommand } from '../../domain/engine/command.ts';
import type { EngineState } from '../../domain/engine/state.ts';
import type { MemberId } from '../../domain/units/identity.ts';
import type { EngineConfig } from './engine-config.ts';

/** The halts and resumptions that lead from what the journal says to what the operator has configured. */
export function operatorHalts(config: EngineConfig, { members }: EngineState): Omit<HaltCommand, 'at'>[] {
  const halts: Omit<HaltCommand, 'at'>[] = [];
  if (config.halted !== members.table.isMarketHalted) halts.push({ type: typeOf(config.halted), member: null });
  for (const { id, halted } of config.members) {
    const number = members.numberOf(id as MemberId);
    if (number === undefined || members.table.isHalted(number) === halted) continue;
    halts.push({ type: typeOf(halted), member: id as MemberId });
  }
  return halts;
}

function typeOf(halted: boolean): HaltCommand['type'] {
  return halted ? 'halt' : 'resume';
}
