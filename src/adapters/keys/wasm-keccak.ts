import type { Hasher } from '../../domain/ports.ts';

/** Keccak-256 (the one of Ethereum, not SHA3-256): 136 bytes go in at a time, 32 come out. */
const RATE = 136;
const DIGEST = 32;
const STATE_BYTES = 200;
/** Where things lie in the memory of the module. */
const BLOCK_AT = 256;
const CONSTANTS_AT = 512;
const ROUNDS = 24;
const LANES = 25;

interface Keccak {
  readonly memory: WebAssembly.Memory;
  /** Takes the block into the state and permutes it. */
  readonly absorb: () => void;
}

/**
 * Keccak-256 as WebAssembly, whose 64-bit integers are those of the machine: JavaScript has to put every one of them
 * together from two halves and takes ten times as long. The module is assembled here, from the definition of the
 * permutation (FIPS 202, 3.2), so that nothing compiled has to be trusted or shipped.
 */
export function wasmKeccakHasher(): Hasher {
  const { memory, absorb } = instantiate();
  const bytes = new Uint8Array(memory.buffer);
  return {
    keccak256(message) {
      bytes.fill(0, 0, STATE_BYTES);
      let at = 0;
      for (; message.length - at >= RATE; at += RATE) {
        bytes.set(message.subarray(at, at + RATE), BLOCK_AT);
        absorb();
      }
      const rest = message.length - at;
      bytes.fill(0, BLOCK_AT + rest, BLOCK_AT + RATE);
      bytes.set(at === 0 ? message : message.subarray(at), BLOCK_AT);
      bytes[BLOCK_AT + rest] = 0x01;
      bytes[BLOCK_AT + RATE - 1] = (bytes[BLOCK_AT + RATE - 1] ?? 0) | 0x80;
      absorb();
      return bytes.slice(0, DIGEST);
    },
  };
}

function instantiate(): Keccak {
  const module = new WebAssembly.Module(Uint8Array.from(moduleBytes()));
  const { memory, absorb } = new WebAssembly.Instance(module).exports as unknown as Keccak;
  const view = new DataView(memory.buffer);
  for (const [round, constant] of roundConstants().entries()) {
    view.setBigUint64(CONSTANTS_AT + 8 * round, constant, true);
  }
  return { memory, absorb };
}

/** The bits of a shift register, at the places 2^j - 1 of each constant. */
function roundConstants(): bigint[] {
  let register = 1;
  return Array.from({ length: ROUNDS }, () => {
    let constant = 0n;
    for (let power = 0; power < 7; power += 1) {
      if ((register & 1) !== 0) constant |= 1n << BigInt(2 ** power - 1);
      register = (register << 1) ^ ((register & 0x80) === 0 ? 0 : 0x171);
    }
    return constant;
  });
}

/** How far lane (x, y), in place x + 5y, is rotated. */
function rotations(): number[] {
  const shifts = new Array<number>(LANES).fill(0);
  let [x, y] = [1, 0];
  for (let step = 1; step < LANES; step += 1) {
    shifts[x + 5 * y] = ((step * (step + 1)) / 2) % 64;
    [x, y] = [y, (2 * x + 3 * y) % 5];
  }
  return shifts;
}

/** Opcodes of WebAssembly. */
const OP = {
  ...{ loop: 0x03, end: 0x0b, branchIf: 0x0d, get: 0x20, set: 0x21, load: 0x29, store: 0x37 },
  ...{ const32: 0x41, const64: 0x42, notEqual32: 0x47, add32: 0x6a, and: 0x83, xor: 0x85, rotateLeft: 0x89 },
};
const [I32, I64, NOTHING] = [0x7f, 0x7e, 0x40];
/** Places of the local variables: the lanes, what they become, the parities of columns and what follows from them. */
const [A, B, C, D, ROUND] = [0, LANES, 2 * LANES, 2 * LANES + 5, 2 * LANES + 10];

function moduleBytes(): number[] {
  const code = [...locals(), ...absorbCode(), OP.end];
  return [
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, 0, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, ...name('memory'), 2, 0, ...name('absorb'), 0, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ];
}

function locals(): number[] {
  return [2, ...unsigned(ROUND), I64, 1, I32];
}

function absorbCode(): number[] {
  const lanes = Array.from({ length: LANES }, (_, lane) => lane);
  const blockLanes = RATE / 8;
  const load = lanes.flatMap((lane) => [
    ...loadAt(8 * lane),
    ...(lane < blockLanes ? [...loadAt(BLOCK_AT + 8 * lane), OP.xor] : []),
    ...set(A + lane),
  ]);
  const store = lanes.flatMap((lane) => [OP.const32, 0, ...get(A + lane), OP.store, 3, ...unsigned(8 * lane)]);
  const nextRound = [...get(ROUND), OP.const32, 8, OP.add32, ...set(ROUND)];
  const isLast = [...get(ROUND), OP.const32, ...signed(8 * ROUNDS), OP.notEqual32];
  return [...load, OP.loop, NOTHING, ...round(), ...nextRound, ...isLast, OP.branchIf, 0, OP.end, ...store];
}

/** Theta, rho and pi, chi, iota. */
function round(): number[] {
  const [five, shifts] = [[0, 1, 2, 3, 4], rotations()];
  const column = (x: number) => [1, 2, 3, 4].flatMap((y) => [...get(A + x + 5 * y), OP.xor]);
  const parities = five.flatMap((x) => [...get(A + x), ...column(x), ...set(C + x)]);
  const mixed = (x: number) => [...get(C + ((x + 4) % 5)), ...get(C + ((x + 1) % 5)), ...rotated(1), OP.xor];
  const theta = five.flatMap((x) => [...mixed(x), ...set(D + x)]);
  const turned = five.flatMap((y) =>
    five.flatMap((x) => {
      const lane = [...get(A + x + 5 * y), ...get(D + x), OP.xor, ...rotated(shifts[x + 5 * y] ?? 0)];
      return [...lane, ...set(B + y + 5 * ((2 * x + 3 * y) % 5))];
    }),
  );
  const chi = five.flatMap((y) =>
    five.flatMap((x) => {
      const [one, two] = [B + ((x + 1) % 5) + 5 * y, B + ((x + 2) % 5) + 5 * y];
      const masked = [...get(one), OP.const64, ...signed(-1), OP.xor, ...get(two), OP.and];
      return [...get(B + x + 5 * y), ...masked, OP.xor, ...set(A + x + 5 * y)];
    }),
  );
  const constant = [...get(ROUND), OP.load, 3, ...unsigned(CONSTANTS_AT)];
  return [...parities, ...theta, ...turned, ...chi, ...get(A), ...constant, OP.xor, ...set(A)];
}

function get(local: number): number[] {
  return [OP.get, ...unsigned(local)];
}

function set(local: number): number[] {
  return [OP.set, ...unsigned(local)];
}

function loadAt(place: number): number[] {
  return [OP.const32, 0, OP.load, 3, ...unsigned(place)];
}

function rotated(places: number): number[] {
  return places === 0 ? [] : [OP.const64, ...signed(places), OP.rotateLeft];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function name(text: string): number[] {
  return [text.length, ...Buffer.from(text)];
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  return value >= -0x40 && value < 0x40 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
