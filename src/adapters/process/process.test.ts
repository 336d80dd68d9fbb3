import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { endChild, endLeftover, startChild } from './child.ts';
import { holdStateLock } from './state-lock.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'process-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const sleeper = () => ({ name: 'sleeper', command: 'sleep', args: ['60'], logPath: join(folder, 'log') });

test('a state folder has one holder at a time, and the refusal names it', async () => {
  const lock = holdStateLock(folder, 'engine');
  const script = `import(${JSON.stringify(new URL('./state-lock.ts', import.meta.url).href)}).then(({ holdStateLock }) => {
    try { holdStateLock(${JSON.stringify(folder)}, 'engine'); process.exit(0); } catch (e) { console.log(e.message); process.exit(3); } })`;
  const second = await startChild({
    name: 'x',
    command: process.execPath,
    args: ['-e', script],
    logPath: join(folder, 'log'),
  });
  expect(await second.exited).toBe(3);
  lock.release();
  const third = await startChild({
    name: 'x',
    command: process.execPath,
    args: ['-e', script],
    logPath: join(folder, 'log'),
  });
  expect(await third.exited).toBe(0);
});

test('a child ends on SIGTERM, and a leftover is ended only when its command line is the recorded one', async () => {
  const child = await startChild(sleeper());
  expect(await endLeftover({ ...child.record, commandLine: 'something else' }, 1000)).toBe(false);
  expect(await endLeftover(child.record, 1000)).toBe(true);
  expect(await child.exited).toBe('SIGTERM');
  const other = await startChild(sleeper());
  await endChild(other, 1000);
  expect(await endLeftover(other.record, 1000)).toBe(false);
});

test.each(['SIGKILL', 'SIGTERM'] as const)('a child learns that its supervisor ended of %s', async (signal) => {
  const here = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);
  const [pidFile, endFile] = [join(folder, 'pid'), join(folder, 'end')];
  const child = `import { writeFileSync } from 'node:fs'; import { untilToldToEnd } from ${here('./end-signal.ts')};
    const life = setInterval(() => {}, 1000); writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));
    await untilToldToEnd(); clearInterval(life); writeFileSync(${JSON.stringify(endFile)}, 'told');`;
  const spec = {
    name: 'child',
    command: process.execPath,
    args: ['--input-type=module', '-e', child],
    logPath: join(folder, 'log'),
  };
  const parent = `import { startChild } from ${here('./child.ts')}; await startChild(${JSON.stringify(spec)});`;
  const supervisor = await startChild({ ...spec, args: ['--input-type=module', '-e', parent] });
  await vi.waitUntil(() => existsSync(pidFile), { timeout: 10_000 });
  process.kill(supervisor.record.pid, signal);
  await vi.waitUntil(() => existsSync(endFile), { timeout: 10_000 });
});

test('a child that has nothing more to do ends, though it watches its supervisor', async () => {
  const script = `import { untilToldToEnd } from ${JSON.stringify(new URL('./end-signal.ts', import.meta.url).href)};
    void untilToldToEnd(); process.exitCode = 3;`;
  const args = ['--input-type=module', '-e', script];
  const child = await startChild({ name: 'x', command: process.execPath, args, logPath: join(folder, 'log') });
  expect(await child.exited).toBe(3);
});

test('a command that does not exist rejects', async () => {
  await expect(startChild({ ...sleeper(), command: join(folder, 'absent') })).rejects.toThrow('ENOENT');
});
