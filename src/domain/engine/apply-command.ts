import { assert } from '../units/assert.ts';
import type { Command } from './command.ts';
import { completeInterval } from './complete-interval.ts';
import type { EngineEvent } from './event.ts';
import { answerCancel, answerOrder, changeTerms, closeGate, halt, openProduct } from './market-commands.ts';
import type { EngineState } from './state.ts';

/**
 * The engine: one command, in journal order, to the events it has. Deterministic and total for every command that the
 * doors let through; live, replay and simulation run this same function. Changes `state` in place and owns it.
 */
export function applyCommand(state: EngineState, command: Command): EngineEvent[] {
  assert(command.at >= state.now, `market time went back from ${state.now} to ${command.at}`);
  state.sequence += 1;
  state.now = command.at;
  switch (command.type) {
    case 'terms':
      return changeTerms(state, command.terms);
    case 'open':
      return openProduct(state, command.product, command.tariff);
    case 'order':
      return answerOrder(state, command);
    case 'cancel':
      return answerCancel(state, command);
    case 'halt':
    case 'resume':
      return halt(state, command);
    case 'close':
      return closeGate(state, command.product);
    case 'complete':
      return completeInterval(state, command);
  }
}
