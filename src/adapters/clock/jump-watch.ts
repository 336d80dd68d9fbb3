import type { WallTime } from './system-clock.ts';

/** Less is the jitter of reading two clocks. */
const WORTH_TELLING_MS = 50;
const EVERY_MS = 1000;

/** Tells once of every leap of the system clock, in ms since the start; positive: it is ahead. The result ends the watch. */
export function watchClockJumps(wall: WallTime, onJump: (jumpMs: number) => void): () => void {
  let told = 0;
  let cancel = () => {};
  const look = () => {
    const jumpMs = wall.clockJumpMs();
    if (Math.abs(jumpMs - told) > WORTH_TELLING_MS) {
      told = jumpMs;
      onJump(jumpMs);
    }
    cancel = wall.setTimer(EVERY_MS, look);
  };
  cancel = wall.setTimer(EVERY_MS, look);
  return () => cancel();
}

/** What a process says of it. */
export function clockJumpText(jumpMs: number): string {
  if (Math.abs(jumpMs) <= WORTH_TELLING_MS) return 'CLOCK_JUMPED the system clock is back where market time is';
  const seconds = Math.round(Math.abs(jumpMs) / 100) / 10;
  const where = jumpMs > 0 ? 'ahead of' : 'behind';
  return `CLOCK_JUMPED the system clock leapt and is ${seconds} s ${where} market time, which did not move; check chrony or ntp, and start again to take the new time`;
}
