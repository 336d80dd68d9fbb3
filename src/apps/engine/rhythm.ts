import type { WallTime } from '../../adapters/clock/system-clock.ts';
import type { Announcer } from './announcer.ts';
import type { EventFeed } from './event-feed.ts';
import { nowView, type ViewParts } from './views.ts';

const HEARTBEAT_MS = 1000;
const CLOCK_REPEAT_MS = 10_000;

/** Once a second of wall time: the heartbeat that carries all leases, and what the dashboard shows. Returns how to stop. */
export function startRhythm(announcer: Announcer, parts: ViewParts, feed: EventFeed, wall: WallTime): () => void {
  void announcer.heartbeat(wall.wallNow());
  const heart = setInterval(() => {
    void announcer.heartbeat(wall.wallNow());
    feed.tell('now', nowView(parts));
  }, HEARTBEAT_MS);
  const clock = setInterval(() => void announcer.clock(), CLOCK_REPEAT_MS);
  return () => {
    clearInterval(heart);
    clearInterval(clock);
  };
}
