import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';

/** Compiles one standard-JSON input on a thread of its own: the compiler is large and busy for seconds. */

interface Solc {
  version(): string;
  compile(standardJson: string): string;
}

const solc: Solc = createRequire(import.meta.url)('solc');
parentPort?.postMessage({ version: solc.version(), output: solc.compile(String(workerData)) });
