import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const CONNECT = 0x10;
const PUBLISH_ONCE_OR_MORE = 0x32;
const PUBLISH = 0x30;
const PUBACK = 0x40;
const SUBSCRIBE = 0x82;
const SUBACK = 0x90;
const QOS_1 = 1;
const CLEAN_SESSION = 0x02;

/** A message as it came, in a buffer that is only good until the listener returns. */
export type LinkListener = (topic: string, payload: Buffer) => void;

/**
 * As much of MQTT 3.1.1 as a load generator needs: it must take as little as possible of the processors that the engine
 * and the broker are measured on. QoS 1; acknowledgements are sent, those of the broker are not waited for.
 */
export class MqttLink {
  readonly #socket: Socket;
  readonly #listener: LinkListener;
  readonly #subscribed: (() => void)[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #outgoing: Buffer[] = [];
  #packetId = 0;

  /** Resolves when the broker has answered CONNECT. */
  static async open(url: string, clientId: string, listener: LinkListener): Promise<MqttLink> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    const head = Buffer.from([0, 4, ...Buffer.from('MQTT'), 4, CLEAN_SESSION, 0, 0]);
    socket.write(packet(CONNECT, [head, text(clientId)]));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    if (answer[3] !== 0) throw new Error(`the broker refused ${clientId}: ${answer[3]}`);
    return new MqttLink(socket, listener);
  }

  private constructor(socket: Socket, listener: LinkListener) {
    this.#socket = socket;
    this.#listener = listener;
    socket.on('data', (chunk) => this.#take(chunk));
  }

  /** What is published in one go leaves in one write. */
  publish(topic: string, payload: string | Buffer): void {
    this.#write(
      packet(PUBLISH_ONCE_OR_MORE, [
        text(topic),
        this.#nextId(),
        typeof payload === 'string' ? Buffer.from(payload) : payload,
      ]),
    );
  }

  async subscribe(...filters: readonly string[]): Promise<void> {
    const wanted = filters.flatMap((filter) => [text(filter), Buffer.from([QOS_1])]);
    this.#write(packet(SUBSCRIBE, [this.#nextId(), ...wanted]));
    await new Promise<void>((resolve) => this.#subscribed.push(resolve));
  }

  close(): void {
    this.#socket.destroy();
  }

  #nextId(): Buffer {
    this.#packetId = (this.#packetId % 65_535) + 1;
    return Buffer.from([this.#packetId >> 8, this.#packetId & 255]);
  }

  #write(bytes: Buffer): void {
    if (this.#outgoing.length === 0) queueMicrotask(() => this.#flush());
    this.#outgoing.push(bytes);
  }

  #flush(): void {
    this.#socket.write(this.#outgoing.length === 1 ? (this.#outgoing[0] ?? '') : Buffer.concat(this.#outgoing));
    this.#outgoing = [];
  }

  #take(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (let end = packetEnd(bytes, at); end !== -1; end = packetEnd(bytes, at)) {
      this.#packet(bytes, at, end);
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }

  #packet(bytes: Buffer, from: number, end: number): void {
    const kind = (bytes[from] ?? 0) & 0xf0;
    if (kind === SUBACK) this.#subscribed.shift()?.();
    if (kind !== PUBLISH) return;
    let at = from + 1;
    while ((bytes[at] ?? 0) > 127) at += 1;
    const topicEnd = at + 3 + bytes.readUInt16BE(at + 1);
    const topic = bytes.toString('latin1', at + 3, topicEnd);
    const isAcknowledged = ((bytes[from] ?? 0) & 0x06) !== 0;
    if (isAcknowledged) this.#write(Buffer.from([PUBACK, 2, bytes[topicEnd] ?? 0, bytes[topicEnd + 1] ?? 0]));
    this.#listener(topic, bytes.subarray(isAcknowledged ? topicEnd + 2 : topicEnd, end));
  }
}

/** Where the packet that begins at `at` ends; -1: not here yet. */
function packetEnd(bytes: Buffer, at: number): number {
  let [length, shift, place] = [0, 0, at + 1];
  for (;;) {
    const byte = bytes[place];
    if (byte === undefined) return -1;
    length += (byte & 127) << shift;
    shift += 7;
    place += 1;
    if (byte < 128) break;
  }
  return place + length <= bytes.length ? place + length : -1;
}

function packet(kind: number, parts: readonly Buffer[]): Buffer {
  const length: number[] = [];
  for (let rest = parts.reduce((sum, part) => sum + part.length, 0); ; ) {
    length.push((rest & 127) | (rest > 127 ? 128 : 0));
    rest >>= 7;
    if (rest === 0) break;
  }
  return Buffer.concat([Buffer.from([kind, ...length]), ...parts]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}
