import { assert } from '../../domain/units/assert.ts';

/** The register maps of the simulated devices: SunSpec models with every point that a device lacks marked as such. */

const UNSIGNED = 0xffff;
const SIGNED = 0x8000;

/** What fills a model before its points are set: runs of registers up to, not including, each offset. */
type Filling = readonly (readonly [until: number, unimplemented: number])[];

const FILLINGS: Readonly<Record<number, Filling>> = {
  1: [
    [66, 0],
    [67, UNSIGNED],
    [68, SIGNED],
  ],
  103: [
    [13, UNSIGNED],
    [24, SIGNED],
    [26, 0],
    [27, SIGNED],
    [28, UNSIGNED],
    [29, SIGNED],
    [30, UNSIGNED],
    [38, SIGNED],
    [52, UNSIGNED],
  ],
  124: [
    [12, UNSIGNED],
    [14, SIGNED],
    [18, UNSIGNED],
    [26, SIGNED],
  ],
  203: [
    [38, SIGNED],
    [71, 0],
    [72, SIGNED],
    [104, 0],
    [105, SIGNED],
    [107, UNSIGNED],
  ],
  802: [
    [44, UNSIGNED],
    [45, SIGNED],
    [47, UNSIGNED],
    [48, SIGNED],
    [49, UNSIGNED],
    [50, SIGNED],
    [52, UNSIGNED],
    [64, SIGNED],
  ],
};

/** One model with its header; offsets count from the ID register as in the published tables. */
export class ModelImage {
  readonly id: number;
  readonly registers: number[];

  constructor(id: number) {
    const filling = FILLINGS[id];
    const last = filling?.at(-1);
    assert(filling !== undefined && last !== undefined, `no layout of model ${id}`);
    this.id = id;
    this.registers = Array.from({ length: last[0] }, (_, offset) => {
      const run = filling.find(([until]) => offset < until);
      return run === undefined ? 0 : run[1];
    });
    this.word(0, id).word(1, last[0] - 2);
  }

  /** One register, signed or not. */
  word(offset: number, value: number): this {
    assert(Number.isInteger(value) && value >= -0x8000 && value <= 0xffff, `${value} at ${this.id}+${offset}`);
    assert(offset < this.registers.length, `offset ${offset} in model ${this.id}`);
    this.registers[offset] = value & 0xffff;
    return this;
  }

  /** Two registers, high word first; a counter wraps as its 32 bits do. */
  double(offset: number, value: number): this {
    const wrapped = value % 2 ** 32;
    return this.word(offset, Math.floor(wrapped / 0x10000)).word(offset + 1, wrapped % 0x10000);
  }

  text(offset: number, registers: number, value: string): this {
    for (let index = 0; index < registers; index += 1) {
      this.word(offset + index, (charCode(value, index * 2) << 8) | charCode(value, index * 2 + 1));
    }
    return this;
  }
}

function charCode(text: string, index: number): number {
  return index < text.length ? text.charCodeAt(index) & 0x7f : 0;
}

export function commonModel(model: string, serial: string): ModelImage {
  return new ModelImage(1).text(2, 16, 'energy-logic').text(18, 16, model).text(42, 8, '1').text(50, 16, serial);
}

export const SUNSPEC_BASE = 40_000;

/** "SunS", the models, and the end marker: what stands at 40000. */
export function sunSpecMap(models: readonly ModelImage[]): number[] {
  return [0x5375, 0x6e53, ...models.flatMap(({ registers }) => registers), 0xffff, 0];
}

/** The address of a model's ID register in that map. */
export function addressOf(models: readonly ModelImage[], id: number): number {
  const position = models.findIndex((model) => model.id === id);
  assert(position !== -1, `no model ${id} in the map`);
  const before = models.slice(0, position).reduce((sum, { registers }) => sum + registers.length, 0);
  return SUNSPEC_BASE + 2 + before;
}
