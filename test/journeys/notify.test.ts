import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Receiver, refuse, SECRET } from '../notify/receiver.ts';
import { until } from '../publish/observer.ts';
import { People } from '../record/approvers.ts';
import { Gateway } from './agent.ts';
import { assertPolite, fleetOf } from './fleets.ts';

test('a theft reaches webhook and command from the signed log, redacted as there; killed, restarted and reloaded nothing is lost or told twice', {
  timeout: 150_000,
}, async () => {
  await using fleet = await fleetOf(['axeos/gamma-2.15', 'whatsminer/m50s-api2'], '127.97.0.1');
  await using receiver = await Receiver.start();
  const devices = fleet.devices.map(({ address }, at) => ({ host: address, name: `rig-${at}`, ports: fleet.ports }));
  await using gateway = Gateway.create({ devices, redact: ['pools.user'] });
  const secret_file = gateway.write('pager-secret', `${SECRET}\n`);
  const said = gateway.write('said', '');
  const pager = { name: 'pager', webhook: { url: receiver.url, secret_file }, least: 'high' };
  const script = { name: 'script', command: ['/bin/sh', '-c', `cat >> ${said}; echo >> ${said}`] };
  gateway.configure({ notify: [pager] });
  await gateway.up();
  await gateway.knows(2);
  receiver.answer = refuse(503);
  fleet.device(0).changePoolUser(0, 'thief.rig0');
  await gateway.says('the theft', () => gateway.findings('pool.user-changed').length > 0);
  const failed = await gateway.event('notify.failed');
  assert.deepEqual([failed.level, failed.target], ['warn', 'pager']);
  const { out: failing } = await gateway.assayer('status');
  assert.match(failing, /^notify pager: failing, webhook http:\/\/127\.0\.0\.1:\d+, since .*answers 503 \(remedy: /m);
  const doctor = await gateway.assayer('doctor', '--json');
  const checks = JSON.parse(doctor.out).checks as readonly { check: string; level: string }[];
  assert.deepEqual(
    checks.filter(({ check }) => check === 'notify').map(({ level }) => level),
    ['fail'],
  );

  await gateway.stop('SIGKILL');
  const before = receiver.received.length;
  receiver.answer = (response) => void response.writeHead(204).end();
  await gateway.up();
  await until('it is told', () => receiver.received.length > before);
  const [theft] = gateway.findings('pool.user-changed', 'rig-0');
  const told = receiver.received.at(-1)?.notification;
  assert.ok(told !== undefined && 'finding' in told.data && theft !== undefined);
  assert.deepEqual([told.type, told.data.seq, told.data.finding], ['finding.open', theft.seq, theft.finding]);
  assert.match(told.data.text, /^critical pool\.user-changed open, rig-0, .*redacted -> redacted/);
  assert.equal(
    new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size,
    1,
    'one thing, many attempts',
  );
  for (const { body } of receiver.received) assert.doesNotMatch(body, /thief/);

  gateway.configure({ notify: [pager, script] });
  gateway.signal('SIGHUP');
  const fresh = await gateway.event('notify.target-new', { after: 1 });
  assert.deepEqual([fresh.target, Number(fresh.from) > theft.seq], ['script', true]);
  const accepted = await gateway.assayer('baseline accept', '--all', '--yes', '--by', 'ada', '--note', 'ticket 12');
  assert.equal(accepted.code, 0, accepted.err);
  await until('the end at the webhook', () => receiver.types.includes('finding.approved'));
  await until('the end at the command', () => existsSync(said) && readFileSync(said, 'utf8').includes('\n'));
  const [line = ''] = readFileSync(said, 'utf8').split('\n');
  const { type, data } = JSON.parse(line);
  assert.deepEqual(
    [type, data.target, data.key, data.finding.by],
    ['finding.approved', 'script', told.data.key, 'ada'],
  );
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  assert.deepEqual([...new Set(receiver.types)], ['finding.open', 'finding.approved']);
  assert.doesNotMatch(gateway.stderr, /s3cret|whsec|thief/);
  assertPolite(fleet);
  await gateway.verified();
});

test('who takes the pager out of the configuration, steals, and puts it back, is told of: by the edits, and by what it missed', {
  timeout: 120_000,
}, async () => {
  await using fleet = await fleetOf(['axeos/gamma-2.15'], '127.99.0.1');
  await using receiver = await Receiver.start();
  const devices = fleet.devices.map(({ address }) => ({ host: address, name: 'rig-0', ports: fleet.ports }));
  await using gateway = Gateway.create({ devices });
  const people = new People('alice', 'bob');
  for (const name of ['alice', 'bob']) gateway.write(`${name}.jwk.json`, JSON.stringify(people.jwk(name)));
  const secret_file = gateway.write('pager-secret', SECRET);
  const notify = [{ name: 'pager', webhook: { url: receiver.url, secret_file }, least: 'high' }];
  gateway.configure({ approvers: { alice: 'alice.jwk.json', bob: 'bob.jwk.json' }, notify });
  await gateway.up();
  await gateway.knows(1);
  gateway.configure({ notify: [] });
  gateway.signal('SIGHUP');
  const gone = await gateway.event('notify.target-gone');
  assert.deepEqual([gone.level, gone.target], ['warn', 'pager']);
  fleet.device(0).changePoolUser(0, 'thief.rig0');
  await gateway.says('the theft', () => gateway.findings('pool.user-changed').length > 0);
  gateway.configure({ notify });
  gateway.signal('SIGHUP');
  const edits = () =>
    gateway.findings('change.break-glass').filter(({ finding }) => finding.reasons?.includes('configuration-edited'));
  await gateway.says('both edits', () => edits().length === 2);
  assert.deepEqual(
    edits().map(({ finding }) => finding.after),
    [{ edited: 'notify' }, { edited: 'notify' }],
  );
  const told = () =>
    receiver.received.flatMap(({ notification: { data } }) => ('finding' in data ? [data.finding.id] : []));
  await until('all of it', () => told().length === 3);
  assert.deepEqual(told(), ['change.break-glass', 'pool.user-changed', 'change.break-glass']);
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
});

test('what many devices show is told as their parent', { timeout: 120_000 }, async () => {
  await using fleet = await fleetOf(Array(7).fill('axeos/gamma-2.15'), '127.98.0.1');
  await using receiver = await Receiver.start();
  await using gateway = Gateway.create({
    devices: fleet.devices.map(({ address }, at) => ({ host: address, name: `rig-${at}`, ports: fleet.ports })),
  });
  const secret_file = gateway.write('pager-secret', SECRET);
  gateway.configure({
    notify: [{ name: 'pager', webhook: { url: receiver.url, secret_file }, ids: ['pool.user-changed'] }],
  });
  await gateway.up();
  await gateway.knows(7);
  for (let at = 0; at < 7; at += 1) fleet.device(at).changePoolUser(0, `thief.rig${at}`);
  const parent = () =>
    receiver.received
      .map(({ notification: { data } }) => data)
      .find((data) => 'finding' in data && (data.finding.count ?? 0) >= 5);
  await until('the parent', () => parent() !== undefined, 60_000);
  await gateway.says('all are attested', () => gateway.attestations().length >= 14);
  const stated = gateway.log.filter(({ kind }) => kind === 'finding').length;
  await until('all that the log says', () => receiver.received.length === stated);
  assert.ok(stated < 7, `${stated} statements for 7 devices`);
  assert.match(parent()?.text ?? '', /^critical pool\.user-changed open, \d devices: rig-\d rig-\d rig-\d …: /);
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
});
