import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { ConfigProblem } from '../../agent/config/problems.ts';
import type { Driver } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { READING_COMMANDS, READING_NOUNS } from '../../agent/outside/acting-names.ts';
import { parseDriver } from '../../agent/outside/load.ts';
import { compileAllowList } from '../../agent/probe/allow.ts';
import { IDENTIFICATION } from '../../agent/probe/identify.ts';
import { cpuMs } from '../cpu.ts';
import { CHANGING_COMMANDS } from '../simulator/watch.ts';
import { ACME } from './example.ts';

const compiled = (text: string): Driver => {
  const parsed = parseDriver(text, DRIVERS);
  assert.ok(parsed.kind === 'good', JSON.stringify(parsed));
  return parsed.driver;
};

const problemsOf = (text: string): readonly ConfigProblem[] => {
  const parsed = parseDriver(text, DRIVERS);
  assert.ok(parsed.kind === 'bad', 'the text was taken as good');
  return parsed.problems;
};

/** A driver with one more question, which a fact is read from. */
const asking = (query: string): string =>
  ACME.replace('queries:\n', `queries:\n  more: ${query}\n`).replace(
    'facts:\n',
    'facts:\n  network.hostname: { query: more, at: /name, read: text }\n',
  );

/** The example with one of its lines written otherwise. */
const changed = (from: string, to: string): string => {
  assert.ok(ACME.includes(from), from);
  return ACME.replace(from, to);
};

const lineOf = (text: string, part: string): number => text.slice(0, text.indexOf(part)).split('\n').length;

describe('a driver file', () => {
  test('is an ordinary driver whose questions pass the allow-list', () => {
    const driver = compiled(ACME);
    assert.deepEqual([driver.family, driver.outside, driver.secrets], ['acme', true, ['pin']]);
    assert.deepEqual(driver.proofs, ['version', 'info']);
    const before = new Set(compileAllowList(DRIVERS, IDENTIFICATION).listed);
    const { listed } = compileAllowList([...DRIVERS, driver], IDENTIFICATION);
    assert.deepEqual(
      listed.filter((request) => !before.has(request)),
      ['GET /api/info'],
    );
  });

  test('may ask a POST that is on the list, word for word', () => {
    const driver = compiled(asking('{ post: /api/overview, body: "{}" }'));
    const query = driver.queries.more;
    assert.ok(query?.kind === 'http' && query.method === 'POST');
  });

  test('with a family that is built in is refused', () => {
    const [problem, ...more] = problemsOf(changed('family: acme', 'family: cgminer'));
    assert.deepEqual([problem?.line, problem?.path, more], [1, 'family', []]);
    assert.match(problem?.message ?? '', /"cgminer" exists already/);
  });
});

/** Paths that act on a plain GET somewhere, and some that would. */
const ACTING_PATHS =
  `/cgi-bin/reboot.cgi /cgi-bin/reset_conf.cgi /cgi-bin/restart.cgi /cgi-bin/blink.cgi /cgi-bin/set_miner_conf.cgi
  /cgi-bin/upgrade.cgi /cgi-bin/passwd.cgi /cgi-bin/upload_conf.cgi /cgi-bin/kill_bmminer.cgi /cgi-bin/network_diag.cgi
  /cgi-bin/create_conf_backup.cgi /cgi-bin/getandsettime.cgi /cgi-bin/minerConfiguration.cgi /cgi-bin/minerAdvanced.cgi
  /cgi-bin/networkConfiguration.cgi /cgi-bin/reset_miner_conf.cgi /cgi-bin/monitor.cgi /cgi-bin/post_led_onoff.cgi
  /cgi-bin/clear_refine.cgi /cgi-bin/setworkmode.cgi /cgi-bin/wifi_connect.cgi /cgi-bin/get_wifi_list.cgi /cgi-bin/led_conf.cgi
  /cgi-bin/resetAndCheck.cgi /cgi-bin/deleteLogs.php /cgi-bin/setDefaultName.cgi /cgi-bin/setTimeZone.cgi /cgi-bin/reIdentify.cgi
  /cgi-bin/getPing.cgi /cgi-bin/getNsLookup.cgi /cgi-bin/getTraceRoute.cgi /cgi-bin/get_wifi_port_list /miner_lcd.sh
  /api/system/wifi/scan /api/system/restart /api/system/OTA /api/system/OTAWWW /api/system/pause /api/system/resume
  /api/system/boot /api/system/identify /api/system/shutdown /api/system/reset-stats /user/logout /user/updatepd /mcb/newpool
  /mcb/delpool /mcb/restart /mcb/facrst /mcb/protect /mcb/defend /api/updatePools /api/setFan /api/factoryReset /api/reboot
  /api/poweroff /api/restartCgMiner /api/startAutoTune /api/checkUpdate /api/TestingPool /api/action/x /Cgminer/CgminerConfig
  /stop /start /save /apply /api/config/save /addPool /pools/add /pools/delete /pool/remove/1 /power/off /powerOn /api/mining/off
  /unlock /api/v1/unlock /login /cmd /exec /run/job /flash /firmware/install /do /goform/x_set /setup.cgi/set /api/poolSwitch
  /wake /sleep /led/on /api/miner/halt /toggle /standby /hibernate /wipe /api/shut_down /shutOff /turnOff /reinit /recover
  /cgi-bin/powercycle /cgi-bin/rst /cgi-bin/miner_rst.cgi /cgi-bin/ledon.cgi /api/hashoff /api/softoff /api/softon /api/terminate
  /api/ztp /trigger /pools/swap /relay1/off /pool/down /init.cgi /index.csp /f_settings.php
  /api/config/pools /api/getLatestFirmwareVersion /api/checkUrl /api/checkurl /api/checkPoolTest /api/checkGateWay /api/checkDNS /api/testingpool /cgi-bin/configMiner.cgi
  /api/pool/2/use /api/pools/choose/2 /api/assign/pool /api/overclock/600 /api/dismount /dbg/x /api/fan/100 /api/miner/up /api/new/pool /boost /api/nap /api/wattage/3000 /api/heater/0 /mode/eco /relays/1/high /api/freq/0/650.5
  /miner/powerdown /miner/power-down /system/adduser /system/useradd /system/deluser /system/usermod /settings/revert /chpass /chpasswd /chpw
  /system/changePassword /firmware/downgrade /access/grant /access/revoke
  /api/mining/0 /api/exit /api/pools/activepool/1 /reconnect /api/unpair /die /nuke /launch /rbt /dropcaches /cgi-bin/minerlock.cgi /api/powerlimit/3000
  /api/v1/outlet/1/1 /api/clearstats /api/zeroStats /popstats /api/pool_swap /api/minerhalt /api/fan-speed/80 /api/current_pool/1`.split(
    /\s+/,
  );

/** Commands that no page names, or names as parameters of others. */
const ACTING_COMMANDS =
  `minerreboot poweroff reload ledon_set get.set do softoff softon powerdown bootby asc pga gpu hashoff ztp workmode get_token
  get_reset reboot_status clearstats zerostats swappool_version cleardetails popstats dropdetails freezeinfo parkstatus getwork get_ get_x x selectpoolinfo usepooldetails powerdowninfo adduserstatus revertstatus`.split(
    /\s+/,
  );

describe('nothing that could change a miner comes in with a driver file', () => {
  test('no command that is known to change one, with line and remedy', () => {
    assert.ok(CHANGING_COMMANDS.size > 90);
    for (const command of [...CHANGING_COMMANDS, ...ACTING_COMMANDS]) {
      const text = asking(`{ cgminer: ${command} }`);
      const [problem, ...more] = problemsOf(text);
      assert.deepEqual([problem?.line, problem?.path, more], [lineOf(text, '  more: '), 'queries.more.cgminer', []]);
      assert.match(problem?.message ?? '', /^may not be sent/, command);
      assert.ok((problem?.message ?? '').includes(command), problem?.message ?? command);
      assert.match(problem?.remedy ?? '', /a command that only reads/, command);
    }
  });

  test('no path that acts', () => {
    for (const path of ACTING_PATHS) {
      const parsed = parseDriver(asking(`{ get: "${path}" }`), DRIVERS);
      const [problem] = parsed.kind === 'bad' ? parsed.problems : [];
      assert.equal(problem?.path, 'queries.more.get', path);
      assert.match(problem?.message ?? '', /^may not be sent: .* says "[^"]+", which could act$/, path);
    }
  });

  test('every command that reads is in the documentation', () => {
    const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'write-a-driver.md'), 'utf8');
    const listed = /The commands that only read are (.*?)\n\n/s.exec(page)?.[1] ?? '';
    for (const command of READING_COMMANDS) {
      assert.ok(listed.includes(`\`${command}\``), command);
      compiled(asking(`{ cgminer: ${command} }`));
    }
    const nouns =
      (/of nothing but the words for what a miner has:\n(.*?)\n\n/s.exec(page)?.[1] ?? '').match(/[a-z]+/g) ?? [];
    assert.deepEqual(nouns, [...READING_NOUNS].sort());
  });

  test('harmless names are not refused for a part of a word', () => {
    const paths =
      '/api/settings /api/v2/settings /api/stats /api/address /api/hardware/assets /status.json /api/latest /api/info/pool /api/uptime /breakdown /countdown.json /cooldown /reverse-proxy /api/powered /api/userinfo /api/users/permissions /bandwidth /inverter /api/users /api/amount /api/pools/2 /api/fans /api/boards/0/chips/1 /api/clock /api/blocks /api/shares/dropped /api/pool/active /popup /api/v1/levels /api/miners/1 /api/connections'
        .split(' ')
        .map((path) => asking(`{ get: ${path} }`));
    const commands =
      'devdetails edevs estats coin notify get_miner_info systeminfo tunerstatus fans limits get_fan_info getpoolstatus hashboard_info fw_version system_filesystem_version chipscount info'
        .split(' ')
        .map((command) => asking(`{ cgminer: ${command} }`));
    for (const text of [...paths, ...commands]) compiled(text);
  });

  test('what a built-in driver asks may be asked, apart from its POSTs that are on no list, and names that sound like acts', () => {
    const refused: string[] = [];
    for (const query of DRIVERS.flatMap(({ queries }) => Object.values(queries))) {
      if (query.kind === 'framed' || query.kind === 'grpc' || (query.kind === 'cgminer' && query.about !== undefined))
        continue;
      const words = query.kind === 'http' ? `get: "${query.path}"` : `cgminer: ${query.command}`;
      if (query.kind === 'http' && query.method === 'POST') continue;
      if (parseDriver(asking(`{ ${words} }`), DRIVERS).kind === 'bad') refused.push(words);
    }
    assert.deepEqual([...new Set(refused)].sort(), REFUSED_READS);
  });

  test('no other POST, no query string, no escape, no joined command, no parameter, no other word for check, no log-in', () => {
    const forbidden = [
      ['{ post: /api/reboot, body: "{}" }', /POST \/api\/reboot is not on the list/],
      ['{ post: /api/overview, body: "{} " }', /is not on the list/],
      ['{ post: /user/userpanel, body: post=2 }', /is not on the list/],
      ['{ post: /graphql, body: "{\\"query\\":\\"{a}\\"}" }', /is not on the list/],
      ['{ get: "/a?b=1" }', /may not be sent/],
      ['{ get: "/mcb/cgminer?cgminercmd=restart" }', /may not be sent/],
      ['{ get: "/../etc" }', /may not be sent/],
      ['{ get: "/a b" }', /may not be sent/],
      ['{ get: "/a\\r\\nX: y" }', /without control characters/],
      ['{ get: "//host/x" }', /may not be sent/],
      ['{ cgminer: "version+pools" }', /may not be sent/],
      ['{ cgminer: "check|addpool" }', /may not be sent/],
      ['{ cgminer: Version }', /may not be sent/],
      ['{ framed: set.miner.pools }', /may not be sent/],
      ['{ framed: get.psu.command }', /may not be sent/],
      ['{ framed: get.device.info, param: "a\\",\\"cmd\\":\\"set.x" }', /may not be sent/],
      ['{ framed: get.device.info, param: salt }', /may not be sent/],
      ['{ framed: get.device.info, param: miner+salt }', /may not be sent/],
      ['{ check: restart }', /expected "addpool"/],
      ['{ get: /api/data, auth: { kind: login } }', /expected one of "none"/],
      ['{ post: /api/overview, body: "{}", auth: digest }', /Digest is answered for GET only/],
      ['{ delete: /api/data }', /./],
    ] as const;
    for (const [query, told] of forbidden) {
      const text = asking(query);
      const found = problemsOf(text);
      assert.ok(
        found.some(({ message }) => told.test(message)),
        `${query}: ${JSON.stringify(found)}`,
      );
      assert.ok(
        found.every(({ line }) => line === lineOf(text, '  more: ')),
        query,
      );
    }
  });
});

/** Reads of built-in drivers that a driver file may not ask: their names have a word that acts elsewhere. */
const REFUSED_READS: readonly string[] = [
  'get: "/api/v1/apikeys"',
  'get: "/api/v1/chains/factory-info"',
  'get: "/api/v1/curtailment/config"',
  'get: "/api/v1/system/ssh"',
  'get: "/register"',
  'get: "/ztp"',
];

describe('no secret becomes a fact', () => {
  const AT = 'network.hostname: { query: info, at: /name, read: text }';
  const places = [
    ['network.hostname: { query: info, at: /pools/0/Passwd, read: text }', 'facts.network.hostname.at'],
    ['network.hostname: { query: info, at: [/name, /pin], read: text }', 'facts.network.hostname.at'],
    ['network.hostname: { query: info, at: /PIN/0, read: text }', 'facts.network.hostname.at'],
    [
      'network.hostname: { first_of: [{ query: info, at: /a, read: text }, { query: info, at: /wifi~1pass, read: text }] }',
      'facts.network.hostname.first_of[1].at',
    ],
    [
      'network.dns: { query: info, at: /rows, read: list_of_rows, member: api_key, each: text }',
      'facts.network.dns.member',
    ],
  ] as const;

  test('not from under the name of one, wherever a place has it', () => {
    const driverWith = (fact: string): string => ACME.replace('facts:\n', `facts:\n  ${fact}\n`);
    compiled(driverWith(AT));
    for (const [fact, path] of places) {
      const text = driverWith(fact);
      const [problem, ...more] = problemsOf(text);
      assert.deepEqual([problem?.path, problem?.line, more], [path, lineOf(text, `  ${fact.slice(0, 16)}`), []], fact);
      assert.match(problem?.message ?? '', /the name of a secret/);
    }
  });

  test('not as a member of a pool row, a part of the fingerprint or a further setting', () => {
    const pool = problemsOf(changed('members: cgminer', 'members: { url: URL, user: [User, Passwd] }'));
    assert.deepEqual(
      pool.map(({ path }) => path),
      ['facts.pools.members'],
    );
    const part = problemsOf(changed('at: /VERSION/0/CGMiner, read', 'at: /VERSION/0/token, read'));
    assert.deepEqual(
      part.map(({ path }) => path),
      ['facts.firmware.components.components.program.at'],
    );
    const setting = problemsOf(changed('at: /led, read: scalar_text', 'at: /pin, read: scalar_text'));
    assert.deepEqual(
      setting.map(({ path }) => path),
      ['facts.config.other.settings_of.led.at'],
    );
  });

  test('not as the value of a member whose name may be one of a secret, and is not always', () => {
    const readings = (at: string, info: { readonly [name: string]: string }) =>
      compiled(ACME.replace('facts:\n', `facts:\n  network.hostname: { query: info, at: ${at}, read: text }\n`)).facts[
        'network.hostname'
      ]?.read(new Map([['info', { kind: 'reply', value: info, bytes: new Uint8Array(), repairs: [] }]]));
    for (const [at, value, shown] of [
      ['/auth', 'hunter2', '***'],
      ['/auth', 'digest', 'digest'],
      ['[/name, /admin_pw]', ' hunter2 ', '***'],
      ['/login', 'admin:hunter2', 'admin:***'],
      ['/auth_mode', 'hunter2', 'hunter2'],
    ] as const) {
      const name = /(\w+)\]?$/.exec(at)?.[1] ?? '';
      assert.deepEqual(readings(at, { [name]: value }), { kind: 'present', value: shown }, at);
    }
    const worded = compiled(
      ACME.replace(
        'facts:\n',
        'facts:\n  network.hostname: { query: info, at: /auth, read: words, words: { a7: closed, b7: hunter2 } }\n',
      ),
    );
    const value = { auth: 'b7' };
    assert.deepEqual(
      worded.facts['network.hostname']?.read(
        new Map([['info', { kind: 'reply', value, bytes: new Uint8Array(), repairs: [] }]]),
      ),
      { kind: 'present', value: 'hunter2' },
    );
  });

  test('not among the settings of an object, by the names of the file as little as by the common ones', () => {
    const settings = 'config.other: { query: info, at: "", read: settings, except: [power, mode, maker, ssh] }';
    const driver = compiled(ACME.replace(/ {2}config\.other:\n {4}settings_of:\n.*\n/, `  ${settings}\n`));
    const value = { maker: 'Acme', mode: '1', power: '3260 W', led: false, ssh: 'on', PIN: '1234', accessKey: 'x' };
    const reading = driver.facts['config.other']?.read(
      new Map([['info', { kind: 'reply', value, bytes: new Uint8Array(), repairs: [] }]]),
    );
    assert.deepEqual(reading, { kind: 'present', value: [{ key: 'led', value: 'false' }] });
  });
});

describe('what is wrong with a driver file is told with line, setting and remedy', () => {
  const WRONG = [
    ['title: ACME A1', 'titel: ACME A1', 'titel', /unknown setting "titel"/, /did you mean "title"/],
    [
      '  identity.model:',
      '  identity.modell:',
      'facts.identity.modell',
      /unknown setting/,
      /did you mean "identity.model"/,
    ],
    ['cgminer: version }', 'cgminr: version }', 'queries.version.cgminr', /unknown setting/, /did you mean "cgminer"/],
    [
      'read: mac }',
      'read: macc }',
      'facts.identity.mac.read',
      /expected one of/,
      /did you mean "mac"\? how the value there is read/,
    ],
    [
      'query: info, at: /ssh,',
      'query: inof, at: /ssh,',
      'facts.access.ssh.query',
      /no query "inof"/,
      /did you mean "info"\? there are: pools, summary, version/,
    ],
    ['at: /ssh, read: flag', 'at: ssh, read: flag', 'facts.access.ssh.at', /JSON Pointer/, /JSON Pointer/],
    [
      'at: /ssh, read: flag',
      'at: /ssh, read: text',
      'facts.access.ssh.read',
      /reader text does not give a boolean/,
      /readers that do: flag/,
    ],
    ['read: watts }', 'read: sum_of_rows }', 'facts.telemetry.power_w.read', /needs "member"/, /add: member/],
    ['read: watts }', 'read: watts, factor: 2 }', 'facts.telemetry.power_w.factor', /takes no "factor"/, /remove it/],
    [
      'each: celsius }',
      'each: cgminer_rates }',
      'facts.telemetry.temp_max_mc.each',
      /reads no single value/,
      /one of: text/,
    ],
    [
      'each: celsius }',
      'each: text }',
      'facts.telemetry.temp_max_mc.read',
      /does not give a integer/,
      /readers that do/,
    ],
    ['value: ACME }', 'value: 7 }', 'facts.identity.make.value', /this is a integer/, /give the place/],
    [
      'members: cgminer',
      'members: { url: URL, usr: User }',
      'facts.pools.members.usr',
      /unknown setting/,
      /did you mean "user"/,
    ],
    ['members: cgminer', 'members: { user: User }', 'facts.pools.members.url', /missing/, /value/],
    ['cgminer: pools, cadence: pools', 'cgminer: pools', 'queries.pools', /at a full look only/, /cadence: pools/],
    [
      '{ cgminer: version }',
      '{ cgminer: version, cadence: pools }',
      'queries.version.cadence',
      /more than 2 queries/,
      /full look/,
    ],
    ['begins: "ACME " }', 'begins: "" }', 'recognise.all[0].begins', /./, /begins so/],
    ['"<title>ACME" }', '"<title>ACME", read: text }', 'recognise.any[0].read', /unknown setting/, /did you mean/],
    [
      'contains: "<title>ACME" ',
      'ignore_case: true ',
      'recognise.any[0]',
      /does not say what the text must be/,
      /equals/,
    ],
    ['keys.info: {', 'inf: {', 'facts.firmware.components.components.inf', /does not fit/, /keys\.<query>/],
    ['secrets: [pin]', 'secrets: pin', 'secrets', /expected array/, /secret/],
    ['title: ACME A1', 'title:', 'title', /missing/, /give it a value/],
  ] as const;

  for (const [from, to, path, message, remedy] of WRONG) {
    test(`${path}: ${to}`, () => {
      const text = changed(from, to);
      const found = problemsOf(text);
      const problem = found.find((one) => one.path === path);
      assert.ok(problem !== undefined, JSON.stringify(found));
      assert.match(problem.message, message);
      assert.match(problem.remedy, remedy);
      assert.ok(problem.line >= lineOf(text, to) - 1 && problem.line <= lineOf(text, to) + 1, String(problem.line));
    });
  }

  test('a query that nothing reads, pools that are missing, a measured value as a compared one, a part in the wrong place', () => {
    const unread = problemsOf(changed('queries:\n', 'queries:\n  more: { cgminer: devs }\n'));
    assert.match(unread[0]?.message ?? '', /no fact and no sign reads it/);
    const poolless = problemsOf(ACME.replace(/ {2}pools: \{ query.*\n/, '').replace(/ {2}pools: \{ cgminer.*\n/, ''));
    assert.deepEqual(
      poolless.map(({ path }) => path),
      ['facts.pools'],
    );
    const one = '{ query: info, at: /mac, read: mac }';
    const loose = problemsOf(
      changed('{ query: info, at: [/mac, /net/mac], read: mac }', `{ any_of: [${one}, ${one}] }`),
    );
    assert.match(loose[0]?.message ?? '', /is compared/);
    const misplaced = problemsOf(changed('  config.other:\n    settings_of:', '  config.preset:\n    settings_of:'));
    assert.match(misplaced[0]?.message ?? '', /"settings_of" is for config.other only/);
  });

  test('several wrong things are told at once', () => {
    const text = changed('read: watts }', 'read: text }').replace('at: /ssh, read: flag', 'at: /ssh, read: text');
    assert.equal(problemsOf(text).length, 2);
  });
});

describe('hostile YAML', () => {
  const nested = (depth: number): string => `${'['.repeat(depth)}x${']'.repeat(depth)}`;
  const tenfold = (name: string, of: string): string => `${name}: &${name} [${Array(10).fill(of).join(', ')}]\n`;
  const HOSTILE: { readonly [what: string]: string } = {
    nothing: '',
    'a list': '- a\n- b\n',
    'a word': 'acme\n',
    'two documents': `${ACME}---\n${ACME}`,
    'a key twice': `${ACME}family: other\n`,
    'a query twice': ACME.replace('queries:\n', 'queries:\n  info: { get: /api/other }\n'),
    'a tag': changed('family: acme', 'family: !!js/function "function(){}"'),
    'an alias bomb': `${ACME}${tenfold('a', 'x')}${tenfold('b', '*a')}${tenfold('c', '*b')}${tenfold('d', '*c')}`,
    'a circle': `${ACME}close: &a [*a]\n`,
    'deep lists': changed('secrets: [pin]', `secrets: ${nested(2000)}`),
    'deeper lists': changed('secrets: [pin]', `secrets: ${nested(20_000)}`),
    'deep mappings': '{a: '.repeat(9000),
    'a prototype': ACME.replace('queries:\n', 'queries:\n  __proto__: { get: /api/other }\n'),
    'a prototype of facts': ACME.replace('facts:\n', 'facts:\n  __proto__: { query: info, at: /x, read: text }\n'),
    'a constructor as a query': changed('query: info, at: /ssh', 'query: constructor, at: /ssh'),
    'a reader that every object has': changed('read: mac }', 'read: toString }'),
    'a number for a text': changed('title: ACME A1', 'title: 7'),
    'a mapping for a list': changed('secrets: [pin]', 'secrets: { a: pin }'),
    'not a number': changed('secrets: [pin]', 'default_pool_port: .nan'),
    'a long text': changed('title: ACME A1', `title: ${'x'.repeat(100_000)}`),
    'many signs': changed('  any:\n', `  any:\n${'    - { landing: body, contains: x }\n'.repeat(5000)}`),
    'many queries with one name each': ACME.replace(
      'queries:\n',
      `queries:\n${Array.from({ length: 3000 }, (_, n) => `  q${n}: { get: /api/q${n} }\n`).join('')}`,
    ),
    'escapes for a terminal': changed('title: ACME A1', 'title: "ACME\\e[2J"'),
    'control characters': changed('title: ACME A1', 'title: "a\\0\\e[2J"\nevil\u001b: 1'),
  };

  for (const [what, text] of Object.entries(HOSTILE)) {
    test(`${what} is told in time`, () => {
      const startMs = cpuMs();
      const found = problemsOf(text);
      assert.ok(
        found.length > 0 && found.every(({ line, message, remedy }) => line > 0 && message !== '' && remedy !== ''),
      );
      assert.ok(cpuMs() - startMs < 5000);
    });
  }
});
