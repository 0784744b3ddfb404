import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import {
  appendLeaf,
  consistencyProof,
  EMPTY_RANGE,
  inclusionProof,
  leafHash,
  rangeRoot,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
} from '../../shared/index.ts';

const leavesOf = (size: number): readonly Buffer[] =>
  Array.from({ length: size }, (_, index) => leafHash(Buffer.from(`entry ${index}`)));

/** RFC 6962 §2.1 as it is written there. */
const recursiveRoot = (leaves: readonly Buffer[]): Buffer => {
  if (leaves.length === 0) return hash('sha256', '', 'buffer');
  if (leaves.length === 1) return leaves[0] ?? Buffer.alloc(0);
  const split = 2 ** (Math.ceil(Math.log2(leaves.length)) - 1);
  const [left, right] = [recursiveRoot(leaves.slice(0, split)), recursiveRoot(leaves.slice(split))];
  return hash('sha256', Buffer.concat([Uint8Array.of(1), left, right]), 'buffer');
};

const damaged = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte, index) => (index === 3 ? byte ^ 1 : byte)));

for (const size of [0, 1, 2, 3, 4, 5, 7, 8]) {
  test(`TV-19: a tree of ${size}: every inclusion and consistency proof holds, and no altered one`, () => {
    const leaves = leavesOf(size);
    const root = treeRoot(leaves);
    assert.deepEqual(root, recursiveRoot(leaves));
    for (const [index, leaf] of leaves.entries()) {
      const proof = inclusionProof(index, leaves);
      assert.ok(verifyInclusion({ index, size, leaf, root, proof }));
      assert.ok(!verifyInclusion({ index, size, leaf: damaged(leaf), root, proof }));
      assert.ok(!verifyInclusion({ index, size, leaf, root, proof: [...proof, root] }));
      assert.ok(proof.length === 0 || !verifyInclusion({ index, size, leaf, root, proof: proof.slice(1) }));
      assert.ok(!verifyInclusion({ index: index + size, size, leaf, root, proof }));
      if (size > 1) assert.ok(!verifyInclusion({ index: (index + 1) % size, size, leaf, root, proof }));
    }
    for (let from = 0; from <= size; from++) {
      const fromRoot = treeRoot(leaves.slice(0, from));
      const claim = { from, to: size, fromRoot, toRoot: root, proof: consistencyProof(from, leaves) };
      assert.ok(verifyConsistency(claim));
      assert.ok(!verifyConsistency({ ...claim, fromRoot: damaged(fromRoot) }));
      assert.ok(!verifyConsistency({ ...claim, proof: [...claim.proof, root] }));
      if (from > 0) assert.ok(!verifyConsistency({ ...claim, toRoot: damaged(root) }));
      if (claim.proof.length > 0) assert.ok(!verifyConsistency({ ...claim, proof: claim.proof.map(damaged) }));
    }
    assert.ok(!verifyConsistency({ from: size + 1, to: size, fromRoot: root, toRoot: root, proof: [] }));
  });
}

for (const size of [255, 256, 257]) {
  test(`TV-19: a tree of ${size}: every inclusion and consistency proof holds`, () => {
    const leaves = leavesOf(size);
    const root = treeRoot(leaves);
    assert.deepEqual(root, recursiveRoot(leaves));
    let range = EMPTY_RANGE;
    for (const [index, leaf] of leaves.entries()) {
      assert.ok(verifyInclusion({ index, size, leaf, root, proof: inclusionProof(index, leaves) }));
      const proof = consistencyProof(index, leaves);
      assert.ok(verifyConsistency({ from: index, to: size, fromRoot: rangeRoot(range), toRoot: root, proof }));
      range = appendLeaf(range, leaf);
    }
    assert.deepEqual(rangeRoot(range), root);
  });
}

test('TV-19: a tree of 65 536, sampled', () => {
  const size = 65_536;
  const leaves = leavesOf(size);
  const root = treeRoot(leaves);
  for (const index of [0, 32_767, 65_535]) {
    const leaf = leaves[index] ?? Buffer.alloc(0);
    assert.ok(verifyInclusion({ index, size, leaf, root, proof: inclusionProof(index, leaves) }));
  }
  for (const from of [1, 40_000, 65_535]) {
    const fromRoot = treeRoot(leaves.slice(0, from));
    assert.ok(verifyConsistency({ from, to: size, fromRoot, toRoot: root, proof: consistencyProof(from, leaves) }));
  }
});

test('a range holds one hash per bit of its size, also beyond 32 bits', () => {
  const leaf = leafHash(Buffer.from('x'));
  const hashes = Array.from({ length: 3 }, () => leaf);
  const range = appendLeaf({ size: 2 ** 40 + 2 ** 33 + 1, hashes }, leaf);
  assert.equal(range.size, 2 ** 40 + 2 ** 33 + 2);
  assert.equal(range.hashes.length, 3);
});
