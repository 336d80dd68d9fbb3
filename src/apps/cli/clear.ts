import { type CommandSpec, type OptionSpec, parseCommandLine } from '../../adapters/config/arguments.ts';
import { readText } from '../../adapters/config/load-yaml.ts';
import { ORDER_COLUMNS, parseOrdersCsv } from '../../adapters/config/orders-csv.ts';
import { parsePrice } from '../../domain/units/price.ts';
import { clearOrders } from './clear-orders.ts';
import { jsonOf, textOf } from './clear-report.ts';
import { EXIT, type Terminal } from './terminal.ts';

const SPEC = {
  name: 'p2p-cli clear',
  summary: 'Clears one product from a CSV of orders and tells the fate of each.',
  operands: [{ name: 'FILE.csv', help: `one order a row, columns ${ORDER_COLUMNS.join(',')}` }],
  options: {
    mechanism: { kind: 'text', choices: ['call', 'continuous'], default: 'call', help: 'how orders meet' },
    rationing: {
      kind: 'text',
      choices: ['pro-rata', 'price-time'],
      default: 'pro-rata',
      help: 'who gets how much of a partly filled limit',
    },
    tick: { kind: 'text', value: 'T', default: '0.0001', help: 'the grid of prices, currency per kWh' },
    json: { kind: 'flag', help: 'one JSON object instead of a table' },
  },
  notes: `side is buy or sell, limit_price_per_kwh a decimal, energy_wh a whole number, time the sequence of arrival.
Example: p2p-cli clear orders.csv --mechanism call --rationing price-time --tick 0.0001 --json`,
} as const satisfies CommandSpec<Record<string, OptionSpec>>;

/** `p2p-cli clear FILE.csv`. @throws Fault CONFIG_INVALID or FILE_UNREADABLE for the file */
export async function clear(argv: readonly string[], terminal: Terminal): Promise<number> {
  const line = parseCommandLine(SPEC, argv);
  if (line.kind === 'help') return terminal.out(line.text).then(() => EXIT.ok);
  if (line.kind === 'refusal') return terminal.err(`${line.message}\n`).then(() => EXIT.usage);
  const { mechanism, rationing, json } = line.options;
  const tick = parsePrice(line.options.tick);
  if (tick === null || tick <= 0) {
    const message = `--tick must be a decimal above 0 with at most six places, as 0.0001; not "${line.options.tick}"\n`;
    return terminal.err(message).then(() => EXIT.usage);
  }
  const path = line.operands[0] ?? '';
  const rows = parseOrdersCsv(readText(path), path, tick);
  const rules = { mechanism, rationing, tick };
  const cleared = clearOrders(rows, rules);
  const pieces = json ? jsonOf(rows, cleared, rules) : [textOf(rows, cleared, rules, terminal.color)];
  for (const piece of pieces) await terminal.out(piece);
  return EXIT.ok;
}
