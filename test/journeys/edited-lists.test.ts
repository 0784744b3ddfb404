import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { formatSignedTerms } from '../../shared/signed-terms.ts';
import { People } from '../record/approvers.ts';
import { Gateway, type Settings } from './agent.ts';
import { assertPolite, fleetOf } from './fleets.ts';

/** Lists and tenants are edited, where alice and bob approve: no theft ends by it, and what an edit alone raised ends with the next one. */

const people = new People('alice', 'bob');
const AXEOS = 'axeos/gamma-2.15';
const OURS = [{ url: '*', user: 'acme.*' }];
const WIDER = [...OURS, { url: '*', user: 'thief.*' }];
const IDS = ['pool.outside-allowlist', 'tenant.hash-destination-breach'] as const;
/** Longer than it takes to confirm a finding, or to see one end. */
const A_WHILE_MS = 9000;

const gatewayOf = (settings: Settings): Gateway => {
  const gateway = Gateway.create(settings);
  for (const name of ['alice', 'bob']) gateway.write(`${name}.jwk.json`, JSON.stringify(people.jwk(name)));
  gateway.configure({ approvers: { alice: 'alice.jwk.json', bob: 'bob.jwk.json' } });
  return gateway;
};

const reload = async (gateway: Gateway, settings: Settings): Promise<void> => {
  const before = gateway.eventsOf('config.reloaded').length;
  gateway.configure(settings);
  gateway.signal('SIGHUP');
  await gateway.event('config.reloaded', { after: before });
};

/** How the findings of lists about the pool that a device works for stand by their last statements. */
const stand = (gateway: Gateway, device: string) =>
  IDS.map((id) => {
    const findings = gateway.findings(id, device).filter(({ finding }) => finding.part?.endsWith('slot 1') === true);
    return findings.at(-1)?.finding.state;
  });

const are = (gateway: Gateway, device: string, state: string): Promise<unknown> =>
  gateway.says(`${device}: ${state}`, () => stand(gateway, device).every((one) => one === state));

/** The parts of the configuration that were edited, as the log tells. */
const editsTold = (gateway: Gateway): readonly unknown[] =>
  gateway
    .findings('change.break-glass')
    .flatMap(({ finding }) =>
      finding.part?.startsWith('criteria') === true ? Object.values(finding.after ?? {}) : [],
    );

/** How the findings of lists about a device stand by their last statements. */
const allStand = (gateway: Gateway, device: string): readonly string[] => {
  const last = new Map<string, string>();
  for (const id of IDS)
    for (const { finding } of gateway.findings(id, device)) last.set(`${id} ${finding.part}`, finding.state);
  return [...last.values()];
};

const allAre = (gateway: Gateway, device: string, state: string): Promise<unknown> =>
  gateway.says(`all of ${device}: ${state}`, () => {
    const all = allStand(gateway, device);
    return all.length > 1 && all.every((one) => one === state);
  });

/** What is said of devices that went to another tenant. */
const reassignmentsTold = (gateway: Gateway): readonly unknown[] =>
  gateway
    .findings('change.break-glass')
    .flatMap(({ finding: { part, after, devices = [], reasons, severity } }) =>
      part?.startsWith('tenant ') === true ? [{ after, devices: devices.toSorted(), reasons, severity }] : [],
    );

suite('lists and tenants that are edited', { concurrency: 2 }, () => {
  test('a robbed device that goes to another tenant and comes back to a wider list is found again; one that was repaired is not', {
    timeout: 120_000,
  }, async () => {
    await using fleet = await fleetOf([AXEOS, AXEOS], '127.103.8.1');
    // Before anybody looked: but for the lists nothing would be wrong with them.
    for (const at of [0, 1]) fleet.device(at).changePoolUser(1, 'thief.x');
    const devices = (tenant: string) =>
      [0, 1].map((at) => ({
        host: fleet.devices[at]?.address,
        name: `rig-${at}`,
        ports: fleet.ports,
        labels: { tenant },
      }));
    const zeta = { allow: WIDER };
    await using gateway = gatewayOf({ devices: devices('acme'), tenants: { acme: { allow: OURS }, zeta } });
    await gateway.up();
    for (const device of ['rig-0', 'rig-1']) await are(gateway, device, 'open');
    await reload(gateway, { devices: devices('zeta') });
    for (const device of ['rig-0', 'rig-1']) await are(gateway, device, 'resolved');
    assert.equal(reassignmentsTold(gateway).length, 1, 'that it ended by an edit');
    fleet.device(1).changePoolUser(1, 'acme.axe15-00002');
    await delay(A_WHILE_MS);
    await gateway.stop('SIGKILL');
    gateway.configure({ devices: devices('acme'), tenants: { acme: { allow: WIDER }, zeta } });
    await gateway.up();
    await are(gateway, 'rig-0', 'open');
    assert.deepEqual(editsTold(gateway), ['tenants.allow'], 'made while no agent ran');
    await delay(A_WHILE_MS);
    assert.deepEqual(stand(gateway, 'rig-0'), ['open', 'open']);
    assert.deepEqual(stand(gateway, 'rig-1'), ['resolved', 'resolved']);
    const alone = await gateway.assayer('baseline accept', 'rig-0', '--yes', '--by', 'mallory');
    assert.match(`${alone.out}${alone.err}`, /two approvers have to sign/);
    // It was learned as it was robbed: what it shows now is found, too, and no repair before people say what is right.
    fleet.device(0).changePoolUser(1, 'acme.axe15-00001');
    await gateway.says('that it changed', () => gateway.findings('pool.user-changed', 'rig-0').length > 0);
    const right = people.sign(
      {
        kind: 'reference',
        ref_id: 'users',
        version: 1,
        iat: Math.floor(Date.now() / 1000),
        scope: { devices: ['rig-0'] },
        values: [{ fact: 'pools.user', class: 'template', value: 'acme.*' }],
      },
      'alice',
      'bob',
    );
    const adopted = await gateway.assayer(
      'baseline adopt',
      gateway.write('users.json', formatSignedTerms(right)),
      '--yes',
      '--break-glass',
      '--note',
      'the thief was here before the agent',
    );
    assert.equal(adopted.code, 0, adopted.err);
    await are(gateway, 'rig-0', 'approved');
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    assertPolite(fleet);
    await gateway.verified(gateway.write('people.json', JSON.stringify(people.trusted())));
  });

  test('a list that was emptied by a slip and healed by a restart ends what it raised, and nothing else', {
    timeout: 120_000,
  }, async () => {
    await using fleet = await fleetOf([AXEOS, AXEOS, AXEOS], '127.103.7.1');
    const devices = [0, 1, 2].map((at) => ({
      host: fleet.devices[at]?.address,
      name: `rig-${at}`,
      ports: fleet.ports,
      labels: { tenant: 'acme' },
    }));
    const lists = (allow: typeof OURS): Settings => ({ pools: { allow }, tenants: { acme: { allow } } });
    await using gateway = gatewayOf({ devices, ...lists(OURS) });
    await gateway.up();
    await gateway.knows(3);
    await reload(gateway, lists([]));
    for (const device of ['rig-0', 'rig-1', 'rig-2']) await are(gateway, device, 'open');
    fleet.device(1).changePoolUser(1, 'thief.x');
    await gateway.says('the theft', () => gateway.findings('pool.user-changed', 'rig-1').length > 0);
    await reload(gateway, lists([{ url: 'half-healed.example', user: '*' }]));
    await delay(A_WHILE_MS);
    await gateway.stop('SIGKILL');
    gateway.configure(lists(WIDER));
    await gateway.up();
    await are(gateway, 'rig-2', 'resolved');
    await are(gateway, 'rig-0', 'resolved');
    await delay(A_WHILE_MS);
    assert.deepEqual(stand(gateway, 'rig-1'), ['open', 'open']);
    const [first, ...others] = devices;
    // A port at which nobody asks such a miner.
    await reload(gateway, { devices: [{ ...first, ports: { ...fleet.ports, grpc: 50_999 } }, ...others] });
    await reload(gateway, { devices });
    assert.deepEqual(editsTold(gateway), [
      'pools.allow, tenants.allow',
      'pools.allow, tenants.allow',
      'pools.allow, tenants.allow',
      ...['devices', first?.host],
      ...['devices', first?.host],
    ]);
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    assertPolite(fleet);
    await gateway.verified(gateway.write('people.json', JSON.stringify(people.trusted())));
  });

  test('a label, an assignment, or a name with it, that gives a device to the tenant whose account it works for ends breaches and is told; a healthy one goes unsaid', {
    timeout: 120_000,
  }, async () => {
    await using fleet = await fleetOf([AXEOS, AXEOS, AXEOS, AXEOS, AXEOS], '127.103.9.1');
    const entry = (at: number, tenant: string, name = `rig-${at}`) => ({
      host: fleet.devices[at]?.address,
      name,
      ports: fleet.ports,
      labels: { tenant },
    });
    const from = new Date(Date.now() - 60_000).toISOString();
    const listed = { zeta: { allow: [{ url: '*', user: 'zeta.*' }] }, beta: { allow: OURS } };
    await using gateway = gatewayOf({
      devices: [entry(0, 'zeta'), entry(1, 'zeta'), entry(2, 'acme'), entry(3, 'zeta'), entry(4, 'zeta')],
      tenants: { acme: { allow: OURS }, ...listed },
    });
    await gateway.up();
    await gateway.knows(5);
    for (const device of ['rig-0', 'rig-1', 'rig-3', 'rig-4']) await allAre(gateway, device, 'open');

    // Of what is healthy only.
    await reload(gateway, {
      tenants: { acme: { allow: OURS }, ...listed, beta: { allow: OURS, devices: [{ device: 'rig-2', from }] } },
    });
    await gateway.says(
      'the healthy one at its new tenant',
      () => gateway.attestations('rig-2').at(-1)?.subject.labels?.tenant === 'beta',
    );
    assert.deepEqual(
      gateway.findings('change.break-glass').map(({ finding }) => finding.reasons),
      [['approvers-named']],
    );

    await reload(gateway, {
      devices: [entry(0, 'acme'), entry(1, 'zeta'), entry(2, 'acme'), entry(3, 'acme', 'rig-three'), entry(4, 'zeta')],
      tenants: {
        acme: { allow: OURS, devices: [{ device: 'rig-1', from }] },
        ...listed,
        beta: { allow: OURS, devices: [{ device: 'rig-2', from }] },
      },
    });
    for (const device of ['rig-0', 'rig-1', 'rig-3']) await allAre(gateway, device, 'resolved');
    const told = {
      after: {
        edited: 'tenant',
        from: 'zeta',
        to: 'acme',
        ended: 'pool.outside-allowlist, tenant.hash-destination-breach',
      },
      devices: ['rig-0', 'rig-1', 'rig-three'],
      reasons: ['configuration-edited', 'assignment-ended'],
      severity: 'high',
    };
    assert.deepEqual(reassignmentsTold(gateway), [told]);
    assert.deepEqual(editsTold(gateway), [], 'no list was edited');

    // It is over: neither another reading nor another start tells it again, but what is edited while no agent runs.
    await reload(gateway, {});
    await gateway.stop('SIGKILL');
    gateway.configure({
      devices: [entry(0, 'acme'), entry(1, 'zeta'), entry(2, 'acme'), entry(3, 'acme', 'rig-three'), entry(4, 'acme')],
    });
    await gateway.up();
    await allAre(gateway, 'rig-4', 'resolved');
    await delay(A_WHILE_MS);
    assert.deepEqual(reassignmentsTold(gateway), [told, { ...told, devices: ['rig-4'] }]);
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    assertPolite(fleet);
    await gateway.verified(gateway.write('people.json', JSON.stringify(people.trusted())));
  });
});
