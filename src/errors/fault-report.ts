import type { FaultCode } from './catalogue.ts';
import type { Fault } from './fault.ts';

/** Faults of what people wrote or named: the exit code says so, on every command. */
const INPUT_FAULTS: readonly FaultCode[] = ['CONFIG_INVALID', 'FILE_UNREADABLE'];

/** 2: usage or configuration; 3: could not run. */
export function exitCodeOf(fault: Fault): 2 | 3 {
  return INPUT_FAULTS.includes(fault.code) ? 2 : 3;
}

/** What a command says of a fault that ends it: what failed, what to do, where to read more. One JSON object on request. */
export function faultReport(fault: Fault, json: boolean): string {
  const { code, message, remedy, docs } = fault;
  return json
    ? `${JSON.stringify({ code, message, remedy, docs })}\n`
    : `${code}: ${message}\n${remedy}\nSee ${docs}\n`;
}
