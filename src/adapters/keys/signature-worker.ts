import { parentPort } from 'node:worker_threads';
import { assert } from '../../domain/units/assert.ts';
import { findSigner, type SignatureBundle, type SignatureFindings } from './signature-task.ts';
import { openWasmRecovery } from './wasm-recovery.ts';

/** The thread behind the signature pool: bundles in, findings out, in the same order. */
const port = parentPort;
assert(port !== null, 'the signature worker runs as a worker thread only');
const recoverPoint = await openWasmRecovery();
port.on('message', ({ number, tasks }: SignatureBundle) => {
  const answer: SignatureFindings = { number, findings: tasks.map((task) => findSigner(task, recoverPoint)) };
  port.postMessage(answer);
});
