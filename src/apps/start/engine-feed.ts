import type { IntervalView, NowView } from '../../adapters/http/api-schema.ts';

/** What the supervisor hears of the engine, over the same HTTP as everybody. */
export interface EngineFeed {
  /** Every settled interval once, in order, over restarts of the engine. */
  onInterval(listener: (interval: IntervalView) => void): void;
  now(): Promise<NowView>;
  close(): void;
}

const RETRY_MS = 300;

/** Follows the engine's event stream; after a break it asks for what it missed. */
export function followEngine(base: () => string): EngineFeed {
  const stopped = new AbortController();
  const listeners: ((interval: IntervalView) => void)[] = [];
  let lastTold = Number.NEGATIVE_INFINITY;

  async function tellNew(): Promise<void> {
    const intervals: IntervalView[] = await getJson(`${base()}api/v1/intervals?limit=100`, stopped.signal);
    for (const interval of intervals) {
      if (interval.interval <= lastTold) continue;
      if (interval.settledBlock === null) return;
      lastTold = interval.interval;
      for (const listener of listeners) listener(interval);
    }
  }

  async function follow(): Promise<void> {
    while (!stopped.signal.aborted) {
      try {
        const response = await fetch(`${base()}api/v1/events`, { signal: stopped.signal });
        await tellNew();
        for await (const event of eventNames(response)) if (event === 'interval') await tellNew();
      } catch {
        // The engine restarts or has not begun; what it says next is asked for in full.
      }
      await pause(RETRY_MS, stopped.signal);
    }
  }

  void follow();
  return {
    onInterval: (listener) => void listeners.push(listener),
    now: () => getJson(`${base()}api/v1/now`, stopped.signal),
    close: () => stopped.abort(),
  };
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
