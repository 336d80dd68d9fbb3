import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { demoLeaseKey } from '../../src/adapters/keys/demo-keys.ts';
import { ed25519Signer } from '../../src/adapters/keys/ed25519.ts';
import { marketTopic } from '../../src/adapters/mqtt/wire.ts';
import type { RelayState, RunningRelay } from '../../src/apps/relay/run.ts';
import type { MemberId } from '../../src/domain/units/identity.ts';
import { epochMs } from '../../src/domain/units/time.ts';
import { type Bench, CONFIG, EngineVoice, openBench, PLAN, SPEED, START } from './interlock-bench.ts';

const closed = (state: RelayState) => state.phase === 'CLOSED' && state.contactClosed === true;
const phase = (name: RelayState['phase'], fault: number) => (state: RelayState) =>
  state.phase === name && state.fault === fault;

/** More than a heartbeat's life, a tick, a Modbus write, and a busy machine. */
const OPEN_WITHIN_MS = 4_500;

describe('energy-relay over a real broker and real Modbus devices', () => {
  let bench: Bench;

  beforeEach(async () => {
    bench = await openBench();
  });

  afterEach(async () => {
    await bench.close();
  });

  async function closeContact(): Promise<RunningRelay> {
    const relay = bench.start();
    await bench.engine.clock();
    await bench.engine.lease();
    await bench.engine.beat();
    const state = await bench.until(closed);
    expect(bench.home.contactClosed).toBe(true);
    expect(state.permittedExport).toBe(4_000);
    return relay;
  }

  test('closes on a clearing lease after the enter-service delay, and opens at stop', async () => {
    const relay = bench.start();
    await bench.engine.clock();
    await bench.engine.beat();
    await bench.until(phase('READY', 2));
    expect(bench.home.contactClosed).toBe(false);
    await bench.engine.lease();
    await bench.until(closed);
    expect(bench.home.contactClosed).toBe(true);
    await relay.stop();
    expect(bench.home.contactClosed).toBe(false);
    expect(relay.state()).toMatchObject({ phase: 'BOOT_OPEN', commandedClosed: false, permittedExport: 0 });
  });

  test('opens three seconds after the last heartbeat, and closes with the next', async () => {
    await closeContact();
    bench.engine.fallSilent();
    const silentAt = performance.now();
    await bench.until(phase('READY', 7));
    expect(performance.now() - silentAt).toBeGreaterThan(2_500);
    expect(performance.now() - silentAt).toBeLessThan(OPEN_WITHIN_MS);
    await bench.until((state) => state.contactClosed === false);
    expect(bench.home.contactClosed).toBe(false);
    await bench.engine.beat();
    await bench.until(closed);
  });

  test('opens when the broker dies', async () => {
    await closeContact();
    const diedAt = performance.now();
    await bench.broker.close();
    await bench.until((state) => state.phase === 'READY' && state.contactClosed === false);
    expect(performance.now() - diedAt).toBeLessThan(OPEN_WITHIN_MS);
    expect(bench.home.contactClosed).toBe(false);
  });

  test('opens when its interval is over, without a message', async () => {
    bench.start();
    await bench.engine.clock();
    await bench.engine.beat();
    await bench.engine.lease({ intervalStart: START, lengthMs: 1_800_000 });
    await bench.until(closed);
    await bench.until((state) => state.phase === 'READY' && state.fault === 2 && state.contactClosed === false);
  });

  test('starts open without a broker or a meter, and says so', async () => {
    await bench.broker.close();
    await bench.devices.close();
    bench.start();
    const state = await bench.until((seen) => seen.fault === 8);
    expect(state).toMatchObject({ phase: 'BOOT_OPEN', contactClosed: null, permittedExport: 0 });
  });

  test.each([
    ['voltage', { voltageMilliV: 260_000 }, 3],
    ['frequency', { frequencyMilliHz: 52_000 }, 4],
  ])('trips on %s and comes back after the delay when it is good again', async (_, grid, fault) => {
    await closeContact();
    bench.home.setGrid(grid);
    await bench.until((state) => phase('TRIPPED', fault)(state) && state.contactClosed === false);
    expect(bench.home.contactClosed).toBe(false);
    bench.home.setGrid({ voltageMilliV: null, frequencyMilliHz: null });
    await bench.until(closed);
  });

  test('trips when the meter and the relay fall silent', async () => {
    await closeContact();
    await bench.devices.close();
    const state = await bench.until((seen) => seen.phase === 'TRIPPED');
    expect([5, 8]).toContain(state.fault);
    expect(bench.log.some((line) => line.includes('meter: '))).toBe(true);
  });

  test('a welded contact locks out until a person has looked', async () => {
    const relay = await closeContact();
    bench.home.setStuckContact('closed');
    bench.engine.fallSilent();
    await bench.until(phase('LOCKOUT', 8));
    bench.home.setStuckContact(null);
    await bench.engine.beat();
    await bench.until((state) => state.phase === 'LOCKOUT' && state.contactClosed === false);
    relay.reset();
    await bench.until(closed);
  });

  test("no message but the engine's own closes it", async () => {
    bench.start();
    const stranger = new EngineVoice(bench.bus, ed25519Signer(demoLeaseKey(2, 'engine')));
    await bench.engine.clock();
    await stranger.beat();
    await stranger.lease();
    await bench.engine.lease({ member: 'home-99' as MemberId });
    await bench.engine.heartbeat(epochMs(Date.now() - 60_000));
    await bench.bus.publish(marketTopic('elm', 'heartbeat'), new Uint8Array([0xff, 0x7b]), { qos: 1 });
    await bench.until(phase('READY', 6));
    stranger.fallSilent();
    for (const reason of ['lease: refused, bad_signature', 'heartbeat: refused']) {
      expect(
        bench.log.some((line) => line.includes(reason)),
        reason,
      ).toBe(true);
    }
    await bench.engine.beat();
    await bench.until(phase('READY', 2));
    expect(bench.home.contactClosed).toBe(false);
  });

  test('a clock message that is faster than allowed is refused', async () => {
    bench.start();
    await bench.engine.clock({ speed: SPEED + 1 });
    await bench.engine.lease();
    await bench.engine.beat();
    await bench.until(phase('WAIT_WINDOW', 6));
    expect(bench.log.join()).toContain('clock: refused, speed 601 is above the configured 600');
    await bench.engine.clock();
    await bench.until(closed);
  });
});

/** A module that throws out of nowhere on SIGUSR2. */
const PLANTED_BUG = `data:text/javascript,process.on('SIGUSR2',()=>{throw%20new%20Error('planted%20bug')})`;

describe('energy-relay as a process', () => {
  const launcher = fileURLToPath(new URL('../../bin/energy-relay.js', import.meta.url));
  let folder = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'energy-relay-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function start(lines: readonly string[], ...flags: string[]): ChildProcess {
    const file = join(folder, 'relay.yaml');
    writeFileSync(file, `${lines.join('\n')}\n`);
    return spawn(process.execPath, ['--import', PLANTED_BUG, launcher, '--config', file, ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  async function ended(child: ChildProcess): Promise<{ code: number | null; errors: string }> {
    let errors = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      errors += chunk.toString('utf8');
    });
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, errors };
  }

  function lines(bench: Bench): string[] {
    return [
      'market: elm',
      `member: ${PLAN.id}`,
      `broker: ${bench.broker.url}`,
      `engine_public_key: "${CONFIG.enginePublicKey}"`,
      `grid_code: ${CONFIG.gridCode}`,
      'nominal_voltage: 230',
      `maximum_speed: ${SPEED}`,
      `meter: { host: 127.0.0.1, port: ${bench.devices.port}, unit: 1 }`,
      `relay: { host: 127.0.0.1, port: ${bench.devices.port}, unit: 4, coil: 0, input: 0 }`,
    ];
  }

  /** Starts the process and waits until it has closed the contact. */
  async function closedBy(bench: Bench): Promise<ChildProcess> {
    const child = start(lines(bench), '--json');
    await bench.engine.clock();
    await bench.engine.lease();
    await bench.engine.beat();
    if (child.stdout === null) throw new Error('no output');
    for await (const line of createInterface({ input: child.stdout })) {
      if (closed(JSON.parse(line) as RelayState)) break;
    }
    expect(bench.home.contactClosed).toBe(true);
    return child;
  }

  test.each(['SIGTERM', 'SIGINT'] as const)('closes the contact, and opens it on %s before it ends', async (signal) => {
    const bench = await openBench();
    try {
      const child = await closedBy(bench);
      const end = ended(child);
      child.kill(signal);
      expect(await end).toEqual({ code: 0, errors: '' });
      expect(bench.home.contactClosed).toBe(false);
    } finally {
      await bench.close();
    }
  });

  test('opens the contact when it crashes', async () => {
    const bench = await openBench();
    try {
      const child = await closedBy(bench);
      const end = ended(child);
      child.kill('SIGUSR2');
      const { code, errors } = await end;
      expect(code).toBe(1);
      expect(errors).toContain('planted bug');
      expect(bench.home.contactClosed).toBe(false);
    } finally {
      await bench.close();
    }
  });

  test('goes on supervising when nobody reads its output any more', async () => {
    const bench = await openBench();
    try {
      const child = await closedBy(bench);
      const end = ended(child);
      child.stdout?.destroy();
      bench.home.setGrid({ voltageMilliV: 260_000 });
      await vi.waitUntil(() => !bench.home.contactClosed, { timeout: 10_000 });
      bench.home.setGrid({ voltageMilliV: null });
      await vi.waitUntil(() => bench.home.contactClosed, { timeout: 10_000 });
      child.kill('SIGTERM');
      expect((await end).code).toBe(0);
      expect(bench.home.contactClosed).toBe(false);
    } finally {
      await bench.close();
    }
  });

  test('refuses a wrong configuration with its place and the likely fix', async () => {
    const bench = await openBench();
    try {
      const wrong = lines(bench).map((line) => line.replace('grid_code: ', 'grid_kode: '));
      const { code, errors } = await ended(start(wrong));
      expect(code).toBe(2);
      expect(errors).toMatch(/relay\.yaml:5:1 grid_kode: unknown key.*grid_code/);
    } finally {
      await bench.close();
    }
  });
});
