import { recoverSigner } from '../../adapters/keys/order-evidence.ts';
import { keccakHasher, recoverAddress } from '../../adapters/keys/secp256k1-signer.ts';
import type { CancelCommand, OrderCommand } from '../../domain/engine/command.ts';
import { decodeCommand } from '../../domain/engine/command-record.ts';
import type { MemberNumber, ProductRules } from '../../domain/market/book.ts';
import { MemberTable } from '../../domain/market/member-table.ts';
import { NaiveMembers } from '../../domain/market/naive-members.ts';
import { NaiveProductBook } from '../../domain/market/naive-product-book.ts';
import { ProductBook } from '../../domain/market/product-book.ts';
import type { OpenedBook } from '../../domain/proof/replay-clearing.ts';
import type { VerifyTools } from '../../domain/proof/verify-clearing.ts';
import type { MarketId } from '../../domain/units/identity.ts';

/** With the engine's own book, or with its plain twin: slower, and short enough to be read by whoever doubts it. */
export function verifyTools(book: 'engine' | 'twin'): VerifyTools {
  return {
    hasher: keccakHasher,
    recover: recoverAddress,
    decode: decodeCommand,
    signer: commandSigner,
    open: book === 'engine' ? openBook : openTwin,
  };
}

function openBook(rules: ProductRules): OpenedBook {
  const members = new MemberTable();
  const book = new ProductBook(rules, members);
  return { book, members, reserveElsewhere: (member, amount) => members.reserve(member, amount) };
}

function openTwin(rules: ProductRules): OpenedBook {
  const members = new NaiveMembers();
  const elsewhere = new Map<MemberNumber, bigint>();
  members.join({ reservedBy: (member) => elsewhere.get(member) ?? 0n });
  const reserveElsewhere = (member: MemberNumber, amount: number) => {
    elsewhere.set(member, (elsewhere.get(member) ?? 0n) + BigInt(amount));
  };
  return { book: new NaiveProductBook(rules, members), members, reserveElsewhere };
}

function commandSigner(command: OrderCommand | CancelCommand, market: MarketId, chainId: number): string | null {
  const { product, member, clientOrderId, signature, proof } = command;
  const key = { market, product, member, clientOrderId };
  const evidence = proof === undefined ? { signature } : { signature, proof };
  if (command.type === 'cancel') return recoverSigner(chainId, { kind: 'cancel', key }, evidence);
  const { side, orderType: type, limit, energy, replaces } = command;
  const order = { ...key, side, type, limit, energy, ...(replaces === undefined ? {} : { replaces }) };
  return recoverSigner(chainId, { kind: 'order', order }, evidence);
}
