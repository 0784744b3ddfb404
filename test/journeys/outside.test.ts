import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ACME, ALLOWED_WITH_ACME, acmeSpecimen } from '../outside/example.ts';
import { until } from '../publish/observer.ts';
import { startFleet } from '../simulator/fleet.ts';
import { Gateway } from './agent.ts';
import { assertPolite, rangeOf, specimen } from './fleets.ts';

test('the agent reads devices of a driver file, finds a changed pool of one, and its log shows when the file changed', {
  timeout: 90_000,
}, async () => {
  await using fleet = await startFleet({
    specimens: [acmeSpecimen(), acmeSpecimen(), specimen('axeos/gamma-2.15'), specimen('cgminer/cgminer')],
    base: '127.94.0.1',
    allowed: ALLOWED_WITH_ACME,
  });
  await using gateway = Gateway.create({ devices: [rangeOf(fleet)], drivers: ['acme.yaml'] });
  const driver = gateway.write('acme.yaml', ACME);
  await gateway.up();
  await gateway.knows(4);
  assert.deepEqual(familiesOf(gateway), ['acme', 'acme', 'axeos', 'cgminer']);
  const first = digestOf(gateway, driver);
  assert.deepEqual(digestsIn(gateway), [first]);

  fleet.device(0).changePoolUser(0, 'thief.x');
  await gateway.says('the theft', () => gateway.findings('pool.user-changed').length > 0);
  const found = gateway.findings('pool.user-changed')[0]?.finding;
  assert.deepEqual([found?.severity, found?.after], ['critical', 'thief.x']);

  gateway.write(
    'acme.yaml',
    ACME.replace('{ cgminer: summary, cadence: pools }', '{ cgminer: restart, cadence: pools }'),
  );
  gateway.signal('SIGHUP');
  const refused = await gateway.event('config.rejected');
  assert.match(
    String(refused.message),
    /acme\.yaml:6: queries\.summary\.cgminer: may not be sent: "restart" says "start"/,
  );
  assert.deepEqual(digestsIn(gateway), [first]);
  const asked = total(fleet.requests());
  await until('rounds go on under the driver read before', () => total(fleet.requests()) > asked + 12);

  gateway.write('acme.yaml', ACME.replace('title: ACME A1', 'title: ACME A1 and A2'));
  const second = digestOf(gateway, driver);
  gateway.signal('SIGHUP');
  await gateway.event('config.reloaded');
  assert.notEqual(second, first);
  assert.deepEqual(digestsIn(gateway), [first, second]);

  gateway.configure({ drivers: [] });
  gateway.signal('SIGHUP');
  await gateway.event('config.reloaded', { after: 1 });
  assert.equal(digestsIn(gateway).at(-1), hash('sha256', readFileSync(gateway.file), 'base64url'));
  await gateway.says(
    'without its driver file it is what it imitates',
    () => gateway.findings('firmware.family-changed').length > 0,
  );
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  assertPolite(fleet);
  await gateway.verified();
});

/** As docs/configuration.md says it is made. */
const digestOf = ({ file }: Gateway, driver: string): string =>
  hash('sha256', Buffer.concat([file, driver].map((one) => hash('sha256', readFileSync(one), 'buffer'))), 'base64url');

const digestsIn = ({ log }: Gateway): readonly string[] =>
  log.flatMap((one) => (one.kind === 'session' && 'config_sha256' in one.session ? [one.session.config_sha256] : []));

const familiesOf = (gateway: Gateway): readonly string[] => {
  const newest = new Map(gateway.attestations().map(({ subject, evidence }) => [subject.device, evidence]));
  return [...newest.values()]
    .map((evidence) => String((evidence as { claims?: { family?: string } }).claims?.family))
    .sort();
};

const total = (requests: ReadonlyMap<string, number>): number =>
  [...requests.values()].reduce((sum, count) => sum + count, 0);
