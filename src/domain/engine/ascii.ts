import { assert } from '../units/assert.ts';

/** Identifiers, numbers and keys: the engine's texts hold no other characters. */
export function asciiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    assert(code < 0x80, `a text with the character ${code}`);
    bytes[at] = code;
  }
  return bytes;
}

const CHARACTERS_AT_ONCE = 4096;

export function asciiText(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += CHARACTERS_AT_ONCE) {
    text += String.fromCharCode(...bytes.subarray(at, at + CHARACTERS_AT_ONCE));
  }
  return text;
}
