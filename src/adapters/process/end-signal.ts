/**
 * Resolves when this process is to end: on SIGTERM, on SIGINT, or when the process that supervises it (`startChild`) is
 * gone, however that ended. Two streets never meet at one broker because one of them lost its supervisor.
 */
export function untilToldToEnd(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
    process.once('disconnect', () => resolve());
    // Listened to, and still no reason to live on.
    process.channel?.unref();
  });
}
