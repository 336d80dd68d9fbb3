import { z } from 'zod';
import { Fault } from '../../errors/fault.ts';

/** The node understood the request and answered with an error. What it means, the caller knows. */
export class RpcRefusal extends Error {
  override readonly name = 'RpcRefusal';
  readonly data: unknown;

  constructor(message: string, data: unknown) {
    super(message);
    this.data = data;
  }
}

/** Makes one JSON-RPC call. @throws RpcRefusal where the node refuses, Fault LEDGER_UNREACHABLE where it does not answer */
export type JsonRpc = (method: string, params: readonly unknown[]) => Promise<unknown>;

const answer = z.union([
  z.object({ id: z.int(), error: z.object({ message: z.string(), data: z.unknown().optional() }) }),
  z.object({ id: z.int(), result: z.unknown() }),
]);

/** A client for one node. Sends nothing twice by itself: what a lost answer means depends on the call. */
export function openJsonRpc(url: string, timeoutMs: number, signal: AbortSignal): JsonRpc {
  let lastId = 0;
  return async (method, params) => {
    lastId += 1;
    const id = lastId;
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params });
    const text = await post(url, method, body, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
    const parsed = answer.safeParse(parseJson(text));
    if (!parsed.success || parsed.data.id !== id) {
      throw new Fault('LEDGER_UNREACHABLE', `${url} does not speak JSON-RPC: ${method} got ${text.slice(0, 80)}`);
    }
    if ('error' in parsed.data) throw new RpcRefusal(parsed.data.error.message, parsed.data.error.data);
    return parsed.data.result;
  };
}

async function post(url: string, method: string, body: string, signal: AbortSignal): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  try {
    const response = await fetch(url, { method: 'POST', headers, body, signal });
    return await response.text();
  } catch (cause) {
    throw new Fault('LEDGER_UNREACHABLE', `${url} does not answer ${method}`, cause);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
