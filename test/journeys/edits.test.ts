import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { formatSignedTerms } from '../../shared/signed-terms.ts';
import { People } from '../record/approvers.ts';
import { type Fleet, startFleet } from '../simulator/fleet.ts';
import { Gateway, type Settings } from './agent.ts';
import { ALLOWED, assertPolite, fleetOf, rangeOf, specimen } from './fleets.ts';

/** Whoever may edit the configuration, and reload it, approves nothing: no finding ends by it, and what it does is told. */

const people = new People('alice', 'bob');
const now = (): number => Math.floor(Date.now() / 1000);
const AXEOS = 'axeos/gamma-2.15';
const THEFT = 'pool.user-changed';
/** Longer than it takes to confirm a finding, or to see one end. */
const A_WHILE_MS = 9000;

const usersOf = (ref_id: string, scope: object, version = 1) =>
  ({
    kind: 'reference',
    ref_id,
    version,
    scope,
    values: [{ fact: 'pools.user', class: 'template', value: 'acme.*' }],
  }) as const;

const waiverOf = (waiver_id: string, scope: object) =>
  ({
    kind: 'waiver',
    waiver_id,
    scope,
    ids: [THEFT],
    reason: 'burn-in',
    risk: 'unwatched',
    expires_at: now() + 86_400,
    author: 'bob',
  }) as const;

/** A `host` entry for each of these devices of the fleet. */
const hostsOf = (
  fleet: Fleet,
  entries: readonly { readonly at: number; readonly name: string; readonly role?: string }[],
) =>
  entries.map(({ at, name, role }) => ({
    host: fleet.devices[at]?.address,
    name,
    ports: fleet.ports,
    ...(role === undefined ? {} : { labels: { role } }),
  }));

/** A gateway where alice and bob approve; nothing runs yet. */
const gatewayOf = (settings: Settings): Gateway => {
  const gateway = Gateway.create(settings);
  for (const name of ['alice', 'bob']) gateway.write(`${name}.jwk.json`, JSON.stringify(people.jwk(name)));
  gateway.configure({ approvers: { alice: 'alice.jwk.json', bob: 'bob.jwk.json' } });
  return gateway;
};

const adopt = async (gateway: Gateway, verb: string, terms: Parameters<People['sign']>[0]): Promise<void> => {
  const file = gateway.write('signed.json', formatSignedTerms(people.sign({ ...terms, iat: now() }, 'alice', 'bob')));
  const { code, err } = await gateway.assayer(`${verb} adopt`, file, '--yes');
  assert.equal(code, 0, err);
};

const reload = async (gateway: Gateway, settings: Settings): Promise<void> => {
  const before = gateway.eventsOf('config.reloaded').length;
  gateway.configure(settings);
  gateway.signal('SIGHUP');
  await gateway.event('config.reloaded', { after: before });
};

/** How the finding about the first pool of a device stands by its last statement. */
const stands = (gateway: Gateway, device: string, id = THEFT) => {
  const findings = gateway.findings(id, device).filter(({ finding }) => finding.part === 'slot 0');
  const { state, severity } = findings.at(-1)?.finding ?? {};
  return [state, severity];
};

const robbed = async (gateway: Gateway, device: string): Promise<void> =>
  gateway.says(`the theft at ${device}`, () => stands(gateway, device)[0] === 'open');

/** What is said of edits: the documents, and the devices. */
const told = (gateway: Gateway) =>
  gateway
    .findings('change.break-glass')
    .filter(({ finding }) => finding.reasons?.includes('configuration-edited'))
    .map(({ finding: { after, devices, severity } }) => ({ after, devices, severity }));

const verified = (gateway: Gateway) => gateway.verified(gateway.write('people.json', JSON.stringify(people.trusted())));

suite('an edit of the configuration', { concurrency: 3 }, () => {
  test('that takes a reference from a robbed device, by its label or its name, ends no theft and makes nothing accepted', {
    timeout: 120_000,
  }, async () => {
    await using fleet = await fleetOf([AXEOS, AXEOS, AXEOS], '127.103.0.1');
    for (const at of [0, 1]) fleet.device(at).changePoolUser(0, 'thief.x');
    const [healthy] = hostsOf(fleet, [{ at: 2, name: 'rig-2', role: 'prod' }]);
    const before = hostsOf(fleet, [
      { at: 0, name: 'rig-0', role: 'prod' },
      { at: 1, name: 'rig-1' },
    ]);
    await using gateway = gatewayOf({ devices: [...before, healthy] });
    await gateway.up();
    await gateway.knows(3);
    await adopt(gateway, 'baseline', usersOf('prod', { labels: { role: 'prod' } }));
    await adopt(gateway, 'baseline', usersOf('one', { devices: ['rig-1'] }));
    await robbed(gateway, 'rig-0');
    await robbed(gateway, 'rig-1');

    const after = hostsOf(fleet, [
      { at: 0, name: 'rig-0' },
      { at: 1, name: 'rig-one' },
      { at: 2, name: 'rig-2' },
    ]);
    await reload(gateway, { devices: after });
    await robbed(gateway, 'rig-one');
    await delay(A_WHILE_MS);
    assert.deepEqual(stands(gateway, 'rig-0'), ['open', 'critical']);
    assert.deepEqual(stands(gateway, 'rig-one'), ['open', 'critical']);
    assert.deepEqual(stands(gateway, 'rig-2'), [undefined, undefined], 'a healthy device raises nothing');
    const edit = {
      after: { ceased: 'reference prod, reference one' },
      devices: ['rig-0', 'rig-2', 'rig-one'],
      severity: 'high',
    };
    assert.deepEqual(
      told(gateway).map((one) => ({ ...one, devices: [...(one.devices ?? [])].sort() })),
      [edit],
    );
    const alone = await gateway.assayer('baseline accept', '--all', '--yes', '--by', 'mallory');
    assert.equal(alone.code, 1, alone.err);
    const local = gateway.log.flatMap((one) =>
      one.kind === 'baseline' && one.baseline.action === 'accepted' ? one.baseline.devices : [],
    );
    assert.deepEqual(
      local.filter(({ device }) => device !== 'rig-2'),
      [],
    );

    // What the documents held is remembered over a restart, and nothing is told twice.
    await gateway.stop('SIGKILL');
    await gateway.up();
    fleet.device(2).changePoolUser(0, 'thief.y');
    await robbed(gateway, 'rig-2');
    await delay(A_WHILE_MS);
    assert.deepEqual(stands(gateway, 'rig-0'), ['open', 'critical']);
    assert.equal(told(gateway).length, 1);
    fleet.device(0).changePoolUser(0, 'acme.other');
    await gateway.says('what the document allows ends it', () => stands(gateway, 'rig-0')[0] === 'resolved');
    assert.deepEqual(stands(gateway, 'rig-one'), ['open', 'critical']);
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    assertPolite(fleet);
    await verified(gateway);
  });

  test('that brings a robbed device under a waiver, or what is volatile, or the name of a waived one, tolerates nothing', {
    timeout: 120_000,
  }, async () => {
    await using fleet = await fleetOf([AXEOS, AXEOS, AXEOS, AXEOS, AXEOS], '127.103.1.1');
    const before = hostsOf(fleet, [
      { at: 0, name: 'rig-0', role: 'prod' },
      { at: 1, name: 'rig-1', role: 'prod' },
      { at: 2, name: 'rig-2' },
      { at: 3, name: 'bench-3' },
      { at: 4, name: 'rig-4', role: 'acme' },
    ]);
    await using gateway = gatewayOf({ devices: before });
    await gateway.up();
    await gateway.knows(5);
    await adopt(gateway, 'waiver', waiverOf('bench', { labels: { role: 'bench' } }));
    await adopt(gateway, 'waiver', waiverOf('third', { devices: ['bench-3'] }));
    await adopt(gateway, 'baseline', {
      kind: 'reference',
      ref_id: 'free',
      version: 1,
      scope: { labels: { role: 'free' } },
      values: [{ fact: 'pools', class: 'volatile' }],
    } as const);
    await adopt(gateway, 'baseline', {
      ...usersOf('filled', { devices: ['rig-4'] }),
      values: [{ fact: 'pools.user', class: 'template', value: '{role}.*' }],
    } as const);
    for (const at of [0, 1, 2, 4]) fleet.device(at).changePoolUser(0, `thief.x${at}`);
    for (const at of [0, 1, 2, 4]) await robbed(gateway, `rig-${at}`);

    const after = hostsOf(fleet, [
      { at: 0, name: 'rig-0', role: 'bench' },
      { at: 1, name: 'rig-1', role: 'free' },
      { at: 2, name: 'bench-3' },
      { at: 4, name: 'rig-4', role: 'thief' },
    ]);
    await reload(gateway, { devices: after });
    await gateway.says('the machine under the other name', () => stands(gateway, 'bench-3')[0] !== undefined);
    await delay(A_WHILE_MS);
    for (const device of ['rig-0', 'rig-1', 'bench-3', 'rig-4'])
      assert.deepEqual([device, ...stands(gateway, device)], [device, 'open', 'critical']);
    assert.deepEqual(
      told(gateway).map(({ after: what }) => what),
      [
        { began: 'waiver bench, reference free, waiver third', refilled: 'reference filled' },
        // The name leads to another address now.
        { edited: 'devices', entries: after[2]?.host },
      ],
    );

    // What two people sign after the edit counts.
    await adopt(gateway, 'waiver', waiverOf('bench-again', { labels: { role: 'bench' } }));
    await gateway.says('waived', () => stands(gateway, 'rig-0')[0] === 'waived');
    // And so does what was set apart, once the device shows what it ought to.
    fleet.device(1).changePoolUser(0, 'acme.axe15-00002');
    await gateway.says('repaired', () => stands(gateway, 'rig-1')[0] !== 'open');
    assert.deepEqual(stands(gateway, 'bench-3'), ['open', 'critical']);
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    await verified(gateway);
  });

  test('that puts the pool of the thief on the list: where approvers are named the finding stays until they accept it', {
    timeout: 120_000,
  }, async () => {
    await using fleet = await fleetOf([AXEOS], '127.103.2.1');
    fleet.device(0).changePoolUser(0, 'thief.x');
    await using gateway = gatewayOf({
      devices: hostsOf(fleet, [{ at: 0, name: 'rig-0' }]),
      pools: { allow: [{ url: '*', user: 'acme.*' }] },
    });
    await gateway.up();
    const listed = () => stands(gateway, 'rig-0', 'pool.outside-allowlist');
    await gateway.says('not on the list', () => listed()[0] === 'open');
    await reload(gateway, {
      pools: {
        allow: [
          { url: '*', user: 'acme.*' },
          { url: '*', user: 'thief.*' },
        ],
      },
    });
    await gateway.says('that the list was edited', () =>
      (gateway.findings('pool.outside-allowlist').at(-1)?.finding.reasons ?? []).includes('configuration-edited'),
    );
    await delay(A_WHILE_MS);
    assert.deepEqual(listed(), ['open', 'high']);
    const alone = await gateway.assayer('baseline accept', 'rig-0', '--yes', '--by', 'mallory');
    assert.match(`${alone.out}${alone.err}`, /two approvers have to sign/);
    const emergency = ['--break-glass', '--note', 'bob is away'];
    const broken = await gateway.assayer('baseline accept', 'rig-0', '--yes', '--by', 'alice', ...emergency);
    assert.equal(broken.code, 0, broken.err);
    await gateway.says('approved', () => listed()[0] === 'approved');
    await delay(A_WHILE_MS);
    assert.deepEqual(listed()[0], 'approved');
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    await verified(gateway);
  });

  test('that renames a robbed miner without serial and MAC, and spells its address otherwise, ends no theft', {
    timeout: 120_000,
  }, async () => {
    await using fleet = await fleetOf(['cgminer/cgminer', 'cgminer/cgminer'], '127.103.5.1');
    const addresses = fleet.devices.map(({ address }) => address);
    const devices = (...entries: readonly (readonly [name: string, host: string | undefined])[]) => ({
      devices: entries.map(([name, host]) => ({ host, name, ports: fleet.ports })),
    });
    // A name for whoever reads the configuration, and the same address for the system that looks it up.
    const spelled = addresses.map((address) => address.replace(/^127\./, '0x7f.'));
    await using gateway = gatewayOf(devices(['rig-0', addresses[0]], ['rig-1', spelled[1]]));
    await gateway.up();
    await gateway.knows(2);
    for (const at of [0, 1]) fleet.device(at).changePoolUser(0, `thief.x${at}`);
    for (const at of [0, 1]) await robbed(gateway, `rig-${at}`);

    // The second is renamed again before anything need have been seen under the name between.
    await reload(gateway, devices(['rig-zero', spelled[0]], ['rig-between', spelled[1]]));
    await reload(gateway, devices(['rig-zero', spelled[0]], ['rig-one', addresses[1]]));
    for (const name of ['rig-zero', 'rig-one']) await robbed(gateway, name);
    await delay(A_WHILE_MS);
    for (const name of ['rig-zero', 'rig-one']) assert.deepEqual(stands(gateway, name), ['open', 'critical']);

    // What was reached is remembered over a restart.
    await gateway.stop('SIGKILL');
    gateway.configure(devices(['rig-null', addresses[0]], ['rig-one', addresses[1]]));
    await gateway.up();
    await robbed(gateway, 'rig-null');
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    assertPolite(fleet);
    await verified(gateway);
  });

  test('that leads a robbed position to a replay of what it showed ends no theft until it is led back and repaired; an honest move is told once', {
    timeout: 180_000,
  }, async () => {
    await using fleet = await fleetOf([AXEOS, AXEOS], '127.103.6.1');
    // What the two showed at first: the same identities and pools, at other addresses.
    await using other = await startFleet({
      specimens: [specimen(AXEOS)],
      devices: 2,
      base: '127.103.7.1',
      ports: fleet.ports,
      allowed: ALLOWED,
    });
    const entriesOf = ({ devices }: Fleet) =>
      devices.map(({ address }, at) => ({ host: address, name: `rig-${at}`, ports: fleet.ports }));
    const [own, led] = [entriesOf(fleet), entriesOf(other)];
    await using gateway = gatewayOf({ devices: own });
    await gateway.up();
    await gateway.knows(2);
    await delay(3000);
    const accepted = await gateway.assayer('baseline accept', '--all', '--yes', '--by', 'carol');
    assert.equal(accepted.code, 0, accepted.err);

    const moves = () =>
      gateway.findings('identity.address-moved').map(({ finding: { device, state } }) => `${device} ${state}`);
    const edits = (...entries: readonly string[]) =>
      entries.map((host) => ({ after: { edited: 'devices', entries: host }, severity: 'high' }));
    const toldOf = () => told(gateway).map(({ devices: _, ...one }) => one);
    await reload(gateway, { devices: [own[0], led[1]] });
    await gateway.says('the move', () => moves().includes('rig-1 resolved'));
    await delay(A_WHILE_MS);
    assert.deepEqual(toldOf(), edits(led[1]?.host ?? ''));
    assert.deepEqual(
      gateway.log.flatMap((one) =>
        one.kind === 'finding' && one.finding.device !== undefined ? [one.finding.severity] : [],
      ),
      ['info', 'info'],
      'that it moved, and nothing else about a device',
    );

    fleet.device(0).changePoolUser(0, 'thief.x');
    await robbed(gateway, 'rig-0');
    await reload(gateway, { devices: led });
    await gateway.says('the move', () => moves().includes('rig-0 resolved'));
    await delay(A_WHILE_MS);
    const theft = () => gateway.findings(THEFT, 'rig-0').at(-1)?.finding;
    assert.deepEqual(stands(gateway, 'rig-0'), ['open', 'critical']);
    assert.deepEqual(theft()?.reasons?.includes('configuration-edited'), true);
    assert.deepEqual(toldOf(), edits(led[1]?.host ?? '', led[0]?.host ?? ''));
    const alone = await gateway.assayer('baseline accept', 'rig-0', '--yes', '--by', 'mallory');
    assert.equal(alone.code, 1, alone.out);

    // Where it was found is remembered over a restart.
    await gateway.stop('SIGKILL');
    await gateway.up();
    await delay(A_WHILE_MS);
    assert.deepEqual(stands(gateway, 'rig-0'), ['open', 'critical']);
    fleet.device(0).changePoolUser(0, String(theft()?.before));
    await reload(gateway, { devices: own });
    await gateway.says('what the device shows again ends it', () => stands(gateway, 'rig-0')[0] === 'resolved');
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    await verified(gateway);
  });

  test('where nobody is named who approves: a finding that a list ends says so, and labels raise nothing', {
    timeout: 120_000,
  }, async () => {
    await using fleet = await fleetOf([AXEOS, AXEOS], '127.103.3.1');
    fleet.device(0).changePoolUser(0, 'thief.x');
    const devices = hostsOf(fleet, [
      { at: 0, name: 'rig-0', role: 'prod' },
      { at: 1, name: 'rig-1', role: 'prod' },
    ]);
    await using gateway = await Gateway.start({ devices, pools: { allow: [{ url: '*', user: 'acme.*' }] } });
    const listed = () => gateway.findings('pool.outside-allowlist', 'rig-0').at(-1)?.finding;
    await gateway.says('not on the list', () => listed()?.state === 'open');
    const others = hostsOf(fleet, [
      { at: 0, name: 'rig-0', role: 'bench' },
      { at: 1, name: 'rig-1', role: 'bench' },
    ]);
    const allow = [
      { url: '*', user: 'acme.*' },
      { url: '*', user: 'thief.*' },
    ];
    await reload(gateway, { devices: others, pools: { allow } });
    await gateway.says('its end', () => listed()?.state === 'resolved');
    assert.deepEqual(listed()?.reasons, ['not-listed', 'configuration-edited']);
    assert.deepEqual(
      gateway.log.filter((one) => one.kind === 'finding' && one.finding.id !== 'pool.outside-allowlist'),
      [],
    );
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    await gateway.verified();
  });

  test('that takes an entry out and puts it back: another machine there is held against the one that stood there', {
    timeout: 120_000,
  }, async () => {
    await using fleet = await fleetOf(['antminer-stock/s19-4028', AXEOS, AXEOS], '127.103.4.1');
    const range = rangeOf({ ...fleet, devices: fleet.devices.slice(0, 1) } as Fleet);
    const [host, kept] = hostsOf(fleet, [
      { at: 1, name: 'rig-1' },
      { at: 2, name: 'rig-2' },
    ]);
    await using gateway = await Gateway.start({ devices: [range, host, kept] });
    await gateway.knows(3);
    await delay(3000);
    await reload(gateway, { devices: [kept] });
    for (const at of [0, 1]) {
      fleet.device(at).replaceMachine();
      fleet.device(at).changePoolUser(0, 'thief.x');
    }
    await reload(gateway, { devices: [range, host, kept] });
    const strange = () => gateway.findings('identity.new-device').at(-1)?.finding;
    await gateway.says('a stranger in the range', () => strange()?.state === 'open');
    assert.deepEqual([strange()?.severity, strange()?.reasons], ['high', ['other-account']]);
    await robbed(gateway, 'rig-1');
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    await gateway.verified();
  });
});
