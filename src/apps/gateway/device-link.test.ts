import { expect, test } from 'vitest';
import { Fault } from '../../errors/fault.ts';
import { DeviceLink } from './device-link.ts';

/** A device that answers where the script says so, polled once a second of wall time. */
async function polled(answers: readonly boolean[], intervalMs = 1000) {
  const told: string[] = [];
  let at = 0;
  let next = 0;
  const device = {
    async read() {
      if (answers[next++] === true) return next;
      throw new Fault('MODBUS_TIMEOUT', 'silence');
    },
  };
  const link = new DeviceLink('meter', device, {
    stale: (name) => told.push(`${name} stale`),
    died: (name) => told.push(`${name} died`),
    lossy: (name, isLossy) => told.push(`${name} ${isLossy ? 'lossy' : 'sound'}`),
  });
  for (const _ of answers) {
    at += 1000;
    await link.read(intervalMs, () => at);
  }
  return { told, link, at };
}

const all = (length: number, answer: boolean) => Array.from({ length }, () => answer);

test('a device that answers is fresh for twice its interval', async () => {
  const { told, link, at } = await polled([true]);
  expect([link.fresh(1000, at + 2000), link.fresh(1000, at + 2001)]).toEqual([1, null]);
  expect(told).toEqual([]);
});

test('a silent device is stale once it is older than twice its interval, dead after three failures, each told once', async () => {
  expect((await polled([true, false])).told).toEqual([]);
  expect((await polled([true, false, false], 900)).told).toEqual(['meter stale']);
  expect((await polled([true, false, false, false, false], 900)).told).toEqual(['meter stale', 'meter died']);
  expect((await polled([false, false, false, false])).told).toEqual(['meter died']);
});

test('an answer in between begins the count anew', async () => {
  expect((await polled([true, false, false, true, false, false, true])).told).toEqual([]);
  const twice = await polled([true, ...all(4, false), true, ...all(4, false)]);
  expect(twice.told).toEqual(['meter died', 'meter died']);
});

test('a link that loses more than 5 % of 200 requests is stale until it loses less than 2 %', async () => {
  const losses = [...all(11, false).flatMap((lost) => [lost, true])];
  const lossy = await polled(losses);
  expect(lossy.told).toEqual(['meter lossy']);
  expect([lossy.link.quality, lossy.link.fresh(1000, lossy.at)]).toEqual(['stale', null]);
  const better = await polled([...losses, ...all(192, true)]);
  expect([better.told, better.link.quality]).toEqual([['meter lossy'], 'stale']);
  const sound = await polled([...losses, ...all(194, true)]);
  expect([sound.told, sound.link.quality]).toEqual([['meter lossy', 'meter sound'], 'good']);
});

test('a bug in a device is no silence', async () => {
  const link = new DeviceLink(
    'meter',
    { read: () => Promise.reject(new TypeError('bug')) },
    {
      ...{ stale: () => {}, died: () => {}, lossy: () => {} },
    },
  );
  await expect(link.read(1000, () => 0)).rejects.toThrow('bug');
});
