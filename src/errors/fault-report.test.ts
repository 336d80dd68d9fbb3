import { expect, test } from 'vitest';
import { FAULTS, type FaultCode } from './catalogue.ts';
import { Fault } from './fault.ts';
import { exitCodeOf, faultReport } from './fault-report.ts';

test('a wrong or missing input file is a matter of usage, anything else of the world', () => {
  const codes = Object.keys(FAULTS) as FaultCode[];
  const usage = codes.filter((code) => exitCodeOf(new Fault(code, 'x')) === 2);
  expect(usage).toEqual(['CONFIG_INVALID', 'FILE_UNREADABLE']);
});

test('the report has three lines, or is one JSON object', () => {
  const fault = new Fault('DISK_FULL', 'no space on /srv');
  expect(faultReport(fault, false)).toBe(`DISK_FULL: no space on /srv\n${fault.remedy}\nSee ${fault.docs}\n`);
  expect(JSON.parse(faultReport(fault, true))).toEqual({
    code: 'DISK_FULL',
    message: 'no space on /srv',
    remedy: fault.remedy,
    docs: 'docs/reference/errors.md#disk_full',
  });
});
