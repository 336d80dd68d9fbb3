import { parseCommandLine } from '../../adapters/config/arguments.ts';
import { loadCommunity } from '../../adapters/config/community.ts';
import { parsePrice } from '../../domain/units/price.ts';
import { kpisOf } from './kpis.ts';
import { daysOf } from './local-days.ts';
import { reportOf } from './report.ts';
import { simulate } from './run.ts';

const COMMAND = {
  name: 'simulate',
  summary: 'Runs a community over time on the code that runs the street, and says what sharing energy is worth.',
  operands: [{ name: 'FILE.yaml', help: 'the community: members, profiles, tariff (docs/reference)' }],
  options: {
    mechanism: {
      kind: 'text',
      choices: ['call', 'mid-market', 'feed-in', 'continuous', 'fixed'],
      default: 'call',
      help: 'how energy is shared',
    },
    'fixed-price': {
      kind: 'text',
      value: 'P',
      help: 'under fixed: currency per kWh; default the middle of the tariffs',
    },
    agents: { kind: 'text', choices: ['rule', 'mpc'], default: 'rule', help: 'who bids; mpc is not built yet' },
    forecast: { kind: 'text', choices: ['perfect', 'yesterday'], default: 'yesterday', help: 'what agents expect' },
    'no-battery': { kind: 'flag', help: 'leave every battery out' },
    from: { kind: 'text', value: 'YYYY-MM-DD', help: 'first day, local time of the community' },
    to: { kind: 'text', value: 'YYYY-MM-DD', help: 'the day after the last one: up to its midnight' },
    json: { kind: 'flag', help: 'one JSON object instead of tables' },
  },
  notes: 'Exit codes: 0 ok, 1 the books do not add up, 2 usage or configuration, 3 could not run.',
} as const;

/** @returns the exit code */
export async function main(argv: readonly string[]): Promise<number> {
  const line = parseCommandLine(COMMAND, argv);
  if (line.kind === 'help') return say(process.stdout, line.text, 0);
  if (line.kind === 'refusal') return say(process.stderr, `${line.message}\n`, 2);
  const { mechanism, agents, forecast, json, from, to, 'no-battery': withoutBatteries } = line.options;
  if (agents === 'mpc') return notBuilt('--agents mpc');
  const started = performance.now();
  const community = loadCommunity(line.operands[0] ?? '');
  if (community.supply === 'allocated') return notBuilt('supply: allocated');
  const days = daysOf(community, from, to);
  if (typeof days === 'string') return say(process.stderr, `${days}\n`, 2);
  const fixedPrice = line.options['fixed-price'] === undefined ? undefined : parsePrice(line.options['fixed-price']);
  if (fixedPrice === null || (fixedPrice !== undefined && mechanism !== 'fixed')) {
    return say(process.stderr, '--fixed-price goes with --mechanism fixed and is a decimal as 0.19\n', 2);
  }
  const options = { mechanism, forecast, batteries: !withoutBatteries, ...days };
  const chosen = fixedPrice === undefined ? options : { ...options, fixedPrice };
  const simulation = simulate(community, chosen, showProgress);
  clearProgress();
  const seconds = Math.round(performance.now() - started) / 1000;
  const kpis = kpisOf(simulation, { mechanism, agents, forecast, seconds });
  const text = json ? JSON.stringify(kpis) : reportOf(community.name, community.currency, kpis, simulation);
  const conserved = kpis.conservation.energyWh === '0' && kpis.conservation.money === '0';
  return say(process.stdout, `${text}\n`, conserved ? 0 : 1);
}

function say(stream: NodeJS.WriteStream, text: string, code: number): number {
  stream.write(text);
  return code;
}

function notBuilt(what: string): number {
  return say(process.stderr, `${what} is not built yet.\n`, 3);
}

function showProgress(done: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\rsimulating ${Math.floor(done * 100)} %`);
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
}
