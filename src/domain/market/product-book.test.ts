import { describe, expect, test } from 'vitest';
import { wh } from '../units/energy.ts';
import { pricePerKwh } from '../units/price.ts';
import { epochMs } from '../units/time.ts';
import type { MemberRules, ProductRules } from './book.ts';
import { MemberTable } from './member-table.ts';
import { ORDER_FATES, ORDER_TYPES, type OrderType, SIDES, type Side } from './order.ts';
import { ProductBook } from './product-book.ts';
import { VERDICTS } from './verdict.ts';

const RULES: ProductRules = {
  product: epochMs(1_800_000_000_000),
  mechanism: 'continuous',
  rationing: 'price-time',
  tick: 100,
  band: { lowest: pricePerKwh(80_000), highest: pricePerKwh(300_000) },
  importPrice: pricePerKwh(300_000),
  penalty: pricePerKwh(50_000),
  maxVolume: wh(2 ** 31 - 1),
  fees: [pricePerKwh(0)],
  zoneLimits: [],
};
const CALL: ProductRules = { ...RULES, mechanism: 'call', rationing: 'pro-rata' };
const FREE = { capability: wh(2 ** 31 - 1), collateral: null, zone: 0 };

interface Sent {
  readonly type?: OrderType;
  readonly replaces?: number;
  readonly clockOffMs?: number;
}

/** A book with its members, spoken to by names. */
class Market {
  readonly members = new MemberTable();
  book: ProductBook;
  sequence = 0;

  constructor(rules: Partial<ProductRules> = {}, members: readonly Partial<MemberRules>[] = [{}, {}, {}]) {
    for (const [number, own] of members.entries())
      this.members.admit(`home-${number}`, { ...FREE, group: number, ...own });
    this.book = new ProductBook({ ...RULES, ...rules }, this.members);
  }

  place(member: number, id: number, side: Side, limit: number, energy: number, sent: Sent = {}): string {
    const { type = 'limit', replaces = -1, clockOffMs = 0 } = sent;
    const [sideCode, typeCode] = [SIDES.indexOf(side), ORDER_TYPES.indexOf(type)];
    this.sequence += 1;
    const sequence = this.sequence;
    const code = this.book.place(member, id, sideCode, typeCode, limit, energy, replaces, clockOffMs, sequence);
    return VERDICTS[code] ?? '?';
  }

  cancel(member: number, id: number): string {
    this.sequence += 1;
    return VERDICTS[this.book.cancel(member, id, this.sequence)] ?? '?';
  }

  /** `fate filled/open` */
  state(member: number, id: number): string {
    const state = this.book.find(member, id);
    return state === null ? 'unknown' : `${ORDER_FATES[state.fate]} ${state.filled}/${state.open}`;
  }

  /** `energy@price buyer.order<seller.order` */
  trades(): string[] {
    return Array.from({ length: this.book.tradeCount }, (_, position) => {
      const { energy, price, sellerPrice, buyer, buyOrder, seller, sellOrder } = this.book.tradeAt(position);
      const paid = price === sellerPrice ? `${price}` : `${price}/${sellerPrice}`;
      return `${energy}@${paid} ${buyer}.${buyOrder}<${seller}.${sellOrder}`;
    });
  }
}

describe('continuous matching', () => {
  test('trades at the resting price, better prices first, then the earlier order', () => {
    const market = new Market();
    market.place(0, 1, 'sell', 120_000, 100);
    market.place(0, 2, 'sell', 110_000, 100);
    market.place(1, 1, 'sell', 110_000, 100);
    market.place(2, 1, 'buy', 120_000, 250);
    expect(market.trades()).toEqual(['100@110000 2.1<0.2', '100@110000 2.1<1.1', '50@120000 2.1<0.1']);
    expect([market.state(2, 1), market.state(0, 1)]).toEqual(['filled 250/0', 'open 50/50']);
  });

  test('a sell takes the dearest buys down to its limit and rests with what is left', () => {
    const market = new Market();
    market.place(0, 1, 'buy', 100_000, 10);
    market.place(0, 2, 'buy', 130_000, 10);
    market.place(0, 3, 'buy', 110_000, 10);
    market.place(1, 1, 'sell', 110_000, 100);
    expect(market.trades()).toEqual(['10@130000 0.2<1.1', '10@110000 0.3<1.1']);
    expect(market.state(1, 1)).toBe('open 20/80');
    expect(market.state(0, 1)).toBe('open 0/10');
  });

  test.each<[OrderType, number, string, number]>([
    ['limit', 150, 'open 100/50', 1],
    ['market', 150, 'lapsed 100/0', 1],
    ['ioc', 150, 'lapsed 100/0', 1],
    ['ioc', 60, 'filled 60/0', 1],
    ['fok', 150, 'killed 0/0', 0],
    ['fok', 100, 'filled 100/0', 1],
  ])('a buy %s of %i Wh against 100 Wh is %s', (type, energy, state, trades) => {
    const market = new Market();
    market.place(0, 1, 'sell', 120_000, 100);
    expect(market.place(1, 1, 'buy', 130_000, energy, { type })).toBe('accepted');
    expect(market.state(1, 1)).toBe(state);
    expect(market.book.tradeCount).toBe(trades);
  });

  test('a fill-or-kill order counts over levels, and only those it may take', () => {
    const market = new Market();
    market.place(0, 1, 'buy', 120_000, 100);
    market.place(0, 2, 'buy', 110_000, 100);
    market.place(0, 3, 'buy', 100_000, 100);
    market.place(1, 1, 'sell', 110_000, 201, { type: 'fok' });
    market.place(1, 2, 'sell', 110_000, 200, { type: 'fok' });
    expect([market.state(1, 1), market.state(1, 2)]).toEqual(['killed 0/0', 'filled 200/0']);
  });

  test('what stands at the gate expires', () => {
    const market = new Market();
    market.place(0, 1, 'sell', 120_000, 100);
    market.place(1, 1, 'buy', 120_000, 40);
    for (let twice = 0; twice < 2; twice += 1) market.book.closeGate();
    expect(market.state(0, 1)).toBe('expired 40/0');
    expect(market.state(1, 1)).toBe('filled 40/0');
    expect(market.place(1, 2, 'buy', 120_000, 40)).toBe('gate_closed');
    expect(market.book.clearingPrices()).toEqual([null]);
  });

  test('a buyer pays its fee out of its limit', () => {
    const market = new Market({ fees: [pricePerKwh(0), pricePerKwh(10_050)] }, [{}, { zone: 1 }, {}]);
    market.place(0, 1, 'sell', 110_000, 10);
    market.place(1, 1, 'buy', 120_000, 10);
    expect(market.trades()).toEqual([]);
    market.place(1, 2, 'buy', 120_100, 10);
    expect(market.trades()).toEqual(['10@110000 1.2<0.1']);
  });

  test('a book price below the band rests and never trades', () => {
    const market = new Market({ fees: [pricePerKwh(0), pricePerKwh(10_050)] }, [{ zone: 1 }, {}]);
    expect(market.place(0, 1, 'buy', 80_000, 10)).toBe('accepted');
    market.place(1, 1, 'sell', 80_000, 10, { type: 'ioc' });
    expect([market.state(0, 1), market.state(1, 1)]).toEqual(['open 0/10', 'lapsed 0/0']);
  });

  test('negative prices are prices', () => {
    const band = { lowest: pricePerKwh(-50_000), highest: pricePerKwh(-100) };
    const market = new Market({ band });
    market.place(0, 1, 'sell', -20_000, 10);
    market.place(1, 1, 'buy', -100, 10);
    expect(market.trades()).toEqual(['10@-20000 1.1<0.1']);
    expect(market.place(1, 2, 'buy', -150, 10)).toBe('tick_size');
    expect(market.place(1, 3, 'buy', 0, 10)).toBe('outside_band');
  });
});

describe('replacing', () => {
  const queue = () => {
    const market = new Market();
    for (const member of [0, 1, 2]) market.place(member, 1, 'sell', 110_000, 100);
    return market;
  };
  const served = (market: Market) => {
    market.place(2, 9, 'buy', 109_900, 1);
    market.members.admit('buyer', { ...FREE, group: 3 });
    market.place(3, 1, 'buy', 110_000, 250);
    return market.trades();
  };

  test.each<[string, number, number, OrderType, string[]]>([
    ['less at the same price keeps its place', 110_000, 60, 'limit', ['60@110000 3.1<0.2', '100@110000 3.1<1.1']],
    ['as much at the same price keeps its place', 110_000, 100, 'limit', ['100@110000 3.1<0.2', '100@110000 3.1<1.1']],
    ['more goes to the end', 110_000, 101, 'limit', ['100@110000 3.1<1.1', '100@110000 3.1<2.1']],
    ['a better price is its own', 109_900, 60, 'limit', ['1@109900 2.9<0.2', '59@109900 3.1<0.2']],
    ['another type matches and lapses', 110_000, 60, 'ioc', ['100@110000 3.1<1.1', '100@110000 3.1<2.1']],
  ])('%s', (_, limit, energy, type, first) => {
    const market = queue();
    expect(market.place(0, 2, 'sell', limit, energy, { replaces: 1, type })).toBe('accepted');
    expect(market.state(0, 1)).toBe('replaced 0/0');
    expect(market.book.find(0, 1)?.endedAt).toBe(market.book.find(0, 2)?.sequence);
    expect(served(market).slice(0, 2)).toEqual(first);
  });

  test('fills stay with the order that had them', () => {
    const market = queue();
    market.place(2, 9, 'buy', 109_900, 1);
    market.place(1, 8, 'buy', 100_000, 30);
    market.members.admit('buyer', { ...FREE, group: 3 });
    market.place(3, 1, 'buy', 110_000, 30);
    expect(market.place(0, 2, 'sell', 110_000, 71, { replaces: 1 })).toBe('accepted');
    expect([market.state(0, 1), market.state(0, 2)]).toEqual(['replaced 30/0', 'open 0/71']);
    expect(market.cancel(0, 1)).toBe('not_open');
  });

  test.each<[string, number, Side, string]>([
    ['a stranger', 77, 'sell', 'replaced_unknown'],
    ['itself', 50, 'sell', 'replaced_unknown'],
    ['a refused one', 2, 'sell', 'replaced_unknown'],
    ['a withdrawn one', 3, 'sell', 'replaced_not_open'],
    ['a withdrawn one of the other side', 3, 'buy', 'replaced_not_open'],
    ['one of the other side', 1, 'buy', 'replaced_other_side'],
  ])('%s is not replaced', (_, replaces, side, code) => {
    const market = queue();
    market.place(0, 2, 'sell', 110_001, 1);
    market.place(0, 3, 'sell', 110_000, 1);
    market.cancel(0, 3);
    expect(market.place(0, 50, side, 100_000, 1, { replaces })).toBe(code);
    expect(market.state(0, 1)).toBe('open 0/100');
  });
});

describe('refusals', () => {
  test('the first that holds is the answer', () => {
    const flaws: readonly (readonly [string, (market: Market) => void, Parameters<Market['place']>])[] = [
      ['gate_closed', (m) => m.book.closeGate(), [0, 5, 'buy', 1, 0, { clockOffMs: 51 }]],
      ['market_halted', (m) => m.members.haltMarket(true), [0, 5, 'buy', 1, 0, { clockOffMs: 51 }]],
      ['member_halted', (m) => m.members.halt(0, true), [0, 5, 'buy', 1, 0, { clockOffMs: 51 }]],
      ['price_mismatch', () => {}, [0, 5, 'buy', 1, 0, { clockOffMs: 51, type: 'fok', replaces: 3 }]],
      ['price_mismatch', () => {}, [0, 5, 'buy', 1, 0, { clockOffMs: -51 }]],
      ['order_type_not_in_call', () => {}, [0, 5, 'buy', 1, 0, { clockOffMs: 50, type: 'ioc' }]],
      ['order_type_not_in_call', () => {}, [0, 5, 'buy', 1, 0, { clockOffMs: -50, type: 'fok' }]],
      ['order_type_not_in_call', () => {}, [0, 5, 'buy', 1, 0, { replaces: 0 }]],
      ['energy_not_positive', () => {}, [0, 5, 'buy', 1, 0]],
      ['energy_not_positive', () => {}, [0, 5, 'buy', 1, -(2 ** 31)]],
      ['energy_too_large', () => {}, [0, 5, 'buy', 1, 2 ** 22]],
      ['energy_too_large', () => {}, [0, 5, 'buy', 1, 1001]],
      ['tick_size', () => {}, [0, 5, 'buy', 1, 1000]],
      ['tick_size', () => {}, [0, 5, 'buy', 100_001, 1000]],
      ['outside_band', () => {}, [0, 5, 'buy', 79_900, 1000]],
      ['outside_band', () => {}, [0, 5, 'sell', 300_100, 1000]],
      ['self_cross', (m) => m.place(0, 6, 'buy', 120_000, 1), [0, 5, 'sell', 120_000, 1000]],
      ['exceeds_capability', () => {}, [0, 5, 'sell', 120_000, 601]],
      ['exceeds_collateral', () => {}, [0, 5, 'sell', 300_000, 401]],
      ['accepted', () => {}, [0, 5, 'sell', 300_000, 400]],
    ];
    for (const [code, before, order] of flaws) {
      const members = [{ capability: wh(600), collateral: 50_000 * 400 }, {}];
      const market = new Market({ mechanism: 'call', maxVolume: wh(1000) }, members);
      before(market);
      expect(market.place(...order), `${code} ${JSON.stringify(order)}`).toBe(code);
      expect(market.state(0, 5), code).toBe(code === 'accepted' ? 'open 0/400' : 'no_trade 0/0');
    }
  });

  test('a key is taken by a refusal, and what differs is named in a fixed order', () => {
    const market = new Market();
    expect(market.place(0, 1, 'buy', 100_001, 10)).toBe('tick_size');
    expect(market.place(0, 1, 'buy', 100_001, 10)).toBe('tick_size');
    expect(market.place(0, 1, 'sell', 100_000, 11, { type: 'ioc', replaces: 4 })).toBe('exists_with_different_side');
    expect(market.place(0, 1, 'buy', 100_000, 11, { type: 'ioc', replaces: 4 })).toBe('exists_with_different_type');
    expect(market.place(0, 1, 'buy', 100_000, 11, { replaces: 4 })).toBe('exists_with_different_limit');
    expect(market.place(0, 1, 'buy', 100_001, 11, { replaces: 4 })).toBe('exists_with_different_energy');
    expect(market.place(0, 1, 'buy', 100_001, 10, { replaces: 4 })).toBe('exists_with_different_replaces');
    expect(market.book.orderCount).toBe(1);
  });

  test('the first answer is repeated through fill, withdrawal, halt and gate', () => {
    const market = new Market();
    market.place(0, 1, 'sell', 100_000, 10);
    market.place(0, 2, 'sell', 110_000, 10);
    market.place(1, 1, 'buy', 100_000, 10);
    market.cancel(0, 2);
    market.members.haltMarket(true);
    market.book.closeGate();
    expect(market.place(0, 1, 'sell', 100_000, 10, { clockOffMs: 99 })).toBe('exists');
    expect(market.place(0, 2, 'sell', 110_000, 10)).toBe('exists');
    expect(market.book.find(0, 1)?.sequence).toBe(1);
    expect(market.book.tradeCount).toBe(1);
  });

  test('ids are unsigned 32-bit numbers, and the largest is not none', () => {
    const market = new Market();
    market.place(0, 2 ** 32 - 1, 'sell', 110_000, 10);
    expect(market.book.find(0, 2 ** 32 - 1)).toMatchObject({ clientOrderId: 2 ** 32 - 1, replaces: -1 });
    expect(market.place(0, 1, 'sell', 110_000, 10, { replaces: 2 ** 32 - 1 })).toBe('accepted');
    expect(market.book.find(0, 1)?.replaces).toBe(2 ** 32 - 1);
    expect(market.place(0, 1, 'sell', 110_000, 10)).toBe('exists_with_different_replaces');
    expect(market.state(0, 2 ** 32 - 1)).toBe('replaced 0/0');
  });

  test('limits, energies and sequences of any size are remembered as they came', () => {
    const market = new Market();
    market.sequence = 2 ** 53 - 3;
    market.place(0, 1, 'buy', -(2 ** 31), 2 ** 31 - 1);
    market.place(0, 2, 'buy', 2 ** 31 - 1, -(2 ** 31));
    expect(market.book.find(0, 1)).toMatchObject({ limit: -(2 ** 31), energy: 2 ** 31 - 1, sequence: 2 ** 53 - 2 });
    expect(market.book.find(0, 2)).toMatchObject({ limit: 2 ** 31 - 1, energy: -(2 ** 31), sequence: 2 ** 53 - 1 });
  });
});

describe('withdrawing', () => {
  test('each state has its answer', () => {
    const market = new Market();
    market.place(0, 1, 'sell', 110_000, 10);
    market.place(0, 2, 'sell', 100_000, 10);
    market.place(0, 3, 'sell', 120_000, 10);
    market.place(0, 4, 'sell', 110_001, 10);
    market.place(1, 1, 'buy', 100_000, 15, { type: 'ioc' });
    market.members.haltMarket(true);
    expect(market.cancel(0, 9)).toBe('unknown_order');
    expect(market.cancel(1, 9)).toBe('unknown_order');
    expect(market.cancel(0, 4)).toBe('not_open');
    expect(market.cancel(0, 1)).toBe('cancelled');
    const endedAt = market.sequence;
    expect(market.cancel(0, 1)).toBe('exists');
    expect(market.book.find(0, 1)?.endedAt).toBe(endedAt);
    expect([market.cancel(0, 2), market.cancel(1, 1)]).toEqual(['not_open', 'not_open']);
    market.book.closeGate();
    expect(market.cancel(0, 1)).toBe('exists');
    const answers = [0, 1, 2, 3, 4].map((id) => market.cancel(0, id));
    expect(answers.join()).toBe('unknown_order,exists,gate_closed,gate_closed,not_open');
  });

  test('a fill stays filled', () => {
    const market = new Market();
    market.place(0, 1, 'sell', 110_000, 10);
    market.place(1, 1, 'buy', 110_000, 4);
    expect(market.cancel(0, 1)).toBe('cancelled');
    expect(market.state(0, 1)).toBe('cancelled 4/0');
    market.place(1, 2, 'buy', 110_000, 4);
    expect(market.book.tradeCount).toBe(1);
  });

  test.each([0, 1, 2])('number %i of a queue leaves it whole', (gone) => {
    const market = new Market({}, [{}, {}, {}, {}]);
    for (const member of [0, 1, 2]) market.place(member, 1, 'sell', 110_000, 10);
    expect([market.cancel(gone, 1), market.cancel(gone, 1)]).toEqual(['cancelled', 'exists']);
    market.place(3, 1, 'buy', 110_000, 30);
    const left = [0, 1, 2].filter((member) => member !== gone);
    expect(market.trades()).toEqual(left.map((seller) => `10@110000 3.1<${seller}.1`));
  });
});

describe('an owner does not meet itself', () => {
  test.each<[string, Side, number, Side, number, string]>([
    ['a sell at the price of the own buy', 'buy', 120_000, 'sell', 120_000, 'self_cross'],
    ['a sell below it', 'buy', 120_000, 'sell', 119_900, 'self_cross'],
    ['a sell above it', 'buy', 120_000, 'sell', 120_100, 'accepted'],
    ['a buy at the price of the own sell', 'sell', 120_000, 'buy', 120_000, 'self_cross'],
    ['a buy below it', 'sell', 120_000, 'buy', 119_900, 'accepted'],
  ])('%s', (_, ownSide, own, side, limit, code) => {
    for (const mechanism of ['call', 'continuous'] as const) {
      const market = new Market({ mechanism });
      market.place(0, 1, ownSide, own, 10);
      expect(market.place(0, 2, side, limit, 10)).toBe(code);
    }
  });

  test('nor does its group, whatever it was when the order came', () => {
    const market = new Market({}, [{ group: 7 }, { group: 7 }, {}]);
    market.place(0, 1, 'buy', 120_000, 10);
    expect(market.place(1, 1, 'sell', 120_000, 10)).toBe('self_cross');
    market.members.change(0, { ...FREE, group: 2 });
    expect(market.place(2, 1, 'sell', 120_000, 10)).toBe('self_cross');
    expect(market.place(1, 2, 'sell', 120_000, 4)).toBe('accepted');
  });

  test('the order behind a best one that has ended counts', () => {
    const market = new Market();
    market.place(0, 1, 'buy', 110_000, 10);
    market.place(0, 2, 'buy', 130_000, 10);
    market.place(0, 3, 'buy', 120_000, 10);
    market.cancel(0, 2);
    expect(market.place(0, 4, 'sell', 125_000, 10, { type: 'ioc' })).toBe('accepted');
    expect(market.place(0, 5, 'sell', 120_000, 10)).toBe('self_cross');
    market.place(1, 1, 'sell', 115_000, 10);
    expect(market.place(0, 6, 'sell', 115_000, 10)).toBe('accepted');
    market.cancel(0, 6);
    expect(market.place(0, 7, 'sell', 110_000, 10)).toBe('self_cross');
  });
});

describe('what a member holds', () => {
  test('open and filled sells together stay within its capability', () => {
    const market = new Market({}, [{ capability: wh(100) }, {}]);
    market.place(0, 1, 'sell', 110_000, 60);
    market.place(1, 1, 'buy', 110_000, 20);
    expect(market.place(0, 2, 'sell', 110_000, 41)).toBe('exceeds_capability');
    expect(market.place(0, 3, 'sell', 110_000, 81, { replaces: 1 })).toBe('exceeds_capability');
    expect(market.place(0, 4, 'sell', 120_000, 80, { replaces: 1 })).toBe('accepted');
    expect(market.place(0, 5, 'sell', 120_000, 1)).toBe('exceeds_capability');
    market.cancel(0, 4);
    expect(market.place(0, 6, 'sell', 120_000, 81)).toBe('exceeds_capability');
    expect(market.place(0, 7, 'sell', 120_000, 80, { type: 'ioc' })).toBe('accepted');
    expect(market.place(0, 8, 'sell', 120_000, 80, { type: 'fok' })).toBe('accepted');
    expect(market.place(0, 9, 'sell', 120_000, 80)).toBe('accepted');
  });

  test('either side of the product stays within its volume', () => {
    const market = new Market({ maxVolume: wh(100) });
    market.place(0, 1, 'sell', 110_000, 60);
    expect(market.place(1, 1, 'sell', 120_000, 41)).toBe('energy_too_large');
    expect(market.place(0, 2, 'sell', 120_000, 100, { replaces: 1 })).toBe('accepted');
    expect(market.place(1, 2, 'buy', 120_000, 40)).toBe('accepted');
    market.cancel(0, 2);
    expect(market.place(1, 3, 'sell', 130_000, 61)).toBe('energy_too_large');
    expect(market.place(1, 4, 'sell', 130_000, 60)).toBe('accepted');
    expect(market.place(1, 5, 'buy', 120_000, 61)).toBe('energy_too_large');
  });

  test('collateral is held while energy is open or filled, and given back for the rest', () => {
    const market = new Market({}, [{ collateral: 10_000_000 }, { collateral: 2 ** 53 - 1 }]);
    const reserved = () => [market.members.reserved(0), market.members.reserved(1)];
    market.place(0, 1, 'buy', 100_000, 60);
    expect(reserved()).toEqual([6_000_000, 0]);
    market.place(1, 1, 'sell', 100_000, 20);
    expect(reserved()).toEqual([6_000_000, 20 * 250_000]);
    expect(market.place(0, 2, 'buy', 100_000, 41)).toBe('exceeds_collateral');
    market.cancel(0, 1);
    expect(reserved()).toEqual([2_000_000, 5_000_000]);
    market.place(0, 3, 'buy', 80_000, 100);
    expect(market.place(0, 4, 'buy', 90_000, 88, { replaces: 3 })).toBe('accepted');
    expect(reserved()[0]).toBe(2_000_000 + 90_000 * 88);
    market.place(0, 5, 'buy', 100_000, 1, { type: 'ioc' });
    market.book.closeGate();
    expect(reserved()).toEqual([2_000_000, 5_000_000]);
    for (let twice = 0; twice < 2; twice += 1) market.book.release();
    expect(reserved()).toEqual([0, 0]);
  });

  test('what an order holds is what it took, whatever the rules became', () => {
    const market = new Market({}, [{ collateral: 10_000_000 }, {}]);
    market.place(0, 1, 'buy', 100_000, 10);
    market.members.change(0, { ...FREE, group: 0 });
    market.place(0, 2, 'buy', 100_000, 10);
    market.members.change(0, { ...FREE, group: 0, collateral: 500 });
    market.cancel(0, 2);
    expect(market.members.reserved(0)).toBe(1_000_000);
    expect(market.place(0, 3, 'buy', 100_000, 1)).toBe('exceeds_collateral');
    market.cancel(0, 1);
    expect(market.members.reserved(0)).toBe(0);
  });

  test('no need is too large to be compared', () => {
    const edge = 2 ** 31 - 1;
    const band = { lowest: pricePerKwh(-edge), highest: pricePerKwh(-edge) };
    const rules = { band, tick: 1, importPrice: pricePerKwh(edge), penalty: pricePerKwh(edge) };
    const market = new Market(rules, [{ collateral: 2 ** 53 - 1 }]);
    expect(market.place(0, 1, 'sell', -edge, 2 ** 22 - 1)).toBe('exceeds_collateral');
    expect(market.place(0, 2, 'buy', -edge, 2 ** 22 - 1)).toBe('accepted');
    expect(market.members.reserved(0)).toBe(0);
  });
});

describe('a call', () => {
  test('clears at the gate; fills, fates, trades and prices are there', () => {
    const market = new Market({ ...CALL }, [{ collateral: 10 ** 12 }, {}, {}]);
    market.place(0, 1, 'buy', 200_000, 100);
    market.place(1, 1, 'sell', 100_000, 60, { type: 'market' });
    market.place(2, 1, 'sell', 250_000, 60);
    market.place(2, 2, 'sell', 100_000, 5);
    market.cancel(2, 2);
    expect(market.book.tradeCount).toBe(0);
    market.book.closeGate();
    expect([market.state(0, 1), market.state(1, 1), market.state(2, 1), market.state(2, 2)]).toEqual([
      'partly_filled 60/0',
      'filled 60/0',
      'price_not_reached 0/0',
      'cancelled 0/0',
    ]);
    expect(market.book.clearingPrices()).toEqual([162_500]);
    expect(market.trades()).toEqual(['60@162500 0.1<1.1']);
    expect(market.members.reserved(0)).toBe(200_000 * 60);
  });

  test('where the curves do not meet, every order is told so', () => {
    const market = new Market({ ...CALL });
    market.place(0, 1, 'buy', 100_000, 100);
    market.place(1, 1, 'sell', 110_000, 60);
    market.book.closeGate();
    expect([market.state(0, 1), market.state(1, 1), ...market.trades()]).toEqual(['no_trade 0/0', 'no_trade 0/0']);
    expect(market.book.clearingPrices()).toEqual([null]);
  });

  test('two zones have two prices where the line between them is full', () => {
    const zoneLimits = [{ from: 0, to: 1, capacity: wh(10) }];
    const rules = { ...CALL, fees: [pricePerKwh(0), pricePerKwh(0)], zoneLimits };
    const market = new Market(rules, [{ zone: 0 }, { zone: 1 }, { zone: 0 }]);
    market.place(0, 1, 'sell', 100_000, 50);
    market.place(1, 1, 'buy', 200_000, 50);
    market.place(2, 1, 'buy', 120_000, 50);
    market.members.change(1, { ...FREE, group: 1, zone: 0 });
    market.book.closeGate();
    const [exporting, importing] = market.book.clearingPrices();
    expect(market.state(1, 1)).toBe('partly_filled 10/0');
    expect(importing).toBeGreaterThan(exporting ?? 0);
    expect(market.trades()).toContain(`10@${importing}/${exporting} 1.1<0.1`);
  });
});

test('a book without orders is small, and a full ladder of 2,200 ticks as well', () => {
  const market = new Market();
  expect(market.book.bytesHeld).toBeLessThan(4_000);
  market.place(0, 1, 'sell', 110_000, 10);
  expect(market.book.bytesHeld).toBeLessThan(24_000);
});
