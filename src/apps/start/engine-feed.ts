import type { IntervalView, NowView } from '../../adapters/http/api-schema.ts';
import { Fault } from '../../errors/fault.ts';

/** What the supervisor hears of the engine, over the same HTTP as everybody. */
export interface EngineFeed {
  /** Every settled interval after `toldUntil` once, in order, over restarts of the engine. */
  onInterval(listener: (interval: IntervalView) => void): void;
  /** @throws Fault CHILD_FAILED where the engine does not answer, not even after a restart */
  now(): Promise<NowView>;
  close(): void;
}

const RETRY_MS = 300;
const ANSWERED_WITHIN_MS = 15_000;

/** Follows the engine's event stream; after a break it asks for what it missed. */
export function followEngine(base: () => string, toldUntil: number | null): EngineFeed {
  const stopped = new AbortController();
  const { signal } = stopped;
  const listeners: ((interval: IntervalView) => void)[] = [];
  let lastTold = toldUntil ?? Number.NEGATIVE_INFINITY;

  async function tellNew(): Promise<void> {
    const intervals: IntervalView[] = await getJson(`${base()}api/v1/intervals?limit=100`, signal);
    for (const interval of intervals) {
      if (interval.interval <= lastTold) continue;
      if (interval.settledBlock === null) return;
      lastTold = interval.interval;
      for (const listener of listeners) listener(interval);
    }
  }

  async function follow(): Promise<void> {
    while (!signal.aborted) {
      try {
        const response = await fetch(`${base()}api/v1/events`, { signal });
        await tellNew();
        for await (const event of eventNames(response)) if (event === 'interval') await tellNew();
      } catch {
        // The engine restarts or has not begun; what it says next is asked for in full.
      }
      await pause(RETRY_MS, signal);
    }
  }

  async function now(): Promise<NowView> {
    const deadline = performance.now() + ANSWERED_WITHIN_MS;
    for (;;) {
      try {
        return await getJson(`${base()}api/v1/now`, signal);
      } catch (error) {
        if (performance.now() < deadline) await pause(RETRY_MS, signal);
        else throw new Fault('CHILD_FAILED', 'the engine does not answer, so its sums are not known', error);
      }
    }
  }

  void follow();
  return { onInterval: (listener) => void listeners.push(listener), now, close: () => stopped.abort() };
}

async function* eventNames(response: Response): AsyncIterable<string> {
  if (response.body === null) return;
  let rest = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('event:')) yield line.slice('event:'.length).trim();
  }
}

async function getJson<Value>(url: string, signal: AbortSignal): Promise<Value> {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return (await response.json()) as Value;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
