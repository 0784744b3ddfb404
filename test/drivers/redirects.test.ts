import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Driver } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import type { JsonObject, Reply } from '../../agent/probe/capture.ts';
import type { Facts } from '../../shared/facts.ts';
import { MINUTE, showing, Watch } from '../appraise/watch.ts';
import { loadSpecimens } from '../specimens/specimen.ts';
import { EXPECTATIONS } from './capture-expectations/all.ts';
import { driverOf, hasCaptures, lookAtCapture } from './captured.ts';

/** From the host that a device says it is connected to, in its reply, to `pool.reconnect-redirect`. */

const replied = (value: JsonObject): Reply => ({ kind: 'reply', bytes: new Uint8Array(), value, repairs: [] });

const isPoolFact = (name: string): boolean => name === 'pools' || name === 'live_pools' || name === 'fee_pools';

/** Where a device leads that shows these pools, in the words of its findings. */
const redirectsIn = (facts: Facts): readonly string[] => {
  const watch = new Watch();
  watch.live(5 * MINUTE, showing(Object.fromEntries(Object.entries(facts).filter(([name]) => isPoolFact(name)))));
  return watch.opened('pool.reconnect-redirect').map(({ before, after }) => `${before} -> ${after}`);
};

/** The families whose list of port 4028 is read for the host that is connected. */
const TELLING: readonly Driver[] = DRIVERS.filter(
  ({ queries, facts }) =>
    queries.pools?.kind === 'cgminer' && facts.live_pools?.queries.every((query) => query === 'pools') === true,
);

const connected = (driver: Driver, url: string, host: string): Facts => {
  const row = (POOL: number, more: JsonObject): JsonObject => ({
    POOL,
    Status: 'Alive',
    Priority: POOL,
    Quota: 1,
    ...more,
  });
  const POOLS = [
    row(0, { URL: url, User: 'acme.rig0417', 'Stratum Active': true, 'Stratum URL': host }),
    row(1, {
      URL: 'stratum+tcp://backup.example:3333',
      User: 'acme.rig0417',
      'Stratum Active': false,
      'Stratum URL': '',
    }),
  ];
  const replies = new Map([['pools', replied({ STATUS: [{ STATUS: 'S', Code: 7 }], POOLS })]]);
  return normalise(driver, { address: '192.0.2.7', observedAtMs: 0, replies }, 'pools').facts;
};

describe('pool.reconnect-redirect, from the list of port 4028', () => {
  test('is read of every family whose rows may name the host, also where the list is all that there is', () => {
    const single = ['auradine', 'avalon', 'cgminer', 'ipollo', 'luxos', 'sealminer', 'whatsminer'];
    const families = new Set(TELLING.map(({ family }) => family));
    assert.deepEqual(
      single.filter((family) => !families.has(family)),
      [],
    );
  });

  for (const driver of TELLING) {
    test(`${driver.family}: another host is one, and no spelling of the configured one, nor none`, () => {
      const at = (host: string, url = 'stratum+tcp://av.example:3333') => redirectsIn(connected(driver, url, host));
      assert.deepEqual(at('evil.example'), ['av.example -> evil.example']);
      assert.deepEqual(at('stratum+tcp://evil.example:3333'), ['av.example -> evil.example']);
      for (const same of [
        '',
        'av.example',
        'AV.Example',
        'av.example:3333',
        'eu.av.example',
        'stratum+tcp://av.example:3333',
        'backup.example',
      ])
        assert.deepEqual(at(same), [], same);
      assert.deepEqual(at('203.0.113.9', 'stratum+tcp://203.0.113.9:3333'), []);
      assert.deepEqual(at('av.example', 'stratum+ssl://AV.example:443/#xnsub'), []);
      for (const same of ['2001:db8::7', '[2001:db8::7]', '[2001:DB8:0::7]:3333', '2001:0db8::0007'])
        assert.deepEqual(at(same, 'stratum+tcp://[2001:db8::7]:3333'), [], same);
      for (const same of ['fe80::1%eth0', '[FE80:0::1%eth0]'])
        assert.deepEqual(at(same, 'stratum+tcp://[fe80::1%eth0]:3333'), [], same);
      assert.deepEqual(at('2001:db8::8', 'stratum+tcp://[2001:db8:0::7]:3333'), ['[2001:db8::7] -> [2001:db8::8]']);
    });
  }

  test('axeos: a connection of API v2 to another host than any pool of its settings, is one', () => {
    const settings = 'stratum+tcp://north.pool.example:3333';
    const at = (...hosts: readonly string[]) =>
      redirectsIn({
        pools: [{ slot: 0, url: settings, user: 'acme.nerd2', priority: 0 }],
        live_pools: hosts.map((host) => ({ url: `${host}:3333`, user: 'acme.nerd2', active: true, host })),
      });
    assert.deepEqual(at('north.pool.example'), []);
    assert.deepEqual(at('eu.pool.example'), []);
    assert.deepEqual(at('north.pool.example', 'evil.example'), ['undefined -> evil.example']);
  });

  test('is none of any specimen', () => {
    const stated = loadSpecimens().flatMap(({ name, device }) =>
      'expect' in device ? device.expect.map(({ facts }) => ({ name, facts: facts as Facts })) : [],
    );
    const telling = stated.filter(({ facts }) => facts.live_pools?.some(({ host }) => host !== undefined) === true);
    assert.ok(telling.length > 30, `${telling.length} name a host`);
    for (const { name, facts } of telling) assert.deepEqual(redirectsIn(facts), [], name);
  });

  test('is what a person finds in the captures, and nothing else', { skip: !hasCaptures() }, () => {
    const looks = EXPECTATIONS.flatMap(({ family, captures }) =>
      Object.entries(captures).map(([folder, expected]) => ({
        folder,
        facts: lookAtCapture(driverOf(family), folder, expected).observation.facts,
      })),
    );
    const found = looks.flatMap(({ folder, facts }) => redirectsIn(facts).map((redirect) => `${folder}: ${redirect}`));
    // Of the first two the protocol page says so; whoever gave the others to the public changed the URL, not the host.
    assert.deepEqual(found.sort(), [
      'avalon/a10-cgminer-4.11.1: sha256.mining-dutch.nl -> sha256asicboost.eu.nicehash.com',
      'avalon/a10-nan-variant: sha256.mining-dutch.nl -> sha256asicboost.eu.nicehash.com',
      'blackminer/f1-2018-12: my.pool.com -> pool.vrsc.52hash.com',
      'blackminer/f1-mini-2020-06: xxx -> xxx.com',
    ]);
  });
});
