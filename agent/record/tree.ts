import { setImmediate as otherWork } from 'node:timers/promises';
import { z } from 'zod';
import { appendLeaf, type CompactRange, EMPTY_RANGE, rangeRoot, subtreeWidths } from '../../shared/tree.ts';
import { corruptLog } from './failure.ts';
import type { Store } from './store.ts';

/** The Merkle tree behind the log, as far as it has to be kept: the right edge, and leaf hashes from which the rest follows. */

/** Name under which the store keeps the edge; written in the transaction that appends. */
const EDGE = 'tree';
/** Leaves read at once, where a tree has to be computed. */
const PAGE = 4096;

const edgeSchema = z.strictObject({ size: z.int().min(0), hashes: z.array(z.string().length(43)) });

/** An edge as text. */
export const writeEdge = ({ size, hashes }: CompactRange): string =>
  JSON.stringify({ size, hashes: hashes.map((hash) => hash.toString('base64url')) });

/** Reads what `writeEdge` wrote; throws where it is something else. */
export const parseEdge = (text: string): CompactRange => {
  const { size, hashes } = edgeSchema.parse(JSON.parse(text));
  return { size, hashes: hashes.map((hash) => Buffer.from(hash, 'base64url')) };
};

/** Keeps the edge; part of the transaction that appends. */
export const saveEdge = (store: Store, edge: CompactRange): void => store.saveMeta(EDGE, writeEdge(edge));

/** The edge of the tree over all entries. A store of a version that kept none gets it from its leaves. Throws `store.corrupt`. */
export const readEdge = (store: Store): CompactRange => {
  const size = store.size();
  const kept = store.meta(EDGE, parseEdge) ?? EMPTY_RANGE;
  if (kept.size > size) throw corruptLog(store.file, `the tree has ${kept.size} entries, the log ${size}`);
  let edge = kept;
  while (edge.size < size) edge = grow(store, edge, size);
  return edge;
};

/** The edge with the next leaves of the store, a page of them at most, up to `size`. */
export const grow = (store: Store, edge: CompactRange, size: number): CompactRange =>
  leavesOf(store, edge.size, size).reduce(appendLeaf, edge);

/** A page of leaves from `from` on, below `to`. Throws `store.corrupt` where there is none. */
const leavesOf = (store: Store, from: number, to: number): readonly Buffer[] => {
  const leaves = store.leavesFrom(from, Math.min(PAGE, to - from));
  if (leaves.length === 0) throw corruptLog(store.file, `the leaf of entry ${from} is not there`);
  return leaves.map((leaf) => Buffer.from(leaf));
};

/** Roots of the largest complete subtrees side by side over a range of leaves, a page at a time: the event loop goes on. */
export const subtreeRoots = async (store: Store, from: number, to: number): Promise<readonly Buffer[]> => {
  const roots: Buffer[] = [];
  let at = from;
  for (const width of subtreeWidths(from, to)) {
    let subtree = EMPTY_RANGE;
    while (subtree.size < width) {
      subtree = leavesOf(store, at + subtree.size, at + width).reduce(appendLeaf, subtree);
      await otherWork();
    }
    roots.push(rangeRoot(subtree));
    at += width;
  }
  return roots;
};
