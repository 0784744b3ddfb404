import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ChangeStatement, FindingStatement } from '../../shared/statement.ts';
import { Gateway, run } from './agent.ts';
import { assertPolite, fleetOf } from './fleets.ts';

/** What operators and approvers type, from the key of an approver to a finding that is dealt with. */

test('two approvers sign what devices show, a plan makes a change info, and findings are shown, acknowledged, approved, waived', {
  timeout: 480_000,
}, async () => {
  await using fleet = await fleetOf(['axeos/gamma-2.15', 'axeos/gamma-2.15', 'axeos/gamma-2.15'], '127.77.0.1');
  const devices = fleet.devices.map(({ address }, index) => ({
    host: address,
    name: `rig-${index}`,
    ports: fleet.ports,
  }));
  await using gateway = Gateway.create({ devices });
  const at = (name: string): string => join(gateway.folder, name);
  gateway.write('pass', 'correct horse battery staple\n');
  const secret = ['--passphrase-file', at('pass')];
  for (const name of ['alice', 'bob']) {
    const made = await run([
      'keys',
      'new',
      '--role',
      'approver',
      '--name',
      name,
      '--out',
      at(`${name}.key`),
      ...secret,
    ]);
    assert.equal(made.code, 0, made.err);
  }
  gateway.configure({ approvers: { alice: 'alice.jwk.json', bob: 'bob.jwk.json' } });
  await gateway.up();
  await gateway.knows(3);
  const ok = async (verb: string, ...words: readonly string[]): Promise<string> => {
    const { code, out, err } = await gateway.assayer(verb, ...words);
    assert.equal(code, 0, `${verb}: ${err}`);
    return out;
  };
  const sign = async (verb: string, draft: string, by: string): Promise<void> => {
    const { code, err } = await run([verb, 'sign', at(draft), '--key', at(`${by}.key`), ...secret, '--yes']);
    assert.equal(code, 0, err);
  };

  // Everything as it is, by two people.
  await ok('baseline export', '--all', '--name', 'site', '--out', at('site.yaml'));
  await sign('baseline', 'site.yaml', 'alice');
  const early = await gateway.assayer('baseline adopt', at('site.signed.json'), '--yes');
  assert.equal(early.code, 2);
  assert.match(early.err, /two people have to approve/);
  await sign('baseline', 'site.signed.json', 'bob');
  assert.match(
    await ok('baseline adopt', at('site.signed.json'), '--yes'),
    /reference site is in force by entry \d+\n$/,
  );
  await gateway.says('match', () => gateway.attestations('rig-0').at(-1)?.appraisal.conformance === 'match');
  assert.match(await ok('baseline show'), /site +1 .*3 devices as attested .*alice, bob/);
  assert.match(await ok('baseline show', 'rig-0'), /firmware\.version .*signed, entry \d+/);
  assert.match(await ok('baseline diff'), /^no difference\n$/);

  // A plan, under way for one of two.
  const draft = ['--device', 'rig-0', '--device', 'rig-1', '--id', 'firmware.*', '--from', 'now', '--to', '+2h'];
  const expect = ['--expect', 'firmware.version=v2.16.0'];
  const created = await run([
    'plan',
    'create',
    'summer',
    ...draft,
    ...expect,
    '--author',
    'alice',
    '--ticket',
    'CHG-7',
    '--out',
    at('summer.yaml'),
  ]);
  assert.equal(created.code, 0, created.err);
  await sign('plan', 'summer.yaml', 'alice');
  await sign('plan', 'summer.signed.json', 'bob');
  await ok('plan adopt', at('summer.signed.json'), '--yes');
  assert.match(await ok('plan list'), /summer +open .*nothing yet +CHG-7 +alice, bob/);
  fleet.device(0).setFirmware({ version: 'v2.16.0', build: 'Aug  9 2026 10:10:10' });
  await gateway.says('the planned change', () => gateway.findings('firmware.version-changed').length > 0);
  assert.equal(gateway.findings('firmware.version-changed')[0]?.finding.severity, 'info');
  const report = await gateway.assayer('plan report', 'summer');
  assert.equal(report.code, 1);
  assert.match(report.out, / 1 {2}as planned\n +0 {2}changed to something else\n +1 {2}unchanged\n +rig-1\n/);

  // A theft, seen and undone.
  fleet.device(2).changePoolUser(0, 'thief.x');
  await gateway.says('the theft', () => gateway.findings('pool.user-changed').length > 0);
  const number = String(gateway.findings('pool.user-changed')[0]?.finding.opened_seq);
  const shown = await gateway.assayer('findings show', number);
  assert.equal(shown.code, 1);
  assert.match(shown.out, new RegExp(`^Finding ${number}: pool\\.user-changed, slot 0: critical, open\n`));
  for (const part of [
    /before +acme\.axe15/,
    /after +thief\.x/,
    /since .* ago/,
    /how sure +self-reported/,
    /who can approve/,
  ])
    assert.match(shown.out, part);
  await ok('findings ack', number, '--by', 'carol', '--note', 'called the site');
  assert.match((await gateway.assayer('findings')).out, /critical +acknowledged +rig-2/);
  assert.match((await gateway.assayer('findings approve', number, '--yes')).out, /not accepted: .*two approvers/);
  assert.match((await gateway.assayer('findings close', number, '--note', 'over')).err, /still shows it/);
  fleet.device(2).changePoolUser(0, String(gateway.findings('pool.user-changed')[0]?.finding.before));
  await gateway.says('its end', () => gateway.findings('pool.user-changed').at(-1)?.finding.state === 'resolved');
  assert.match(await ok('findings show', number), /resolved\n/);

  // A small drift, waived for a day.
  fleet.device(2).set('hostname', 'bench-2');
  await gateway.says('another host name', () => gateway.findings('config.network-changed').length > 0);
  const drift = String(gateway.findings('config.network-changed')[0]?.finding.opened_seq);
  const waive = ['--reason', 'on the bench', '--risk', 'none', '--until', '+1d', '--by', 'carol'];
  const unasked = await gateway.assayer('findings waive', drift, ...waive);
  assert.equal(unasked.code, 2);
  assert.match(unasked.out, /^Waiver finding-\d+\n {2}covers +devices rig-2; /);
  assert.match(unasked.err, /there is no terminal to confirm on\n {2}remedy: .*--yes/);
  await ok('findings waive', drift, ...waive, '--yes');
  await gateway.says('waived', () => gateway.findings('config.network-changed').at(-1)?.finding.state === 'waived');
  assert.equal((await gateway.assayer('findings', '--device', 'rig-2')).code, 0);
  assert.match(await ok('waiver list'), new RegExp(`finding-${drift} .*on the bench +carol`));
  assert.match(
    await ok('waiver close', `finding-${drift}`, '--by', 'carol', '--yes'),
    new RegExp(
      `1 open finding that it covers counts again at the next look that shows what they are about.*\n +${drift} medium config\\.network-changed`,
    ),
  );
  await gateway.says('open again', () => gateway.findings('config.network-changed').at(-1)?.finding.state === 'open');

  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  assertPolite(fleet);
  const trusted = ['alice', 'bob'].map((name) => at(`${name}.jwk.json`));
  await gateway.verified(...trusted);
  const kinds = gateway.log.filter((one): one is ChangeStatement | FindingStatement => one.kind === 'change');
  assert.deepEqual(
    kinds.map((one) => one.kind === 'change' && [one.change.type, one.change.action, one.change.by]),
    [
      ['plan', 'adopted', undefined],
      ['waiver', 'adopted', 'carol'],
      ['waiver', 'closed', 'carol'],
    ],
  );
});
