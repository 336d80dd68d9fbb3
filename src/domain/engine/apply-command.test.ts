import { describe, expect, test } from 'vitest';
import { conservation } from '../settlement/accounts.ts';
import type { Wh } from '../units/energy.ts';
import type { MarketId, MemberId } from '../units/identity.ts';
import type { Watt } from '../units/power.ts';
import type { PricePerKwh } from '../units/price.ts';
import type { EpochMs } from '../units/time.ts';
import { applyCommand } from './apply-command.ts';
import type { Command, MarketTerms, Mechanism } from './command.ts';
import { JournalNumbers, readCommands } from './command-reader.ts';
import { encodeCommand } from './command-record.ts';
import { snapshotState } from './snapshot.ts';
import { newEngineState } from './state.ts';

const MINUTE = 60_000;
const LENGTH = 900_000;
const DELIVERY = (1_782_032_400_000 - (1_782_032_400_000 % LENGTH)) as EpochMs;
const tariff = { importPrice: 300_000 as PricePerKwh, exportPrice: 80_000 as PricePerKwh };
const ids = ['home-01', 'home-02', 'home-03'] as MemberId[];

function terms(mechanism: Mechanism = 'call'): MarketTerms {
  const member = (id: MemberId) => ({
    id,
    address: '0x',
    exportCapability: 8000 as Watt,
    connectionPower: 40_000 as Watt,
  });
  return {
    market: 'elm' as MarketId,
    lengthMs: LENGTH,
    mechanism,
    rationing: 'pro-rata',
    tick: 100,
    lookAheadMs: 240 * MINUTE,
    gateLeadMs: 5 * MINUTE,
    imbalanceWeightPermille: 500,
    members: ids.map(member),
    disputeIntervals: 96,
  };
}

const SIGNATURE = `0x${'5a'.repeat(64)}1b`;

const at = (minutes: number) => (DELIVERY + minutes * MINUTE) as EpochMs;

function order(member: number, side: 'buy' | 'sell', energy: number, clientOrderId = 1): Command {
  const limit = (side === 'buy' ? 300_000 : 80_000) as PricePerKwh;
  const fields = {
    product: DELIVERY,
    member: ids[member] as MemberId,
    clientOrderId,
    side,
    limit,
    energy: energy as Wh,
  };
  return { type: 'order', at: at(-30), orderType: 'limit', clockOffMs: 0, signature: SIGNATURE, ...fields };
}

function complete(
  minutes: number,
  registers: readonly (readonly [number, number])[],
  feeder: readonly [number, number],
): Command {
  const boundary = at(minutes);
  const reading = ([imported, exported]: readonly [number, number]) => ({
    at: boundary,
    importRegister: imported as Wh,
    exportRegister: exported as Wh,
  });
  const readings = registers.map((pair, index) => ({ member: ids[index] as MemberId, ...reading(pair) }));
  return { type: 'complete', at: boundary, boundary, tariff, readings, feeder: reading(feeder) };
}

/** home-01 sells 500, home-02 buys 300, home-03 buys 300; all deliver but home-03, which takes 50 Wh more. */
function story(mechanism: Mechanism, feeder: readonly [number, number] = [1150, 1000]): Command[] {
  return [
    { type: 'terms', at: at(-60), terms: terms(mechanism) },
    { type: 'open', at: at(-60), product: DELIVERY, tariff },
    order(0, 'sell', 500),
    order(1, 'buy', 300),
    order(2, 'buy', 300),
    { type: 'close', at: at(-5), product: DELIVERY },
    complete(
      0,
      [
        [1000, 7000],
        [500, 0],
        [400, 0],
      ],
      [1000, 1000],
    ),
    complete(
      15,
      [
        [1000, 7500],
        [800, 0],
        [750, 0],
      ],
      feeder,
    ),
  ];
}

function recordsOf(commands: readonly Command[]): Uint8Array[] {
  const numbers = new JournalNumbers();
  return commands.map((command) => {
    numbers.see(command);
    return encodeCommand(command, numbers);
  });
}

function run(commands: readonly Command[], state = newEngineState()) {
  const events = commands.flatMap((command) => applyCommand(state, command));
  return { state, events };
}

describe('one interval from the order to the accounts', () => {
  test('clears what the orders say, settles what the meters say, and adds up', () => {
    const { state, events } = run(story('call'));
    const cleared = events.find((event) => event.type === 'cleared');
    expect(cleared?.type === 'cleared' && cleared.clearing.traded).toBe(500);
    const settlement = state.settlements.get(DELIVERY);
    expect(
      settlement?.positions.map(({ bought, sold, imported, exported }) => [bought, sold, imported, exported]),
    ).toEqual([
      [0, 500, 0, 500],
      [250, 0, 300, 0],
      [250, 0, 350, 0],
    ]);
    expect(conservation(state.accounts)).toEqual({ energyWh: 0n, money: 0n });
  });

  test('the first boundary only sets the registers', () => {
    const { events } = run(story('call').slice(0, 7));
    expect(events.at(-1)).toEqual({ type: 'baseline', boundary: DELIVERY });
  });

  test('a planted error of 1 Wh shows in energy and in money', () => {
    const { state } = run(story('call', [1151, 1000]));
    expect(conservation(state.accounts)).toEqual({ energyWh: 1n, money: 300_000n });
  });

  test.each(['call', 'mid-market', 'feed-in'] as const)(
    'a replay of the journal of %s gives the same state',
    (mechanism) => {
      const commands = story(mechanism);
      const replayed = readCommands(recordsOf(commands));
      if (typeof replayed === 'string') throw new Error(replayed);
      expect(replayed).toEqual(commands);
      expect(snapshotState(run(replayed).state)).toEqual(snapshotState(run(commands).state));
    },
  );

  test.each([
    ['call', 500],
    ['mid-market', 500],
    ['feed-in', 0],
  ] as const)('%s trades %d Wh of it and every sum is zero', (mechanism, traded) => {
    const { state } = run(story(mechanism));
    const positions = state.settlements.get(DELIVERY)?.positions ?? [];
    expect(positions.reduce((sum, { bought }) => sum + bought, 0)).toBe(traded);
    expect(conservation(state.accounts)).toEqual({ energyWh: 0n, money: 0n });
  });
});

describe('what is missing or repeated', () => {
  test('an order again is no second order, also after the gate', () => {
    const commands = story('call');
    commands.splice(6, 0, { ...order(0, 'sell', 500), at: at(-4) });
    const { events, state } = run(commands);
    const answers = events.flatMap((event) => (event.type === 'answered' ? [event.verdict.code] : []));
    expect(answers).toEqual(['accepted', 'accepted', 'accepted', 'exists']);
    expect(state.settlements.get(DELIVERY)?.positions[0]?.sold).toBe(500);
  });

  test('a member without a reading gets a substitute that is no better than the truth, and the next reading makes it up', () => {
    const commands = story('call', [1150, 1000]);
    const last = commands[7] as Extract<Command, { type: 'complete' }>;
    commands[7] = { ...last, readings: last.readings.slice(0, 2) };
    commands.push(
      complete(
        30,
        [
          [1000, 7500],
          [800, 0],
          [750, 0],
        ],
        [1150, 1000],
      ),
    );
    const { state } = run(commands);
    expect(state.settlements.get(DELIVERY)?.positions[2]).toMatchObject({ imported: 250, origin: 'substituted' });
    expect(state.settlements.get(at(15))?.positions[2]).toMatchObject({ imported: 100, origin: 'metered' });
    expect(conservation(state.accounts).energyWh).toBe(0n);
  });

  test('an order for an unknown product or by an unknown member is refused', () => {
    const stray = order(0, 'sell', 10) as Extract<Command, { type: 'order' }>;
    const commands = [
      ...story('call').slice(0, 2),
      { ...stray, product: at(1500) },
      { ...stray, member: 'nobody' as MemberId },
    ];
    const { events } = run(commands);
    expect(events.flatMap((event) => (event.type === 'answered' ? [event.verdict.code] : []))).toEqual([
      'unknown_product',
      'unknown_member',
    ]);
  });

  test('an inverted tariff opens no book and is settled at the tariff alone', () => {
    const inverted = { importPrice: 70_000 as PricePerKwh, exportPrice: 80_000 as PricePerKwh };
    const commands = story('call');
    commands[1] = { type: 'open', at: at(-60), product: DELIVERY, tariff: inverted };
    const { state, events } = run(commands);
    expect(events.find((event) => event.type === 'opened')).toMatchObject({ band: 'tariff_inverted' });
    expect(
      state.settlements
        .get(DELIVERY)
        ?.positions.every(({ balancedLong, balancedShort }) => balancedLong + balancedShort === 0),
    ).toBe(true);
  });
});
