import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { AgentError } from '../../agent/platform/errors.ts';
import { Agent, settingsFor } from './agents.ts';
import { MemoryOutbox } from './memory-outbox.ts';
import { Mosquitto, WITHOUT_MOSQUITTO } from './mosquitto.ts';
import { Observer, until } from './observer.ts';

const LOG = 'attest/v1/gw-1/log';
const dev = (device: string): string => `attest/v1/gw-1/dev/${device}`;
const finding = (severity: string): string => `attest/v1/gw-1/finding/${severity}`;

const attestation = (device: string) => ({ kind: 'attestation', device });

suite('mirrors for displays (mqtt.md §9)', { skip: WITHOUT_MOSQUITTO, timeout: 60_000 }, () => {
  test('a device has its newest attestation retained, in the same bytes as the log', async () => {
    await using broker = await Mosquitto.start();
    await using agent = new Agent(settingsFor(broker.url)).start();
    for (const device of ['m-1', 'm-2', 'm-1', 'm-1']) agent.outbox.append(attestation(device));
    await until('all entries', () => agent.outbox.cursor() === 4);
    await using observer = await Observer.connect(broker.url);
    await until(
      'the retained mirrors',
      () => observer.on(dev('m-1')).length === 1 && observer.on(dev('m-2')).length === 1,
    );
    assert.equal(observer.on(dev('m-1'))[0]?.text, Buffer.from(agent.outbox.entries[3]?.message ?? []).toString());
    assert.deepEqual(observer.seqs(dev('m-2')), [1]);
  });

  test('an older attestation of a device never follows a newer one on its topic', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    await using agent = new Agent(settingsFor(broker.url));
    for (let n = 0; n < 300; n += 1) agent.outbox.append(attestation(`m-${n % 3}`));
    agent.start();
    await until('all entries', () => observer.on(LOG).length === 300);
    await until('the newest', () => [0, 1, 2].every((n) => observer.seqs(dev(`m-${n}`)).at(-1) === 297 + n));
    const seqs = observer.seqs(dev('m-0'));
    assert.deepEqual(
      seqs,
      [...seqs].sort((left, right) => left - right),
    );
  });

  test('transitions of confirmed findings are mirrored by severity and not retained; provisional ones are not', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    await using agent = new Agent(settingsFor(broker.url)).start();
    agent.outbox.append({ kind: 'finding' });
    agent.outbox.append({ kind: 'finding', severity: 'high' });
    agent.outbox.append({ kind: 'finding', severity: 'critical' });
    await until('the mirrors', () => observer.on(finding('critical')).length === 1);
    assert.deepEqual(observer.seqs(finding('high')), [1]);
    assert.equal(observer.heard.filter(({ topic }) => topic.includes('/finding/')).length, 2);
    await using late = await Observer.connect(broker.url, { clientId: 'late' });
    await until('its presence', () => late.heard.length > 0);
    assert.equal(late.on(finding('high')).length, 0);
  });

  test('a mirror comes after its entry', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    await using agent = new Agent(settingsFor(broker.url)).start();
    agent.outbox.append(attestation('m-1'));
    await until('the mirror', () => observer.on(dev('m-1')).length > 0);
    const order = observer.heard.map(({ topic }) => topic).filter((topic) => topic === LOG || topic === dev('m-1'));
    assert.equal(order[0], LOG);
  });

  test('a broker that lost everything gets all devices again', async () => {
    await using broker = await Mosquitto.start();
    await using agent = new Agent(settingsFor(broker.url)).start();
    for (let n = 0; n < 120; n += 1) agent.outbox.append(attestation(`m-${n}`));
    await until('all entries', () => agent.outbox.cursor() === 120);
    await broker.kill();
    await broker.up();
    await using observer = await Observer.connect(broker.url);
    await until(
      'all devices',
      () => new Set(observer.heard.map(({ topic }) => topic).filter((topic) => topic.includes('/dev/'))).size === 120,
    );
    assert.equal(observer.on(LOG).length, 0, 'the log is not sent again');
  });

  test('attestations that cannot be read for their mirrors are told, and the log goes on', async () => {
    await using broker = await Mosquitto.start();
    class Damaged extends MemoryOutbox {
      override newestAfter(): never {
        throw new AgentError({ code: 'store.corrupt', message: 'entry 0 is not what was written', remedy: 'a backup' });
      }
    }
    await using agent = new Agent(settingsFor(broker.url), { outbox: new Damaged() }).start();
    await until('the warning', () => agent.events.some(({ event }) => event === 'uplink.mirrors-ended'));
    agent.outbox.append(attestation('m-1'));
    await until('the entry', () => agent.outbox.cursor() === 1);
    assert.ok(!agent.events.some(({ event }) => event === 'uplink.store'));
  });

  test('mirror: off has no device topics; auto has none above 500 devices; on has them', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    const many = new MemoryOutbox();
    for (let n = 0; n < 501; n += 1) many.append(attestation(`m-${n}`));
    await using auto = new Agent(settingsFor(broker.url), { gateway: 'gw-auto', outbox: many }).start();
    await using off = new Agent(settingsFor(broker.url, { mirror: 'off' }), { gateway: 'gw-off' }).start();
    off.outbox.append(attestation('m-1'));
    await until('their entries', () => auto.outbox.cursor() === 501 && off.outbox.cursor() === 1);
    await using on = new Agent(settingsFor(broker.url, { mirror: 'on' }), {
      gateway: 'gw-on',
      outbox: new MemoryOutbox(),
    });
    for (let n = 0; n < 501; n += 1) on.outbox.append(attestation(`m-${n}`));
    on.start();
    await until('its devices', () => observer.on('attest/v1/gw-on/dev/m-500').length > 0);
    const gateways = new Set(
      observer.heard.filter(({ topic }) => topic.includes('/dev/')).map(({ topic }) => topic.split('/')[2]),
    );
    assert.deepEqual([...gateways], ['gw-on']);
  });

  test('a tenant gets the mirrors of its devices, and its coverage, in the same bytes; a parent finding is not there', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    await using agent = new Agent(settingsFor(broker.url)).start();
    const { outbox } = agent;
    outbox.append({ ...attestation('m-1'), tenant: 'acme' });
    outbox.append(attestation('m-2'));
    outbox.append({ kind: 'finding', device: 'm-1', severity: 'high', tenant: 'acme' });
    outbox.append({ kind: 'finding', device: 'm-1', tenant: 'acme' });
    outbox.append({ kind: 'finding', severity: 'high' });
    outbox.append({ kind: 'coverage' });
    outbox.append({ kind: 'coverage', tenant: 'acme' });
    outbox.append({ ...attestation('m-3'), tenant: 'No/Topic' });
    outbox.append({ kind: 'finding', severity: 'low' });
    await until('the last mirror', () => observer.on(finding('low')).length === 1);
    const tenants = observer.heard.filter(({ topic }) => topic.startsWith('attest/v1/gw-1/tenant/'));
    assert.deepEqual(
      // Those of devices come once more after a connect that found no session.
      [...new Map(tenants.map(({ topic, text }) => [topic, text]))],
      [
        ['attest/v1/gw-1/tenant/acme/dev/m-1', 0],
        ['attest/v1/gw-1/tenant/acme/finding/high', 2],
        ['attest/v1/gw-1/tenant/acme/coverage', 6],
      ].map(([topic, seq]) => [topic, Buffer.from(outbox.entries[Number(seq)]?.message ?? []).toString()]),
    );
    await using late = await Observer.connect(broker.url, { clientId: 'late' });
    const kept = () => new Set(late.heard.map(({ topic }) => topic).filter((topic) => topic.includes('/dev/')));
    // A broker hands over what it retains in whatever order, and what is told once more while `late` listens comes twice.
    await until('what is retained', () => kept().size === 4);
    assert.deepEqual(
      new Set(late.heard.map(({ topic }) => topic).filter((topic) => topic.includes('/tenant/'))),
      new Set(['attest/v1/gw-1/tenant/acme/dev/m-1']),
    );
  });

  test('a device that goes to another tenant is cleared at the former one, one that leaves everywhere', async () => {
    await using broker = await Mosquitto.start();
    await using agent = new Agent(settingsFor(broker.url)).start();
    const { outbox } = agent;
    outbox.append({ ...attestation('m-1'), tenant: 'acme' });
    outbox.append({ ...attestation('m-2'), tenant: 'acme' });
    outbox.append({ ...attestation('m-1'), tenant: 'zeta' });
    outbox.leave('m-2');
    await until('all is cleared', () => outbox.cursor() === 4 && outbox.staleMirrors(1).length === 0);
    await using late = await Observer.connect(broker.url, { clientId: 'late' });
    await until('what is retained', () => late.on(dev('m-1')).length === 1);
    assert.deepEqual(
      late.heard
        .map(({ topic }) => topic)
        .filter((topic) => topic.includes('/dev/'))
        .sort(),
      [dev('m-1'), 'attest/v1/gw-1/tenant/zeta/dev/m-1'],
    );
  });

  test('what left while there was no connection is cleared after the next connect, also with mirror: off, and more than a page of it', async () => {
    await using broker = await Mosquitto.start();
    const outbox = new MemoryOutbox();
    {
      await using observer = await Observer.connect(broker.url);
      await using agent = new Agent(settingsFor(broker.url, { mirror: 'on' }), { outbox }).start();
      for (let n = 0; n < 120; n += 1) outbox.append({ ...attestation(`m-${n}`), tenant: 'acme' });
      await until('all entries', () => agent.outbox.cursor() === 120);
      // A mirror follows the acknowledgement of its entry: a stop between the two would lose those of the last.
      await until(
        'its mirrors',
        () =>
          new Set(observer.heard.map(({ topic }) => topic).filter((topic) => topic.endsWith('/dev/m-119'))).size === 2,
      );
    }
    for (let n = 0; n < 119; n += 1) outbox.leave(`m-${n}`);
    assert.equal(outbox.staleMirrors(1000).length, 238);
    await using _agent = new Agent(settingsFor(broker.url, { mirror: 'off' }), { outbox }).start();
    await until('all is cleared', () => outbox.staleMirrors(1).length === 0);
    await using late = await Observer.connect(broker.url, { clientId: 'late' });
    await until('what is retained', () => late.heard.filter(({ topic }) => topic.includes('m-119')).length === 2);
    assert.deepEqual(
      late.heard
        .map(({ topic }) => topic)
        .filter((topic) => topic.includes('/dev/'))
        .sort(),
      [dev('m-119'), 'attest/v1/gw-1/tenant/acme/dev/m-119'],
    );
  });

  test('a broker that refuses mirrors does not hold up the log, and is complained of once', async () => {
    const acl =
      'user observer\ntopic readwrite #\npattern readwrite attest/v1/%c/conn\npattern write attest/v1/%c/log\n';
    await using broker = await Mosquitto.start(['allow_anonymous true', 'acl_file #/acl'], { acl });
    await using observer = await Observer.connect(broker.url, { username: 'observer' });
    await using agent = new Agent(settingsFor(broker.url)).start();
    for (let n = 0; n < 50; n += 1) agent.outbox.append(attestation(`m-${n}`));
    await until('all entries', () => observer.on(LOG).length === 50 && agent.outbox.cursor() === 50);
    assert.equal(agent.events.filter(({ event }) => event === 'uplink.mirror-refused').length, 1);
  });
});
