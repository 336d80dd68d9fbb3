import { Fault } from '../../errors/fault.ts';
import type { ModbusClient } from './modbus-client.ts';
import { isModbusException } from './modbus-exception-fault.ts';

/** One model in a device: its announced length and the address of its ID register. */
export interface SunSpecModelEntry {
  readonly id: number;
  readonly length: number;
  readonly address: number;
}

/** The models of a device in the order in which it lists them. A number may stand there twice. */
export type SunSpecChain = readonly SunSpecModelEntry[];

const BASES = [40_000, 0, 50_000] as const;
const MARKER = [0x5375, 0x6e53] as const;
const END = 0xffff;
const MOST_MODELS = 64;
const HEADER = 2;
const ILLEGAL_ADDRESS = 2;
const COMMON_MODEL = 1;

/**
 * Finds "SunS" at 40000, 0 or 50000 and walks the chain by the lengths that the device announces, never by the
 * definition (model 1 has 65 or 66). The walk ends after 64 models whatever the device says.
 * @throws Fault SUNSPEC_ABSENT, SUNSPEC_CHAIN_BROKEN, MODBUS_*
 */
export async function discoverSunSpec(client: ModbusClient, unit: number): Promise<SunSpecChain> {
  for (const base of BASES) {
    const found = await readOrNull(client, unit, base, MARKER.length);
    if (found !== null && MARKER.every((word, index) => found[index] === word)) {
      return await walk(client, unit, base + MARKER.length);
    }
  }
  throw new Fault('SUNSPEC_ABSENT', `${client.peer} unit ${unit} shows no SunSpec marker at ${BASES.join(', ')}`);
}

async function walk(client: ModbusClient, unit: number, first: number): Promise<SunSpecChain> {
  const where = `${client.peer} unit ${unit}`;
  const chain: SunSpecModelEntry[] = [];
  let address = first;
  while (chain.length < MOST_MODELS) {
    const entry = await readEntry(client, unit, address);
    if (entry === null) throw new Fault('SUNSPEC_CHAIN_BROKEN', `${where}: the model list stops at address ${address}`);
    if (entry.id === END) return checked(chain, where);
    chain.push(entry);
    address += HEADER + entry.length;
  }
  throw new Fault('SUNSPEC_CHAIN_BROKEN', `${where} lists more than ${MOST_MODELS} models`);
}

function checked(chain: SunSpecChain, where: string): SunSpecChain {
  const [common] = chain;
  if (common?.id === COMMON_MODEL && (common.length === 65 || common.length === 66)) return chain;
  throw new Fault('SUNSPEC_CHAIN_BROKEN', `${where} does not begin with the common model`);
}

/** The last entry may be a lone 0xFFFF at the end of what the device maps. */
async function readEntry(client: ModbusClient, unit: number, address: number): Promise<SunSpecModelEntry | null> {
  const pair = await readOrNull(client, unit, address, HEADER);
  if (pair !== null) return { id: pair[0] ?? END, length: pair[1] ?? 0, address };
  const last = await readOrNull(client, unit, address, 1);
  return last?.[0] === END ? { id: END, length: 0, address } : null;
}

async function readOrNull(
  client: ModbusClient,
  unit: number,
  address: number,
  count: number,
): Promise<readonly number[] | null> {
  if (address + count > 0x10000) return null;
  try {
    return await client.readRegisters(unit, 'holding', address, count);
  } catch (error) {
    if (isModbusException(error, ILLEGAL_ADDRESS)) return null;
    throw error;
  }
}
