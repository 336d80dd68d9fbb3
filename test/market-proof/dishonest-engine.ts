import { signDigest } from '../../src/adapters/keys/secp256k1-signer.ts';
import { decodeCommand } from '../../src/domain/engine/command-record.ts';
import { fromHex, toHex } from '../../src/domain/proof/canonical-bytes.ts';
import {
  type ClearingArtefact,
  isShown,
  type LoggedCommand,
  type Part,
} from '../../src/domain/proof/clearing-artefact.ts';
import {
  commandLeaf,
  type MemberState,
  memberLeaf,
  membersHash,
  openingHash,
  resultHash,
  rulesHash,
  tradesHash,
} from '../../src/domain/proof/gate-root.ts';
import { merkleRoot } from '../../src/domain/proof/merkle-tree.ts';
import { chainStart, receiptHash } from '../../src/domain/proof/receipt.ts';
import { replayClearing } from '../../src/domain/proof/replay-clearing.ts';
import { gateRootDigest } from '../../src/domain/proof/typed-statement.ts';
import type { VerifyTools } from '../../src/domain/proof/verify-clearing.ts';
import type { MemberId } from '../../src/domain/units/identity.ts';
import { key } from './proof-market.ts';

type Shown<Of> = Of & { salt: string };

/**
 * What an engine can do that has the keys of its own and of nobody else: it changes the log, clears it anew unless it
 * lies about that too, writes the chain again, computes the root again and signs it.
 */
export async function dishonestly(
  honest: ClearingArtefact,
  change: (artefact: ClearingArtefact) => unknown,
  tools: VerifyTools,
): Promise<ClearingArtefact> {
  const artefact = structuredClone(honest);
  const result = JSON.stringify(artefact.result);
  change(artefact);
  const commands = artefact.commands as Shown<LoggedCommand>[];
  const verdicts = new Map(
    (honest.commands as readonly Shown<LoggedCommand>[]).map(({ record, verdict }) => [record, verdict]),
  );
  const lied = commands.some(({ record, verdict }) => verdict !== (verdicts.get(record) ?? verdict));
  const fresh = JSON.stringify(artefact.result) !== result || lied ? artefact.result : recleared(artefact, tools);
  const leaves = chained(artefact, commands, tools).map(({ command, receipt }) =>
    commandLeaf(receipt, command, fromHex(command.salt), tools.hasher),
  );
  const { hasher } = tools;
  const { trades } = fresh;
  const list = 'leaf' in trades ? [] : trades.list;
  const gate = {
    ...artefact.gate,
    commands: commands.length,
    log: toHex(merkleRoot(leaves, hasher)),
    rules: toHex(rulesHash(artefact.rules, hasher)),
    members: toHex(membersHash(openingHash(membersLeaves(artefact.members, tools), hasher), [], hasher)),
    result: toHex(resultHash(fresh, tradesHash(list, fromHex('leaf' in trades ? '' : trades.salt), hasher), hasher)),
  };
  const signature = toHex(signDigest(key('engine'), gateRootDigest(artefact.chainId, gate, hasher)));
  return { ...artefact, commands, result: fresh, gate, signature };
}

function membersLeaves(members: readonly Part<MemberState>[], { hasher }: VerifyTools): Uint8Array[] {
  return (members as Shown<MemberState>[]).map((state) => memberLeaf(state, fromHex(state.salt), hasher));
}

/** Writes `previous` of every command anew. */
function chained({ gate, members }: ClearingArtefact, commands: Shown<LoggedCommand>[], { hasher }: VerifyTools) {
  const { market, product } = gate;
  let previous = chainStart(market, product, hasher);
  return commands.map((command, at) => {
    const renewed = { ...command, previous: toHex(previous) };
    commands[at] = renewed;
    const record = fromHex(command.record);
    const { sequence, verdict } = command;
    const named = { market, product, sequence, verdict, member: senderOf(record, members) };
    const receipt = receiptHash({ ...named, record: hasher.keccak256(record), previous }, hasher);
    previous = receipt;
    return { command: renewed, receipt };
  });
}

function senderOf(record: Uint8Array, members: ClearingArtefact['members']): MemberId {
  const numbers = { numberOf: () => 0, idOf: (number: number) => (members[number] as MemberState | undefined)?.id };
  const command = decodeCommand(record, numbers);
  if (typeof command === 'string' || (command.type !== 'order' && command.type !== 'cancel'))
    throw new Error('no order');
  return command.member;
}

function recleared(artefact: ClearingArtefact, tools: VerifyTools): ClearingArtefact['result'] {
  const { gate, chainId, rules, members, commands } = artefact;
  const log = {
    ...{ market: gate.market, product: gate.product, chainId, rules, changes: [] },
    ...{ atOpening: members.filter(isShown), commands: commands.filter(isShown) },
  };
  const replayed = replayClearing(log, tools);
  for (const [at, { verdict, filled, fate }] of replayed.commands.entries()) {
    Object.assign(commands[at] as object, { verdict, filled, fate });
  }
  const { prices, trades: list } = replayed;
  const volume = list.reduce((sum, { energy }) => sum + energy, 0);
  const { trades } = artefact.result;
  return { prices, volume, trades: { salt: 'leaf' in trades ? '' : trades.salt, list } };
}
