import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fleet } from '../../../shared/collector/fleet.ts';
import { LogIndex } from '../../../shared/collector/log-index.ts';
import { type Collector, MemoryStore, parseTrustedKeys, type TrustedKeys } from '../../../shared/index.ts';
import { start, stop, Writing } from '../writing.ts';
import { acksOf, arrived, gatewayKey, heartbeat, keyOf, NOW, noticesOf, open, plain, verdictsOf } from './bench.ts';

/** A gateway whose key is in wrong hands, or whose clock was wrong: how many logs it can name, and which of them hold up the others. */

const NOW_S = NOW / 1000;
const logOf = (incarnation: number | string, gateway = 'gw-test'): string => `example.org/${gateway}/${incarnation}`;
const topicOf = (gateway: string): string => `attest/v1/${gateway}/log`;
const stolen = keyOf(7);
const fresh = keyOf(8);

const begun = (log: string, signer = gatewayKey): Writing => {
  const writing = new Writing(log);
  writing.signer = signer;
  writing.write(start());
  return writing;
};

const all = ({ messages, next }: Writing) =>
  messages.map((message) => arrived(message, topicOf(next.log.split('/')[1] ?? '')));

const trusting = (...signers: readonly (typeof fresh)[]) => {
  const keys: TrustedKeys = new Map(signers.flatMap(({ jwk }) => [...parseTrustedKeys(jwk)]));
  return { kind: 'keys', keys } as const;
};

const ackedOf = async (collector: Collector, writing: Writing, nowMs: number) =>
  acksOf(await collector.take(all(writing), nowMs)).map(({ log, next }) => `${log.split('/')[2]} ${next}`);

test('forty thousand logs of one gateway are in order within a second, and a log among them is found', () => {
  const listed = Array.from({ length: 40_000 }, (_none, index) => ({
    log: logOf(1_000_000 + ((index * 7_919) % 40_000)),
    size: 1,
  }));
  const before = process.cpuUsage();
  const index = new LogIndex(listed);
  const { user } = process.cpuUsage(before);
  assert.ok(user < 1_000_000, `${user / 1000} ms`);
  assert.deepEqual(
    [index.before(logOf(1_000_001)), index.after(logOf(1_000_001)), index.newest()],
    [logOf(1_000_000), logOf(1_000_002), [logOf(1_039_999)]],
  );
  index.set(logOf(1_000_000.5), 1);
  assert.equal(index.before(logOf(1_000_001)), logOf(1_000_000.5));
});

test('checkpoints make no log: nothing of them is stored, told for ever, or kept beyond a few', async () => {
  const store = new MemoryStore();
  const collector = await open({ store });
  for (let from = 0; from < 300; from += 100) {
    const heard = Array.from({ length: 100 }, (_none, index) => {
      const log = plain(2, logOf(1_000 + from + index));
      return [heartbeat(log, 2, { first: index % 2 }), heartbeat(log, 1), heartbeat(log, 2, { root: 'A'.repeat(43) })];
    }).flat();
    await collector.take(heard, NOW + from);
    await collector.tick(NOW + from);
  }
  assert.deepEqual(store.logs(), []);
  const lasting = store.notices.filter(({ kind }) => kind !== 'checkpoint' && kind !== 'heard');
  assert.deepEqual(lasting, []);
  assert.equal(store.refused.length, 16, 'contradictions are kept as refused messages, a bounded number');

  const fleet = new Fleet({ store });
  for (let index = 0; index < 100; index += 1) await fleet.machine(logOf(index));
  await fleet.machine(logOf(1, 'gw-other'));
  assert.deepEqual(
    fleet.loaded().map(({ log: { log } }) => log),
    [...[96, 97, 98, 99].map((each) => logOf(each)), logOf(1, 'gw-other')],
  );
});

test('a checkpoint of a later log holds up none, neither at once nor after a restart of the collector', async () => {
  const store = new MemoryStore();
  const own = begun(logOf(NOW_S));
  for (let restarts = 0; restarts < 2; restarts += 1) {
    const collector = await open({ store });
    await collector.take([heartbeat(plain(3, logOf(NOW_S + 60)), 3)], NOW + restarts * 10_000);
    own.write(stop);
    assert.deepEqual(await ackedOf(collector, own, NOW + restarts * 10_000 + 1_000), [`${NOW_S} ${2 + restarts}`]);
  }
});

test('of one gateway 256 logs are taken; what is above is refused by its name, and others are taken as before', async () => {
  const store = new MemoryStore();
  const collector = await open({ store });
  const many = Array.from({ length: 300 }, (_none, index) => begun(logOf(1_000 + index)));
  const verdicts = verdictsOf(await collector.take(many.flatMap(all), NOW));
  assert.deepEqual(
    [verdicts.slice(0, 256), verdicts.slice(256)].map((each) => each.length),
    [256, 44],
  );
  assert.ok(verdicts.slice(256).every((each) => each === 'refused E_INCARNATION'));
  assert.equal(store.logs().length, 256);
  assert.match(store.refused[0]?.remarks[0]?.detail ?? '', /256 logs of example\.org\/gw-test are here/);
  assert.equal(store.refused.length, 16);
  const more = many[255] ?? begun(logOf(1));
  more.write(stop);
  assert.deepEqual(await ackedOf(collector, more, NOW + 1_000), ['1255 2']);
  assert.deepEqual(await ackedOf(collector, begun(logOf(5_000, 'gw-other')), NOW + 1_000), ['5000 1']);
  // A person makes room.
  const room = logOf(1_000);
  store.commit({ logs: [], notices: [{ kind: 'aside', log: room, why: 'x' }], refused: [] });
  await collector.tick(NOW + 70_000);
  assert.deepEqual(await ackedOf(collector, begun(logOf(9_000)), NOW + 71_000), ['9000 1']);
});

test('a log that begins more than a day from now is kept as evidence only, until its time has come', async () => {
  const store = new MemoryStore();
  const collector = await open({ store });
  const own = begun(logOf(NOW_S));
  await collector.take(all(own), NOW);
  const ahead = begun(logOf(NOW_S + 86_401));
  const report = await collector.take([...all(ahead), heartbeat(ahead, 1)], NOW);
  assert.deepEqual(verdictsOf(report), ['refused E_INCARNATION', 'refused E_INCARNATION']);
  assert.equal(store.refused.length, 2);
  own.write(stop);
  assert.deepEqual(await ackedOf(collector, own, NOW + 1_000), [`${NOW_S} 2`]);
  assert.deepEqual(await ackedOf(collector, ahead, NOW + 2_000), [`${NOW_S + 86_401} 1`]);
});

test('an incarnation has one spelling, and is an integer that every reader can carry', async () => {
  const collector = await open();
  for (const incarnation of ['07', '0000000000000007', '9007199254740992', '9999999999999999', ''])
    assert.deepEqual(
      verdictsOf(await collector.take(all(begun(logOf(incarnation))), NOW)),
      ['refused E_SCHEMA'],
      incarnation,
    );
  for (const incarnation of [0, 7]) assert.equal((await ackedOf(collector, begun(logOf(incarnation)), NOW)).length, 1);
});

test('after a key was replaced the later log of the old one is set aside when the gateway goes on, and says so once', async () => {
  const store = new MemoryStore();
  const before = await open({ store, trust: trusting(stolen) });
  await before.take(all(begun(logOf(NOW_S + 3_600), stolen)), NOW);
  const after = await open({ store, trust: trusting(fresh) });
  const own = begun(logOf(NOW_S), fresh);
  const report = await after.take(all(own), NOW + 60_000);
  assert.deepEqual(
    noticesOf(report, 'aside').map(({ log, why }) => [log, why]),
    [[logOf(NOW_S + 3_600), `its key is not trusted any more, and ${logOf(NOW_S)} goes on`]],
  );
  assert.deepEqual(
    acksOf(report).map(({ log }) => log),
    [logOf(NOW_S)],
  );
  own.write(stop);
  assert.deepEqual(noticesOf(await after.take(all(own), NOW + 70_000), 'aside'), []);
  // Also for the next start, and whatever key is trusted then.
  const again = await open({ store, trust: trusting(fresh, stolen) });
  const late = begun(logOf(NOW_S + 3_600), stolen);
  late.write(stop);
  assert.deepEqual(verdictsOf(await again.take(all(late), NOW + 80_000)), [
    'refused E_INCARNATION',
    'refused E_INCARNATION',
  ]);
  own.write(stop);
  assert.deepEqual(await ackedOf(again, own, NOW + 81_000), [`${NOW_S} 3`]);
  assert.deepEqual(
    (await again.logs()).map(({ log, aside }) => [log, aside]),
    [
      [logOf(NOW_S + 3_600), true],
      [logOf(NOW_S), undefined],
    ],
  );
});

test('a log of the past stays where it is while the key of the later one is trusted, or has only been heard again', async () => {
  const store = new MemoryStore();
  const own = begun(logOf(NOW_S), fresh);
  const later = begun(logOf(NOW_S + 3_600), stolen);
  await (await open({ store, trust: trusting(fresh, stolen) })).take([...all(own), ...all(later)], NOW);
  const replayed = await (await open({ store, trust: trusting(fresh) })).take(all(own), NOW + 1_000);
  assert.deepEqual([noticesOf(replayed, 'aside'), acksOf(replayed)], [[], []]);
  own.write(stop);
  const goesOn = await (await open({ store, trust: trusting(fresh, stolen) })).take(all(own), NOW + 2_000);
  assert.deepEqual([noticesOf(goesOn, 'aside'), acksOf(goesOn)], [[], []]);
});

for (const [how, says] of [
  ['entry', all],
  ['heartbeat', (own: Writing) => [heartbeat(own, 1)]],
] as const)
  test(`a store that an earlier version let be poisoned is mended by the next ${how} of the gateway`, async () => {
    const store = new MemoryStore();
    const own = begun(logOf(NOW_S));
    const year2100 = logOf(4_102_444_800);
    await (await open({ store })).take([...all(own)], NOW);
    await (await open({ store })).take(all(begun(year2100)), 4_102_444_800_000);
    const collector = await open({ store });
    if (how === 'entry') own.write(stop);
    const report = await collector.take(says(own), NOW + 1_000);
    assert.deepEqual(
      noticesOf(report, 'aside').map(({ log }) => log),
      [year2100],
    );
    own.write(stop);
    assert.deepEqual(await ackedOf(collector, own, NOW + 2_000), [`${NOW_S} ${own.next.seq}`]);
  });

test('what a person set aside in another process is known within a minute, and what was taken back, too', async () => {
  const store = new MemoryStore();
  const collector = await open({ store });
  const own = begun(logOf(NOW_S));
  const later = begun(logOf(NOW_S + 3_600));
  await collector.take([...all(own), ...all(later)], NOW);
  await collector.tick(NOW);
  const turn = async (kind: 'aside' | 'reinstated', nowMs: number) => {
    store.commit({ logs: [], notices: [{ kind, log: later.next.log, why: 'a test' }], refused: [] });
    await collector.tick(nowMs);
    own.write(stop);
    return ackedOf(collector, own, nowMs + 1_000);
  };
  assert.deepEqual(await turn('aside', NOW + 60_000), [`${NOW_S} 2`]);
  assert.deepEqual(await turn('reinstated', NOW + 120_000), []);
});

test('the log that counts after a person has set one aside, or taken that back, is acknowledged as soon as it is known', async () => {
  const store = new MemoryStore();
  await (await open({ store })).take([...all(begun(logOf(NOW_S))), ...all(begun(logOf(NOW_S + 3_600)))], NOW);
  // It has been started since: neither log was asked for yet.
  const collector = await open({ store });
  await collector.tick(NOW);
  const turn = async (kind: 'aside' | 'reinstated', nowMs: number) => {
    store.commit({ logs: [], notices: [{ kind, log: logOf(NOW_S + 3_600), why: 'a test' }], refused: [] });
    return acksOf(await collector.tick(nowMs)).map(({ log, next }) => `${log.split('/')[2]} ${next}`);
  };
  assert.deepEqual(await turn('aside', NOW + 60_000), [`${NOW_S} 1`]);
  assert.deepEqual(await turn('reinstated', NOW + 120_000), [`${NOW_S + 3_600} 1`]);
  assert.deepEqual(acksOf(await collector.tick(NOW + 121_000)), []);
});

test('a later log that is signed for and does not come is told once, after five minutes; the one that goes on is not held up', async () => {
  const store = new MemoryStore();
  const collector = await open({ store });
  const own = begun(logOf(NOW_S));
  const ghost = plain(3, logOf(NOW_S + 60));
  await collector.take([...all(own), heartbeat(ghost, 3)], NOW);
  const told = async (nowMs: number) =>
    noticesOf(await collector.tick(nowMs), 'gap').map(({ log, from, to, waiting }) => [log, from, to, waiting]);
  assert.deepEqual([await told(NOW), await told(NOW + 299_000)], [[], []]);
  assert.deepEqual(await told(NOW + 300_000), [[ghost.next.log, 0, 3, 0]]);
  own.write(stop);
  assert.deepEqual(await ackedOf(collector, own, NOW + 301_000), [`${NOW_S} 2`]);
  assert.deepEqual(await told(NOW + 900_000), []);

  store.commit({ logs: [], notices: [{ kind: 'aside', log: ghost.next.log, why: 'a test' }], refused: [] });
  await collector.tick(NOW + 960_000);
  const refused = await collector.take([heartbeat(ghost, 3), ...all(ghost)], NOW + 961_000);
  assert.deepEqual(new Set(verdictsOf(refused)), new Set(['refused E_INCARNATION']));
  store.commit({ logs: [], notices: [{ kind: 'reinstated', log: ghost.next.log, why: 'a test' }], refused: [] });
  await collector.tick(NOW + 1_020_000);
  assert.deepEqual(await ackedOf(collector, ghost, NOW + 1_021_000), [`${NOW_S + 60} 3`]);
});
