import { readFileSync, statSync } from 'node:fs';
import { FAULTS, type FaultCode } from '../../errors/catalogue.ts';
import { Fault } from '../../errors/fault.ts';

/** How long the log of a child is before it begins: what an earlier run said is not its word. */
export function logLength(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Why a child could not run, in its own words: the fault that it named, or its last lines. */
export function faultOfChild(name: string, logPath: string, from: number): Fault {
  const words = readFileSync(logPath).subarray(from).toString('utf8').trim();
  const [, code, message] = /^([A-Z_]+): (.*)$/m.exec(words) ?? [];
  if (code !== undefined && message !== undefined && isFaultCode(code)) return new Fault(code, message);
  return new Fault('CHILD_FAILED', `${name} could not run: ${words.split('\n').slice(-4).join('\n')}`);
}

function isFaultCode(code: string): code is FaultCode {
  return Object.hasOwn(FAULTS, code);
}
