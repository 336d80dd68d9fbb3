import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OrderKeys } from './order-keys.ts';
import { OrderRecords } from './order-records.ts';

test.each<[string, fc.Arbitrary<number>]>([
  ['counted up', fc.nat(60)],
  ['in one place of every block', fc.nat(500).map((id) => id * 8)],
  ['anything', fc.integer({ min: 0, max: 2 ** 32 - 1 })],
])('finds every order and no other, ids %s', (_, id) => {
  const key = fc.tuple(fc.nat(20), id);
  const property = (keys: [number, number][]) => {
    const records = new OrderRecords();
    const index = new OrderKeys(records);
    const naive = new Map<string, number>();
    for (const [member, clientOrderId] of keys) {
      const found = index.find(member, clientOrderId);
      expect(Math.max(found, -1)).toBe(naive.get(`${member} ${clientOrderId}`) ?? -1);
      if (found >= 0) continue;
      const position = naive.size;
      records.write(position, member, clientOrderId, 0, 0, 0, -1, 1);
      index.put(found, member, clientOrderId);
      naive.set(`${member} ${clientOrderId}`, position);
    }
  };
  fc.assert(fc.property(fc.array(key, { maxLength: 1500, size: 'max' }), property), { numRuns: 40 });
});
