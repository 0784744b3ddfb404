import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { formatSignedTerms } from '../../shared/signed-terms.ts';
import { Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { Observer } from '../publish/observer.ts';
import { People } from '../record/approvers.ts';
import { Gateway } from './agent.ts';
import { assertPolite, fleetOf } from './fleets.ts';

/** Approvers at work: what they sign reaches a gateway over a real broker, holds over kill -9, and ends. */

const people = new People('alice', 'bob');
const now = (): number => Math.floor(Date.now() / 1000);

const plan = () =>
  ({
    kind: 'plan',
    plan_id: 'summer-firmware',
    iat: now(),
    type: 'change',
    scope: { devices: ['rig-0'] },
    ids: ['firmware.*'],
    expected_after: [
      { fact: 'firmware.version', class: 'exact', value: 'v2.16.0' },
      { fact: 'firmware.components', class: 'volatile' },
    ],
    not_before_at: now() - 60,
    not_after_at: now() + 3600,
    author: 'alice',
    ticket: 'CHG-7',
  }) as const;

const pools = (user: string, version = 1) =>
  ({
    kind: 'reference',
    ref_id: 'rig-pools',
    version,
    scope: { logs: ['example.org/gw-1'], devices: ['rig-0'] },
    values: [{ fact: 'pools.user', class: 'template', value: ['acme.*', user] }],
  }) as const;

suite('terms of approvers over a broker', { skip: WITHOUT_MOSQUITTO }, () => {
  test('a plan makes the change info, a signed reference allows the new account, both outlive kill -9, and end', {
    timeout: 120_000,
  }, async () => {
    await using fleet = await fleetOf(['axeos/gamma-2.15', 'axeos/gamma-2.15'], '127.76.0.1');
    await using broker = await Mosquitto.start();
    const devices = fleet.devices.map(({ address }, index) => ({
      host: address,
      name: `rig-${index}`,
      ports: fleet.ports,
    }));
    await using gateway = Gateway.create({ devices, mqtt: { url: broker.url, spread_s: 0 } });
    for (const name of ['alice', 'bob']) gateway.write(`${name}.jwk.json`, JSON.stringify(people.jwk(name)));
    gateway.configure({ approvers: { alice: 'alice.jwk.json', bob: 'bob.jwk.json' } });
    await gateway.up();
    await gateway.knows(2);
    await using approver = await Observer.connect(broker.url, { clientId: 'approver' }, []);
    const hand = (name: string, signed: string): Promise<unknown> =>
      approver.publish(`attest/v1/gw-1/ref/${name}`, signed, true);

    await hand('summer-firmware', formatSignedTerms(people.sign(plan(), 'alice')));
    assert.match(String((await gateway.event('terms.refused')).message), /two people/);
    await hand('summer-firmware', formatSignedTerms(people.sign(plan(), 'alice', 'bob')));
    await gateway.event('terms.adopted');
    for (const index of [0, 1]) fleet.device(index).setFirmware({ version: 'v2.16.0' });
    await gateway.says('both changed', () => gateway.findings('firmware.version-changed').length >= 2);
    const [planned, unplanned] = ['rig-0', 'rig-1'].map(
      (device) => gateway.findings('firmware.version-changed', device)[0]?.finding,
    );
    const adopted = gateway.log.find((one) => one.kind === 'change');
    assert.deepEqual([planned?.severity, planned?.plan], ['info', adopted?.seq]);
    assert.deepEqual([unplanned?.severity, unplanned?.plan], ['medium', undefined]);

    await gateway.stop('SIGKILL');
    await gateway.up();
    await hand('rig-pools', formatSignedTerms(people.sign(pools('newtenant.rig0'), 'alice', 'bob')));
    await gateway.event('terms.adopted', { after: 1 });
    fleet.device(0).changePoolUser(0, 'newtenant.rig0');
    fleet.device(1).changePoolUser(0, 'newtenant.rig0');
    await gateway.says('the one that nobody allowed', () => gateway.findings('pool.user-changed', 'rig-1').length > 0);
    await delay(4_000);
    assert.deepEqual(gateway.findings('pool.user-changed', 'rig-0'), []);
    assert.equal(
      gateway.log.filter((one) => one.kind === 'change').length,
      1,
      'what the broker kept is not adopted twice',
    );

    const alone = await gateway.assayer('baseline withdraw', 'rig-pools', '--yes', '--by', 'alice');
    assert.match(alone.err, /one alone does not end it/);
    const emergency = ['--yes', '--by', 'alice', '--break-glass', '--note', 'bob is away'];
    assert.equal((await gateway.assayer('baseline withdraw', 'rig-pools', ...emergency)).code, 0);
    await gateway.says('no longer allowed', () => gateway.findings('pool.user-changed', 'rig-0').length > 0);
    assert.equal((await gateway.assayer('plan close', 'summer-firmware', ...emergency)).code, 0);
    assert.deepEqual(
      gateway.findings('change.break-glass').map(({ finding: { severity, reasons } }) => [severity, reasons]),
      [
        ['info', ['approvers-named']],
        ['high', ['bob is away']],
        ['high', ['bob is away']],
      ],
    );
    const last = gateway.log.findLast((one) => one.kind === 'change');
    assert.deepEqual([last?.change.action, last?.change.id], ['closed', 'summer-firmware']);
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    assertPolite(fleet);
    await gateway.verified(gateway.write('approvers.json', JSON.stringify(people.trusted())));

    const refused = gateway.eventsOf('terms.refused').length;
    for (const end of ['', '-wal', '-shm']) rmSync(join(gateway.stateDir, `assayer.db${end}`), { force: true });
    await gateway.up();
    const told = [
      await gateway.event('terms.refused', { after: refused }),
      await gateway.event('terms.refused', { after: refused + 1 }),
    ];
    assert.deepEqual(new Set(told.map(({ message }) => message)), new Set(['it was ended here before']));
    assert.match((await gateway.assayer('baseline show')).out, /no signed reference is in force/);
  });
});
