import { ORDER_REFUSALS } from '../src/domain/market/order.ts';
import { FAULT_TEXTS } from '../src/domain/safety/fault-code.ts';
import { FAULTS } from '../src/errors/catalogue.ts';
import { DOOR_REFUSAL_NOTES, ORDER_REFUSAL_NOTES } from '../src/errors/order-refusals.ts';

const INTRODUCTION = `# Errors

<!-- Written by \`npm run fix\` from the catalogue in \`src/errors\`. -->

Four kinds, never mixed:

| kind | what it is | how it appears |
|---|---|---|
| fault | the world failed: a dead peer, a full disk, a wrong file | a code below, printed with its remedy; the exit code is 2 for configuration and 3 otherwise |
| refusal | a valid request, answered no | a code in the answer; nothing changed |
| grid condition | voltage, frequency, meter or mesh do not permit export | a state of the interlock and a blink code |
| bug | something that cannot happen happened | a stack trace; the process exits with 1 and the relay falls open |

Severity: *fatal* ends the process, *error* ends the operation, *warn* went on in a defined way.
Retry: *never* without a change, *now*, or after a growing pause (*backoff*).
`;

const OUTCOMES = `## Outcomes of settlement

Codes that a statement or a log carries. Nothing failed in the program.

### DELIVERY_FAILURE

More than max(100 Wh, 10 %) of what a member traded in an interval was not delivered, or not taken.
The difference is settled as imbalance. Check the inverter, the battery and the forecast of that home.

### PRICE_MISMATCH

The clock of a member is more than 50 ms off the market's. Its new orders are refused (\`price_mismatch\`).
Check that chrony or ntp runs on the gateway and has a source.
`;

/** The whole of `docs/reference/errors.md`. */
export function errorReference(): string {
  return [
    INTRODUCTION,
    '## Faults\n',
    ...Object.entries(FAULTS).map(faultSection),
    refusals(),
    doorRefusals(),
    OUTCOMES,
    blinkCodes(),
  ].join('\n');
}

type FaultEntry = (typeof FAULTS)[keyof typeof FAULTS];

function faultSection([code, { severity, retry, meaning, remedy }]: [string, FaultEntry]): string {
  return `### ${code}\n\n${meaning}\n${remedy}\n*${severity}, retry ${retry}.*\n`;
}

function refusals(): string {
  const rows = ORDER_REFUSALS.map((code) => {
    const { meaning, remedy } = ORDER_REFUSAL_NOTES[code];
    return `| \`${code}\` | ${meaning} | ${remedy} |`;
  });
  return [
    '## Refusals of an order\n',
    'In the order in which the checks are made: the first that holds is the answer.',
    'The same order again gets the same answer again, and counts once.\n',
    '| code | meaning | remedy |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function doorRefusals(): string {
  const rows = Object.entries(DOOR_REFUSAL_NOTES).map(([code, { meaning, remedy }]) => {
    return `| \`${code}\` | ${meaning} | ${remedy} |`;
  });
  return [
    '## At the door\n',
    'Answers to an order or a withdrawal that was not decided. Nothing is remembered: the same message may be sent again.\n',
    '| code | meaning | remedy |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function blinkCodes(): string {
  const rows = Object.entries(FAULT_TEXTS).map(([flashes, text]) => `| ${flashes} | ${text} |`);
  return [
    '## Blink codes\n',
    'What the lamp beside the relay says, and the Sparkplug metric `Safety/FaultCode`. With 0 the lamp is steady.\n',
    '| flashes | meaning |',
    '|---|---|',
    ...rows,
    '',
  ].join('\n');
}
