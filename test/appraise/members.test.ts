import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Member, Members } from '../../agent/appraise/members.ts';

const member = (joined: number): Member => ({ device: `rig-${joined}`, atMs: joined, joined });

/** To which of the members so far it is done, and what: a number joins under this name, or it leaves. */
const steps = fc.array(
  fc.record({ at: fc.nat(), name: fc.constantFrom('a', 'b', 'c', 'd'), joined: fc.option(fc.nat(99)) }),
  { maxLength: 40 },
);

test('members are values: whatever is made of them, in whatever order they are read, each are what they were', () => {
  fc.assert(
    fc.property(steps, fc.array(fc.nat()), (made, reads) => {
      const all: { readonly members: Members; readonly expected: ReadonlyMap<string, Member> }[] = [
        { members: Members.of([]), expected: new Map() },
      ];
      for (const { at, name, joined } of made) {
        const { members, expected } = all[at % all.length] as (typeof all)[0];
        const next = new Map(expected);
        if (joined === null) {
          next.delete(name);
          all.push({ members: members.without(name), expected: next });
        } else {
          const one = member(joined);
          all.push({ members: members.with(name, one), expected: next.set(name, one) });
        }
      }
      for (const at of [...reads, ...all.keys()]) {
        const { members, expected } = all[at % all.length] as (typeof all)[0];
        assert.equal(members.size, expected.size);
        assert.deepEqual(new Map(members.entries()), expected);
        for (const name of ['a', 'b', 'c', 'd']) assert.equal(members.get(name), expected.get(name));
      }
    }),
  );
});

test('members know in which names they may differ from those of which they were made', () => {
  const first = Members.of([['a', member(1)]]);
  const second = first.with('b', member(2));
  const third = second.with('a', member(3)).without('b').with('c', member(4));
  assert.deepEqual(third.changesSince(first), new Set(['a', 'b', 'c']));
  assert.deepEqual(third.changesSince(second), new Set(['a', 'b', 'c']));
  assert.deepEqual(third.changesSince(third), new Set());
  assert.equal(third.changesSince(Members.of([])), undefined);
  assert.equal(first.size, 1);
  assert.equal(third.changesSince(first), undefined, 'the earlier ones were read meanwhile');
});

test('members that were kept are in the order in which they joined', () => {
  const members = Members.of([
    ['b', member(2)],
    ['a', member(1)],
  ]);
  assert.deepEqual([...members.names()], ['a', 'b']);
  assert.equal(members.without('c'), members);
});
