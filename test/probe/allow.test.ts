import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgminer, httpGet } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { compileAllowList } from '../../agent/probe/allow.ts';
import { IDENTIFICATION } from '../../agent/probe/identify.ts';

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
    'privileged',
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
    '/cgi-bin/restart.cgi',
    '/cgi-bin/minerConfiguration.cgi',
    '/cgi-bin/minerAdvanced.cgi',
    '/cgi-bin/networkConfiguration.cgi',
    '/cgi-bin/monitor.cgi',
    '/miner_lcd.sh',
    '/api/system/wifi/scan',
    '/api/system/restart',
    '/api/system/OTA',
    '/cgi-bin/upload_conf.cgi',
  ];
  for (const path of forbidden) {
    assert.throws(() => compileAllowList([], [httpGet(path)]), /may not be sent/, JSON.stringify(path));
  }
});

test('what all drivers and identification can send is a short list of plain questions', () => {
  const { listed } = compileAllowList(DRIVERS, IDENTIFICATION);
  assert.ok(DRIVERS.length >= 5 && listed.length > 20);
  for (const request of listed)
    assert.match(request, /^(\{"(command|cmd)":"[a-z][a-z0-9_.]*"\}|GET \/[A-Za-z0-9_./-]*)$/);
});

test('the bytes of a request are those of its listed question', () => {
  const byCommand = cgminer('get_version', { cadence: 'config', key: 'cmd' });
  const root = httpGet('/');
  const allow = compileAllowList([], [byCommand, root]);
  assert.equal(allow.request(byCommand), '{"cmd":"get_version"}');
  assert.equal(allow.path(root), '/');
  assert.throws(() => allow.path({ ...root }), /not on the allow-list/);
});
