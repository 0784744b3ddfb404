import { hash } from 'node:crypto';

/** The Merkle tree of RFC 6962 §2.1 over the messages of a log: hashes, growing roots, proofs and their verification. */

export const LEAF_PREFIX = Uint8Array.of(0x00);
const NODE_PREFIX = Uint8Array.of(0x01);

export const leafHash = (message: Uint8Array): Buffer => sha256(LEAF_PREFIX, message);

const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer => sha256(NODE_PREFIX, left, right);

const sha256 = (...parts: readonly Uint8Array[]): Buffer => hash('sha256', Buffer.concat(parts), 'buffer');

/**
 * The right edge of a tree: the roots of its complete subtrees, largest first, one per bit of `size`. Enough to append
 * and to know the root; 32 hashes hold any log.
 */
export interface CompactRange {
  readonly size: number;
  readonly hashes: readonly Buffer[];
}

export const EMPTY_RANGE: CompactRange = { size: 0, hashes: [] };

/** The range with one more leaf. */
export const appendLeaf = (range: CompactRange, leaf: Buffer): CompactRange => appendSubtree(range, leaf, 1);

/** The range with one more complete subtree over `width` leaves, a power of two by which its size can be divided. */
const appendSubtree = (range: CompactRange, root: Buffer, width: number): CompactRange => {
  const hashes = [...range.hashes];
  let subtree = root;
  // Every trailing one bit of the size is a complete subtree as large as the one in hand. No shifts: a size may exceed 32 bits.
  for (let rest = range.size / width; rest % 2 === 1; rest = (rest - 1) / 2) {
    subtree = nodeHash(hashes.pop() ?? subtree, subtree);
  }
  hashes.push(subtree);
  return { size: range.size + width, hashes };
};

/** The widths of the largest complete subtrees that lie side by side over the leaves from `from` to below `to`, in their order. */
export const subtreeWidths = (from: number, to: number): readonly number[] => {
  const widths: number[] = [];
  for (let at = from; at < to; ) {
    let width = 1;
    while (at % (width * 2) === 0 && at + width * 2 <= to) width *= 2;
    widths.push(width);
    at += width;
  }
  return widths;
};

/**
 * The range at `to`, from one before it and the roots of the subtrees between, as `subtreeWidths` names them; undefined where these are
 * not as many. What it gives is as good as those roots: a signed checkpoint has to show that they are of the log.
 */
export const extendRange = (range: CompactRange, to: number, roots: readonly Buffer[]): CompactRange | undefined => {
  const widths = subtreeWidths(range.size, to);
  if (widths.length !== roots.length) return undefined;
  return widths.reduce((grown, width, at) => appendSubtree(grown, roots[at] ?? Buffer.alloc(0), width), range);
};

/** The root of the tree at the range's size. */
export const rangeRoot = ({ hashes }: CompactRange): Buffer =>
  hashes.length === 0 ? sha256() : hashes.reduceRight((right, left) => nodeHash(left, right));

/** The largest power of two below `size`, which is at least 2. */
const splitAt = (size: number): number => {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
};

/** The root over a list of leaf hashes (RFC 6962 §2.1). */
export const treeRoot = (leaves: readonly Buffer[]): Buffer => rangeRoot(leaves.reduce(appendLeaf, EMPTY_RANGE));

/** RFC 6962 §2.1.1: the path from leaf `index` to the root over `leaves`. */
export const inclusionProof = (index: number, leaves: readonly Buffer[]): readonly Buffer[] => {
  if (leaves.length <= 1) return [];
  const split = splitAt(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split
    ? [...inclusionProof(index, left), treeRoot(right)]
    : [...inclusionProof(index - split, right), treeRoot(left)];
};

/** RFC 6962 §2.1.2: what shows that the tree over `leaves` extends the one over their first `size`. */
export const consistencyProof = (size: number, leaves: readonly Buffer[]): readonly Buffer[] =>
  size === 0 ? [] : subProof(size, leaves, true);

const subProof = (size: number, leaves: readonly Buffer[], whole: boolean): readonly Buffer[] => {
  if (size === leaves.length) return whole ? [] : [treeRoot(leaves)];
  const split = splitAt(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return size <= split
    ? [...subProof(size, left, whole), treeRoot(right)]
    : [...subProof(size - split, right, false), treeRoot(left)];
};

const isOdd = (value: number): boolean => value % 2 === 1;
const half = (value: number): number => Math.floor(value / 2);

/** RFC 9162 §2.1.3.2: whether `proof` leads from `leaf` at `index` to `root` of the tree of `size`. */
export const verifyInclusion = (claim: {
  readonly index: number;
  readonly size: number;
  readonly leaf: Buffer;
  readonly root: Buffer;
  readonly proof: readonly Buffer[];
}): boolean => {
  if (claim.index >= claim.size) return false;
  let [fn, sn, node] = [claim.index, claim.size - 1, claim.leaf];
  for (const sibling of claim.proof) {
    if (sn === 0) return false;
    if (isOdd(fn) || fn === sn) {
      node = nodeHash(sibling, node);
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      node = nodeHash(node, sibling);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && node.equals(claim.root);
};

/** RFC 9162 §2.1.4.2: whether `proof` shows that the tree of size `to` extends the tree of size `from`. */
export const verifyConsistency = (claim: {
  readonly from: number;
  readonly to: number;
  readonly fromRoot: Buffer;
  readonly toRoot: Buffer;
  readonly proof: readonly Buffer[];
}): boolean => {
  const { from, to, fromRoot, toRoot } = claim;
  if (from > to) return false;
  if (from === to) return claim.proof.length === 0 && fromRoot.equals(toRoot);
  if (from === 0) return claim.proof.length === 0 && fromRoot.equals(rangeRoot(EMPTY_RANGE));
  let [fn, sn] = [from - 1, to - 1];
  while (isOdd(fn)) [fn, sn] = [half(fn), half(sn)];
  // A complete first tree is its own first node, and the proof leaves it out.
  const [first, ...siblings] = fn === 0 ? [fromRoot, ...claim.proof] : claim.proof;
  if (first === undefined) return false;
  let [fr, sr] = [first, first];
  for (const sibling of siblings) {
    if (sn === 0) return false;
    if (isOdd(fn) || fn === sn) {
      [fr, sr] = [nodeHash(sibling, fr), nodeHash(sibling, sr)];
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      sr = nodeHash(sr, sibling);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && fr.equals(fromRoot) && sr.equals(toRoot);
};
