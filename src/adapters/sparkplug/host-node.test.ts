import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { epochMs } from '../../domain/units/time.ts';
import { HostNode } from './host-node.ts';
import { type OutgoingMetric, PayloadEncoder } from './payload.ts';
import type { DeviceVerb, NodeVerb } from './topics.ts';

const AT = 1_000;
const NOW = 9_000;
const REORDER_MS = 2_000;
const encoder = new PayloadEncoder();

function metric(alias: number, value: number | null, more: Partial<OutgoingMetric> = {}): OutgoingMetric {
  return { alias, timestamp: AT, type: 'Int32', withType: false, value, ...more };
}

/** A node whose host writes down what it is told. */
function observed() {
  const told: string[] = [];
  const node = new HostNode(
    'home',
    {
      now: () => epochMs(NOW),
      metric: ({ device, name, value, quality, at, historical }) =>
        told.push(`${device ?? 'home'} ${name}=${value} ${quality} @${at}${historical ? ' historical' : ''}`),
      node: (online) => told.push(`home ${online}`),
      device: (device, online) => told.push(`${device} ${online}`),
      requestRebirth: () => told.push('rebirth!'),
      problem: (what) => told.push(`problem: ${what}`),
    },
    REORDER_MS,
  );
  const send = (verb: NodeVerb | DeviceVerb, device: string | null, seq: number | null, metrics: OutgoingMetric[]) =>
    node.receive({
      verb,
      device,
      payload: encoder.encode({ timestamp: AT, metrics, ...(seq === null ? {} : { seq }) }),
    });
  const bdSeq = (value: number): OutgoingMetric => ({ name: 'bdSeq', type: 'Int64', withType: true, value });
  const declared = (name: string, alias: number, value: number | null) =>
    metric(alias, value, { name, withType: true });
  return {
    node,
    told,
    /** What was told since the last look. */
    news: () => told.splice(0),
    nbirth: (value: number, ...metrics: OutgoingMetric[]) => send('NBIRTH', null, 0, [bdSeq(value), ...metrics]),
    dbirth: (device: string, seq: number, alias: number) => send('DBIRTH', device, seq, [declared('W', alias, 1)]),
    data: (seq: number, alias: number, value: number, more: Partial<OutgoingMetric> = {}) =>
      send('DDATA', 'meter', seq, [metric(alias, value, more)]),
    ndeath: (value: number) => send('NDEATH', null, null, [bdSeq(value)]),
    declared,
    send,
  };
}

function bornWithMeter() {
  const home = observed();
  home.nbirth(3);
  home.dbirth('meter', 1, 10);
  home.news();
  return home;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('births', () => {
  test('declare types by which later values are read', () => {
    const home = observed();
    home.nbirth(3, home.declared('Uptime', 1, 5));
    home.dbirth('meter', 1, 10);
    home.data(2, 10, -7, { quality: 500 });
    home.send('NDATA', null, 3, [metric(1, 6)]);
    expect(home.news()).toEqual([
      'home true',
      'home Uptime=5 good @1000',
      'meter true',
      'meter W=1 good @1000',
      'meter W=-7 stale @1000',
      'home Uptime=6 good @1000',
    ]);
  });

  test('repeated in the same session change nothing that is alive', () => {
    const home = bornWithMeter();
    home.nbirth(3);
    home.dbirth('meter', 1, 11);
    home.data(2, 11, 8);
    expect(home.news()).toEqual(['meter W=1 good @1000', 'meter W=8 good @1000']);
  });

  test('of another session end the one whose death was missed', () => {
    const home = bornWithMeter();
    home.nbirth(4);
    expect(home.news()).toEqual(['meter W=1 stale @9000', 'meter false', 'home false', 'home true']);
  });

  test('that leave out a device say that it died', () => {
    const home = bornWithMeter();
    home.nbirth(3);
    home.dbirth('oven', 1, 12);
    home.send('NDATA', null, 2, []);
    expect(home.news()).toEqual(['oven true', 'oven W=1 good @1000'].concat(['meter W=1 stale @9000', 'meter false']));
  });

  test.each([
    ['without bdSeq', [], 0],
    ['without seq', [{ name: 'bdSeq', type: 'Int64', withType: true, value: 1 }], null],
    ['with a seq of 256', [{ name: 'bdSeq', type: 'Int64', withType: true, value: 1 }], 256],
  ] as const)('%s are dropped and named', (_, metrics, seq) => {
    const home = observed();
    home.send('NBIRTH', null, seq, [...metrics]);
    expect(home.news()).toEqual(['problem: NBIRTH: a birth needs bdSeq and a seq from 0 to 255']);
  });

  test('with an alias that is in use are named (tck-id-payloads-alias-uniqueness)', () => {
    const home = bornWithMeter();
    home.dbirth('oven', 2, 10);
    expect(home.news()).toEqual(['oven true', 'problem: DBIRTH of oven: W: alias 10 is in use']);
  });
});

describe('deaths', () => {
  test('of the node make everything stale at host time (tck-id-operational-behavior-edge-node-termination-host-action-ndeath-node-tags-stale)', () => {
    const home = bornWithMeter();
    home.ndeath(3);
    home.ndeath(3);
    expect(home.news()).toEqual(['meter W=1 stale @9000', 'meter false', 'home false']);
  });

  test('with the bdSeq of another session are ignored', () => {
    const home = bornWithMeter();
    home.ndeath(2);
    home.data(2, 10, 5);
    expect(home.news()).toEqual(['meter W=5 good @1000']);
  });

  test('of a device make its metrics stale at payload time (tck-id-operational-behavior-edge-node-termination-host-action-ddeath-devices-tags-stale, tck-id-operational-behavior-edge-node-termination-host-action-ddeath-devices-offline)', () => {
    const home = bornWithMeter();
    home.send('DDEATH', 'meter', 2, []);
    expect(home.news()).toEqual(['meter W=1 stale @1000', 'meter false']);
    home.dbirth('meter', 3, 10);
    expect(home.news()).toEqual(['meter true', 'meter W=1 good @1000']);
  });
});

describe('the order of messages', () => {
  test('is restored when one overtook another in time (tck-id-operational-behavior-host-reordering-start, tck-id-operational-behavior-host-reordering-success)', () => {
    const home = bornWithMeter();
    home.data(4, 10, 40);
    home.data(3, 10, 30);
    vi.advanceTimersByTime(REORDER_MS - 1);
    expect(home.news()).toEqual([]);
    home.data(2, 10, 20);
    vi.advanceTimersByTime(10 * REORDER_MS);
    home.data(5, 10, 50);
    expect(home.news()).toEqual([20, 30, 40, 50].map((value) => `meter W=${value} good @1000`));
  });

  test('broken for too long leads to a Rebirth, and only a birth counts then (tck-id-operational-behavior-host-reordering-param, tck-id-operational-behavior-host-reordering-rebirth)', () => {
    const home = bornWithMeter();
    home.data(4, 10, 40);
    vi.advanceTimersByTime(REORDER_MS);
    expect(home.news()).toEqual(['rebirth!']);
    home.data(2, 10, 20);
    expect(home.news()).toEqual(['rebirth!']);
    home.nbirth(3);
    home.dbirth('meter', 1, 10);
    home.data(2, 10, 60);
    expect(home.news()).toEqual(['meter W=1 good @1000', 'meter W=60 good @1000']);
  });

  test('holds over the change from 255 to 0', () => {
    const home = bornWithMeter();
    for (let seq = 2; seq < 600; seq += 1) home.data(seq % 256, 10, seq);
    expect(home.news()).toHaveLength(598);
  });

  test('takes DATA before its DBIRTH by the types that the birth then tells', () => {
    const home = observed();
    home.nbirth(3);
    home.data(2, 10, -5);
    home.dbirth('meter', 1, 10);
    expect(home.news()).toEqual(['home true', 'meter true', 'meter W=1 good @1000', 'meter W=-5 good @1000']);
  });
});

describe('a node that this host does not know', () => {
  test('is asked for its births', () => {
    const home = observed();
    home.data(7, 10, 1);
    home.ndeath(0);
    expect(home.news()).toEqual(['rebirth!']);
  });

  test.each([
    ['an alias', 'meter', 99],
    ['an alias of another device', 'oven', 10],
    ['a device', 'fridge', 10],
  ])('names %s of no birth and is asked for its births', (_, device, alias) => {
    const home = bornWithMeter();
    home.dbirth('oven', 2, 20);
    home.news();
    home.send('DDATA', device, 3, [metric(alias, 1)]);
    expect(home.news()).toEqual(['rebirth!']);
  });
});

test('a historical value is told as such and is not the current one', () => {
  const home = bornWithMeter();
  home.data(2, 10, 5, { isHistorical: true, timestamp: 500 });
  home.ndeath(3);
  expect(home.news()).toEqual(['meter W=5 good @500 historical', 'meter W=1 stale @9000', 'meter false', 'home false']);
});

test('a value that is null without a quality is bad', () => {
  const home = bornWithMeter();
  home.send('DDATA', 'meter', 2, [metric(10, null)]);
  expect(home.news()).toEqual(['meter W=null bad @1000']);
});

test('bytes that cannot be read are named, and the gap they leave leads to a Rebirth', () => {
  const home = bornWithMeter();
  home.node.receive({ verb: 'DDATA', device: 'meter', payload: new Uint8Array([0xff]) });
  home.data(3, 10, 5);
  vi.advanceTimersByTime(REORDER_MS);
  expect(home.news()).toEqual([expect.stringMatching(/^problem: DDATA of meter: /), 'rebirth!']);
});
