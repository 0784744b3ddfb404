import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { until } from '../publish/observer.ts';
import { loadSpecimens } from '../specimens/specimen.ts';
import { askCommand, callMethod, converse, getPath } from './asking.ts';
import { startFleet } from './fleet.ts';
import { textField } from './protobuf.ts';
import { RACK } from './samples.ts';

const reasons = (fleet: { violations: () => readonly { reason: string }[] }) =>
  fleet.violations().map(({ reason }) => reason);

test('reads leave no violation, and every request is kept with its count', async () => {
  await using fleet = await startFleet({ specimens: [RACK], base: '127.25.0.1' });
  const device = fleet.device(0);
  await askCommand(fleet, device, 'version');
  await askCommand(fleet, device, 'version');
  await getPath(fleet, device, '/system');
  assert.deepEqual(
    [...fleet.requests()],
    [
      ['{"command":"version"}', 2],
      ['GET /system', 1],
    ],
  );
  assert.deepEqual(fleet.violations(), []);
});

test('every way to change a miner is a violation', async () => {
  await using fleet = await startFleet({ specimens: [RACK], base: '127.25.1.1' });
  const { address } = fleet.device(0);
  const commands = [
    '{"command":"addpool","parameter":"stratum+tcp://x.example:1,u,p"}',
    '{"command": "version+restart"}',
    'switchpool|1',
    'ascset|0,reboot,0',
    '{"cmd":"get_token"}',
    'updatepools|0,stratum+tcp://x.example:1,u,p',
    '{"cmd":"set_led","param":"auto"}',
  ];
  for (const command of commands) await converse(address, fleet.ports.cgminer, command);
  const requests = [
    'GET /cgi-bin/reboot.cgi',
    'GET /cgi-bin/reboot.php',
    'GET /cgi-bin/set_miner_conf.cgi?x=1',
    'POST /api/system/restart',
    'POST /hashratesplit/enable',
    'POST /mode',
    'POST /api/v1/pools',
    'PUT /api/v1/auth/password',
    'DELETE /api/v1/pools/0',
    'PATCH /system',
    'PUT /mcb/setting',
    'GET /user/logout',
    'GET /mcb/cgminer?cgminercmd=restart',
    'POST /user/userpanel',
    'POST /api/updatePools',
    'GET /Cgminer/CgminerConfig',
    'GET /cgi-bin/luci/admin/system/reboot',
    'GET /cgi-bin/luci/admin/status/overview?status=1',
    'POST /cgi-bin/luci/admin/network/btminer',
  ];
  for (const request of requests)
    await converse(address, fleet.ports.http, `${request} HTTP/1.1\r\nConnection: close\r\n\r\n`);
  assert.deepEqual(
    reasons(fleet),
    Array.from({ length: commands.length + requests.length }, () => 'changes a miner'),
  );
});

test('with an allow-list anything that is not on it is a violation', async () => {
  const allowed = ['{"command":"version"}', 'GET /system'];
  await using fleet = await startFleet({ specimens: [RACK], base: '127.25.2.1', allowed });
  const device = fleet.device(0);
  await askCommand(fleet, device, 'version');
  await getPath(fleet, device, '/system');
  assert.deepEqual(fleet.violations(), []);
  await askCommand(fleet, device, 'stats');
  await converse(device.address, fleet.ports.cgminer, 'version');
  await getPath(fleet, device, '/conf');
  assert.deepEqual(
    reasons(fleet),
    Array.from({ length: 3 }, () => 'not on the allow-list'),
  );
});

test('a request with a body, an unusual header or a second question is a violation', async () => {
  await using fleet = await startFleet({ specimens: [RACK], base: '127.25.3.1' });
  const { address } = fleet.device(0);
  await converse(
    address,
    fleet.ports.http,
    'GET /system HTTP/1.1\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc',
  );
  assert.deepEqual(reasons(fleet), ['not one plain question']);
  fleet.device(0).behave('half-open');
  const socket = connect({ host: address, port: fleet.ports.cgminer }, () => socket.write('version'));
  socket.once('data', () => socket.write('stats'));
  await until('the second question is noted', () => reasons(fleet).length > 1);
  socket.destroy();
  assert.equal(reasons(fleet).length, 2);
});

test('the most connections to one device at the same time are counted', async () => {
  await using fleet = await startFleet({ specimens: [RACK], devices: 2, base: '127.25.4.1' });
  const [one, other] = [fleet.device(0), fleet.device(1)];
  for (let round = 0; round < 50; round += 1) {
    await Promise.all([askCommand(fleet, one, 'version'), getPath(fleet, other, '/system')]);
    await Promise.all([getPath(fleet, one, '/system'), askCommand(fleet, other, 'version')]);
  }
  assert.equal(fleet.maxConnections(), 1);
  const held = [fleet.ports.cgminer, fleet.ports.http].map((port) => connect({ host: one.address, port }));
  await until('both are counted', () => fleet.maxConnections() > 1);
  for (const socket of held) socket.destroy();
  assert.equal(fleet.maxConnections(), 2);
});

test('a call of gRPC that does not begin with Get or List, or that carries anything, is a violation; so is a log-in that is not on the list', async () => {
  const specimens = loadSpecimens().filter(({ name }) => name === 'braiins/s19kpro-24.09');
  const allowed = [
    'grpc braiins.bos.v1.MinerService/GetMinerDetails',
    'grpc braiins.bos.v1.AuthenticationService/Login 1=<user> 2=<password>',
  ];
  await using fleet = await startFleet({ specimens, base: '127.25.9.1', allowed });
  const device = fleet.device(0);
  const LOGIN = 'braiins.bos.v1.AuthenticationService/Login';
  await callMethod(fleet, device, 'braiins.bos.v1.MinerService/GetMinerDetails');
  const account = Buffer.concat([textField(1, 'root'), textField(2, 'specimen')]);
  assert.equal((await callMethod(fleet, device, LOGIN, { message: account })).status, '0');
  assert.deepEqual(fleet.violations(), []);
  const acts = [
    'ActionsService/Reboot',
    'ActionsService/SetLocateDeviceStatus',
    'AuthenticationService/SetPassword',
    'PoolService/CreatePoolGroup',
    'UpgradeService/UpdateAutoUpgradeConfig',
  ];
  for (const act of acts) await callMethod(fleet, device, `braiins.bos.v1.${act}`);
  const format = Buffer.from([0x08, 1]);
  await callMethod(fleet, device, 'braiins.bos.v1.MinerService/GetMinerDetails', { message: format });
  assert.deepEqual(reasons(fleet), Array(6).fill('changes a miner'));
  await callMethod(fleet, device, 'braiins.bos.v1.MinerService/GetSupportArchive');
  await callMethod(fleet, device, LOGIN, { message: Buffer.concat([textField(1, 'root'), textField(2, 'other')]) });
  assert.deepEqual(reasons(fleet).slice(6), ['not on the allow-list', 'not on the allow-list']);
});
