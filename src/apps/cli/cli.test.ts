import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { naiveClearCall } from '../../domain/market/naive-call-auction.ts';
import { wh } from '../../domain/units/energy.ts';
import type { MarketId, MemberId } from '../../domain/units/identity.ts';
import { formatPrice, pricePerKwh } from '../../domain/units/price.ts';
import { epochMs } from '../../domain/units/time.ts';
import { run } from './run.ts';

const HEADER = 'order,member,side,limit_price_per_kwh,energy_wh,time';
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'p2p-cli-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

function file(...rows: string[]): string {
  const path = join(folder, 'orders.csv');
  writeFileSync(path, `${[HEADER, ...rows].join('\n')}\n`);
  return path;
}

async function cli(...argv: string[]) {
  const said = { out: '', err: '' };
  const code = await run(argv, {
    out: async (text) => {
      said.out += text;
    },
    err: async (text) => {
      said.err += text;
    },
    color: false,
  });
  return { code, ...said };
}

const STREET = [
  'b2,bea,buy,0.20,1000,2',
  'b1,ann,buy,0.30,3000,1',
  's1,cem,sell,0.08,1500,3',
  's2,"dov, the second",sell,0.10,500,4',
  's3,ann,sell,0.30,500,5',
  'b1,ann,buy,0.3,3000,6',
  'b1,ann,buy,0.30,3100,7',
];

describe('clear --json', () => {
  test('says price, volume, surplus, trades and the fate of every row in the order of the file', async () => {
    const { code, out, err } = await cli('clear', file(...STREET), '--json');
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toEqual({
      mechanism: 'call',
      clearingPricePerKwh: '0.26',
      tradedWh: 2000,
      surplus: '0.43',
      trades: [
        { buy: 'b1', sell: 's1', energyWh: 1500, pricePerKwh: '0.26' },
        { buy: 'b1', sell: 's2', energyWh: 500, pricePerKwh: '0.26' },
      ],
      orders: [
        { order: 'b2', filledWh: 0, reason: 'price_not_reached' },
        { order: 'b1', filledWh: 2000, reason: 'partly_filled' },
        { order: 's1', filledWh: 1500, reason: 'filled' },
        { order: 's2', filledWh: 500, reason: 'filled' },
        { order: 's3', filledWh: 0, reason: 'self_cross' },
        { order: 'b1', filledWh: 0, reason: 'exists' },
        { order: 'b1', filledWh: 0, reason: 'exists_with_different_energy' },
      ],
    });
  });

  test('of a book where nothing trades has no price', async () => {
    const nothing = { clearingPricePerKwh: null, tradedWh: 0, surplus: '0', trades: [] };
    expect(JSON.parse((await cli('clear', file('s1,ann,sell,0.1,5,1'), '--json')).out)).toMatchObject(nothing);
    expect(JSON.parse((await cli('clear', file(), '--json')).out)).toEqual({
      mechanism: 'call',
      ...nothing,
      orders: [],
    });
  });

  test('takes arrival from the time column, not from the order of the rows', async () => {
    const path = file('b1,ann,buy,0.3,5,9', 'b2,bea,buy,0.3,5,-3', 's1,cem,sell,0.1,5,4');
    const { orders } = JSON.parse((await cli('clear', path, '--rationing', 'price-time', '--json')).out);
    expect(orders.map((order: { filledWh: number }) => order.filledWh)).toEqual([0, 5, 5]);
    const crossed = file('s1,ann,sell,0.1,5,2', 'b1,ann,buy,0.3,5,1');
    const reasons = JSON.parse((await cli('clear', crossed, '--json')).out).orders;
    expect(reasons.map((order: { reason: string }) => order.reason)).toEqual(['self_cross', 'no_trade']);
  });

  test('clears any book as the naive twin does, negative prices included', async () => {
    const row = fc.record({
      side: fc.constantFrom('buy' as const, 'sell' as const),
      ticks: fc.integer({ min: -9, max: 9 }),
      energy: fc.integer({ min: 1, max: 99 }),
    });
    const rationings = fc.constantFrom('pro-rata' as const, 'price-time' as const);
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 12 }), rationings, async (rows, rationing) => {
        const lines = rows.map(({ side, ticks, energy }, at) => {
          return `o${at},home-${at},${side},${formatPrice(pricePerKwh(ticks * 500))},${energy},${at}`;
        });
        const { out } = await cli('clear', file(...lines), '--tick', '0.0005', '--rationing', rationing, '--json');
        const naive = naiveClearCall(
          rows.map(({ side, ticks, energy }, at) => ({
            market: 'm' as MarketId,
            product: epochMs(0),
            member: `home-${at}` as MemberId,
            clientOrderId: at,
            side,
            type: 'limit',
            limit: pricePerKwh(ticks * 500),
            energy: wh(energy),
            sequence: at,
          })),
          { tick: 500, rationing },
        );
        const price = naive.price === null ? null : formatPrice(naive.price);
        expect(JSON.parse(out)).toMatchObject({
          clearingPricePerKwh: price,
          tradedWh: naive.traded,
          trades: naive.trades.map(({ buyOrder, sellOrder, energy }) => ({
            buy: `o${buyOrder}`,
            sell: `o${sellOrder}`,
            energyWh: energy,
            pricePerKwh: price,
          })),
          orders: naive.fills.map(({ filled, fate }, at) => ({ order: `o${at}`, filledWh: filled, reason: fate })),
        });
      }),
      { numRuns: 200 },
    );
  });
});

describe('clear for people', () => {
  test('shows the price, the rows and one sentence that says why', async () => {
    const { code, out } = await cli('clear', file(...STREET));
    expect(code).toBe(0);
    expect(out).toBe(`price    0.26 per kWh
traded   2,000 Wh in 2 trades
surplus  0.43
rules    call auction, pro-rata, tick 0.0001

Every price from 0.2001 to 0.3 trades 2,000 Wh; 3,000 Wh are asked for and 2,000 Wh offered, so scarce energy stands high in that range.

order  member           side  limit     Wh  filled  reason
b2     bea              buy     0.2  1,000       0  price_not_reached
b1     ann              buy     0.3  3,000   2,000  partly_filled
s1     cem              sell   0.08  1,500   1,500  filled
s2     dov, the second  sell    0.1    500     500  filled
s3     ann              sell    0.3    500       0  self_cross
b1     ann              buy     0.3  3,000       0  exists
b1     ann              buy     0.3  3,100       0  exists_with_different_energy
`);
  });

  test.each([
    ['there are no orders', []],
    ['nobody sells', ['b1,ann,buy,0.1,5,1']],
    ['nobody buys', ['s1,ann,sell,0.1,5,1']],
    ['the dearest buyer pays 0.1, the cheapest seller asks 0.2', ['b,ann,buy,0.1,5,1', 's,bea,sell,0.2,5,2']],
  ])('says that nothing traded because %s', async (reason, rows) => {
    expect((await cli('clear', file(...rows))).out).toContain(`Nothing traded: ${reason}.`);
  });

  test('names at most a hundred rows', async () => {
    const rows = Array.from({ length: 103 }, (_, at) => `o${at},ann,buy,0.1,5,${at}`);
    expect((await cli('clear', file(...rows))).out).toMatch(/o99 .*\n3 more; --json lists them all\n$/);
  });
});

describe('what cannot be done says so, on standard error, with an exit code', () => {
  test.each([
    [2, 'unknown command "cleer"; did you mean "clear"?', ['cleer']],
    [2, 'the command comes first, --json is none', ['--json']],
    [2, 'Usage: p2p-cli COMMAND', []],
    [2, 'unknown option --tik; did you mean "--tick"?', ['clear', 'x.csv', '--tik', '1']],
    [2, 'did you mean "price-time"?', ['clear', 'x.csv', '--rationing', 'price-tme']],
    [2, '--tick must be a decimal above 0', ['clear', 'x.csv', '--tick', '0']],
    [2, '--tick must be a decimal above 0', ['clear', 'x.csv', '--tick', '-0.1']],
    [2, 'FILE.csv is missing', ['clear']],
    [2, 'FILE_UNREADABLE: /nowhere/x.csv', ['clear', '/nowhere/x.csv']],
    ...['refresh-peers', 'peers', 'init', 'migrate', 'orders', 'book', 'bill', 'vault', 'export'].map(
      (name): [number, string, string[]] => [3, `p2p-cli ${name} is not built yet.`, [name, '--network', 'local_mesh']],
    ),
  ])('exit %i: %s', async (exit, message, argv) => {
    const { code, out, err } = await cli(...argv);
    expect([code, out]).toEqual([exit, '']);
    expect(err).toContain(message);
  });

  test('a broken file is refused whole, with the place', async () => {
    const path = file('b1,ann,buy,0.3,5,1', 'b2,ann,buy,0.3,-5,2');
    const { code, out, err } = await cli('clear', path, '--json');
    expect([code, out]).toEqual([2, '']);
    const message = expect.stringContaining(`${path}:3:16 energy_wh: must be more than 0`);
    expect(JSON.parse(err)).toMatchObject({ code: 'CONFIG_INVALID', message });
    expect((await cli('clear', path)).err).toContain(`CONFIG_INVALID: ${path}:3:16 energy_wh: must be more than 0`);
  });

  test('help is a result', async () => {
    for (const argv of [['--help'], ['clear', '--help'], ['peers', '--help']]) {
      const { code, out, err } = await cli(...argv);
      expect([code, err]).toEqual([0, '']);
      expect(out).toContain('p2p-cli');
    }
  });
});

test('the installed command does the same through its launcher', async () => {
  const launcher = fileURLToPath(new URL('../../../bin/p2p-cli.js', import.meta.url));
  const path = file(...STREET);
  const out = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, [launcher, 'clear', path, '--json'], (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
  });
  expect(out).toBe((await cli('clear', path, '--json')).out);
});
