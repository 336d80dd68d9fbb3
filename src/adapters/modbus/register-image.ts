/** Why a server refuses: the exception that goes out is 1, 2, 3 or 11. */
export type RegisterRefusal = 'illegal_function' | 'illegal_address' | 'illegal_value' | 'no_unit';

/**
 * What a Modbus server shows and takes. Each call answers whole or refuses whole; registers are 0 to 65535, bits in
 * address order. A method that is absent is an illegal function.
 */
export interface RegisterImage {
  readHolding(unit: number, address: number, count: number): readonly number[] | RegisterRefusal;
  readInput?(unit: number, address: number, count: number): readonly number[] | RegisterRefusal;
  readCoils?(unit: number, address: number, count: number): readonly boolean[] | RegisterRefusal;
  readDiscreteInputs?(unit: number, address: number, count: number): readonly boolean[] | RegisterRefusal;
  writeHolding?(unit: number, address: number, registers: readonly number[]): 'ok' | RegisterRefusal;
  writeCoils?(unit: number, address: number, bits: readonly boolean[]): 'ok' | RegisterRefusal;
}
