import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { mosquittoAccess } from '../../scripts/docs/broker-access.ts';
import { Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { Observer, until } from '../publish/observer.ts';
import { Gateway } from './agent.ts';
import { assertPolite, fleetOf } from './fleets.ts';

/** The published access list, with a second tenant and somebody who sees all. */
const ACCESS = `${mosquittoAccess()}
user zeta
topic read attest/v1/+/tenant/zeta/#
user overseer
topic readwrite #
`;

const ROOT = 'attest/v1/gw-1/tenant';

suite('tenants at a broker with the published access list', { skip: WITHOUT_MOSQUITTO, timeout: 120_000 }, () => {
  test('each hears of its own devices and nothing else; one that moves or leaves is cleared; the log verifies', async () => {
    await using fleet = await fleetOf(['axeos/gamma-2.15', 'whatsminer/m50s-api2'], '127.96.0.1');
    const entry = (at: number, tenant: string) => ({
      host: fleet.devices[at]?.address,
      name: `rig-${at}`,
      ports: fleet.ports,
      labels: { tenant },
    });
    await using broker = await Mosquitto.start(['allow_anonymous true', 'acl_file #/acl'], { acl: ACCESS });
    const as = (username: string) => Observer.connect(broker.url, { username, clientId: username }, ['#']);
    await using acme = await as('acme');
    await using zeta = await as('zeta');
    await using gateway = await Gateway.start({
      devices: [entry(0, 'acme'), entry(1, 'zeta')],
      mqtt: { url: broker.url, username: 'gw-1', spread_s: 0 },
    });
    await gateway.knows(2);
    fleet.device(0).changePoolUser(0, 'thief.rig0');
    await until('the theft', () => acme.on(`${ROOT}/acme/finding/critical`).length > 0);
    await until('its coverage', () => acme.on(`${ROOT}/acme/coverage`).length > 0, 30_000);
    const [theft] = gateway.findings('pool.user-changed', 'rig-0');
    assert.deepEqual(JSON.parse(acme.on(`${ROOT}/acme/finding/critical`)[0]?.text ?? ''), theft);
    const { coverage } = JSON.parse(acme.on(`${ROOT}/acme/coverage`)[0]?.text ?? '');
    assert.deepEqual([coverage.scope, coverage.expected, coverage.observed], ['tenant:acme', 1, 1]);
    const { config } = coverage.polls;
    assert.ok(config.due > 0 && config.ok <= config.due, JSON.stringify(coverage));
    const heardBy = (client: Observer) =>
      [...new Set(client.heard.map(({ topic }) => topic.split('/').slice(3, 6).join('/')))].sort();
    await until('the coverage of the other', () => zeta.on(`${ROOT}/zeta/coverage`).length > 0, 30_000);
    assert.deepEqual(heardBy(zeta), ['tenant/zeta/coverage', 'tenant/zeta/dev']);
    assert.deepEqual(heardBy(acme), ['cp', 'tenant/acme/coverage', 'tenant/acme/dev', 'tenant/acme/finding']);

    gateway.configure({ devices: [entry(0, 'zeta'), entry(1, 'zeta')] });
    gateway.signal('SIGHUP');
    await until('the device at the other tenant', () => zeta.on(`${ROOT}/zeta/dev/rig-0`).length > 0, 30_000);
    await until('it is cleared at the former', () => acme.on(`${ROOT}/acme/dev/rig-0`).at(-1)?.text === '');
    assert.deepEqual(gateway.attestations('rig-0').at(-1)?.subject.labels, { tenant: 'zeta' });

    gateway.configure({ devices: [entry(0, 'zeta')] });
    gateway.signal('SIGHUP');
    await until('what left is cleared', () => zeta.on(`${ROOT}/zeta/dev/rig-1`).at(-1)?.text === '');
    await using overseer = await as('overseer');
    await until('what is kept', () => overseer.on('attest/v1/gw-1/dev/rig-0').length > 0);
    assert.deepEqual(
      overseer.heard
        .map(({ topic }) => topic)
        .filter((topic) => topic.includes('/dev/'))
        .sort(),
      ['attest/v1/gw-1/dev/rig-0', `${ROOT}/zeta/dev/rig-0`],
    );
    await gateway.periodEnds();
    assert.deepEqual(gateway.eventsOf('uplink.mirror-refused'), []);
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    assertPolite(fleet);
    await gateway.verified();
  });
});
