// Runs one program of this project on Node >= 24. Plain JavaScript with no import at the top, so that an older Node
// reads far enough to say what is wrong. Exit codes: 0 ok, 1 failed, 2 usage or configuration, 3 could not run.

const NEEDED_NODE = 24;

/**
 * @param {string} name the command as people type it
 * @param {string} file its module, relative to this folder; exports `main(argv: string[]): Promise<number>`
 */
export async function runApp(name, file) {
  if (Number(process.versions.node.split('.')[0]) < NEEDED_NODE) {
    refuse(
      `${name} needs Node ${NEEDED_NODE} or newer, this is ${process.versions.node}: install it, or on Linux use npx and the npm scripts inside the clone, where npm ci brings it along.`,
    );
    return;
  }
  const { existsSync } = await import('node:fs');
  const url = new URL(file, import.meta.url);
  if (!existsSync(url)) {
    refuse(`${name} is not built yet.`);
    return;
  }
  const { exitCodeOf, faultReport } = await import('../src/errors/fault-report.ts');
  const report = (error) => {
    if (error?.name !== 'Fault') return reportBug(error);
    process.stderr.write(faultReport(error, process.argv.includes('--json')));
    return exitCodeOf(error);
  };
  process.stdout.on('error', endOnClosedPipe);
  // Messages that nobody reads any more stop nothing.
  process.stderr.on('error', () => {});
  process.on('uncaughtException', (error) => process.exit(report(error)));
  try {
    const { main } = await import(url.href);
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    process.exitCode = report(error);
  }
}

function refuse(sentence) {
  console.error(sentence);
  process.exitCode = 3;
}

/** `p2p-cli orders | head` closes our output early: that is no failure. */
function endOnClosedPipe(error) {
  if (error.code === 'EPIPE') process.exit();
  throw error;
}

/** A fault says what to do about it; anything else is a bug and shows its stack. */
function reportBug(error) {
  console.error(error);
  return 1;
}
