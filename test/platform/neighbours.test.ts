import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Neighbours, parseArp } from '../../agent/platform/neighbours.ts';

const TABLE = `IP address       HW type     Flags       HW address            Mask     Device
10.20.14.7       0x1         0x2         02:1a:2b:3c:4d:5e     *        eth0
10.20.14.8       0x1         0x0         00:00:00:00:00:00     *        eth0
10.20.14.9       0x1         0x6         02:1a:2b:3c:4d:60     *        eth0
`;

test('an address is alive where the kernel has a complete entry, dead where it asked in vain, else unknown', () => {
  const table = parseArp(TABLE);
  assert.deepEqual(
    ['10.20.14.7', '10.20.14.8', '10.20.14.9', '10.20.15.1'].map((address) => table.get(address)),
    [true, false, true, undefined],
  );
  assert.equal(parseArp('').size, 0);
});

test('the table is read anew after a while, not for every device of a site that falls silent', () => {
  let [nowMs, reads] = [0, 0];
  const neighbours = new Neighbours(
    () => nowMs,
    () => {
      reads += 1;
      return TABLE;
    },
  );
  for (let device = 0; device < 100; device += 1) assert.equal(neighbours.isAlive('10.20.14.7'), true);
  assert.equal(reads, 1);
  nowMs = 3000;
  neighbours.isAlive('10.20.14.7');
  assert.equal(reads, 2);
});

test('the table of this machine can be read', () => {
  assert.equal(new Neighbours(() => 0).isAlive('256.0.0.1'), undefined);
});
