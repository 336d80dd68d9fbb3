import { keccak_256 } from '@noble/hashes/sha3.js';
import { assert } from '../../domain/units/assert.ts';

/**
 * The Merkle tree over the digests of a batch, keccak-256, positional. Leaf i is keccak(0x00 || digest i), a node is
 * keccak(0x01 || left || right). On every level a word of zero stands for a right sibling that is not there, on the
 * lowest also beside a leaf that is alone. So a place is its number, in as many bits as the proof has siblings: the
 * lowest bit belongs to the leaf, and 0 stands left. A proof has one sibling a level, from the leaf up.
 */
export interface BatchTree {
  readonly root: Uint8Array;
  proof(index: number): Uint8Array[];
}

const LEAF = Uint8Array.of(0x00);
const NODE = Uint8Array.of(0x01);
const NOBODY = new Uint8Array(32);

const MOST_LEVELS = 6;
export const MOST_IN_BATCH = 2 ** MOST_LEVELS;

export function batchTree(digests: readonly Uint8Array[]): BatchTree {
  assert(digests.length >= 1 && digests.length <= MOST_IN_BATCH, `no batch has ${digests.length} entries`);
  let nodes = digests.map(leafOf);
  const levels = [nodes];
  do {
    nodes = parentsOf(nodes);
    levels.push(nodes);
  } while (nodes.length > 1);
  return {
    root: nodes[0] ?? NOBODY,
    proof: (index) => levels.slice(0, -1).map((level, height) => level[(index >> height) ^ 1] ?? NOBODY),
  };
}

/** The root above a digest at that place; null where no proof of that form can be one. */
export function rootAbove(digest: Uint8Array, index: number, siblings: readonly Uint8Array[]): Uint8Array | null {
  const levels = siblings.length;
  if (levels < 1 || levels > MOST_LEVELS || !Number.isInteger(index) || index < 0 || index >= 2 ** levels) return null;
  return siblings.reduce(
    (node, sibling, height) => ((index >> height) & 1 ? nodeOf(sibling, node) : nodeOf(node, sibling)),
    leafOf(digest),
  );
}

function parentsOf(level: readonly Uint8Array[]): Uint8Array[] {
  const parents: Uint8Array[] = [];
  for (let at = 0; at < level.length; at += 2) parents.push(nodeOf(level[at] ?? NOBODY, level[at + 1] ?? NOBODY));
  return parents;
}

function leafOf(digest: Uint8Array): Uint8Array {
  return keccak_256(Buffer.concat([LEAF, digest]));
}

function nodeOf(left: Uint8Array, right: Uint8Array): Uint8Array {
  return keccak_256(Buffer.concat([NODE, left, right]));
}
