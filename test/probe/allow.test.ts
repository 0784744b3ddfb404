import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cgminer,
  cgminerCheck,
  framed,
  type GrpcLogin,
  type GrpcQuery,
  grpc,
  httpGet,
  httpPost,
  type Login,
  PASSWORD,
  type Query,
  USER,
} from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { compileAllowList } from '../../agent/probe/allow.ts';
import { IDENTIFICATION } from '../../agent/probe/identify.ts';
import { CALLS, LOGINS, READING } from '../../agent/probe/reading.ts';

/** A command, a question to API 3, or a GET of a plain path; the port where it is not the usual one. */
const PLAIN =
  /^(\{"(command|cmd)":"[a-z][a-z0-9_.]*"(,"param(eter)?":"[a-z+_-]+")?\}|GET \/[A-Za-z0-9_./-]*|POST \/graphql \{"query":"\{([\w {}]|\.\.\. on )+\}"\})( @[a-z]+)?$/;

test('commands that join, carry a parameter or change a miner stop the agent at start', () => {
  const forbidden = [
    'version+pools',
    'check|addpool',
    'a,b',
    'version\n',
    'Version',
    '',
    ' version',
    'addpool',
    'switchpool',
    'removepool',
    'enablepool',
    'disablepool',
    'poolpriority',
    'poolquota',
    'failover-only',
    'save',
    'quit',
    'restart',
    'reboot',
    'zero',
    'debug',
    'setconfig',
    'hotplug',
    'lockstats',
    'ascset',
    'ascenable',
    'pgaset',
    'gpufan',
    'update_pools',
    'restart_btminer',
    'power_off',
    'set_led',
    'update_firmware',
    'upgrade_firmware',
    'factory_reset',
    'ssh_open',
    'net_config',
    'get_token',
    'open_write_api',
    'set.miner.pools',
    'get.psu.command',
    'get.log.download',
    'setpool',
    'upgrade',
    'logon',
    'pause',
    'adjust_power_limit',
    'enable_web_pools',
    'pre_power_on',
    'load_log',
    'download_logs',
    'dosleep',
  ];
  for (const command of forbidden) {
    assert.throws(() => compileAllowList([], [cgminer(command)]), /may not be sent/, command);
  }
});

test('paths with a query, an escape or a known effect stop the agent at start', () => {
  const forbidden = [
    'x',
    '',
    '/a?b=1',
    '/a#b',
    '/../etc',
    '/a/../b',
    '//host/x',
    '/a b',
    '/a%20',
    '/a\r\nX: y',
    '/cgi-bin/reboot.cgi',
    '/cgi-bin/reset_conf.cgi',
    '/cgi-bin/set_miner_conf.cgi',
    '/cgi-bin/set_network_conf.cgi',
    '/cgi-bin/upgrade.cgi',
    '/cgi-bin/passwd.cgi',
    '/cgi-bin/blink.cgi',
    '/cgi-bin/kill_bmminer.cgi',
    '/cgi-bin/network_diag.cgi',
    '/cgi-bin/create_log_backup.cgi',
    '/cgi-bin/create_conf_backup.cgi',
    '/cgi-bin/getandsettime.cgi',
    '/index.csp',
    '/f_settings.php',
    '/api/config/pools',
    '/api/getLatestFirmwareVersion',
    '/api/checkUrl',
    '/api/checkDNS',
    '/api/TestingPool',
    '/cgi-bin/restart.cgi',
    '/cgi-bin/minerConfiguration.cgi',
    '/cgi-bin/minerAdvanced.cgi',
    '/cgi-bin/networkConfiguration.cgi',
    '/cgi-bin/monitor.cgi',
    '/cgi-bin/post_led_onoff.cgi',
    '/cgi-bin/clear_refine.cgi',
    '/cgi-bin/set_wlan_state.cgi',
    '/cgi-bin/wifi_connect.cgi',
    '/cgi-bin/get_wifi_list.cgi',
    '/cgi-bin/get_wifi_port_list',
    '/cgi-bin/setworkmode.cgi',
    '/miner_lcd.sh',
    '/api/system/wifi/scan',
    '/api/system/restart',
    '/api/system/OTA',
    '/cgi-bin/upload_conf.cgi',
    '/user/logout',
    '/user/updatepd',
    '/mcb/restart',
    '/mcb/facrst',
    '/mcb/newpool',
    '/mcb/delpool',
    '/mcb/protect',
    '/Cgminer/CgminerConfig',
    '/api/action/reboot',
    '/cgi-bin/luci',
    '/cgi-bin/luci/admin/system/reboot',
    '/cgi-bin/luci/admin/network/btminer',
    '/cgi-bin/luci/admin/status/iptables_action',
    '/cgi-bin/luci/admin/status/overview/x',
  ];
  for (const path of forbidden) {
    assert.throws(() => compileAllowList([], [httpGet(path)]), /may not be sent/, JSON.stringify(path));
  }
});

test('what is sent by POST, with a query string, framed or with a parameter is a listed read, or stops the agent at start', () => {
  const forbidden: readonly Query[] = [
    httpPost('/user/userpanel', 'post=2'),
    httpPost('/user/userpanel', 'post=3'),
    httpPost('/user/userpanel', 'post=4&post=3'),
    httpPost('/user/userpanel', ''),
    httpPost('/user/machineconfig', 'post=2'),
    httpPost('/cgi-bin/get_system_info.cgi', ''),
    httpPost('/api/reboot', '{}'),
    httpPost('/graphql', '{"query":"mutation {bosminer{stop}}"}'),
    httpPost('/graphql', '{"query":"{a} mutation M {b}"}'),
    httpPost('/graphql', '{"query":"{a{...f}}fragment f on B{c}"}'),
    httpPost('/graphql', '{"query":"{a{... on B{c(d:1)}}}"}'),
    httpPost('/graphql', '{"query":"subscription {a}"}'),
    httpPost('/graphql', '{"query":"{bos{checkForUpgrade}}"}'),
    httpPost('/graphql', '{"query":"{a}","operationName":"x"}'),
    httpGet('/mcb/cgminer?cgminercmd=restart'),
    framed('set.miner.pools'),
    framed('get.psu.command'),
    framed('get.log.download'),
    framed('get.device.info', { cadence: 'config', param: 'a","cmd":"set.miner.pools' }),
    { ...cgminer('pools'), about: 'addpool' },
    cgminerCheck('addpool","command":"addpool'),
    httpGet('/a', { cadence: 'config', auth: { ...LOGIN, path: '/reboot' } }),
    httpGet('/a', { cadence: 'config', auth: { ...LOGIN, members: { ...LOGIN.members, more: 'x' } } }),
    httpPost('/user/userpanel', 'post=4', { cadence: 'config', auth: 'digest' }),
  ];
  for (const query of forbidden)
    assert.throws(() => compileAllowList([], [query]), /may not be sent|Digest/, JSON.stringify(query));
});

const CALL_LOGIN: GrpcLogin = {
  kind: 'grpc-login',
  method: 'braiins.bos.v1.AuthenticationService/Login',
  fields: { 1: USER, 2: PASSWORD },
  metadata: 'authorization',
  field: 1,
};

const call = (method: string, auth: GrpcQuery['auth'] = 'none') => grpc(method, {}, { cadence: 'config', auth });

test('a call of gRPC begins with Get and stands on the list, or stops the agent at start', () => {
  const forbidden: readonly Query[] = [
    call('braiins.bos.v1.ActionsService/Reboot'),
    call('braiins.bos.v1.ActionsService/SetLocateDeviceStatus'),
    call('braiins.bos.v1.AuthenticationService/SetPassword'),
    call('braiins.bos.v1.AuthenticationService/Login'),
    call('braiins.bos.v1.MinerService/GetSupportArchive'),
    call('braiins.bos.v1.MinerService/GetMinerStatus'),
    call('braiins.bos.v1.MinerService/getMinerDetails'),
    call('braiins.bos.v1.MinerService/GetMinerDetails '),
    call('braiins.bos.v1.MinerService/GetMinerDetails/../Reboot'),
    call('/braiins.bos.v1.MinerService/GetMinerDetails'),
    call('braiins.bos.v1.MinerService/GetMinerDetails', {
      ...CALL_LOGIN,
      method: 'braiins.bos.v1.AuthenticationService/SetPassword',
    }),
    call('braiins.bos.v1.MinerService/GetMinerDetails', { ...CALL_LOGIN, fields: { 1: PASSWORD } }),
    call('braiins.bos.v1.MinerService/GetMinerDetails', { ...CALL_LOGIN, fields: { ...CALL_LOGIN.fields, 3: USER } }),
  ];
  for (const query of forbidden)
    assert.throws(() => compileAllowList([], [query]), /may not be sent/, JSON.stringify(query));
  for (const text of CALLS) assert.match(text, /^grpc [a-z][\w.]*\.[A-Z]\w*\/Get[A-Z]\w*$/);
});

test('a call carries nothing, and its log-in the user and the password as data; what is not listed is not made', () => {
  const listed = call('braiins.bos.v1.MinerService/GetMinerDetails', CALL_LOGIN);
  const allow = compileAllowList([], [listed]);
  assert.deepEqual(allow.call(listed), {
    path: '/braiins.bos.v1.MinerService/GetMinerDetails',
    message: new Uint8Array(),
  });
  const { path, message } = allow.callLogin(CALL_LOGIN, { user: 'a', password: '\n\u0001' });
  assert.equal(path, '/braiins.bos.v1.AuthenticationService/Login');
  assert.deepEqual([...message], [0x0a, 1, 0x61, 0x12, 2, 0x0a, 1]);
  assert.throws(() => allow.call({ ...listed }), /not on the allow-list/);
  assert.throws(() => allow.callLogin({ ...CALL_LOGIN }, { user: 'a', password: 'b' }), /not on the allow-list/);
  assert.deepEqual(allow.listed, [LOGIN_CALL, 'grpc braiins.bos.v1.MinerService/GetMinerDetails']);
});

const LOGIN_CALL = 'grpc braiins.bos.v1.AuthenticationService/Login 1=<user> 2=<password>';

const LOGIN: Login = {
  kind: 'login',
  method: 'POST',
  path: '/cgi-bin/login.php',
  as: 'form',
  members: { username: USER, origin_pwd: PASSWORD },
  gives: { kind: 'cookie' },
};

test('a log-in carries the user and the password as data, whatever is in them', () => {
  const allow = compileAllowList([], [httpGet('/cgi-bin/get_system_info.php', { cadence: 'config', auth: LOGIN })]);
  assert.deepEqual(allow.login(LOGIN, { user: 'a&b', password: 'x\r\nPOST /reboot=1' }), {
    method: 'POST',
    path: '/cgi-bin/login.php',
    body: 'username=a%26b&origin_pwd=x%0D%0APOST%20%2Freboot%3D1',
    type: 'application/x-www-form-urlencoded',
  });
  assert.throws(() => allow.login({ ...LOGIN }, { user: 'a', password: 'b' }), /not on the allow-list/);
  assert.ok(allow.listed.includes('POST /cgi-bin/login.php username=<user>&origin_pwd=<password>'));
});

test('what all drivers and identification can send is a short list of plain questions', () => {
  const { listed } = compileAllowList(DRIVERS, IDENTIFICATION);
  assert.ok(DRIVERS.length >= 5 && listed.length > 20);
  for (const request of listed) {
    const words = request.replace(/ @[a-z]+$/, '');
    assert.ok(PLAIN.test(request) || READING.has(words) || CALLS.has(words) || LOGINS.has(words), request);
  }
});

test('the bytes of a request are those of its listed question', () => {
  const byCommand = cgminer('get_version', { cadence: 'config', key: 'cmd' });
  const root = httpGet('/');
  const allow = compileAllowList([], [byCommand, root]);
  assert.equal(allow.request(byCommand), '{"cmd":"get_version"}');
  assert.deepEqual(allow.web(root), { method: 'GET', path: '/' });
  assert.throws(() => allow.web({ ...root }), /not on the allow-list/);
});
