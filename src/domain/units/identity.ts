import type { Brand } from './brand.ts';

/** A party of the community with an account. Lower case letters, digits and `-`; at most 32. */
export type MemberId = Brand<string, 'MemberId'>;

/** One feeder or microgrid with one order book per delivery interval. Same alphabet as a member. */
export type MarketId = Brand<string, 'MarketId'>;

const IDENTIFIER = /^[a-z0-9][a-z0-9-]{0,31}$/;

/** Identifiers become MQTT topic levels, Sparkplug ids and file names, so their alphabet is narrow. */
export function isIdentifier(text: string): boolean {
  return IDENTIFIER.test(text);
}

/** The order of members wherever a tie is broken: by code unit, the same on every machine. */
export function compareIds(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
