import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINE, member, PRODUCT, ProofMarket, terms } from '../../../test/market-proof/proof-market.ts';
import { keccakHasher } from '../../adapters/keys/secp256k1-signer.ts';
import { toHex } from '../../domain/proof/canonical-bytes.ts';
import type { ClearingArtefact } from '../../domain/proof/clearing-artefact.ts';
import { gateRootHash } from '../../domain/proof/typed-statement.ts';
import type { PricePerKwh } from '../../domain/units/price.ts';
import { formatUtc } from '../../domain/units/time.ts';
import { run } from './run.ts';

const INTERVAL = formatUtc(PRODUCT);
let folder = '';
let market: ProofMarket;
let artefact: ClearingArtefact;
let root = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ledger-verify-'));
  market = new ProofMarket().start(terms(3), PRODUCT);
  market.order({ member: 0, clientOrderId: 1, side: 'sell', limit: 90_000, energy: 500 });
  market.order({ member: 1, clientOrderId: 1, side: 'buy', limit: 190_000, energy: 700 });
  artefact = await market.close();
  root = toHex(gateRootHash(artefact.gate, keccakHasher));
});

afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

async function verify(...argv: string[]) {
  const said = { out: '', err: '' };
  const code = await run(['ledger', 'verify', ...argv], {
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

describe('a clearing that holds', () => {
  test('is said in one sentence, with its root and who signed it', async () => {
    const paths = [file('a.json', artefact), file('r.json', market.receipts)];
    const [path = '', receipts = ''] = paths;
    const { code, out, err } = await verify(
      '--interval',
      INTERVAL,
      '--artefact',
      path,
      '--receipt',
      receipts,
      '--root',
      root,
    );
    expect([code, err]).toEqual([0, '']);
    expect(out).toBe(
      `The clearing of ${INTERVAL} in elm holds: 2 commands replay to the same verdicts, prices and trades, in agreement with 2 receipts, under the root ${root} signed by ${ENGINE}.\n`,
    );
  });

  test('says what it does not know', async () => {
    const receipts = [file('r1.json', market.receipts[0]), file('r2.json', [market.receipts[1]])].join(',');
    const path = file('view.json', await market.artefact(member(1)));
    const { code, out, err } = await verify(
      '--interval',
      String(PRODUCT),
      '--artefact',
      path,
      '--receipt',
      receipts,
      '--twin',
    );
    expect(code).toBe(0);
    expect(out).toContain('1 command of home-01 stand among 2 as they were sent, in agreement with 1 receipt, under');
    expect(err).toContain('compare its root with that of the ledger');
    expect(err).toContain('1 receipt passed over');
  });

  test('is one object with --json', async () => {
    const path = file('a.json', artefact);
    const { code, out } = await verify('--interval', INTERVAL, '--artefact', path, '--signer', ENGINE, '--json');
    expect([code, JSON.parse(out)]).toEqual([
      0,
      {
        ...{ ok: true, root, replayed: true, receipts: 0, interval: PRODUCT },
        ...{ market: 'elm', viewer: null, commands: 2, engine: ENGINE },
      },
    ]);
  });

  test('comes from an engine too', async () => {
    const view = await market.artefact(member(1));
    const server = createServer((request, response) => {
      const path = `/api/v1/clearing/${PRODUCT}/artefact`;
      if (request.url !== path && request.url !== `${path}?member=home-01`) response.statusCode = 404;
      response.end(JSON.stringify(request.url === path ? artefact : view));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const found = await verify('--interval', INTERVAL, '--engine', url, '--root', root);
    const own = await verify('--interval', INTERVAL, '--engine', url, '--member', 'home-01');
    const none = await verify('--interval', '0', '--engine', url);
    await new Promise((resolve) => server.close(resolve));
    expect(found.code).toBe(0);
    expect([own.code, own.out]).toEqual([0, expect.stringContaining('1 command of home-01')]);
    expect([none.code, none.err]).toEqual([3, expect.stringContaining('answers 404')]);
    expect((await verify('--interval', INTERVAL, '--engine', url)).code).toBe(3);
  });
});

describe('a breach', () => {
  test('is named with its place, and ends with 1', async () => {
    const commands = artefact.commands.map((part, at) => (at === 1 ? { ...part, verdict: 'self_cross' } : part));
    const path = file('changed.json', { ...artefact, commands });
    const { code, out } = await verify('--interval', INTERVAL, '--artefact', path, '--root', root);
    expect([code, out]).toEqual([
      1,
      `The clearing of ${INTERVAL} does not hold: verdict_differs at sequence 4, the log says self_cross, the replay accepted.\n`,
    ]);
    const json = await verify('--interval', INTERVAL, '--artefact', path, '--json');
    expect([json.code, JSON.parse(json.out)]).toMatchObject([1, { ok: false, breach: 'verdict_differs', sequence: 4 }]);
  });

  test.each([
    ['what is no JSON', 'not json', 'malformed, it has no sound value at its beginning'],
    ['what is no artefact', { schema: 1 }, 'malformed, it has no sound value at .viewer'],
  ])('is also %s', async (_, content, text) => {
    const { code, out } = await verify('--interval', INTERVAL, '--artefact', file('bad.json', content));
    expect([code, out]).toEqual([1, `The clearing of ${INTERVAL} does not hold: ${text}.\n`]);
  });

  test('is another root than that of the ledger, or another signer', async () => {
    const path = file('a.json', artefact);
    const other = await verify('--interval', INTERVAL, '--artefact', path, '--root', `0x${'00'.repeat(32)}`);
    expect([other.code, other.out]).toEqual([1, expect.stringContaining('root_differs')]);
    const signer = await verify('--interval', INTERVAL, '--artefact', path, '--signer', `0x${'00'.repeat(20)}`);
    expect([signer.code, signer.out]).toEqual([1, expect.stringContaining('signature_wrong')]);
  });
});

test("a clearing with several zones is replayed by the engine's book, and not by the twin", async () => {
  const zones = [
    { id: 'east', fee: 0 as PricePerKwh },
    { id: 'west', fee: 10_000 as PricePerKwh },
  ];
  const members = terms(2).members.map((one, at) => ({ ...one, zone: at === 0 ? 'east' : 'west' }));
  const zonal = new ProofMarket().start(terms(2, { members, zones }), PRODUCT);
  zonal.order({ member: 0, clientOrderId: 1, side: 'sell', limit: 90_000, energy: 500 });
  const path = file('zonal.json', await zonal.close());
  expect((await verify('--interval', INTERVAL, '--artefact', path)).code).toBe(0);
  const twin = await verify('--interval', INTERVAL, '--artefact', path, '--twin');
  expect([twin.code, twin.out, twin.err]).toEqual([2, '', expect.stringContaining('several zones')]);
});

describe('what could not run', () => {
  test.each<[number, string, () => string[]]>([
    [2, '--interval is missing', () => []],
    [2, '--interval must be an instant', () => ['--interval', 'noon']],
    [2, '--artefact and --engine exclude', () => ['--interval', '0', '--artefact', 'a', '--engine', 'b']],
    [2, '--root must be', () => ['--interval', '0', '--root', '0x12']],
    [2, '--signer must be', () => ['--interval', '0', '--signer', '0x12']],
    [2, 'holds no receipt: see [0].receipt', () => ['--interval', '0', '--receipt', file('x.json', {})]],
    [2, 'FILE_UNREADABLE', () => ['--interval', '0', '--receipt', join(folder, 'none.json')]],
    [3, 'There is no artefact', () => ['--interval', '0', '--artefact', join(folder, 'none.json')]],
    [3, 'is of another interval', () => ['--interval', '0', '--artefact', file('a.json', artefact)]],
    [3, 'does not answer', () => ['--interval', '0', '--engine', 'http://127.0.0.1:1']],
  ])('ends with %i: %s', async (expected, message, argv) => {
    const { code, out, err } = await verify(...argv());
    expect([code, out]).toEqual([expected, '']);
    expect(err).toContain(message);
  });

  test('ledger alone tells what there is', async () => {
    const terminal = { out: async () => undefined, err: async () => undefined, color: false };
    expect(await run(['ledger'], terminal)).toBe(2);
    expect(await run(['ledger', 'verfy'], terminal)).toBe(2);
    expect(await run(['ledger', '--help'], terminal)).toBe(0);
    expect(await run(['ledger', 'verify', '--help'], terminal)).toBe(0);
  });
});
