import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { loadSpecimens, replyBytes } from '../specimens/specimen.ts';
import { askCommand, askQuestion, bodyOf, callMethod, converse, getPath } from './asking.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { encoded } from './protobuf.ts';
import { HOME, MODULE, RACK } from './samples.ts';

const json = (text: string) => JSON.parse(text.replace('\0', ''));

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

const logIn = async (fleet: Fleet, path: string, password = 'specimen') => {
  const device = fleet.device(0);
  const challenge = (await getPath(fleet, device, path)).text;
  const nonce = /nonce="([^"]+)"/.exec(challenge)?.[1] ?? '';
  const secret = md5(`root:sample Configuration:${password}`);
  const response = md5([secret, nonce, '00000001', 'c0', 'auth', md5(`GET:${path}`)].join(':'));
  const header =
    `Authorization: Digest username="root", realm="sample Configuration", nonce="${nonce}", uri="${path}", ` +
    `response="${response}", qop=auth, nc=00000001, cnonce="c0"`;
  return { challenge, heard: await getPath(fleet, device, path, [header]) };
};

test('every reply of every specimen is served byte for byte', async () => {
  const specimens = loadSpecimens();
  assert.ok(specimens.length > 0, 'no specimen to look at');
  await using fleet = await startFleet({ specimens, exact: true, base: '127.21.0.1' });
  const endings = { nul: '\0', newline: '\n', none: '' };
  let looked = 0;
  for (const device of fleet.devices) {
    const { specimen } = device.script;
    for (const [question, { auth, status }] of Object.entries(specimen.device.replies)) {
      const expected = Buffer.from(replyBytes(specimen, question) ?? []).toString('latin1');
      if (question.startsWith('grpc:')) {
        const method = question.slice('grpc:'.length);
        const { auth: login } = specimen.device;
        const token = login?.kind === 'grpc-login' ? login.token : '';
        const called = await callMethod(fleet, device, method, { token });
        assert.equal(called.status, '0', `${specimen.name} ${question}`);
        assert.deepEqual(called.message, encoded(method, Buffer.from(expected, 'latin1')));
        if (auth) assert.equal((await callMethod(fleet, device, method)).status, '16', `${specimen.name} ${question}`);
        looked += 1;
        continue;
      }
      const heard = await askQuestion(fleet, device, question);
      if (question.startsWith('cgminer')) {
        assert.equal(heard.text, expected + endings[specimen.device.cgminer.ending], `${specimen.name} ${question}`);
      } else if (question.startsWith('framed')) {
        assert.equal(heard.text.slice(4), expected, `${specimen.name} ${question}`);
      } else {
        const { auth: login } = specimen.device;
        const refusal = login?.kind === 'login' && login.denied !== undefined ? 200 : 401;
        assert.match(heard.text, new RegExp(`^HTTP/1.1 ${auth ? refusal : status} `), `${specimen.name} ${question}`);
        if (!auth) assert.equal(bodyOf(heard), expected, `${specimen.name} ${question}`);
      }
      looked += 1;
    }
  }
  assert.ok(looked >= specimens.length);
});

test('a digest log-in opens a page, a wrong password does not', async () => {
  await using fleet = await startFleet({ specimens: [RACK], exact: true, base: '127.21.1.1' });
  const right = await logIn(fleet, '/conf');
  assert.match(right.challenge, /^HTTP\/1.1 401 .*WWW-Authenticate: Digest realm="sample Configuration"/s);
  assert.match(right.heard.text, /^HTTP\/1.1 200 /);
  assert.match(bodyOf(right.heard), /"work-mode":"0"/);
  assert.match((await logIn(fleet, '/conf', 'wrong')).heard.text, /^HTTP\/1.1 401 /);
});

test('devices of one specimen differ in MAC, serial, host name and worker, in the spelling of the specimen', async () => {
  await using fleet = await startFleet({ specimens: [RACK], devices: 2, base: '127.21.2.1' });
  const [first, second] = await Promise.all(
    fleet.devices.map(async (device) => json(bodyOf(await getPath(fleet, device, '/system')))),
  );
  assert.match(first.macaddr, /^02:12:A5:00:00:01$/);
  assert.equal(second.macaddr, '02:12:A5:00:00:02');
  assert.match(first.serinum, /^SMTTY[A-Z]{8}\d{4}$/);
  assert.notEqual(first.serinum, second.serinum);
  assert.equal(first.hostname, 'rig-00001');
  assert.equal(first.kernel, 'k 4.6.0');
  const pools = json((await askCommand(fleet, fleet.device(1), 'pools')).text).POOLS;
  assert.equal(pools[0].User, 'acct.w1-00002');
});

test('running time and shares advance, and begin anew after a restart', async () => {
  let nowMs = 1_800_000_000_000;
  await using fleet = await startFleet({ specimens: [RACK], base: '127.21.3.1', nowMs: () => nowMs });
  const device = fleet.device(0);
  const elapsed = async () => /"Elapsed":(\d+)/.exec((await askCommand(fleet, device, 'stats')).text)?.[1];
  const accepted = async () =>
    json((await askCommand(fleet, device, 'pools')).text).POOLS.map(({ Accepted }: { Accepted: number }) => Accepted);
  assert.equal(await elapsed(), '100');
  nowMs += 60_000;
  assert.equal(await elapsed(), '160');
  assert.deepEqual(await accepted(), [20, 0]);
  device.reboot();
  nowMs += 12_000;
  assert.equal(await elapsed(), '12');
  assert.deepEqual(await accepted(), [2, 0]);
  assert.equal(json((await askCommand(fleet, device, 'version')).text).STATUS[0].When, nowMs / 1000);
});

test('damage of a reply stays as it is around what changes', async () => {
  await using fleet = await startFleet({ specimens: [RACK], base: '127.21.4.1' });
  const { text } = await askCommand(fleet, fleet.device(0), 'stats');
  assert.match(
    text,
    /^\{"STATS":\[\{"Type":"R"\n\}\{"Elapsed":\d+,"rate":nan,"miner_id":"[0-9a-f]{16}",\}\],"id":1\}"\}\0$/,
  );
});

test('a changed pool shows in every reply that lists pools', async () => {
  await using fleet = await startFleet({ specimens: [RACK], base: '127.21.5.1' });
  const device = fleet.device(0);
  const seen = async () => ({
    runtime: json((await askCommand(fleet, device, 'pools')).text).POOLS,
    stored: json(bodyOf((await logIn(fleet, '/conf')).heard)).pools,
  });
  device.changePoolUser(0, 'thief."x"');
  device.changePoolUrl(0, 'stratum+tcp://evil.example:5555');
  const changed = await seen();
  for (const row of [changed.runtime[0], { User: changed.stored[0].user, URL: changed.stored[0].url }]) {
    assert.equal(row.User, 'thief."x"');
    assert.equal(row.URL, 'stratum+tcp://evil.example:5555');
  }
  assert.equal(changed.runtime[0]['Stratum URL'], 'evil.example');
  assert.equal(changed.runtime[1].User, 'acct.w2-00001');

  device.addPool({ url: 'stratum+tcp://three.example:1', user: 'third' });
  const grown = await seen();
  assert.deepEqual(
    grown.runtime.map(({ POOL, Priority, User }: Record<string, unknown>) => [POOL, Priority, User]).at(-1),
    [2, 2, 'third'],
  );
  assert.deepEqual(
    grown.stored.map(({ user }: { user: string }) => user),
    ['thief."x"', 'acct.w2-00001', 'third', ''],
  );

  device.removePool(1);
  device.removePool(1);
  const shrunk = await seen();
  assert.deepEqual(
    shrunk.runtime.map(({ User }: { User: string }) => User),
    ['thief."x"'],
  );
  assert.deepEqual(
    shrunk.stored.map(({ user }: { user: string }) => user),
    ['thief."x"', ''],
  );
  assert.throws(() => device.changePoolUser(1, 'nobody'), /has no pool slot 1/);
});

test('who comes and goes is there at the first look after a pause, under another worker each time, until it is put back', async () => {
  let nowMs = 1_900_000_000_000;
  await using fleet = await startFleet({ specimens: [RACK], base: '127.21.29.1', nowMs: () => nowMs });
  const device = fleet.device(0);
  const userAfter = async (ms: number) => {
    nowMs += ms;
    return json((await askCommand(fleet, device, 'pools')).text).POOLS[0].User;
  };
  const own = await userAfter(0);
  const before = device.configuration;
  device.comeAndGo(0, 'thief');
  assert.deepEqual(
    [await userAfter(60_000), await userAfter(1_000), await userAfter(9_000), await userAfter(60_000)],
    ['thief.w1', 'thief.w1', own, 'thief.w2'],
  );
  device.putBack(before);
  assert.equal(await userAfter(60_000), own);
});

test('an account that was renamed stays so when pools are edited, and in the pools that are added', async () => {
  await using fleet = await startFleet({ specimens: [RACK], base: '127.21.8.1' });
  const device = fleet.device(0);
  const users = async () =>
    json((await askCommand(fleet, device, 'pools')).text).POOLS.map(({ User }: { User: string }) => User);
  device.replace('acct.w2', 'acct.w9');
  assert.deepEqual((await users())[1], 'acct.w9-00001');
  device.changePoolUrl(1, 'stratum+tcp://evil.example:5555');
  device.addPool({ url: 'stratum+tcp://three.example:1', user: 'third' });
  assert.deepEqual((await users()).slice(1), ['acct.w9-00001', 'third']);
});

test('pools that are members of one object change, swap and go like the others', async () => {
  await using fleet = await startFleet({ specimens: [HOME], base: '127.21.6.1' });
  const device = fleet.device(0);
  const info = async () => json(bodyOf(await getPath(fleet, device, '/info')));
  assert.deepEqual(
    device.pools.map(({ url }) => url),
    ['one.example:3333', 'two.example:4444'],
  );
  device.swapPools(0, 1);
  assert.deepEqual(
    [(await info()).stratumURL, (await info()).stratumPort, (await info()).fallbackStratumPort],
    ['two.example', 4444, 3333],
  );
  device.changePoolUrl(0, 'stratum+tcp://evil.example:5555');
  assert.deepEqual([(await info()).stratumURL, (await info()).stratumPort], ['evil.example', 5555]);
  device.removePool(1);
  assert.deepEqual([(await info()).fallbackStratumURL, (await info()).fallbackStratumUser], ['', '']);
});

test('another firmware shows wherever the device names it, and nowhere else', async () => {
  await using fleet = await startFleet({ specimens: [RACK, HOME], base: '127.21.7.1' });
  const [rack, home] = [fleet.device(0), fleet.device(1)];
  rack.setFirmware({ version: '54.0.1.9', build: 'Mon Jan  1 10:00:00 CST 2024' });
  const { VERSION, STATUS } = json((await askCommand(fleet, rack, 'version')).text);
  assert.deepEqual([VERSION[0].Miner, VERSION[0].CompileTime], ['54.0.1.9', 'Mon Jan  1 10:00:00 CST 2024']);
  assert.equal(STATUS[0].Description, 'cgminer 4.11');
  home.setFirmware({ version: 'v2.10.0' });
  const info = json(bodyOf(await getPath(fleet, home, '/info')));
  assert.deepEqual([info.version, info.axeOSVersion], ['v2.10.0', 'v2.10.0']);
});

test('any member can be given a value, also one inside a text', async () => {
  await using fleet = await startFleet({ specimens: [RACK, MODULE], base: '127.21.8.1' });
  const [rack, module] = [fleet.device(0), fleet.device(1)];
  rack.set('macaddr', '02:00:00:00:00:99');
  rack.set('hostname', 'other', 'http:/system');
  const system = json(bodyOf(await getPath(fleet, rack, '/system')));
  assert.deepEqual([system.macaddr, system.hostname], ['02:00:00:00:00:99', 'other']);
  module.set('WORKMODE', 2);
  const { text } = await askCommand(fleet, module, 'stats');
  assert.match(text, /Ver\[1246-21072802\] DNA\[\d{16}\] Elapsed\[\d+\]WORKMODE\[2\]/);
  assert.throws(() => rack.set('nowhere', 1), /has no nowhere/);
});

test('a device swaps, goes dark, comes back and moves', async () => {
  await using fleet = await startFleet({ specimens: [RACK, HOME], base: '127.21.9.1' });
  const device = fleet.device(0);
  await device.goDark();
  assert.equal((await askCommand(fleet, device, 'version')).ended, 'refused');
  await device.comeBack();
  assert.equal((await askCommand(fleet, device, 'version')).ended, 'closed');
  await device.moveTo('127.21.9.77');
  assert.equal((await converse('127.21.9.1', fleet.ports.cgminer, 'version')).ended, 'refused');
  assert.match((await askCommand(fleet, device, 'version')).text, /54\.0\.1\.3/);
  const before = json(bodyOf(await getPath(fleet, device, '/system'))).macaddr;
  await device.swapTo(HOME);
  const after = json(bodyOf(await getPath(fleet, device, '/info'))).macAddr;
  assert.equal(before, after);
  assert.equal((await askCommand(fleet, device, 'version')).ended, 'refused');
  await device.swapTo(RACK, { otherMachine: true });
  assert.notEqual(json(bodyOf(await getPath(fleet, device, '/system'))).macaddr, before);
});

test('an unknown command, an unknown path and another method are refused as devices do', async () => {
  await using fleet = await startFleet({ specimens: [RACK], base: '127.21.10.1' });
  const device = fleet.device(0);
  const refusal = json((await askCommand(fleet, device, 'coin')).text);
  assert.deepEqual(
    [refusal.STATUS[0].STATUS, refusal.STATUS[0].Code, refusal.STATUS[0].Description],
    ['E', 14, 'cgminer 4.11'],
  );
  assert.match((await getPath(fleet, device, '/nowhere')).text, /^HTTP\/1.1 404 /);
  const posted = await converse(device.address, fleet.ports.http, 'POST /conf HTTP/1.1\r\nConnection: close\r\n\r\n');
  assert.match(posted.text, /^HTTP\/1.1 405 /);
});

test('2 000 devices start, answer and stop', async () => {
  await using fleet = await startFleet({ specimens: [RACK, HOME, MODULE], devices: 2000, base: '127.22.0.1' });
  const last = fleet.device(1998);
  assert.equal(last.address, '127.22.7.207');
  assert.match((await askCommand(fleet, last, 'version')).text, /"Code":22/);
});

test('a fleet too large for a listener each is served by one listener, from loopback addresses only', async () => {
  await using fleet = await startFleet({ specimens: [RACK], devices: 4001, base: '127.23.0.1' });
  assert.match((await askCommand(fleet, fleet.device(4000), 'version')).text, /"Code":22/);
  assert.equal((await converse('127.24.0.1', fleet.ports.cgminer, 'version')).ended, 'reset');
  await fleet.device(0).goDark();
  assert.equal((await askCommand(fleet, fleet.device(0), 'version')).ended, 'reset');
});
