import { describe, expect, test } from 'vitest';
import { member, PRODUCT, ProofMarket, terms } from '../../../test/market-proof/proof-market.ts';
import type { MarketTerms } from '../../domain/engine/command.ts';
import { whyView } from './why-view.ts';

type Wish = readonly [member: number, side: 'buy' | 'sell', limit: number, energy: number];

function cleared(wishes: readonly Wish[], more: Partial<MarketTerms> = {}): ProofMarket {
  const market = new ProofMarket().start(terms(8, more), PRODUCT);
  for (const [at, [number, side, limit, energy]] of wishes.entries()) {
    market.order({ member: number, clientOrderId: at, side, limit, energy });
  }
  return market;
}

async function asked(market: ProofMarket, number: number | null) {
  await market.close();
  const product = market.state.products.get(PRODUCT);
  if (product === undefined) throw new Error('the product is gone');
  return whyView(product, number === null ? null : { id: member(number), number });
}

/** Two sellers at one level share what one buyer wants. */
const SHARED: Wish[] = [
  [0, 'sell', 100_000, 600],
  [1, 'sell', 100_000, 400],
  [2, 'sell', 90_000, 100],
  [3, 'buy', 250_000, 600],
  [4, 'buy', 90_000, 50],
];

test('nothing is told before the gate', () => {
  const product = cleared(SHARED).state.products.get(PRODUCT);
  expect(product === undefined ? undefined : whyView(product, null)).toBeNull();
});

describe('a member is told of its own orders', () => {
  test.each([
    [
      'that was shared',
      0,
      'sell',
      300,
      'partly_filled',
      /^its limit of 0\.1 is the level .* in proportion .*: 300 of 600 Wh$/,
    ],
    ['that was filled', 2, 'sell', 100, 'filled', /^it was filled at 0\.\d+ per kWh$/],
    [
      'that bid too little',
      4,
      'buy',
      0,
      'price_not_reached',
      /^its limit of 0\.09 is below what the price of 0\.\d+ asks for$/,
    ],
  ] as const)('%s', async (_, number, side, filledWh, code, reason) => {
    const view = await asked(cleared(SHARED), number);
    expect(view?.orders).toEqual([
      expect.objectContaining({ side, filledWh, code, reason: expect.stringMatching(reason) }),
    ]);
    expect(view?.why).toContain(`${member(number)} ${side === 'buy' ? 'bought' : 'sold'} ${filledWh} of `);
  });

  test('by order of arrival, where that is the rule', async () => {
    const view = await asked(cleared(SHARED, { rationing: 'price-time' }), 1);
    expect(view?.orders[0]).toMatchObject({ filledWh: 0, code: 'rationed_out' });
    expect(view?.orders[0]?.reason).toContain('by order of arrival: nothing was left');
  });

  test('that it withdrew, and that were refused', async () => {
    const market = cleared([
      [5, 'sell', 90_000, 10],
      [5, 'sell', 90_050, 10],
    ]);
    market.cancel(5, 0);
    const view = await asked(market, 5);
    expect(view?.orders.map(({ code, reason }) => [code, reason])).toEqual([
      ['cancelled', 'it was withdrawn'],
      ['tick_size', 'it was refused: tick_size'],
    ]);
    expect(view?.why).toContain('had no order that stood at the gate');
  });

  test('and of nobody else', async () => {
    const view = await asked(cleared(SHARED), 7);
    expect([view?.orders, view?.why]).toEqual([[], 'home-07 had no orders for this interval.']);
    expect(JSON.stringify(view)).not.toMatch(/home-0[0-6]/);
  });
});

describe('a level that was shared', () => {
  const crowd: Wish[] = [0, 1, 2, 3, 4].map((number) => [number, 'sell', 100_000, 100]);

  test('is shown to everybody where five members stand at it', async () => {
    const view = await asked(cleared([...crowd, [5, 'buy', 250_000, 200]]), null);
    expect(view?.shared).toEqual([{ side: 'sell', pricePerKwh: '0.1', energyWh: 500, filledWh: 200 }]);
  });

  test('is closed where fewer do; who stands there sees its own limit', async () => {
    const stranger = await asked(cleared(SHARED), 3);
    const own = await asked(cleared(SHARED), 1);
    const closed = { side: 'sell', energyWh: null, filledWh: null };
    expect(stranger?.shared).toEqual([{ ...closed, pricePerKwh: null }]);
    expect(own?.shared).toEqual([{ ...closed, pricePerKwh: '0.1' }]);
  });
});
