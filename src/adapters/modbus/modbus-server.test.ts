import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { isFault } from '../../errors/fault.ts';
import { openCoilRelay } from './coil-relay.ts';
import { ModbusClient } from './modbus-client.ts';
import { isModbusException } from './modbus-exception-fault.ts';
import { startModbusServer } from './modbus-server.ts';
import type { RegisterImage } from './register-image.ts';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** Unit 1 with 200 holding registers and 16 coils; a contact that follows coil 0. */
function memory(): RegisterImage {
  const holding = Array.from({ length: 200 }, (_, address) => address);
  const coils = Array.from({ length: 16 }, () => false);
  const inside = <Value>(all: readonly Value[], unit: number, address: number, count: number) => {
    if (unit !== 1) return 'no_unit';
    return address + count > all.length ? 'illegal_address' : all.slice(address, address + count);
  };
  return {
    readHolding: (unit, address, count) => inside(holding, unit, address, count),
    readInput: (unit, address, count) => inside(holding, unit, address, count),
    readCoils: (unit, address, count) => inside(coils, unit, address, count),
    readDiscreteInputs: (unit, address, count) => inside(coils.slice(0, 1), unit, address, count),
    writeHolding: (unit, address, registers) => {
      const old = inside(holding, unit, address, registers.length);
      if (typeof old === 'string') return old;
      if (registers.includes(666)) return 'illegal_value';
      holding.splice(address, registers.length, ...registers);
      return 'ok';
    },
    writeCoils: (unit, address, bits) => {
      const old = inside(coils, unit, address, bits.length);
      if (typeof old === 'string') return old;
      coils.splice(address, bits.length, ...bits);
      return 'ok';
    },
  };
}

async function serve(image: RegisterImage): Promise<{ client: ModbusClient; port: number }> {
  const server = await startModbusServer({ host: '127.0.0.1', port: 0, image });
  open.push(() => server.close());
  const client = new ModbusClient({ host: '127.0.0.1', port: server.port });
  open.push(() => client.close());
  return { client, port: server.port };
}

test('what was written is read back, by every function', async () => {
  const { client } = await serve(memory());
  await client.writeRegister(1, 3, 65535);
  await client.writeRegisters(1, 4, [1, 2]);
  await client.writeCoil(1, 0, true);
  await client.writeCoils(1, 8, [true, false, true]);
  expect(await client.readRegisters(1, 'holding', 2, 5)).toEqual([2, 65535, 1, 2, 6]);
  expect(await client.readRegisters(1, 'input', 0, 125)).toHaveLength(125);
  expect(await client.readBits(1, 'coil', 0, 11)).toEqual([
    true,
    ...Array.from({ length: 7 }, () => false),
    true,
    false,
    true,
  ]);
  expect(await client.readBits(1, 'discrete', 0, 1)).toEqual([true]);
});

test.each([
  ['another unit', 11, (client: ModbusClient) => client.readRegisters(2, 'holding', 0, 1)],
  ['past the last register', 2, (client: ModbusClient) => client.readRegisters(1, 'holding', 199, 2)],
  ['past the address space', 2, (client: ModbusClient) => client.readRegisters(1, 'holding', 65535, 2)],
  ['a value that it does not take', 3, (client: ModbusClient) => client.writeRegister(1, 0, 666)],
])('refuses %s with exception %i', async (_, exception, attempt) => {
  const { client } = await serve(memory());
  const refused = await attempt(client).catch((error: unknown) => error);
  expect(isModbusException(refused, exception)).toBe(true);
});

test('a function that the image lacks is exception 1', async () => {
  const { client } = await serve({ readHolding: () => 'illegal_address' });
  const refused = await client.writeCoil(1, 0, true).catch((error: unknown) => error);
  expect(isModbusException(refused, 1)).toBe(true);
});

test('a read of 126 registers is exception 3 on the wire', async () => {
  const { port } = await serve(memory());
  expect(await exchange(port, '000100000006010300 00007e')).toBe('000100000003018303');
});

test('a client that sends no Modbus is cut off, the others go on', async () => {
  const { client, port } = await serve(memory());
  expect(await exchange(port, Buffer.from('GET / HTTP/1.1\r\n\r\n').toString('hex'))).toBe('');
  expect(await client.readRegisters(1, 'holding', 7, 1)).toEqual([7]);
});

test('a port that is taken is a fault that says so', async () => {
  const { port } = await serve(memory());
  const taken = await startModbusServer({ host: '127.0.0.1', port, image: memory() }).catch((error: unknown) => error);
  expect(isFault(taken, 'PORT_TAKEN')).toBe(true);
});

test('a relay on a coil reports its contact, not its command', async () => {
  let contact = true;
  const { port } = await serve({ ...memory(), readDiscreteInputs: () => [contact] });
  const relay = openCoilRelay({ host: '127.0.0.1', port, unit: 1, coil: 0, feedbackInput: 0 });
  open.push(() => relay.close());
  await relay.command(false);
  expect(await relay.feedback()).toBe(true);
  contact = false;
  expect(await relay.feedback()).toBe(false);
  expect(relay.counters).toMatchObject({ requests: 3, timeouts: 0 });
});

/** Sends bytes and gives back what came until an answer or the end. */
function exchange(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(request.replaceAll(' ', ''), 'hex')));
    socket.on('data', (bytes) => {
      resolve(bytes.toString('hex'));
      socket.destroy();
    });
    socket.on('close', () => resolve(''));
    socket.on('error', reject);
  });
}
