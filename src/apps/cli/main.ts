import pc from 'picocolors';
import { run } from './run.ts';
import type { Terminal } from './terminal.ts';

/** `p2p-cli`: results on standard output, messages on standard error. Resolves with the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const terminal: Terminal = {
    out: (text) => written(process.stdout, text),
    err: (text) => written(process.stderr, text),
    color: pc.isColorSupported && process.stdout.isTTY === true,
  };
  return run(argv, terminal);
}

/** Waits until the text is taken, so that a slow reader holds the writer back and nothing is lost at exit. */
function written(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
