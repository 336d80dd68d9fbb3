/** Stops on a bug: a condition that no input and no failure of the world can break. Never for refusals or faults. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`bug: ${message}`);
}

/** Asserts an integer that a double holds exactly. */
export function assertSafeInteger(value: number, name: string): void {
  assert(Number.isSafeInteger(value), `${name} is not a safe integer: ${value}`);
}
