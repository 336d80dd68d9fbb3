import { connect, type Socket } from 'node:net';
import { assert } from '../../domain/units/assert.ts';
import { Fault } from '../../errors/fault.ts';
import { ModbusExceptionFault } from './modbus-exception-fault.ts';
import { encodeFrame, FrameReader, type ModbusFrame } from './modbus-frame.ts';
import {
  decodeAnswer,
  EXCEPTION_NAMES,
  encodeRequest,
  MAX_READ_BITS,
  MAX_READ_REGISTERS,
  MAX_WRITE_BITS,
  MAX_WRITE_REGISTERS,
  type ModbusRequest,
  type ModbusValues,
} from './modbus-pdu.ts';
import { ReconnectPause } from './reconnect-pause.ts';
import { type Pending, Transactions } from './transactions.ts';

export interface ModbusClientOptions {
  readonly host: string;
  readonly port: number;
  /** How long a connection or an answer may take. Default 1000. */
  readonly timeoutMs?: number;
  /** A pause between the connection and the first request; some inverters need one second. Default 0. */
  readonly connectDelayMs?: number;
  /** Requests on the wire at a time. Default 1: many devices take no second one. */
  readonly maxInFlight?: number;
  /** The pause after the first and the longest after repeated failures; it doubles between. Default 1000 and 30000. */
  readonly backoffMs?: { readonly first: number; readonly longest: number };
  /** Jitter: a number in [0, 1) for each pause, which is cut by up to half of itself. Default Math.random. */
  readonly random?: () => number;
}

/** What happened on a link since it was opened: for diagnosis. Link quality is judged request by request, not by these. */
export interface LinkCounters {
  readonly requests: number;
  readonly timeouts: number;
  readonly exceptions: number;
  /** Connections that ended, idle or not, or were cut because the peer sent what is no Modbus or nothing at all. */
  readonly drops: number;
  readonly connects: number;
}

type LinkState = 'idle' | 'connecting' | 'ready' | 'closed';

const TIMEOUTS_UNTIL_DROP = 2;

/**
 * A strict Modbus TCP client. It connects at the first request and again after a loss; between failures it waits, and a
 * request in that pause fails at once. Whatever it cannot match to its request byte for byte ends the connection.
 */
export class ModbusClient {
  readonly #options: Required<ModbusClientOptions>;
  readonly #counters = { requests: 0, timeouts: 0, exceptions: 0, drops: 0, connects: 0 };
  readonly #queue: Pending[] = [];
  readonly #onWire = new Transactions();
  readonly #pause: ReconnectPause;
  #state: LinkState = 'idle';
  #socket: Socket | null = null;
  #setUpTimer: NodeJS.Timeout | undefined;
  #timeoutsInRow = 0;

  constructor(options: ModbusClientOptions) {
    this.#options = {
      timeoutMs: 1000,
      connectDelayMs: 0,
      maxInFlight: 1,
      backoffMs: { first: 1000, longest: 30_000 },
      random: Math.random,
      ...options,
    };
    const { backoffMs, random } = this.#options;
    this.#pause = new ReconnectPause(backoffMs.first, backoffMs.longest, random);
  }

  get peer(): string {
    return `${this.#options.host}:${this.#options.port}`;
  }

  get counters(): LinkCounters {
    return { ...this.#counters };
  }

  /** 1 to 125 registers. @throws Fault MODBUS_* */
  async readRegisters(
    unit: number,
    table: 'holding' | 'input',
    address: number,
    count: number,
  ): Promise<readonly number[]> {
    assert(count >= 1 && count <= MAX_READ_REGISTERS, `${count} registers in one read`);
    const { registers } = await this.#send(unit, { function: table === 'holding' ? 3 : 4, address, count });
    return registers;
  }

  /** 1 to 2000 bits. @throws Fault MODBUS_* */
  async readBits(
    unit: number,
    table: 'coil' | 'discrete',
    address: number,
    count: number,
  ): Promise<readonly boolean[]> {
    assert(count >= 1 && count <= MAX_READ_BITS, `${count} bits in one read`);
    const { bits } = await this.#send(unit, { function: table === 'coil' ? 1 : 2, address, count });
    return bits;
  }

  /** Function 5. Resolves when the device has echoed the command. @throws Fault MODBUS_* */
  async writeCoil(unit: number, address: number, on: boolean): Promise<void> {
    await this.#send(unit, { function: 5, address, bits: [on] });
  }

  /** Function 15, 1 to 1968 coils. @throws Fault MODBUS_* */
  async writeCoils(unit: number, address: number, bits: readonly boolean[]): Promise<void> {
    assert(bits.length >= 1 && bits.length <= MAX_WRITE_BITS, `${bits.length} coils in one write`);
    await this.#send(unit, { function: 15, address, bits });
  }

  /** Function 6, one holding register. @throws Fault MODBUS_* */
  async writeRegister(unit: number, address: number, register: number): Promise<void> {
    await this.#send(unit, { function: 6, address, registers: [register] });
  }

  /** Function 16, 1 to 123 holding registers. @throws Fault MODBUS_* */
  async writeRegisters(unit: number, address: number, registers: readonly number[]): Promise<void> {
    assert(registers.length >= 1 && registers.length <= MAX_WRITE_REGISTERS, `${registers.length} registers written`);
    await this.#send(unit, { function: 16, address, registers });
  }

  /** Fails what is under way and ends the connection for good. */
  close(): Promise<void> {
    const socket = this.#socket;
    this.#state = 'closed';
    this.#dropSocket();
    this.#failAll(new Fault('MODBUS_UNREACHABLE', `the link to ${this.peer} was closed`));
    if (socket === null || socket.closed) return Promise.resolve();
    return new Promise((resolve) => socket.once('close', () => resolve()));
  }

  #send(unit: number, request: ModbusRequest): Promise<ModbusValues> {
    assert(Number.isInteger(unit) && unit >= 0 && unit <= 255, `unit ${unit}`);
    assert(Number.isInteger(request.address) && request.address >= 0 && request.address <= 0xffff, 'address');
    return new Promise((resolve, reject) => {
      this.#queue.push({ unit, request, resolve, reject });
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#state === 'closed') this.#failAll(new Fault('MODBUS_UNREACHABLE', `the link to ${this.peer} is closed`));
    if (this.#state === 'idle' && this.#queue.length > 0) this.#connect();
    while (this.#state === 'ready' && this.#onWire.size < this.#options.maxInFlight) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#transmit(next);
    }
  }

  #connect(): void {
    const wait = this.#pause.remainingMs(performance.now());
    if (wait > 0) {
      const message = `${this.peer} failed; next attempt in ${Math.ceil(wait)} ms`;
      this.#failAll(new Fault('MODBUS_UNREACHABLE', message));
      return;
    }
    this.#state = 'connecting';
    const socket = connect({ host: this.#options.host, port: this.#options.port, noDelay: true });
    this.#socket = socket;
    this.#setUpTimer = setTimeout(() => {
      this.#fail(new Fault('MODBUS_UNREACHABLE', `${this.peer} did not accept within ${this.#options.timeoutMs} ms`));
    }, this.#options.timeoutMs);
    this.#listen(socket);
  }

  #listen(socket: Socket): void {
    const reader = new FrameReader();
    const current = () => this.#socket === socket;
    socket.on('connect', () => {
      if (current()) this.#connected();
    });
    socket.on('data', (bytes) => {
      if (current()) this.#received(reader, bytes);
    });
    socket.on('error', (cause) => {
      if (current()) this.#fail(new Fault('MODBUS_UNREACHABLE', `${this.peer}: ${cause.message}`, cause));
    });
    socket.on('close', () => {
      if (current()) this.#fail(new Fault('MODBUS_UNREACHABLE', `${this.peer} ended the connection`));
    });
  }

  #connected(): void {
    clearTimeout(this.#setUpTimer);
    this.#counters.connects += 1;
    const ready = () => {
      this.#state = 'ready';
      this.#pump();
    };
    if (this.#options.connectDelayMs === 0) ready();
    else this.#setUpTimer = setTimeout(ready, this.#options.connectDelayMs);
  }

  #transmit(pending: Pending): void {
    const transaction = this.#onWire.begin(pending, this.#options.timeoutMs, (id) => this.#timedOut(id));
    this.#counters.requests += 1;
    this.#socket?.write(encodeFrame({ transaction, unit: pending.unit, pdu: encodeRequest(pending.request) }));
  }

  #received(reader: FrameReader, bytes: Uint8Array): void {
    const { frames, fault } = reader.push(bytes);
    for (const frame of frames) {
      if (this.#state !== 'ready') return;
      this.#answered(frame);
    }
    if (fault !== null && this.#state === 'ready') this.#failFrame(fault.framing);
    this.#pump();
  }

  #answered(frame: ModbusFrame): void {
    if (this.#onWire.takeLate(frame.transaction)) return;
    const pending = this.#onWire.find(frame.transaction);
    if (pending === undefined) {
      this.#failFrame(`an answer to transaction ${frame.transaction}, which was never asked`);
      return;
    }
    if (frame.unit !== pending.unit) {
      this.#failFrame(`unit ${frame.unit} answered a request to unit ${pending.unit}`);
      return;
    }
    const answer = decodeAnswer(pending.request, frame.pdu);
    if (answer.kind === 'malformed') {
      this.#failFrame(answer.reason);
      return;
    }
    this.#onWire.finish(frame.transaction);
    this.#timeoutsInRow = 0;
    this.#pause.succeeded();
    if (answer.kind === 'values') pending.resolve(answer);
    else this.#refused(pending, answer.exception);
  }

  #refused({ unit, request, reject }: Pending, exception: number): void {
    this.#counters.exceptions += 1;
    const name = EXCEPTION_NAMES[exception] ?? 'unknown';
    const message = `${describe(this.peer, unit, request)}: exception ${exception}, ${name}`;
    reject(new ModbusExceptionFault(exception, message));
  }

  #timedOut(transaction: number): void {
    const pending = this.#onWire.expire(transaction);
    this.#counters.timeouts += 1;
    this.#timeoutsInRow += 1;
    const message = `${describe(this.peer, pending.unit, pending.request)}: no answer in ${this.#options.timeoutMs} ms`;
    pending.reject(new Fault('MODBUS_TIMEOUT', message));
    if (this.#timeoutsInRow >= TIMEOUTS_UNTIL_DROP) {
      this.#fail(new Fault('MODBUS_TIMEOUT', `${this.peer} left ${this.#timeoutsInRow} requests in a row unanswered`));
    } else this.#pump();
  }

  #failFrame(reason: string): void {
    this.#fail(new Fault('MODBUS_FRAME', `${this.peer} sent what is no answer: ${reason}`));
  }

  /** Ends the connection with everything that waits on it. A device may end an idle one: only a failure starts a pause. */
  #fail(fault: Fault): void {
    const waited = this.#onWire.size + this.#queue.length > 0 || fault.code !== 'MODBUS_UNREACHABLE';
    if (waited) this.#pause.failed(performance.now());
    this.#counters.drops += 1;
    this.#state = 'idle';
    this.#dropSocket();
    this.#failAll(fault);
  }

  #dropSocket(): void {
    const socket = this.#socket;
    this.#socket = null;
    clearTimeout(this.#setUpTimer);
    this.#timeoutsInRow = 0;
    socket?.destroy();
  }

  #failAll(fault: Fault): void {
    const waiting = [...this.#onWire.clear(), ...this.#queue];
    this.#queue.length = 0;
    for (const { reject } of waiting) reject(fault);
  }
}

function describe(peer: string, unit: number, request: ModbusRequest): string {
  return `${peer} unit ${unit} function ${request.function} address ${request.address}`;
}
