import { describe, expect, test } from 'vitest';
import type { MarketId, MemberId } from '../units/identity.ts';
import { watt } from '../units/power.ts';
import { epochMs } from '../units/time.ts';
import type { Heartbeat, Lease } from './lease.ts';
import {
  acceptHeartbeat,
  acceptLease,
  emptyLeaseBook,
  heartbeatAgeMs,
  type LeaseBook,
  leaseAt,
  leaseValidity,
} from './lease-check.ts';

const ELM = 'elm' as MarketId;
const HOME = 'home-01' as MemberId;
const START = epochMs(1_750_500_000_000);
const LENGTH = 900_000;

function lease(sequence: number, change: Partial<Lease> = {}): Lease {
  return {
    market: ELM,
    member: HOME,
    intervalStart: START,
    lengthMs: LENGTH,
    permittedExport: watt(4_000),
    sequence,
    ...change,
  };
}

function beat(sequence: number, wall: number, market: MarketId = ELM): Heartbeat {
  return { market, sequence, wall: epochMs(wall) };
}

function holding(...leases: Lease[]): LeaseBook {
  let book = emptyLeaseBook(ELM, HOME);
  for (const each of leases) {
    const answer = acceptLease(book, each, START);
    if (!answer.ok) throw new Error(answer.code);
    book = answer.book;
  }
  return book;
}

describe('a lease', () => {
  test.each([
    ['wrong_market', lease(6, { market: 'oak' as MarketId }), START],
    ['wrong_member', lease(6, { member: 'home-02' as MemberId }), START],
    ['already_held', lease(5), START],
    ['old_sequence', lease(4, { intervalStart: epochMs(START + LENGTH) }), START],
    ['interval_over', lease(6), epochMs(START + LENGTH)],
  ] as const)('is refused: %s', (code, offered, now) => {
    expect(acceptLease(holding(lease(5)), offered, now)).toEqual({ ok: false, code });
  });

  test('holds from the first to the last millisecond of its interval', () => {
    const book = holding(lease(1));
    expect(leaseValidity(book, epochMs(START - 1))).toBe('no_lease');
    expect(leaseValidity(book, START)).toBe('valid');
    expect(leaseValidity(book, epochMs(START + LENGTH - 1))).toBe('valid');
    expect(leaseValidity(book, epochMs(START + LENGTH))).toBe('no_lease');
    expect(leaseValidity(book, null)).toBe('market_time_unknown');
  });

  test('of the next interval is held beside the present one', () => {
    const book = holding(lease(1), lease(2, { intervalStart: epochMs(START + LENGTH) }));
    expect(leaseAt(book, START)?.sequence).toBe(1);
    expect(leaseAt(book, epochMs(START + LENGTH))?.sequence).toBe(2);
  });

  test('of the same interval with a higher sequence takes the place of the first', () => {
    const book = holding(lease(1), lease(2, { permittedExport: watt(0) }));
    expect(leaseAt(book, START)?.permittedExport).toBe(0);
    expect(book.leases).toHaveLength(1);
  });

  test('is forgotten when it is over, and no flood of them fills the memory', () => {
    const flood = Array.from({ length: 50 }, (_, index) =>
      lease(index + 1, { intervalStart: epochMs(START + index * LENGTH) }),
    );
    expect(holding(...flood).leases).toHaveLength(8);
    const later = acceptLease(
      holding(lease(1)),
      lease(2, { intervalStart: epochMs(START + LENGTH) }),
      epochMs(START + LENGTH),
    );
    expect(later.ok && later.book.leases.map((held) => held.sequence)).toEqual([2]);
  });
});

describe('a heartbeat', () => {
  const NOW = epochMs(1_763_000_000_000);

  test.each([
    ['wrong_market', beat(6, NOW, 'oak' as MarketId)],
    ['already_held', beat(5, NOW)],
    ['old_sequence', beat(4, NOW)],
    ['heartbeat_late', beat(6, NOW - 3_000)],
    ['heartbeat_ahead', beat(6, NOW + 3_000)],
  ] as const)('is refused: %s', (code, offered) => {
    const first = acceptHeartbeat(emptyLeaseBook(ELM, HOME), beat(5, NOW), NOW);
    if (!first.ok) throw new Error(first.code);
    expect(acceptHeartbeat(first.book, offered, NOW)).toEqual({ ok: false, code });
  });

  test('counts from when it was sent, never from later than it came', () => {
    const age = (sentAt: number) => {
      const answer = acceptHeartbeat(emptyLeaseBook(ELM, HOME), beat(1, sentAt), NOW);
      return answer.ok ? heartbeatAgeMs(answer.book, epochMs(NOW + 100)) : answer.code;
    };
    expect(age(NOW)).toBe(100);
    expect(age(NOW - 2_999)).toBe(3_099);
    expect(age(NOW + 2_999)).toBe(100);
  });

  test('that never came has no age', () => {
    expect(heartbeatAgeMs(emptyLeaseBook(ELM, HOME), NOW)).toBeNull();
  });
});
