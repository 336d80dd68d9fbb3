import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Abi, concatHex, decodeEventLog, encodeAbiParameters, encodeFunctionData, type Hex, toHex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Anvil, startAnvil } from './anvil.ts';
import { type ContractArtifact, loadContractArtifact, runtimeCodeOf } from './contract-artifact.ts';
import { type JsonRpc, openJsonRpc, RpcRefusal } from './json-rpc.ts';
import { LedgerNode } from './ledger-node.ts';
import { SETTLEMENT_ABI } from './settlement-abi.ts';
import { idWord } from './settlement-content.ts';
import { contractFault, SettlementContract } from './settlement-contract.ts';

/** The contract itself, past the client that would never send such things. */

const CHAIN_ID = 31_791;
const START = Date.UTC(2026, 5, 21, 9, 0);
const settler = privateKeyToAccount(generatePrivateKey());

let folder: string;
let artifact: ContractArtifact;
let anvil: Anvil;
let rpc: JsonRpc;
let node: LedgerNode;
let contract: SettlementContract;
let nonce = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'energy-logic-contract-'));
  artifact = await loadContractArtifact(join(folder, 'cache'));
  anvil = await startAnvil({ port: await freePort(), chainId: CHAIN_ID, stateFile: join(folder, 'chain.json') });
  rpc = openJsonRpc(anvil.url, 5_000, new AbortController().signal);
  node = new LedgerNode(rpc, settler.address);
  const argument = encodeAbiParameters([{ type: 'address' }], [settler.address]);
  const { contractAddress } = await send(null, concatHex([artifact.creationCode as Hex, argument]));
  contract = new SettlementContract(node, contractAddress ?? '0x');
  await send(contract.address, registering(1, ['home-01', 'home-02', 'home-03']));
});

afterAll(async () => {
  await anvil?.stop();
  await rm(folder, { recursive: true });
});

test('the interface that the client uses is what the compiler says', () => {
  expect(namesOf(SETTLEMENT_ABI)).toEqual(namesOf(artifact.abi as unknown as Abi));
});

test('a deployment leaves exactly the code that the client expects of this settler', async () => {
  expect(await node.code(contract.address)).toBe(runtimeCodeOf(artifact, settler.address));
  expect(artifact.runtimeCode.length / 2).toBeLessThan(24_576);
});

describe('the compiled contract', () => {
  test('comes from the cache the second time, byte for byte', async () => {
    const cache = join(folder, 'cache');
    const [file] = await readdir(cache);
    const marked = { ...artifact, settlerOffsets: [1, 2, 3] };
    await writeFile(join(cache, file ?? ''), JSON.stringify(marked));
    expect(await loadContractArtifact(cache)).toEqual(marked);
  });

  test('is compiled anew where the cache is damaged', async () => {
    const cache = join(folder, 'cache');
    const [file] = await readdir(cache);
    await writeFile(join(cache, file ?? ''), '{"abi":[');
    expect(await loadContractArtifact(cache)).toEqual(artifact);
  });
});

describe('a settlement', () => {
  test('emits its event and the final one with the losses; the same again emits nothing and costs no state', async () => {
    const call = settling({ market: idWord('elm'), feederImported: 107n }, 0, [party({ member: 1, imported: 100 })]);
    const first = await send(contract.address, call);
    expect(first.logs.map(({ eventName }) => eventName)).toEqual(['IntervalChunkSettled', 'IntervalFinalized']);
    expect(first.logs[0]?.args).toMatchObject({ members: -30_000_000n, community: 0n, utility: 30_000_000n });
    expect(first.logs[1]?.args).toMatchObject({ chunks: 1, lossesWh: 7n });
    const totals = (await contract.accounts('elm')).totals;
    expect(totals).toMatchObject({ intervals: 1n, chunks: 1n, lossesWh: 7n, inFlight: 0n });
    const again = await send(contract.address, call);
    expect(again).toMatchObject({ status: '0x1', logs: [] });
    expect((await contract.accounts('elm')).totals).toEqual(totals);
  });

  test('holds what is in flight between chunks in an account of its own, so that all accounts always sum to zero', async () => {
    const interval = { market: idWord('oak'), chunks: 2 };
    await send(contract.address, settling(interval, 0, [party({ member: 1, sold: 50, exported: 60 })]));
    expect((await contract.accounts('oak')).totals).toMatchObject({ inFlight: -50n * 190_000n, intervals: 0n });
    expect(await sumOfAccounts('oak')).toBe(0n);
    await send(contract.address, settling(interval, 1, [party({ member: 2, bought: 50, imported: 60 })]));
    expect((await contract.accounts('oak')).totals).toMatchObject({ inFlight: 0n, intervals: 1n });
    expect(await sumOfAccounts('oak')).toBe(0n);
  });

  test('counts substituted readings of a member', async () => {
    const call = settling({ market: idWord('ash') }, 0, [party({ member: 2, flags: 1 }), party({ member: 3 })]);
    await send(contract.address, call);
    const { members } = await contract.accounts('ash');
    expect(members.map(({ substituted }) => substituted)).toEqual([0n, 1n, 0n]);
  });

  test.each<[string, Hex]>([
    ['UnknownMember(0)', settling({}, 0, [party({ member: 0 })])],
    ['UnknownMember(4)', settling({}, 0, [party({ member: 4 })])],
    ['NotAscending(2)', settling({}, 0, [party({ member: 2 }), party({ member: 2 })])],
    ['NotAscending(1)', settling({}, 0, [party({ member: 2 }), party({ member: 1 })])],
    ['UnknownFlags(1, 2)', settling({}, 0, [party({ member: 1, flags: 2 })])],
    ['MalformedParties(27)', settling({}, 0, [`0x${'00'.repeat(27)}`])],
    ['BalancedAboveDeviation(1)', settling({}, 0, [party({ member: 1, imported: 5, balancedShort: 6 })])],
    ['ChunkOutOfRange(1, 1)', settling({}, 1, [])],
    ['ChunkOutOfRange(0, 0)', settling({ chunks: 0 }, 0, [])],
    ['ZeroMarket()', settling({ market: `0x${'00'.repeat(32)}` }, 0, [])],
    ['PriceOutOfBounds(2147483648)', settling({ importPrice: 2n ** 31n }, 0, [])],
    ['PriceOutOfBounds(-2147483648)', settling({ exportPrice: -(2n ** 31n) }, 0, [])],
    ['FeederOutOfBounds(281474976710656)', settling({ feederExported: 2n ** 48n }, 0, [])],
    ['UnbalancedInterval(-1, 0)', settling({}, 0, [party({ member: 1, bought: 1 })])],
    ['UnbalancedInterval(0, 1)', settling({}, 0, [party({ member: 1, exported: 1, balancedLong: 1 })])],
    [`IntervalMisaligned(${START + 1}, 900000)`, settling({ start: START + 1 }, 0, [])],
    [`IntervalMisaligned(${START}, 600000)`, settling({ lengthMs: 600_000 }, 0, [])],
    ['MemberIndexTaken(1', registering(1, ['stranger'])],
    ['MemberIndexGap(4, 5)', registering(5, ['stranger'])],
    ['MemberIndexGap(4, 0)', registering(0, ['stranger'])],
    ['MemberIdTaken(', registering(4, ['home-01'])],
    ['ZeroMemberId(4)', registering(4, [''])],
  ])('is refused with %s', async (error, data) => {
    expect(await refusal(data)).toMatch(error);
  });

  test('is refused under a settled key with other content', async () => {
    await send(contract.address, settling({ market: idWord('fir') }, 0, []));
    expect(await refusal(settling({ market: idWord('fir') }, 0, [party({ member: 1 })]))).toMatch(
      /^AlreadySettledDiff/,
    );
  });

  test("is the settler's alone, and so are registrations", async () => {
    const stranger = new LedgerNode(rpc, privateKeyToAccount(generatePrivateKey()).address);
    for (const data of [settling({}, 0, []), registering(4, ['home-04'])]) {
      const error = await stranger.call({ to: contract.address, data }).catch((caught: unknown) => caught);
      expect(error instanceof RpcRefusal && contractFault(error)?.message).toMatch(/^NotSettler\(/);
    }
  });
});

test('registering the same members again changes nothing, and with new ones only adds those', async () => {
  expect((await send(contract.address, registering(1, ['home-01', 'home-02']))).logs).toEqual([]);
  expect(await contract.members()).toEqual(['home-01', 'home-02', 'home-03']);
  expect(await contract.members(3)).toEqual(['home-03']);
});

// ---------------------------------------------------------------------------------------------- parts

interface IntervalChange {
  market?: Hex;
  start?: number;
  lengthMs?: number;
  chunks?: number;
  importPrice?: bigint;
  exportPrice?: bigint;
  feederImported?: bigint;
  feederExported?: bigint;
}

function settling({ start = START, ...change }: IntervalChange, chunk: number, parties: readonly Hex[]): Hex {
  const interval = {
    ...{ market: idWord('refused'), start: BigInt(start), lengthMs: 900_000, chunks: 1 },
    ...{ localPrice: 190_000n, shortPrice: 245_000n, longPrice: 130_000n, importPrice: 300_000n, exportPrice: 80_000n },
    ...{ feederImported: 0n, feederExported: 0n },
    ...change,
  };
  const args = [interval, chunk, concatHex(['0x', ...parties])] as const;
  return encodeFunctionData({ abi: SETTLEMENT_ABI, functionName: 'settle', args });
}

interface PartyFields {
  member: number;
  bought?: number;
  sold?: number;
  imported?: number;
  exported?: number;
  balancedLong?: number;
  balancedShort?: number;
  flags?: number;
}

function party(fields: PartyFields): Hex {
  const { bought = 0, sold = 0, imported = 0, exported = 0, balancedLong = 0, balancedShort = 0, flags = 0 } = fields;
  const energies = [bought, sold, imported, exported, balancedLong, balancedShort];
  return concatHex([
    toHex(fields.member, { size: 3 }),
    ...energies.map((value) => toHex(value, { size: 4 })),
    toHex(flags, { size: 1 }),
  ]);
}

function registering(first: number, ids: readonly string[]): Hex {
  return encodeFunctionData({ abi: SETTLEMENT_ABI, functionName: 'registerMembers', args: [first, ids.map(idWord)] });
}

async function refusal(data: Hex): Promise<string | undefined> {
  const error = await node.call({ to: contract.address, data }).catch((caught: unknown) => caught);
  return error instanceof RpcRefusal ? contractFault(error)?.message : undefined;
}

async function sumOfAccounts(market: string): Promise<bigint> {
  const { members, totals } = await contract.accounts(market);
  return members.reduce((sum, { balance }) => sum + balance, totals.community + totals.utility + totals.inFlight);
}

interface MinedCall {
  readonly status: string;
  readonly contractAddress: Hex | null;
  readonly logs: readonly { readonly eventName: string; readonly args: object }[];
}

interface RawLog {
  readonly topics: [Hex, ...Hex[]];
  readonly data: Hex;
}

async function send(to: Hex | null, data: Hex): Promise<MinedCall> {
  const raw = await settler.signTransaction({
    ...{ type: 'eip1559', chainId: CHAIN_ID, nonce, to, data, gas: 10_000_000n },
    ...{ maxFeePerGas: 0n, maxPriorityFeePerGas: 0n },
  });
  nonce += 1;
  const mined = (await rpc('eth_sendRawTransactionSync', [raw])) as Omit<MinedCall, 'logs'> & { logs: RawLog[] };
  const logs = mined.logs.map((log) => {
    const { eventName, args } = decodeEventLog({ abi: SETTLEMENT_ABI, topics: log.topics, data: log.data });
    return { eventName, args };
  });
  return { status: mined.status, contractAddress: mined.contractAddress, logs };
}

function namesOf(abi: Abi): string[] {
  return abi.map((item) => JSON.stringify(signatureOf(item))).sort();
}

interface Parameter {
  readonly name?: string;
  readonly type: string;
  readonly indexed?: boolean;
  readonly components?: readonly Parameter[];
}

function signatureOf(item: Abi[number]): unknown {
  const shapeOf = ({ name, type, indexed, components }: Parameter): unknown => {
    return [name ?? '', type, indexed ?? false, (components ?? []).map(shapeOf)];
  };
  const { type } = item;
  const inputs = 'inputs' in item ? (item.inputs as readonly Parameter[]).map(shapeOf) : [];
  const outputs = 'outputs' in item ? (item.outputs as readonly Parameter[]).map(shapeOf) : [];
  return [
    type,
    'name' in item ? item.name : '',
    'stateMutability' in item ? item.stateMutability : '',
    inputs,
    outputs,
  ];
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
