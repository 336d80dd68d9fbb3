import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyCommand } from '../domain/engine/apply-command.ts';
import type { Command, MarketTerms } from '../domain/engine/command.ts';
import { newEngineState } from '../domain/engine/state.ts';
import type { OrderType } from '../domain/market/order.ts';
import { conservation } from '../domain/settlement/accounts.ts';
import { wh } from '../domain/units/energy.ts';
import type { MarketId, MemberId } from '../domain/units/identity.ts';
import type { Nano } from '../domain/units/money.ts';
import { watt } from '../domain/units/power.ts';
import { pricePerKwh } from '../domain/units/price.ts';
import { type EpochMs, epochMs } from '../domain/units/time.ts';
import { replayCommands } from './replay-driver.ts';

const LENGTH = 300_000;
const MEMBERS = ['home-01', 'home-02', 'home-03', 'home-04'] as MemberId[];
const FIRST = epochMs(10 * LENGTH);
const startOf = (interval: number) => epochMs(FIRST + interval * LENGTH);

/** What happens in one interval before it is completed. */
const anyAction = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('order' as const), ...anyKey(), ...anyContent() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const), ...anyKey() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const), product: fc.constantFrom(1, 2, 3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('halt' as const), ...anyHalt() }) },
);

function anyKey() {
  return {
    product: fc.constantFrom(-3, -2, 0, 1, 1, 1, 1, 2, 9),
    member: fc.constantFrom(...MEMBERS, ...MEMBERS, 'stranger' as MemberId),
    clientOrderId: fc.constantFrom(0, 1, 2, 3, 4, 5),
  };
}

/** Halts end more often than they begin. */
function anyHalt() {
  const resume = 'resume' as const;
  return {
    type: fc.constantFrom('halt' as const, ...Array.from({ length: 5 }, () => resume)),
    member: fc.constantFrom(null, ...MEMBERS),
  };
}

function anyContent() {
  return {
    orderType: fc.oneof(
      { weight: 9, arbitrary: fc.constant<OrderType>('limit') },
      { weight: 1, arbitrary: fc.constantFrom<OrderType[]>('market', 'ioc', 'fok') },
    ),
    replaces: fc.oneof(
      { weight: 12, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constantFrom(0, 1, 2, 3) },
    ),
    side: fc.constantFrom('buy' as const, 'sell' as const),
    limit: fc.constantFrom(80_000, 150_000, 150_000, 155_000, 200_000, 310_000).map(pricePerKwh),
    energy: fc.constantFrom(-1, 0, 30, 70, 110, 130, 170, 210).map(wh),
    clockOffMs: fc.constantFrom(0, 0, 0, 0, 0, 0, 51),
  };
}

/** Rises of both registers; a meter may be silent, and now and then shows what cannot be. */
const anyRise = fc.option(fc.tuple(fc.integer({ min: -3, max: 400 }), fc.nat(400), fc.constantFrom(0, 0, 0, 9999)), {
  freq: 8,
});

const anyTerms = fc.record({
  mechanism: fc.constantFrom(
    ...Array.from({ length: 6 }, () => 'call' as const),
    ...Array.from({ length: 4 }, () => 'continuous' as const),
    'fixed' as const,
    'mid-market' as const,
    'feed-in' as const,
  ),
  rationing: fc.constantFrom('pro-rata' as const, 'price-time' as const),
  imbalanceWeightPermille: fc.integer({ min: 0, max: 1000 }),
  disputeIntervals: fc.integer({ min: 1, max: 3 }),
  members: fc.constantFrom(MEMBERS, MEMBERS, MEMBERS.slice(1)),
  supply: fc.constantFrom('single' as const, 'single' as const, 'allocated' as const),
  penalty: fc.constantFrom(0, 40_000).map(pricePerKwh),
  collateral: fc.constantFrom(undefined, undefined, undefined, 60_000_000 as Nano),
  oneOwner: fc.constantFrom(false, false, false, true),
});

const anyInterval = fc.record({
  terms: fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: anyTerms }),
  actions: fc.array(anyAction, { minLength: 10, maxLength: 40, size: 'max' }),
  importPrice: fc.constantFrom(300_000, 250_000, 70_000),
  rises: fc.array(anyRise, { minLength: MEMBERS.length, maxLength: MEMBERS.length }),
  feeder: anyRise,
});

/** Zones only without calls: where several prices are right, the slow book may choose others than the fast one. */
const anyLog = fc
  .tuple(anyTerms, fc.array(anyInterval, { minLength: 1, maxLength: 8 }), fc.constantFrom(false, false, true))
  .map(commandsOf);

type Terms = typeof anyTerms extends fc.Arbitrary<infer T> ? T : never;
type Interval = typeof anyInterval extends fc.Arbitrary<infer T> ? T : never;

function commandsOf([first, intervals, hasZones]: [Terms, Interval[], boolean]): Command[] {
  const start = startOf(-1);
  const commands: Command[] = [{ type: 'terms', at: start, terms: marketTerms(first, hasZones) }];
  const registers = new Map<string, [number, number]>();
  for (const [n, { importPrice }] of intervals.entries()) {
    commands.push({ type: 'open', at: start, product: startOf(n), tariff: tariffOf(importPrice) });
  }
  intervals.forEach((interval, n) => {
    const at = startOf(n - 1);
    if (interval.terms !== null) commands.push({ type: 'terms', at, terms: marketTerms(interval.terms, hasZones) });
    for (const action of interval.actions) commands.push(...actionOf(action, n, at, intervals.length));
    commands.push({ type: 'close', at, product: startOf(n) }, completeOf(interval, n, registers));
  });
  return commands;
}

function actionOf(action: Interval['actions'][number], n: number, at: EpochMs, count: number): Command[] {
  if (action.kind === 'halt') return [{ type: action.type, at, member: action.member }];
  const product = startOf(n + action.product - 1);
  if (action.kind === 'close') {
    const isKnown = product >= startOf(0) && product < startOf(count) && product >= startOf(n);
    return isKnown ? [{ type: 'close', at, product }] : [];
  }
  const { member, clientOrderId } = action;
  const common = { at, product, member, clientOrderId, signature: '0x' };
  if (action.kind === 'cancel') return [{ type: 'cancel', ...common }];
  const { side, limit, energy, clockOffMs, orderType, replaces } = action;
  return [{ type: 'order', ...common, side, limit, energy, clockOffMs, orderType, replaces }];
}

function completeOf({ rises, feeder, importPrice }: Interval, n: number, registers: Map<string, [number, number]>) {
  const boundary = startOf(n);
  const show = (meter: string, rise: Interval['feeder']) => {
    if (rise === null) return null;
    const [imported, exported] = registers.get(meter) ?? [1000, 1000];
    const now: [number, number] = [imported + rise[0] + rise[2], exported + rise[1]];
    registers.set(meter, now);
    return { at: boundary, importRegister: wh(now[0]), exportRegister: wh(now[1]) };
  };
  const readings = MEMBERS.flatMap((member, index) => {
    const reading = show(member, rises[index] ?? null);
    return reading === null ? [] : [{ member, ...reading }];
  });
  const tariff = tariffOf(importPrice);
  return { type: 'complete', at: boundary, boundary, tariff, readings, feeder: show('feeder', feeder) } as const;
}

function tariffOf(importPrice: number) {
  return { importPrice: pricePerKwh(importPrice), exportPrice: pricePerKwh(80_000) };
}

function marketTerms({ members, collateral, oneOwner, ...rules }: Terms, hasZones: boolean): MarketTerms {
  const member = (id: MemberId) => ({
    ...{ id, address: '0x', exportCapability: watt(8000), connectionPower: watt(10_000) },
    ...(collateral === undefined ? {} : { collateral }),
    ...(hasZones ? { zone: MEMBERS.indexOf(id) < 2 ? 'north' : 'south' } : {}),
    ...(oneOwner && MEMBERS.indexOf(id) > 1 ? { owner: 'a-landlord' } : {}),
  });
  return {
    ...rules,
    mechanism: hasZones && rules.mechanism === 'call' ? 'continuous' : rules.mechanism,
    market: 'elm' as MarketId,
    lengthMs: LENGTH,
    tick: 10_000,
    lookAheadMs: 100 * LENGTH,
    gateLeadMs: 0,
    members: members.map(member),
    ...(hasZones ? TWO_ZONES : {}),
  };
}

const TWO_ZONES = {
  zones: [
    { id: 'north', fee: pricePerKwh(0) },
    { id: 'south', fee: pricePerKwh(14_000) },
  ],
  zoneLimits: [{ from: 'north', to: 'south', limit: watt(900) }],
};

test('whatever is journaled, the rows of the batch driver and the engine come to the same', () => {
  const seen = { trades: 0, refusals: 0, substitutes: 0, rationed: 0 };
  fc.assert(
    fc.property(anyLog, (commands) => {
      const state = newEngineState();
      const events = commands.flatMap((command) => applyCommand(state, command));
      const replay = replayCommands(commands);
      const answers = events.flatMap((event) => (event.type === 'answered' ? [event.verdict] : []));
      const cleared = events.flatMap((event) => (event.type === 'cleared' ? [[event.product, event.clearing]] : []));
      const settled = events.flatMap((event) => (event.type === 'settled' ? [event.settlement] : []));
      expect(replay.verdicts).toEqual(answers);
      expect(replay.clearings).toEqual(new Map(cleared as never));
      expect([...replay.settlements.values()]).toEqual(settled);
      expect(replay.books).toEqual({ accounts: state.accounts, statements: state.statements });
      seen.trades += settled.reduce((sum, { positions }) => sum + positions.filter(({ sold }) => sold > 0).length, 0);
      const fills = [...replay.clearings.values()].flatMap((clearing) => clearing.fills);
      seen.rationed += fills.filter(({ fate }) => fate === 'partly_filled' || fate === 'rationed_out').length;
      seen.refusals += answers.filter(({ ok }) => !ok).length;
      seen.substitutes += settled.flatMap(({ positions }) => positions).filter((p) => p.origin !== 'metered').length;
    }),
    { numRuns: 600 },
  );
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(20);
});

test('statements sum to the accounts, and the books to zero where the feeder sees what the members see', () => {
  fc.assert(
    fc.property(anyLog, (commands) => {
      const silent = commands.map((command) => (command.type === 'complete' ? { ...command, feeder: null } : command));
      const { books } = replayCommands(silent);
      expect(conservation(books.accounts)).toEqual({ energyWh: 0n, money: 0n });
      for (const [member, { balance }] of books.statements) expect(books.accounts.members.get(member)).toBe(balance);
    }),
    { numRuns: 100 },
  );
});
