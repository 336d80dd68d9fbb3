import { encodeAbiParameters, keccak256, stringToHex } from 'viem';
import { expect, test } from 'vitest';
import type { SettlementChunk } from '../domain/ports.ts';
import { wh } from '../domain/units/energy.ts';
import type { MarketId, MemberId } from '../domain/units/identity.ts';
import { ZERO_NANO } from '../domain/units/money.ts';
import { pricePerKwh } from '../domain/units/price.ts';
import { epochMs } from '../domain/units/time.ts';
import { MemoryLedger } from './memory-ledger.ts';

/** The behaviour of a ledger is tested by its port suite; here is what this one promises beyond. */

test('the payload hash is keccak256 over the ABI encoding of interval, chunk and the hash of the parties', async () => {
  const { payloadHash } = await new MemoryLedger().settle(CHUNK);
  const parties = `0x${'000001'}${'00000005'}${'00000000'}${'00000007'}${'00000000'.repeat(3)}${'01'}` as const;
  const words = [1_782_032_400_000n, 900_000n, 1n, -5n, 2n, -6n, 30n, -8n, 7n, 0n];
  const encoded = encodeAbiParameters(
    [{ type: 'bytes32' }, ...words.map(() => ({ type: 'int256' as const })), { type: 'uint16' }, { type: 'bytes32' }],
    [stringToHex('elm', { size: 32 }), ...words, 0, keccak256(parties)],
  );
  await expect(new MemoryLedger().settle(unbalanced())).rejects.toThrow('UnbalancedInterval(-5, 0)');
  const sellerParties = `${parties}${'000002'}${'00000000'}${'00000005'}${'00000000'.repeat(4)}${'00'}` as const;
  const whole = encoded.replace(keccak256(parties).slice(2), keccak256(sellerParties).slice(2)) as `0x${string}`;
  expect(payloadHash).toBe(keccak256(whole));
});

test('what it refuses leaves no trace', async () => {
  const ledger = new MemoryLedger();
  await expect(ledger.settle(unbalanced())).rejects.toMatchObject({ code: 'LEDGER_REJECTED' });
  expect((await ledger.accounts('elm' as MarketId)).members.size).toBe(0);
  expect((await ledger.settle(CHUNK)).block).toBe(1);
});

const ZERO = wh(0);
const NOTHING = { bought: ZERO, sold: ZERO, imported: ZERO, exported: ZERO, balancedLong: ZERO, balancedShort: ZERO };

const CHUNK: SettlementChunk = {
  chunk: 0,
  chunks: 1,
  settlement: {
    market: 'elm' as MarketId,
    interval: { start: epochMs(1_782_032_400_000), lengthMs: 900_000 },
    prices: {
      local: pricePerKwh(-5),
      short: pricePerKwh(2),
      long: pricePerKwh(-6),
      tariff: { importPrice: pricePerKwh(30), exportPrice: pricePerKwh(-8) },
    },
    positions: [
      { ...NOTHING, member: 'b' as MemberId, sold: wh(5), origin: 'metered' },
      { ...NOTHING, member: 'a' as MemberId, bought: wh(5), imported: wh(7), origin: 'substituted' },
    ],
    feeder: { imported: wh(7), exported: wh(0) },
    amounts: { members: [], community: ZERO_NANO, utility: ZERO_NANO },
  },
};

function unbalanced(): SettlementChunk {
  const positions = CHUNK.settlement.positions.slice(1);
  return { ...CHUNK, settlement: { ...CHUNK.settlement, positions } };
}
