import { type Evidence, recoverBatchSigner, recoverSigner, type SignedContent } from './order-evidence.ts';
import type { PointRecovery } from './secp256k1-signer.ts';

/** One signature and what it is said to cover. It crosses into a worker as it is: no functions, no classes. */
export type SignatureTask =
  | { readonly chainId: number; readonly signature: string; readonly content: SignedContent }
  | { readonly chainId: number; readonly signature: string; readonly batch: readonly SignedContent[] };

/** Who signed, or null, and the evidence of every entry, in order; none where nobody signed. */
export interface SignatureFinding {
  readonly signer: string | null;
  readonly evidence: readonly Evidence[];
}

/** Bundles go over in one piece: a message between threads costs more than what most of them carry. */
export interface SignatureBundle {
  readonly number: number;
  readonly tasks: readonly SignatureTask[];
}

export interface SignatureFindings {
  readonly number: number;
  readonly findings: readonly SignatureFinding[];
}

export function findSigner(task: SignatureTask, recovery?: PointRecovery): SignatureFinding {
  const { chainId, signature } = task;
  if ('batch' in task) return recoverBatchSigner(chainId, task.batch, signature, recovery);
  const signer = recoverSigner(chainId, task.content, { signature }, recovery);
  return { signer, evidence: signer === null ? [] : [{ signature }] };
}
