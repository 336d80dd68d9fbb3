/** `0x` and lower-case digits. */
export function toHex(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes).toString('hex')}`;
}

/** The bytes of exactly that many, or null for any other text: no upper case, no missing `0x`. */
export function fromHex(text: string, length: number): Uint8Array | null {
  if (text.length !== 2 + 2 * length || !/^0x[0-9a-f]*$/.test(text)) return null;
  return Uint8Array.from(Buffer.from(text.slice(2), 'hex'));
}
