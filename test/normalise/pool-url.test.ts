import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalPoolUrl } from '../../agent/normalise/pool-url.ts';

const forms: readonly [string, string][] = [
  ['stratum+tcp://pool.example.com:3333', 'stratum+tcp://pool.example.com:3333'],
  ['Stratum+TCP://Pool.Example.COM:3333', 'stratum+tcp://pool.example.com:3333'],
  [' stratum+tcp://pool.example.com:3333/ ', 'stratum+tcp://pool.example.com:3333'],
  ['stratum+tcp://pool.example.com.:3333', 'stratum+tcp://pool.example.com:3333'],
  ['stratum+tcp://pool.example.com:03333', 'stratum+tcp://pool.example.com:3333'],
  ['stratum+tcp://pool.example.com:3333//', 'stratum+tcp://pool.example.com:3333'],
  ['stratum+tcp://pool.example.com:3333/#xnsub', 'stratum+tcp://pool.example.com:3333#xnsub'],
  ['stratum+tcp://pool.example.com:3333#XNSUB', 'stratum+tcp://pool.example.com:3333#XNSUB'],
  ['http://pool.example.com:8332/Path?q=A', 'http://pool.example.com:8332/Path?q=A'],
  ['pool.example.com:3333', 'pool.example.com:3333'],
  ['pool.example.com', 'pool.example.com'],
  ['stratum+ssl://[2001:DB8::1]:443', 'stratum+ssl://[2001:db8::1]:443'],
  ['stratum+ssl://2001:DB8::1', 'stratum+ssl://[2001:db8::1]'],
  ['stratum+ssl://[2001:0db8:0:0::0001]:443', 'stratum+ssl://[2001:db8::1]:443'],
  ['2001:DB8:0::1', '[2001:db8::1]'],
  ['[FE80:0::1%eth0]:3333', '[fe80::1%eth0]:3333'],
  ['fe80:0::1%eth0', '[fe80::1%eth0]'],
  ["[fe80:0::1%eth0$']:3333", "[fe80::1%eth0$']:3333"],
  ['[fe80::1%$&]:3333', '[fe80::1%$&]:3333'],
  ['[2001:db8::1::2]:3333', '[2001:db8::1::2]:3333'],
  [
    'stratum2+tcp://v2.pool.example/9awtMD5KQgvRUh2yFbjVeT7b6hjipWcAsQHd6wEhgtDT9soosna',
    'stratum2+tcp://v2.pool.example/9awtMD5KQgvRUh2yFbjVeT7b6hjipWcAsQHd6wEhgtDT9soosna',
  ],
  ['stratum+tcp://wallet.rig:hunter2@pool.example:3333', 'stratum+tcp://wallet.rig:***@pool.example:3333'],
  ['stratum+tcp://wallet.rig@pool.example:3333', 'stratum+tcp://wallet.rig@pool.example:3333'],
  ['stratum+tcp://wallet.rig:hun@ter2@pool.example:3333', 'stratum+tcp://wallet.rig:***@pool.example:3333'],
  ['wallet.rig:hunter2@pool.example:3333', 'wallet.rig:***@pool.example:3333'],
  ['wallet.rig@pool.example:3333', 'wallet.rig@pool.example:3333'],
  ['pool.example:3333/@x', 'pool.example:3333/@x'],
  ['://u:p@h ://v:q@h', '://u:***@h'],
  ['stratum+tcp://me@mail.example:hunter2@Pool.Example:3333/', 'stratum+tcp://me@mail.example:***@pool.example:3333'],
  ['stratum+tcp://acct:12345/hunter2@Pool.Example', 'stratum+tcp://acct:***@pool.example'],
  ['stratum+tcp://pool.example...:3333/a// /', 'stratum+tcp://pool.example:3333/a'],
  ['stratum+tcp://pool.example:3333/@x', 'stratum+tcp://pool.example:3333/@x'],
  ['', ''],
  ['   ', ''],
  ['*** hidden ***', '*** hidden ***'],
  // The small letter of a Kelvin sign is a k, which is another host.
  ['stratum+tcp://pool-\u212a.example:3333', 'stratum+tcp://pool-\u212a.example:3333'],
  ['stratum+tcp://', 'stratum+tcp://'],
];

test('a pool URL has one canonical form (catalogue §1)', () => {
  for (const [spelled, canonical] of forms) assert.equal(canonicalPoolUrl(spelled), canonical, spelled);
});

test('the port that a driver documents is made explicit, and no other', () => {
  assert.equal(canonicalPoolUrl('stratum+tcp://pool.example', 3333), 'stratum+tcp://pool.example:3333');
  assert.equal(canonicalPoolUrl('stratum+tcp://pool.example:25', 3333), 'stratum+tcp://pool.example:25');
  assert.equal(canonicalPoolUrl('stratum+tcp://[::1]', 3333), 'stratum+tcp://[::1]:3333');
  assert.equal(canonicalPoolUrl('', 3333), '');
});

test('property: the canonical form of a canonical form is itself, and no password survives', () => {
  const part = fc.string({ unit: fc.constantFrom('a', 'B', '.', ':', '/', '@', '#', '[', ']', '-', '1', ' ') });
  fc.assert(
    fc.property(part, fc.constantFrom('', 'stratum+tcp://', 'HTTP://'), (rest, scheme) => {
      const once = canonicalPoolUrl(scheme + rest);
      assert.equal(canonicalPoolUrl(once), once);
      assert.doesNotMatch(canonicalPoolUrl(`stratum+tcp://user:hunter2@${rest}`), /hunter2/);
      assert.doesNotMatch(canonicalPoolUrl(`user:hunter2@${rest}`), /hunter2/);
    }),
    { numRuns: 300 },
  );
});
