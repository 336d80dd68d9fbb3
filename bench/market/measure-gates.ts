import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { epochMs, formatUtc } from '../../src/domain/units/time.ts';
import { startEngine } from './doors-engine.ts';
import { quantile } from './doors-load.ts';
import { openLoadMembers } from './doors-members.ts';
import {
  GATE_INTERVAL_MS,
  GATE_LEAD_MS,
  GATE_START,
  type GatePlan,
  type GateRun,
  gateOrders,
  runGates,
} from './gates-run.ts';
import { rounded } from './rounds.ts';

/** From the gate to the last member told, with orders arriving until the gate. */
const PLANS: Readonly<Record<'full' | 'quick' | 'tiny', readonly GatePlan[]>> = {
  full: [
    { members: 100, membersPerLink: 1, gates: 200, speed: 600, ordersPerGate: 200 },
    { members: 1000, membersPerLink: 100, gates: 200, speed: 300, ordersPerGate: 1000 },
    { members: 1000, membersPerLink: 1, gates: 50, speed: 300, ordersPerGate: 1000 },
    { members: 10_000, membersPerLink: 500, gates: 10, speed: 50, ordersPerGate: 5000 },
  ],
  quick: [{ members: 1000, membersPerLink: 100, gates: 10, speed: 750, ordersPerGate: 200 }],
  tiny: [{ members: 10, membersPerLink: 5, gates: 3, speed: 1000, ordersPerGate: 20 }],
};
const ASKED_MEMBERS = 1000;

const size = process.argv.includes('--tiny') ? 'tiny' : process.argv.includes('--quick') ? 'quick' : 'full';
const folder = mkdtempSync(join(tmpdir(), 'bench-gates-'));
try {
  for (const [at, plan] of PLANS[size].entries()) {
    await measure(plan, join(folder, `${at}`)).catch((error: unknown) => printFailure(plan, error));
  }
} finally {
  rmSync(folder, { recursive: true });
}

async function measure(plan: GatePlan, place: string): Promise<void> {
  mkdirSync(place);
  const members = await openLoadMembers(plan.members);
  const orders = gateOrders(members, plan);
  const engine = await startEngine(place, members, {
    ...{ interval: '5m', gate_lead_s: GATE_LEAD_MS / 1000, look_ahead_s: (3 * GATE_INTERVAL_MS) / 1000 },
    clock: { speed: plan.speed, start: formatUtc(epochMs(GATE_START)) },
    orders: { per_second: 1_000_000, burst: 1_000_000, member_queue: 10_000, queue: 100_000 },
  });
  try {
    const from = [engine.engine.cpuMs(), engine.broker.cpuMs()] as const;
    const run = await runGates(engine.broker.url, members, plan, orders);
    const cpu = { engine: engine.engine.cpuMs() - from[0], broker: engine.broker.cpuMs() - from[1] };
    print(plan, run, cpu);
  } finally {
    await engine.close();
  }
}

/** The other sizes are measured all the same; a bar that asks for this one is not met. */
function printFailure({ members, gates }: GatePlan, error: unknown): void {
  const failed = error instanceof Error ? error.message : String(error);
  console.log(JSON.stringify({ bench: 'market', gate: 'last member told', members, gates, failed, load: load() }));
}

function load(): number {
  return rounded(loadavg()[0] ?? Number.NaN);
}

function print(
  plan: GatePlan,
  { gates, connections, taken, refused }: GateRun,
  cpu: Readonly<Record<'engine' | 'broker', number>>,
): void {
  const toLast = gates.map((gate) => gate.toLast);
  const toFirst = gates.map((gate) => gate.toFirst);
  const p99 = quantile(toLast, 0.99);
  const row = {
    ...{ bench: 'market', gate: 'last member told', members: plan.members, connections, gates: gates.length },
    ordersPerSecond: Math.round((plan.ordersPerGate * plan.speed * 1000) / GATE_INTERVAL_MS),
    ...{ taken, refused },
    ...{ msP50: rounded(quantile(toLast, 0.5)), msP99: rounded(p99), msMax: rounded(quantile(toLast, 1)) },
    firstToldMsP50: rounded(quantile(toFirst, 0.5)),
    ...{ engineCpuMs: Math.round(cpu.engine / gates.length), brokerCpuMs: Math.round(cpu.broker / gates.length) },
    load: load(),
  };
  const isAsked = plan.members === ASKED_MEMBERS && plan.membersPerLink > 1;
  console.log(JSON.stringify({ ...row, ...(isAsked ? { bar: 'told', measured: p99 } : {}) }));
}
