import { expect, test } from 'vitest';
import type { SignaturePool } from '../../adapters/keys/signature-pool.ts';
import type { SignatureFinding, SignatureTask } from '../../adapters/keys/signature-task.ts';
import { openSignatureDesk } from './signature-desk.ts';

/** The signature is the name of the task, and whoever "signed" it. */
const task = (signature: string) => ({ chainId: 1, signature, batch: [] }) satisfies SignatureTask;
const nameOf = ({ signature }: SignatureTask) => signature;

/** A pool that answers when the test says so, in any order. */
function handPool(slots: number) {
  const bundles: { names: string[]; answer(): void; fail(error: Error): void }[] = [];
  let isClosed = false;
  const pool: SignaturePool = {
    slots,
    find(tasks) {
      const { promise, resolve, reject } = Promise.withResolvers<SignatureFinding[]>();
      const findings = tasks.map(({ signature }) => ({ signer: signature, evidence: [] }));
      bundles.push({ names: tasks.map(nameOf), answer: () => resolve(findings), fail: reject });
      return promise;
    },
    close: async () => {
      isClosed = true;
    },
  };
  return { pool, bundles, isClosed: () => isClosed };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('one member with a thousand times its share: of every sixteen looked at, each other member has its one', async () => {
  const { pool, bundles } = handPool(1);
  const desk = openSignatureDesk(pool);
  const others = Array.from({ length: 15 }, (_, index) => `member-${index}`);
  for (let number = 0; number < 10_000; number += 1) void desk.find('flood', task('flood'));
  for (let number = 0; number < 10; number += 1) for (const other of others) void desk.find(other, task(other));
  await settled();
  for (let round = 0; round <= 10; round += 1) {
    bundles[round]?.answer();
    await settled();
  }
  const looked = bundles.slice(0, 11).flatMap(({ names }) => names);
  for (const other of others) expect(looked.filter((name) => name === other)).toHaveLength(10);
  expect(looked.filter((name) => name === 'flood')).toHaveLength(11 * 16 - 150);
});

test('findings of one member come in the order it asked, whatever is finished first; others do not wait for it', async () => {
  const { pool, bundles } = handPool(3);
  const desk = openSignatureDesk(pool);
  const told: string[] = [];
  const ask = async (member: string, name: string) => {
    void desk.find(member, task(name)).then((finding) => told.push(`${finding?.signer}`));
    await settled();
  };
  await ask('a', 'a1');
  await ask('a', 'a2');
  await ask('b', 'b1');
  expect(bundles.map(({ names }) => names)).toEqual([['a1'], ['a2'], ['b1']]);
  bundles[1]?.answer();
  bundles[2]?.answer();
  await settled();
  expect(told).toEqual(['b1']);
  bundles[0]?.answer();
  await settled();
  expect(told).toEqual(['b1', 'a1', 'a2']);
});

test('a pool that fails fails those who asked, and the desk goes on', async () => {
  const { pool, bundles } = handPool(1);
  const desk = openSignatureDesk(pool);
  const first = desk.find('a', task('a1'));
  await settled();
  const second = desk.find('a', task('a2'));
  bundles[0]?.fail(new Error('a thread ended'));
  await expect(first).rejects.toThrow('a thread ended');
  await settled();
  bundles[1]?.answer();
  expect(await second).toMatchObject({ signer: 'a2' });
});

test('close sends everybody away and closes the pool', async () => {
  const { pool, bundles, isClosed } = handPool(1);
  const desk = openSignatureDesk(pool);
  const asked = ['a', 'b'].map((member) => desk.find(member, task(member)));
  await settled();
  asked.push(desk.find('a', task('late')));
  await desk.close();
  asked.push(desk.find('c', task('too late')));
  expect(await Promise.all(asked)).toEqual([null, null, null, null]);
  bundles[0]?.answer();
  await settled();
  expect([isClosed(), bundles.length]).toEqual([true, 1]);
});
