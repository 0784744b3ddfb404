import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { Driver } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { type Recorded, recordDevice } from '../../agent/outside/record.ts';
import type { Recording } from '../../agent/outside/recording.ts';
import { cluesOfRecording } from '../../agent/outside/replay.ts';
import { systemClock } from '../../agent/platform/clock.ts';
import { compileAllowList } from '../../agent/probe/allow.ts';
import { IDENTIFICATION, surest } from '../../agent/probe/identify.ts';
import { Logins } from '../../agent/probe/logins.ts';
import { startFleet } from '../simulator/fleet.ts';
import { loadSpecimens } from '../specimens/specimen.ts';

const limits = { connectMs: 2000, exchangeMs: 4000, deviceMs: 20_000, maxReplyBytes: 1_048_576 };

const recordingOf = ({ device, files }: Recorded): Recording => ({
  device: { cgminer: { ending: 'nul', only_cmd: [] }, ...device },
  files,
});

/** Facts that stand on what is masked as a secret, or on a page in which nobody could find one. */
const MASKED: { readonly [specimen: string]: string } = {
  'luxos/s21-atm': 'access.write_session',
  'whatsminer/m21x-luci': 'identity.model, firmware.kernel, firmware.components',
};

test('every specimen is recorded, politely and without its password, and the recording gives its facts again', async () => {
  const specimens = loadSpecimens();
  const { listed } = compileAllowList(DRIVERS, IDENTIFICATION);
  await using fleet = await startFleet({ specimens, base: '127.92.0.1', allowed: listed, exact: true });
  const clock = systemClock();
  let recognised = 0;
  for (const [at, { name, device }] of specimens.entries()) {
    const driver = 'family' in device ? DRIVERS.find(({ family }) => family === device.family) : undefined;
    const { auth } = device;
    const login = auth === undefined ? {} : { credential: { user: auth.user, password: () => auth.password } };
    const recorded = await recordDevice({
      target: { address: fleet.device(at).address, ports: fleet.ports, ...login },
      driver,
      drivers: DRIVERS,
      redact: [],
      deps: { limits, clock, logins: new Logins(clock), wait: () => Promise.resolve() },
    });
    assert.ok(Object.keys(recorded.device.replies).length > 0, name);
    if (driver === undefined) continue;
    const lost = recorded.remarks.find((remark) => remark.startsWith('not as the device said it'));
    assert.equal(lost?.split(': ').at(-1), MASKED[name], name);
    const said = device as Extract<typeof device, { expect: unknown }>;
    const wanted = said.expect.find(({ credentials }) => credentials === (auth !== undefined)) ?? said.expect[0];
    if (lost === undefined) assert.deepEqual(recorded.device.expect?.[0]?.facts, wanted?.facts, name);
    recognised += sureOf(recorded, driver, name);
  }
  assert.ok(recognised > 40, String(recognised));
  assert.deepEqual(fleet.violations(), []);
  assert.equal(fleet.maxConnections(), 1);
});

/** A family that is told by a page alone is not told by a recording, which has none. */
const sureOf = (recorded: Recorded, driver: Driver, name: string): number => {
  const { drivers } = surest(DRIVERS, cluesOfRecording(recordingOf(recorded), DRIVERS));
  if (drivers.length === 0 && Object.keys(recorded.device.left_out).length > 0) return 0;
  assert.deepEqual(
    drivers.map(({ family }) => family),
    [driver.family],
    name,
  );
  return 1;
};

/** As operators and firmwares write down what nobody else should read. */
const SETTINGS = {
  ...{ admin_pw: 'hunter2', pass_1: 'hunter2', login: 'admin:hunter2', auth: false, auth_mode: 'digest' },
  ...{ cmd: 'cgminer -o stratum+tcp://p.example:3333 -u acct -p hunter2', more: '--pass hunter2 -O acct:hunter2' },
  ...{ note: 'password is hunter2', error: 'password hunter2 rejected', sent: 'Authorization: Basic hunter2=' },
  ...{ proxy: '//bob:hunter2@proxy.example', next: '/?user=a%26pwd%3Dhunter2%26x%3D1' },
};

test('secrets are masked wherever they stand, of an unknown device those of every family, and pool users where that is asked', async () => {
  const secret = { pool: 'hunter2-pool', url: 'hunter2-url', wifi: 'hunter2-wifi' };
  const pools = {
    POOLS: [
      { POOL: 0, URL: `stratum+tcp://acme:${secret.url}@north.pool.example:3333`, User: 'acme.7', Pass: secret.pool },
      {
        ...{ POOL: 1, URL: 'stratum+tcp://south.pool.example:3333', User: 'acme.8', Pass_1: 'hunter2', pw: 'hunter2' },
        ...{ passwords: ['hunter2'], Password2: 'hunter2', auth: 'hunter2', tokens: 7 },
      },
    ],
  };
  const info = { wifiPass: secret.wifi, ssid: 'hall-7', nested: { token: 'hunter2-token' }, set: SETTINGS };
  const files = new Map<string, Uint8Array>([
    ['version.json', Buffer.from(JSON.stringify({ VERSION: [{ Odd: '1.0' }] }))],
    ['summary.json', Buffer.from(JSON.stringify(pools))],
    ['info.json', Buffer.from(JSON.stringify(info))],
    ['page.html', Buffer.from('<html><title>Odd</title><script>var password = "hunter2-page"</script></html>')],
  ]);
  const device = {
    title: 'odd',
    model: 'odd',
    passive: true as const,
    quirks: [],
    cgminer: { ending: 'nul' as const, only_cmd: [] },
    left_out: {},
    replies: Object.fromEntries(
      [
        ['cgminer:version', 'version.json'],
        ['cgminer:summary', 'summary.json'],
        ['http:/', 'page.html'],
        ['http:/api/system/info', 'info.json'],
      ].map(([question, file]) => [question, { file, status: 200, headers: {}, auth: false }]),
    ),
  };
  await using fleet = await startFleet({
    specimens: [{ name: 'odd/one', device, files }],
    base: '127.92.9.1',
    exact: true,
  });
  const clock = systemClock();
  const recordWith = (redact: readonly string[]) =>
    recordDevice({
      target: { address: '127.92.9.1', ports: fleet.ports },
      driver: undefined,
      drivers: DRIVERS,
      redact,
      deps: { limits, clock, logins: new Logins(clock) },
    });
  const textOf = ({ files: kept, device: said, remarks }: Recorded): string =>
    [...kept.values()].map((bytes) => Buffer.from(bytes).toString()).join('\n') + JSON.stringify([said, remarks]);
  const plain = await recordWith([]);
  assert.doesNotMatch(textOf(plain), /hunter2/);
  assert.match(textOf(plain), /"User":"acme\.7".*"Pass":"\*\*\*"/);
  assert.match(textOf(plain), /"ssid":"hall-7"/);
  assert.match(textOf(plain), /"tokens":7/);
  assert.match(textOf(plain), /"login":"admin:\*\*\*","auth":false,"auth_mode":"digest"/);
  assert.match(textOf(plain), /cgminer -o stratum\+tcp:\/\/p\.example:3333 -u acct -p \*\*\*"/);
  assert.deepEqual(plain.device.left_out, { 'http:/': 'unreadable' });
  assert.match(plain.remarks.join('\n'), /http:\/: 77 bytes .* are not kept; the title of the page is "Odd"/);
  const redacted = await recordWith(['pools.user']);
  assert.match(textOf(redacted), /"User":"\*\*\*"/);
  assert.doesNotMatch(textOf(redacted), /hunter2|acme\.7/);
});

test('what a device says of itself where it asks for a log-in, or sends the browser on, is masked as well', async () => {
  const server = createServer((request, response) => {
    if (request.url === '/')
      response.writeHead(401, { 'www-authenticate': 'Basic realm="Odd password=hunter2 http://u:hunter2@h"' }).end();
    else response.writeHead(302, { location: '/login/password=hunter2' }).end();
  });
  await once(server.listen(0, '127.92.9.2'), 'listening');
  try {
    const clock = systemClock();
    const { port } = server.address() as AddressInfo;
    const recorded = await recordDevice({
      target: { address: '127.92.9.2', ports: { http: port } },
      driver: undefined,
      drivers: DRIVERS,
      redact: [],
      deps: { limits, clock, logins: new Logins(clock) },
    });
    assert.partialDeepStrictEqual(recorded.device.auth, { kind: 'basic', realm: 'Odd password=*** http://u:***@h' });
    const sent = Object.values(recorded.device.replies).flatMap(({ headers }) => headers?.Location ?? []);
    assert.ok(sent.length > 0 && sent.every((location) => location === '/login/password=***'), sent.join());
    assert.doesNotMatch(JSON.stringify([recorded.device, recorded.remarks]), /hunter2/);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
