import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SeededRandom } from '../market/seeded-random.ts';
import { type EngineBench, MEMBERS, openBench } from './engine-bench.ts';
import { askAgain, compareWithJournal, Findings } from './engine-kills-check.ts';
import { RestlessMember, type Sent } from './engine-kills-load.ts';

const ENGINE = fileURLToPath(new URL('../../bin/engine.js', import.meta.url));
/** KILLS=200 is the bar; it takes some minutes. */
const KILLS = Number(process.env.KILLS ?? 15);
const SLOW_MS = 3_600_000;
const INTERVAL_MS = 300_000;
const OPEN_ORDERS = { per_second: 1_000_000, burst: 1_000_000, member_queue: 4096, queue: 16_384 };

let bench: EngineBench;
let running: ChildProcess | null = null;
beforeEach(async () => {
  bench = await openBench();
});
afterEach(async () => {
  running?.kill('SIGKILL');
  await bench.close();
});

/** The real program; resolves when its doors are open. */
async function startProgram(path: string): Promise<string> {
  const child = spawn(process.execPath, [ENGINE, '--mode', 'paper', '--json', '--config', path]);
  running = child;
  let complaints = '';
  child.stderr.on('data', (chunk) => {
    complaints += String(chunk);
  });
  const gone = once(child, 'exit').then(([code]) => {
    throw new Error(`the engine ended with ${code} before its doors opened: ${complaints}`);
  });
  const [line] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), gone])) as [string];
  gone.catch(() => undefined);
  return (JSON.parse(line) as { url: string }).url;
}

async function kill(): Promise<void> {
  const child = running;
  if (child === null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
  running = null;
}

/** Two that are far from their gates, and one whose gate may close at any moment. */
function products(): number[] {
  const next = Math.floor(Date.now() / INTERVAL_MS) * INTERVAL_MS;
  return [1, 4, 5, 6].map((intervals) => next + intervals * INTERVAL_MS);
}

test(
  `${KILLS} kills under load: every acknowledged answer is given again, none is lost and none counts twice`,
  async () => {
    const changes = {
      interval: '5m',
      gate_lead_s: 60,
      look_ahead_s: 3600,
      mechanism: 'continuous',
      orders: OPEN_ORDERS,
    };
    const path = bench.write(changes);
    const random = new SeededRandom(KILLS);
    const seedOf = () => new SeededRandom(random.below(2 ** 31));
    const homes = await Promise.all(MEMBERS.map((id) => bench.member(id)));
    const members = homes.map((home) => new RestlessMember(home, seedOf(), products));
    const findings = new Findings();
    const since = performance.now();
    const everything = (): Sent[] => members.flatMap(({ sent }) => sent);

    let url = await startProgram(path);
    for (let kills = 0; kills < KILLS; kills += 1) {
      const stop = new AbortController();
      const before = members.map(({ sent }) => sent.length);
      const runs = members.map((member) => member.run(url, stop.signal));
      await new Promise((resolve) => setTimeout(resolve, random.between(50, 600)));
      await kill();
      stop.abort();
      await Promise.all(runs);
      url = await startProgram(path);
      const latest = members.flatMap(({ sent }, place) => sent.slice(before[place]));
      await askAgain(url, latest, findings);
    }
    await kill();
    const { commands, hashesAgree } = await compareWithJournal(
      join(bench.folder, 'engine/journal'),
      everything(),
      findings,
    );
    const { acknowledged, compared, lost, doubled } = findings;
    const seconds = ((performance.now() - since) / 1000).toFixed(1);
    console.log(
      `${KILLS} kills, ${acknowledged} answers acknowledged, ${compared} compared after a kill, ${commands} commands, ${lost.length} lost, ${doubled.length} doubled, ${seconds} s`,
    );
    expect(lost).toEqual([]);
    expect(doubled).toEqual([]);
    expect(hashesAgree).toBe(true);
    expect(compared).toBeGreaterThan(10 * KILLS);
  },
  SLOW_MS,
);
