import { createServer, type Server, type Socket } from 'node:net';
import { assert } from '../../domain/units/assert.ts';
import { Fault } from '../../errors/fault.ts';
import { encodeFrame, FrameReader, type ModbusFrame } from './modbus-frame.ts';
import { decodeRequest, encodeAnswer, encodeException, type ModbusRequest, type ModbusValues } from './modbus-pdu.ts';
import type { RegisterImage, RegisterRefusal } from './register-image.ts';

export interface ModbusServer {
  readonly port: number;
  /** Ends every connection and frees the port. */
  close(): Promise<void>;
}

const EXCEPTIONS: Readonly<Record<RegisterRefusal, number>> = {
  illegal_function: 1,
  illegal_address: 2,
  illegal_value: 3,
  no_unit: 11,
};

/**
 * Serves a register image over Modbus TCP. Port 0 takes any free one. A client that sends what is no Modbus is cut off.
 * @throws Fault PORT_TAKEN
 */
export async function startModbusServer(options: {
  readonly host: string;
  readonly port: number;
  readonly image: RegisterImage;
}): Promise<ModbusServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(socket, options.image);
  });
  await listen(server, options.host, options.port);
  const address = server.address();
  assert(address !== null && typeof address === 'object', 'a listening TCP server has an address');
  return { port: address.port, close: () => closeServer(server, sockets) };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE';
      reject(taken ? new Fault('PORT_TAKEN', `Modbus port ${port} on ${host} is taken`, cause) : cause);
    });
    server.listen(port, host, resolve);
  });
}

function closeServer(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
}

function serve(socket: Socket, image: RegisterImage): void {
  const reader = new FrameReader();
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes) => {
    const { frames, fault } = reader.push(bytes);
    for (const frame of frames) socket.write(encodeFrame({ ...frame, pdu: answer(frame, image) }));
    if (fault !== null) socket.destroy();
  });
}

function answer(frame: ModbusFrame, image: RegisterImage): Uint8Array {
  const request = decodeRequest(frame.pdu);
  const code = frame.pdu[0] ?? 0;
  if ('exception' in request) return encodeException(code, request.exception);
  if (request.address + sizeOf(request) > 0x10000) return encodeException(code, EXCEPTIONS.illegal_address);
  const outcome = apply(frame.unit, request, image);
  return typeof outcome === 'string'
    ? encodeException(code, EXCEPTIONS[outcome])
    : encodeAnswer(request, checked(request, outcome));
}

function sizeOf(request: ModbusRequest): number {
  if ('count' in request) return request.count;
  return 'bits' in request ? request.bits.length : request.registers.length;
}

function apply(unit: number, request: ModbusRequest, image: RegisterImage): ModbusValues | RegisterRefusal {
  const { address } = request;
  switch (request.function) {
    case 1:
      return bits(image.readCoils?.(unit, address, request.count));
    case 2:
      return bits(image.readDiscreteInputs?.(unit, address, request.count));
    case 3:
      return registers(image.readHolding(unit, address, request.count));
    case 4:
      return registers(image.readInput?.(unit, address, request.count));
    case 5:
    case 15:
      return written(image.writeCoils?.(unit, address, request.bits));
    case 6:
    case 16:
      return written(image.writeHolding?.(unit, address, request.registers));
  }
}

function bits(read: readonly boolean[] | RegisterRefusal = 'illegal_function'): ModbusValues | RegisterRefusal {
  return typeof read === 'string' ? read : { bits: read, registers: [] };
}

function registers(read: readonly number[] | RegisterRefusal = 'illegal_function'): ModbusValues | RegisterRefusal {
  return typeof read === 'string' ? read : { bits: [], registers: read };
}

function written(outcome: 'ok' | RegisterRefusal = 'illegal_function'): ModbusValues | RegisterRefusal {
  return outcome === 'ok' ? { bits: [], registers: [] } : outcome;
}

function checked(request: ModbusRequest, values: ModbusValues): ModbusValues {
  if ('count' in request) {
    assert(values.bits.length + values.registers.length === request.count, 'a register image answers whole');
    assert(
      values.registers.every((register) => Number.isInteger(register) && register >= 0 && register <= 0xffff),
      'a register is 16 bits',
    );
  }
  return values;
}
