import type { Hasher } from '../ports.ts';
import { assert } from '../units/assert.ts';
import { CanonicalBytes } from './canonical-bytes.ts';

/**
 * A Merkle tree in the shape of RFC 9162: neighbours are joined level by level, and a node without a neighbour moves up
 * as it is. Nodes have a tag of their own, so that no leaf can pass for a node; the number of leaves is not in the root
 * and stands in the statement that is signed.
 */
export interface MerkleTree {
  readonly root: Uint8Array;
  /** The siblings from that leaf up to the root, the lowest first; levels without a sibling are left out. */
  path(index: number): Uint8Array[];
}

export function merkleTree(leaves: readonly Uint8Array[], hasher: Hasher): MerkleTree {
  const levels = [leaves];
  for (let level = leaves; level.length > 1; ) {
    level = nextLevel(level, hasher);
    levels.push(level);
  }
  return {
    root:
      leaves.length === 0 ? hasher.keccak256(new CanonicalBytes('el/nothing/1').bytes) : hashAt(levels.at(-1) ?? [], 0),
    path: (index) => {
      assert(index >= 0 && index < leaves.length, `no leaf ${index} of ${leaves.length}`);
      return levels.flatMap((level, height) => level[(index >>> height) ^ 1] ?? []);
    },
  };
}

export function merkleRoot(leaves: readonly Uint8Array[], hasher: Hasher): Uint8Array {
  return merkleTree(leaves, hasher).root;
}

export interface LeafPlace {
  readonly index: number;
  /** Leaves of the whole tree. */
  readonly count: number;
}

/** The root that a leaf and its path lead to; null where the path has another length than that place asks for. */
export function rootOfPath(
  leaf: Uint8Array,
  { index, count }: LeafPlace,
  path: readonly Uint8Array[],
  hasher: Hasher,
): Uint8Array | null {
  if (index < 0 || index >= count) return null;
  let [hash, used, at] = [leaf, 0, index];
  for (let width = count; width > 1; width = Math.ceil(width / 2)) {
    if ((at ^ 1) < width) {
      const sibling = path[used];
      if (sibling === undefined) return null;
      used += 1;
      hash = at % 2 === 0 ? joined(hash, sibling, hasher) : joined(sibling, hash, hasher);
    }
    at = Math.floor(at / 2);
  }
  return used === path.length ? hash : null;
}

function nextLevel(level: readonly Uint8Array[], hasher: Hasher): Uint8Array[] {
  const next: Uint8Array[] = [];
  for (let at = 0; at < level.length; at += 2) {
    const left = hashAt(level, at);
    const right = level[at + 1];
    next.push(right === undefined ? left : joined(left, right, hasher));
  }
  return next;
}

function joined(left: Uint8Array, right: Uint8Array, hasher: Hasher): Uint8Array {
  return hasher.keccak256(new CanonicalBytes('el/node/1').hash(left).hash(right).bytes);
}

function hashAt(level: readonly Uint8Array[], at: number): Uint8Array {
  const hash = level[at];
  assert(hash !== undefined, `no node ${at} of ${level.length}`);
  return hash;
}
