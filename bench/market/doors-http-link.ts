import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';
const LAST_CHUNK = '0\r\n\r\n';

/** One kept-alive connection with one request under way at a time; as lean as a load generator has to be. */
export class HttpLink {
  readonly #socket: Socket;
  readonly #host: string;
  #answered: ((status: number) => void) | null = null;
  #received = '';

  static async open(url: string): Promise<HttpLink> {
    const { hostname, port, host } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return new HttpLink(socket, host);
  }

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#host = host;
    socket.on('data', (chunk: Buffer) => this.#take(chunk.toString('latin1')));
  }

  /** Resolves with the status when the answer is there to its last byte. */
  post(path: string, body: string): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#answered = resolve;
    const head = `POST ${path} HTTP/1.1\r\nhost: ${this.#host}\r\ncontent-type: application/json\r\n`;
    this.#socket.write(`${head}content-length: ${body.length}${HEAD_END}${body}`, 'latin1');
    return promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: string): void {
    this.#received += chunk;
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd === -1) return;
    const head = this.#received.slice(0, headEnd).toLowerCase();
    const body = this.#received.length - headEnd - HEAD_END.length;
    const length = /content-length: (\d+)/.exec(head)?.[1];
    const isWhole = length === undefined ? this.#received.endsWith(LAST_CHUNK) : body >= Number(length);
    if (!isWhole) return;
    this.#received = '';
    this.#answered?.(Number(head.slice('http/1.1 '.length, 'http/1.1 200'.length)));
  }
}
