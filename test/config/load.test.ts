import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { configText } from '../../agent/cli/init.ts';
import { loadConfig, loadSettings, parseConfig } from '../../agent/config/load.ts';
import { checkCertificates } from '../../agent/config/meaning.ts';
import type { ConfigProblem } from '../../agent/config/problems.ts';
import { ALL_PORTS } from '../../agent/drivers/driver.ts';
import { Authority } from '../publish/certificates.ts';

const MINIMAL = `gateway: gw-1
operator: example.org
state_dir: state
devices:
  - range: 127.0.0.0/29
`;

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

const good = (text: string, also?: Parameters<typeof parseConfig>[2]) => {
  const parsed = parseConfig(text, '/etc/assayer', also);
  assert.equal(parsed.kind, 'good', JSON.stringify(parsed));
  return (parsed as Extract<typeof parsed, { kind: 'good' }>).config;
};

const problemsOf = (text: string, also?: Parameters<typeof parseConfig>[2]): readonly ConfigProblem[] => {
  const parsed = parseConfig(text, '/etc/assayer', also);
  assert.equal(parsed.kind, 'bad', 'the text was taken as good');
  return (parsed as Extract<typeof parsed, { kind: 'bad' }>).problems;
};

test('a minimal file gets every default, and paths relative to its folder', () => {
  const config = good(MINIMAL);
  assert.equal(config.state_dir, '/etc/assayer/state');
  assert.equal(config.schedule.pools, '* * * * *');
  assert.deepEqual(config.devices[0]?.ports, ALL_PORTS);
  assert.equal(config.confirm_s, 10);
});

test('an unknown setting is an error with its line and the nearest known one', () => {
  const [problem] = problemsOf(`${MINIMAL}coverage: 900\n`);
  assert.equal(problem?.line, 6);
  assert.equal(problem?.path, 'coverage');
  assert.match(problem?.remedy ?? '', /did you mean "coverage_s"/);
});

test('what is wrong beside a setting that is missing, or that no schema takes, is told with it', () => {
  const paths = (text: string, also?: Parameters<typeof parseConfig>[2]) =>
    problemsOf(text, also).map(({ line, path }) => `${line} ${path}`);
  const nameless = MINIMAL.slice(0, MINIMAL.indexOf('devices:'));
  assert.deepEqual(paths(`${nameless}schedule: { pools: "61 * * * *" }\n`), ['1 devices', '4 schedule.pools']);
  assert.deepEqual(paths(`${nameless}mqtt: { url: "mqtt://broker.example" }\n`), ['1 devices', '4 mqtt.url']);
  assert.deepEqual(paths(`schedule: { pools: "61 * * * *" }\n`), [
    '1 gateway',
    '1 operator',
    '1 state_dir',
    '1 devices',
    '1 schedule.pools',
  ]);
  assert.deepEqual(
    paths(
      `${MINIMAL}  - { range: 10.0.0.0/99 }\n  - { hots: rig }\ncoverage: 900\nschedule: { pol: "*", config: "61 * * * *" }\n`,
    ),
    [
      '7 devices[2].host',
      '7 devices[2].hots',
      '9 schedule.pol',
      '8 coverage',
      '9 schedule.config',
      '6 devices[1].range',
    ],
  );
  assert.deepEqual(
    paths(
      `${MINIMAL}    nmae: rig\n  - { range: 10.0.0.0/99 }\nnotify: [{ name: a, command: [mail] }]\nconfirm_s: soon\n`,
    ),
    ['6 devices[0].nmae', '9 confirm_s', '7 devices[1].range', '8 notify[0].command'],
  );
  assert.deepEqual(
    paths(`${nameless}pools: { allow: [{ url: "*.pool.example:*", user: "{rack}" }] }\ndrivers: [absent.yaml]\n`).slice(
      0,
      2,
    ),
    ['1 devices', '4 pools.allow[0].url'],
  );
});

test('what may be right once a wrong setting is, is not told beside that', () => {
  const paths = (text: string) => problemsOf(text).map(({ path }) => path);
  for (const [text, expected] of [
    ['mqtt: { url: "mqtt://broker.example", insecur: true }', ['mqtt.insecur']],
    ['credentials: { main: { pasword_file: p } }', ['credentials.main.pasword_file']],
    ['credentials: 5\nlabels: { tenant: acme }\ntenants: 7', ['credentials', 'tenants']],
    ['pools: { allow: [{ url: "stratum+tcp://a.example", user: "{rack}" }] }\nlabels: { Rack: "7" }', ['labels.Rack']],
  ] as const)
    assert.deepEqual(
      paths(`${MINIMAL.replace('0/29', '0/29\n    credentials: main')}${text}\n`).filter(
        (path) => path !== 'devices[0].credentials' || text.startsWith('credentials: 5'),
      ),
      expected,
      text,
    );
});

test('a tenant that cannot be a level of a topic is refused, at the top and at an entry', () => {
  for (const tenant of ['ACME', 'a/b', '+', '"#"', '_x'])
    assert.match(problemsOf(`${MINIMAL}labels: { tenant: ${tenant} }\n`)[0]?.message ?? '', /level of a topic/, tenant);
  const [problem] = problemsOf(MINIMAL.replace('0/29', '0/29\n    labels: { tenant: a.b }'));
  assert.deepEqual([problem?.line, problem?.path], [6, 'devices[0].labels.tenant']);
  assert.equal(good(`${MINIMAL}labels: { tenant: acme-2 }\n`).labels.tenant, 'acme-2');
});

test('targets of notify: defaults, paths, and whatever would keep them from being told anything', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'assayer-notify-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const secret = join(folder, 'secret');
  writeFileSync(secret, `whsec_${Buffer.alloc(32, 7).toString('base64')}\n`);
  writeFileSync(join(folder, 'weak'), 'correct horse\n');
  writeFileSync(join(folder, 'plain'), '#!/bin/sh\n', { mode: 0o644 });
  const parse = (entries: string) => parseConfig(`${MINIMAL}notify:\n${entries}`, folder);
  const taken = parse(
    '  - name: pager\n    webhook: { url: "https://pager.example/x", secret_file: secret }\n  - { name: mail, command: [/bin/sh, -c, "exit 0"], least: high, ids: ["pool.*", firmware.rollback] }\n',
  );
  assert.ok(taken.kind === 'good', JSON.stringify(taken));
  const [pager, mail] = taken.config.notify;
  assert.ok(pager !== undefined && 'webhook' in pager && mail !== undefined && 'command' in mail);
  assert.deepEqual(
    [pager.least, pager.timeout_s, pager.max_age_s, pager.webhook.secret_file],
    ['medium', 20, 3600, secret],
  );

  const webhook = (settings: string) => `  - name: pager\n    webhook: { ${settings} }\n`;
  const good = 'url: "https://pager.example/s3cret?s3cret", secret_file: secret';
  for (const [entries, path, message] of [
    [webhook('url: "https://pager.example/x"'), 'notify[0].webhook', /secret_file and secret_env/],
    [
      webhook(good.replace('secret_file: secret', 'secret_file: absent')),
      'notify[0].webhook',
      /cannot read the secret file/,
    ],
    [webhook(good.replace('secret_file: secret', 'secret_file: weak')), 'notify[0].webhook', /24 to 64 bytes/],
    [webhook(good.replace('https', 'http')), 'notify[0].webhook.url', /http:\/\/pager\.example .*clear text/],
    [webhook(good.replace('https', 'ftp')), 'notify[0].webhook.url', /no URL of HTTP/],
    [
      webhook(good.replace('pager.example', 'u:p4ss@pager.example')),
      'notify[0].webhook.url',
      /may not hold credentials/,
    ],
    [
      webhook(`${good}, headers: { Authorization: Bearer t0ken }`),
      'notify[0].webhook.headers.Authorization',
      /is a secret/,
    ],
    [webhook(`${good}, headers: { webhook-id: x }`), 'notify[0].webhook.headers.webhook-id', /cannot be set/],
    [webhook(`${good}, headers: { X-A: "a\\nb" }`), 'notify[0].webhook.headers.X-A', /cannot be sent/],
    [webhook(`${good}, authorization_file: absent`), 'notify[0].webhook', /cannot read the authorization file/],
    [webhook(`${good}, ca: absent`), 'notify[0].webhook.ca', /cannot read ca file/],
    [webhook(`${good}, ca: secret`), 'notify[0].webhook.ca', /holds no certificate/],
    ['  - { name: a, command: [mail] }\n', 'notify[0].command', /no absolute path/],
    ['  - { name: a, command: [/absent/program] }\n', 'notify[0].command', /cannot be run: ENOENT/],
    [`  - { name: a, command: [${folder}/plain] }\n`, 'notify[0].command', /cannot be run: EACCES/],
    [`  - { name: a, command: [${folder}] }\n`, 'notify[0].command', /is no file/],
    ['  - { name: a, command: [/bin/sh] }\n  - { name: a, command: [/bin/sh] }\n', 'notify[1].name', /used twice/],
    [
      '  - { name: a, command: [/bin/sh], ids: [pool.url-chnged] }\n',
      'notify[0].ids[0]',
      /no finding "pool\.url-chnged"/,
    ],
    ['  - { name: a, command: [/bin/sh], ids: ["pols.*"] }\n', 'notify[0].ids[0]', /no finding "pols/],
  ] as const) {
    const parsed = parse(entries);
    assert.ok(parsed.kind === 'bad', entries);
    assert.deepEqual(
      parsed.problems.map((problem) => problem.path),
      [path],
      entries,
    );
    assert.match(parsed.problems[0]?.message ?? '', message);
    assert.doesNotMatch(JSON.stringify(parsed.problems), /s3cret|correct horse|p4ss|t0ken/, entries);
  }
  assert.equal(parse(webhook(good.replace('https://pager.example', 'http://[::1]:8080'))).kind, 'good');
  assert.equal(parse(webhook(`${good.replace('https', 'http')}, insecure: true`)).kind, 'good');
  const both = parse('  - { name: a, command: [/bin/sh], webhook: { url: "https://x.example" } }\n');
  assert.ok(both.kind === 'bad' && /does not go with/.test(both.problems[0]?.message ?? ''), JSON.stringify(both));
});

test('an unknown setting of a device entry names the form the entry has, not both', () => {
  const found = problemsOf(MINIMAL.replace('127.0.0.0/29', '127.0.0.0/29\n    credential: stock'));
  assert.equal(found.length, 1);
  assert.equal(found[0]?.line, 6);
  assert.match(found[0]?.remedy ?? '', /did you mean "credentials"/);
});

test('a value of the wrong type says where it stands and what the setting means', () => {
  const [problem] = problemsOf(`${MINIMAL}probe:\n  concurrency: many\n`);
  assert.equal(problem?.line, 7);
  assert.equal(problem?.path, 'probe.concurrency');
  assert.match(problem?.remedy ?? '', /most devices asked at the same time/);
});

test('what is written wrongly is told with what to write, and with what it is part of', () => {
  const remedy = (text: string) => problemsOf(text)[0]?.remedy ?? '';
  const second = 'second look at a changed value after this, ± 50 %, s';
  for (const value of ['-3', '601', '2.5', 'soon', '[10]'])
    assert.equal(remedy(`${MINIMAL}confirm_s: ${value}\n`), `write a whole number from 1 to 600; ${second}`);
  assert.match(remedy(`${MINIMAL}coverage_s: abc\n`), /^write a whole number from 10 to 3600; /);
  assert.match(remedy(`${MINIMAL}labels: { site: 3 }\n`), /^put it in quotes: .* number; labels: travel with/);
  assert.match(remedy(`${MINIMAL}labels: { site: [a] }\n`), /^write one text; labels: /);
  assert.match(remedy(`${MINIMAL}labels: { site: "" }\n`), /^write at least one character; labels: /);
  assert.match(remedy(`${MINIMAL}labels: { Site: x }\n`), /^spell it otherwise; labels: travel/);
  assert.match(remedy(`${MINIMAL}labels: [a]\n`), /^write names with their values, .*; travel with/);
  assert.equal(
    remedy(`${MINIMAL}redact: [pools.usr]\n`),
    'did you mean "pools.user"? redact: facts published as digests only',
  );
  assert.match(remedy(`${MINIMAL}redact: pools.user\n`), /^write a list, .*; facts published/);
  assert.match(remedy(`${MINIMAL}log_level: 3\n`), /^write one of error, warn, info, debug; /);
  assert.match(remedy(`${MINIMAL}mqtt: { url: "mqtts://b", insecure: maybe }\n`), /^write true or false; /);
  assert.match(
    remedy(`${MINIMAL}mqtt: { url: "mqtts://b", tls_min: 1.2 }\n`),
    /^put it in quotes: .* number; oldest TLS/,
  );
  assert.match(remedy(`${MINIMAL}schedule: often\n`), /^write settings, .*; known here: pools, config, .*; 5 fields/);
  assert.match(remedy(MINIMAL.replace('gw-1', 'GW')), /^spell it otherwise; id of this/);
  for (const text of ['- a\n- b\n', 'hello\n'])
    assert.match(remedy(text), /^write settings, .*; known here: gateway, operator, .*; see docs\/configuration\.md$/);
});

test('of a line of a list of pools the URL is looked at, whatever is wrong with the user', () => {
  const found = problemsOf(`${MINIMAL}pools: { allow: [ { url: 'ht tp://', user: '{' } ] }\n`);
  assert.deepEqual(found.map(({ path }) => path).sort(), ['pools.allow[0].url', 'pools.allow[0].user']);
});

test('text that is not YAML is one error with its line', () => {
  const [problem] = problemsOf('gateway: "gw-1\noperator: example.org\n');
  assert.match(problem?.message ?? '', /not valid YAML/);
  assert.ok((problem?.line ?? 0) >= 1);
});

test('an alias without its anchor is an error with its line, and the remedy says how a text that begins with * is written', () => {
  const [named] = problemsOf(MINIMAL.replace('gw-1', '*gw-1'));
  assert.equal(named?.line, 1);
  assert.match(named?.message ?? '', /not valid YAML: \*gw-1 is an alias/);
  const allow = `${MINIMAL}pools:\n  allow:\n    - { url: "stratum+tcp://pool.example:3333", user: *acme.* }\n    - { url: *.x }\n`;
  const found = problemsOf(allow);
  assert.deepEqual(
    found.map(({ line }) => line),
    [8, 9],
  );
  assert.match(found[0]?.remedy ?? '', /"\*acme\.\*"/);
});

test('aliases with an anchor stand for its value, up to the bound of the library', () => {
  const config = good(
    `${MINIMAL.replace('127.0.0.0/29', '127.0.0.0/29\n    labels: *where')}`.replace(
      /^/,
      'labels: &where { site: tx1 }\n',
    ),
  );
  assert.deepEqual(config.devices[0]?.labels, { site: 'tx1' });
  const tenfold = (name: string, of: string) => `${name}: &${name} [${Array(10).fill(of).join(', ')}]\n`;
  const bomb = `${MINIMAL}${tenfold('a', 'x')}${tenfold('b', '*a')}${tenfold('c', '*b')}${tenfold('d', '*c')}`;
  const [problem] = problemsOf(bomb);
  assert.equal(problem?.line, 7);
  assert.match(problem?.message ?? '', /not valid YAML: Excessive alias count/);
});

test('whatever else the YAML library cannot do is an error of the file', () => {
  const circle = `${MINIMAL}labels: &labels { site: *labels }\n`;
  const merge = `%YAML 1.1\n---\n${MINIMAL}<<: 3\n`;
  for (const text of [circle, merge, '['.repeat(9000), '- '.repeat(9000), '? '.repeat(9000), '{a: '.repeat(9000)])
    assert.ok(problemsOf(text).length > 0, text.slice(0, 20));
});

test('an empty file, a list and a bare word are errors, not crashes', () => {
  for (const text of ['', '- a\n- b\n', 'hello\n', 'null\n']) assert.ok(problemsOf(text).length > 0, text);
});

test('a wrong cron expression, a missing credential and a wrong range are all reported at once', () => {
  const found = problemsOf(
    `${MINIMAL.replace('127.0.0.0/29', '10.0.0.9-10.0.0.1\n    credentials: stock')}schedule:\n  pools: "every minute"\n`,
  );
  assert.deepEqual(found.map(({ path }) => path).sort(), [
    'devices[0].credentials',
    'devices[0].range',
    'schedule.pools',
  ]);
});

test('two passwords for one interface of one address are an error; two machines behind one address are not', () => {
  const SOURCES = {
    old: 'password_env: OLD',
    new: 'password_env: NEW',
    same: 'password_env: OLD',
    reader: 'user: reader, password_env: OLD',
    maker: 'vendor_default: true',
    whatsminers: 'password_env: LUCI, families: [whatsminer]',
    others: 'password_env: NEW, families: [whatsminer]',
    antminers: 'password_env: NEW, families: [antminer-stock]',
  };
  const credentials = Object.entries(SOURCES).map(([name, source]) => `  ${name}: { ${source} }\n`);
  const told = (...entries: readonly string[]): readonly ConfigProblem[] => {
    const devices = entries.map((entry, at) => `  - { host: 127.63.11.2, name: rig-${at}, ${entry} }\n`).join('');
    const text = `${MINIMAL.replace(/ {2}- range: .*\n/, devices)}credentials:\n${credentials.join('')}`;
    return problemsOf(text).filter(({ path }) => path.startsWith('devices'));
  };
  const [problem, ...others] = told('credentials: old', 'credentials: new, ports: { ssh: 2222 }');
  assert.deepEqual([problem?.line, problem?.path, others], [6, 'devices[1].credentials', []]);
  assert.match(
    problem?.message ?? '',
    /^127\.63\.11\.2 is listed with the credentials "old" and "new" for the same port 80: /,
  );
  assert.match(
    problem?.remedy ?? '',
    /remove the other entry; two machines behind one address need ports of their own/,
  );
  for (const entry of [
    'credentials: reader, ports: { ssh: 2222 }',
    'credentials: maker, ports: { cgminer: 4029 }',
    'credentials: whatsminers, ports: { cgminer: 4029 }',
    'credentials: new, ports: { https: 8443 }',
  ])
    assert.equal(told('credentials: old', entry).length, 1, entry);
  const forwarded = 'ports: { http: 8081, grpc: 50061';
  assert.equal(
    told(`credentials: old, ${forwarded} }`, 'credentials: new, ports: { http: 8082, grpc: 50061 }').length,
    1,
  );
  assert.equal(told('credentials: old', 'credentials: new', 'credentials: new, ports: { ssh: 23 }').length, 2);
  for (const entry of [
    'credentials: new, ports: { http: 8081, cgminer: 4029 }',
    'credentials: same, ports: { ssh: 2222 }',
    'ports: { ssh: 2222 }',
  ])
    assert.deepEqual(told('credentials: old', entry), [], entry);
  assert.deepEqual(told('credentials: whatsminers', 'credentials: antminers, ports: { cgminer: 4029 }'), []);
  // These ask for it at `https` alone: that both have the usual web port says nothing.
  const apart = ['credentials: whatsminers', 'credentials: others'].map(
    (entry, at) => `${entry}, ports: { https: 844${at} }`,
  );
  assert.deepEqual(told(...apart), []);
  assert.equal(told('credentials: whatsminers', 'credentials: others, ports: { cgminer: 4029 }').length, 1);
});

test('a host is an address or a name; what is given with it is told where it goes', () => {
  const entries = (...hosts: readonly string[]) =>
    MINIMAL.replace(/ {2}- range: .*/, hosts.map((host) => `  - host: ${JSON.stringify(host)}`).join('\n'));
  const wrong = ['10.20.15.7:4028', 'http://10.20.15.7', 'a b', '10.20.15', '10.20.15.0/24', '[fd00::7]'];
  const found = problemsOf(entries(...wrong));
  assert.deepEqual(
    found.map(({ path }) => path),
    wrong.map((_, index) => `devices[${index}].host`),
  );
  assert.match(found[0]?.remedy ?? '', /ports: \{ cgminer: 4028 \}/);
  good(entries('10.20.15.7', 'miner7.example', 'tx1_b2', 'fd00::7'));
});

test('a log-in for a family that does not exist is told, with the nearest one there is', () => {
  const of = (families: string) => `${MINIMAL}credentials:\n  stock: { vendor_default: true, families: ${families} }\n`;
  const [problem] = problemsOf(of('[goldshell, antminer-stok]'));
  assert.equal(problem?.path, 'credentials.stock.families[1]');
  assert.match(problem?.remedy ?? '', /did you mean "antminer-stock"/);
  good(of('[goldshell]'));
});

test('a line of pools.allow that names no host is told', () => {
  const lines = ['not a url', 'stratum+tcp://', 'stratum+tcp://*pool.example:1', ':3333'];
  const listed = (urls: readonly string[]) =>
    `${MINIMAL}pools:\n  allow:\n${urls.map((url) => `    - { url: ${JSON.stringify(url)} }\n`).join('')}`;
  assert.deepEqual(
    problemsOf(listed(lines)).map(({ path }) => path),
    lines.map((_, index) => `pools.allow[${index}].url`),
  );
  good(
    listed([
      'stratum+tcp://*.pool.example:3333',
      '*',
      'pool.example',
      'stratum2+tcp://[fd00::1]:3336/key',
      '10.0.0.9:1',
    ]),
  );
});

test('a line of pools.allow with something else than a number for a port is told that a port is left out where any may be', () => {
  const listed = (url: string) => `${MINIMAL}pools:\n  allow:\n    - { url: ${JSON.stringify(url)} }\n`;
  for (const [url, port, place] of [
    ['*.pool.example:*', '*', '*.pool.example'],
    ['stratum+tcp://pool.example:*/key', '*', 'stratum+tcp://pool.example'],
    ['[fd00::1]:any', 'any', '[fd00::1]'],
    ['*:3000-4000', '3000-4000', '*'],
    ['pool.example:', '', 'pool.example'],
  ] as const) {
    const [problem, ...more] = problemsOf(listed(url));
    assert.deepEqual(more, []);
    assert.equal(problem?.message, `${JSON.stringify(url)} names no port: "${port}" is no number`);
    const remedy = `leave it out where any port may be: ${place}, or write its number: ${place}:3333`;
    assert.equal(problem?.remedy, remedy);
    good(listed(place));
    good(listed(`${place}:3333`));
  }
});

test('an entry with host and range is told that they do not go together', () => {
  const [problem, ...more] = problemsOf(MINIMAL.replace('127.0.0.0/29', '127.0.0.0/29\n    host: 127.0.0.9'));
  assert.deepEqual(more, []);
  assert.match(problem?.message ?? '', /does not go with the other settings of this entry/);
});

test('a password file that cannot be read is found before anything starts, and no secret is in the message', () => {
  const [problem] = problemsOf(`${MINIMAL}credentials:\n  stock: { password_file: missing }\n`);
  assert.match(problem?.message ?? '', /cannot read the password file \/etc\/assayer\/missing: ENOENT/);
});

test('plain MQTT beyond the loopback needs to be allowed by name', () => {
  const [problem] = problemsOf(`${MINIMAL}mqtt:\n  url: mqtt://broker.example.org:1883\n`);
  assert.equal(problem?.path, 'mqtt.url');
  good(`${MINIMAL}mqtt:\n  url: mqtt://broker.example.org:1883\n  insecure: true\n`);
  good(`${MINIMAL}mqtt:\n  url: mqtt://127.0.0.1:1883\n`);
});

test('a step beyond the numbers of its field is an error with its line, in five fields and in six', () => {
  for (const [expression, told] of [
    ['*/90 * * * *', /the step 90 in the field minute/],
    ['0-30/61 * * * *', /the step 61 in the field minute/],
    ['*/61 * * * * *', /the step 61 in the field second/],
    ['0 */25 * * *', /the step 25 in the field hour/],
    ['0 0 */40 * *', /the step 40 in the field day/],
    ['0 0 1 */13 *', /the step 13 in the field month/],
    ['0 0 * * */8', /the step 8 in the field weekday/],
  ] as const) {
    const [problem, ...more] = problemsOf(`${MINIMAL}schedule:\n  pools: "* * * * *"\n  config: "${expression}"\n`);
    assert.deepEqual([problem?.line, problem?.path, more], [8, 'schedule.config', []], expression);
    assert.match(problem?.message ?? '', told);
  }
  good(`${MINIMAL}schedule:\n  pools: "*/60 * * * * *"\n  config: "*/60 */24 */31 */12 */7"\n`);
});

test('files of mqtt that cannot be read, are no PEM or do not fit each other stand at their lines, for who asks', {
  skip: hasOpenssl ? false : 'openssl is missing',
}, (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'assayer-config-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const [ours, theirs] = [new Authority(dir).issue('ours', 'DNS:gw-1'), new Authority(dir).issue('theirs', 'DNS:gw-1')];
  writeFileSync(join(dir, 'text'), 'no PEM');
  const mqtt = (ca: string, cert: string, key: string) =>
    `${MINIMAL}mqtt:\n  url: mqtts://broker.example.org\n  ca: ${ca}\n  cert: ${cert}\n  key: ${key}\n`;
  good(mqtt(ours.cert, ours.cert, ours.key), checkCertificates);
  for (const [text, line, told] of [
    [mqtt('absent.pem', ours.cert, ours.key), 8, /cannot read ca file \/etc\/assayer\/absent\.pem: ENOENT/],
    [mqtt(ours.cert, join(dir, 'text'), ours.key), 9, /files cert of mqtt cannot be used/],
    [mqtt(ours.cert, ours.cert, dir), 10, /key file .* is no regular file/],
    [mqtt('/dev/zero', ours.cert, ours.key), 8, /ca file \/dev\/zero is no regular file/],
    [mqtt(ours.cert, ours.cert, theirs.key), 10, /files cert, key of mqtt cannot be used/],
  ] as const) {
    good(text);
    const [problem, ...more] = problemsOf(text, checkCertificates);
    assert.deepEqual([problem?.line, more], [line, []], text);
    assert.match(problem?.message ?? '', told);
  }
});

test('a setting that is missing, or has no value, is told by its meaning', () => {
  const found = problemsOf('gateway:\nstate_dir: state\ndevices:\n  - name: rig-1\n');
  assert.deepEqual(
    found.map(({ line, path, message }) => [line, path, message.slice(0, 30)]),
    [
      [1, 'gateway', 'missing: id of this gateway = '],
      [1, 'operator', 'missing: domain of the operato'],
      [4, 'devices[0].host', 'missing: IP address or host na'],
    ],
  );
});

test('the file that init writes is good as it is', () => {
  good(configText({ gateway: 'gw-1', operator: 'example.org', stateDir: 'assayer-state', range: '192.168.7.0/24' }));
});

test('loadConfig names every problem with file and line, and the command that checks again', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'assayer-config-')), 'assayer.yaml');
  writeFileSync(file, `${MINIMAL}nonsense: 1\nalso_wrong: 2\n`);
  assert.throws(
    () => loadConfig(file),
    (error: Error & { remedy?: string }) => {
      assert.match(error.message, /:6: nonsense: unknown setting/);
      assert.match(error.message, /:7: also_wrong: unknown setting/);
      assert.match(error.remedy ?? '', /assayer check-config -c /);
      return true;
    },
  );
});

test('loadSettings reads none of the driver and firmware files, and names every other problem all the same', (t) => {
  const named = `${MINIMAL}drivers: [own.yaml]\nfirmware: { file: firmware.yaml }\ncredentials: { own: { user: a, password_file: pw, families: [own] } }\n`;
  const file = inFolder(t, { 'assayer.yaml': named, 'own.yaml': 'famly: own\n', pw: 'x' });
  assert.throws(() => loadConfig(file), /own\.yaml:1: famly: unknown setting/);
  const { config } = loadSettings(file);
  assert.deepEqual([config.gateway, config.state_dir], ['gw-1', join(file, '..', 'state')]);
  const wrong = inFolder(t, {
    'assayer.yaml': `${named}approvers: { alice: none.json }\npools: { allow: [{ url: "*.pool.example:3333", user: "{rack}" }] }\n`,
  });
  assert.throws(() => loadSettings(wrong), /pools\.allow\[0\]\.user: .*\n.* approvers\.alice: .*none\.json/s);
});

const TENANTS = `${MINIMAL}    labels: { rack: r14, tenant: acme }
tenants:
  acme:
    allow:
      - { url: "stratum+tcp://*.pool.example:3333", user: "acme.{rack}-{serial}" }
  globex:
    devices:
`;

test('tenants: lists, templates and assignments with their times are taken', () => {
  const config =
    good(`${TENANTS}      - { device: rig-1, from: 2026-12-01T00:00:00Z, until: "2027-01-01T00:00:00+01:00" }
      - { labels: { rack: r14 }, range: 127.0.0.0/30, from: 2026-12-01T00:00:00Z }
`);
  assert.equal(config.tenants.globex?.devices.length, 2);
  assert.equal(config.tenants.globex?.allow, undefined);
  assert.deepEqual(good(MINIMAL).tenants, {});
});

test('tenants: what cannot work is told with its line and a remedy', () => {
  const problemIn = (lines: string): string => {
    const [problem, ...more] = problemsOf(`${TENANTS}${lines}`);
    assert.ok(problem !== undefined && more.length === 0, JSON.stringify([problem, ...more]));
    return `${problem.line} ${problem.path}: ${problem.message} (${problem.remedy})`;
  };
  assert.match(
    problemIn('      - { from: 2026-12-01T00:00:00Z }\n'),
    /^13 tenants\.globex\.devices\[0\]: it names no device \(give it/,
  );
  assert.match(
    problemIn('      - { device: rig-1, from: 2026-12-01 }\n'),
    /devices\[0\]\.from: a time like 2026-12-01T00:00:00Z/,
  );
  assert.match(
    problemIn('      - { device: rig-1, from: 2026-12-02T00:00:00Z, until: 2026-12-01T00:00:00Z }\n'),
    /until: it ends before it begins/,
  );
  assert.match(problemIn('      - { range: 10.0.0.9-10.0.0.1 }\n'), /range: .*ends before it begins/);
  assert.match(
    problemIn('      - { labels: { rack: r15 } }\n'),
    /no device has the label rack: r15 \(did you mean rack: r14\?\)/,
  );
  assert.match(problemIn('      - { devise: rig-1 }\n'), /unknown setting "devise" \(did you mean "device"\?/);
  const both =
    '      - { device: rig-1, from: 2026-12-01T00:00:00Z }\n  initech:\n    devices:\n      - { device: rig-1 }\n';
  assert.match(
    problemIn(both),
    /^16 tenants\.initech\.devices\[0\]: the same devices belong to "globex" at the same time/,
  );
});

test('tenants: an id that no device has is told where all ids are known; in a range they come from the machines', () => {
  const hosts = MINIMAL.replace(
    '- range: 127.0.0.0/29',
    '- { host: 10.20.15.7 }\n  - { host: 10.20.15.8, name: rig-8 }',
  );
  const assigned = (base: string, ...ids: readonly string[]): string =>
    `${base}tenants:\n  acme:\n    devices:\n${ids.map((id) => `      - { device: ${id}, from: 2026-12-01T00:00:00Z }\n`).join('')}`;
  assert.notEqual(hosts, MINIMAL);
  good(assigned(hosts, '10-20-15-7', 'rig-8'));
  good(assigned(MINIMAL, 'rig-9'));
  good(assigned(`${hosts}  - range: 10.20.16.0/29\n`, 'rig-9'));
  const [strange, ...more] = problemsOf(assigned(hosts, 'rig-8', 'rig-9'));
  assert.deepEqual(more, []);
  assert.match(
    `${strange?.line} ${strange?.path}: ${strange?.message} (${strange?.remedy})`,
    /^11 tenants\.acme\.devices\[1\]\.device: there is no device "rig-9" \(did you mean "rig-8"\? /,
  );
});

test('tenants: an unknown tenant, one that is no name, and a field that no device has', () => {
  const [unknown] = problemsOf(
    TENANTS.replace('tenant: acme', 'tenant: acne').replace('    devices:\n', '    devices: []\n'),
  );
  assert.match(
    `${unknown?.path}: ${unknown?.message} (${unknown?.remedy})`,
    /labels\.tenant: there is no tenant "acne" \(did you mean "acme"/,
  );
  const [bad] = problemsOf(`${MINIMAL}labels: { tenant: ACME Corp }\n`);
  assert.match(`${bad?.line} ${bad?.message}`, /^6 "ACME Corp" cannot be the name of a tenant/);
  const [brace] = problemsOf(`${MINIMAL}pools:\n  allow:\n    - { url: pool.example, user: "acme.{serial" }\n`);
  assert.match(
    `${brace?.path}: ${brace?.message}`,
    /allow\[0\]\.user: a brace that does not close.*fields are \{account\}, \{serial\}/,
  );
  const [field] = problemsOf(`${MINIMAL}pools:\n  allow:\n    - { url: pool.example, user: "acme.{serail}" }\n`);
  assert.match(
    `${field?.path}: ${field?.message} (${field?.remedy})`,
    /allow\[0\]\.user: no device has a label "serail".*did you mean \{serial\}/,
  );
  good(`${MINIMAL}labels: { tenant: acme }\n`);
});

const WALLET = 'bc1q94c3vs4hy6cygqtz0j5lhtpj7hy9xra3sw6xr7';
const BROKEN = WALLET.replace('w6x', 'w6g');

test('a list that allows an address which pays nobody is told with its line and a remedy, that of the site and that of a tenant', () => {
  const listed = (user: string): string =>
    `${MINIMAL}pools:\n  allow:\n    - { url: pool.example, user: "acme.*" }\n    - { url: pool.example, user: "${user}" }\n`;
  const [broken, ...more] = problemsOf(listed(`${BROKEN}.*`));
  assert.deepEqual(more, []);
  assert.equal(
    `${broken?.line} ${broken?.path}: ${broken?.message} (${broken?.remedy})`,
    `9 pools.allow[1].user: ${BROKEN} is no wallet address that can be paid: its checksum fails (copy it from the wallet again; for the name of an account that only looks like an address put a star right behind it: ${BROKEN}*)`,
  );
  const [tenant] = problemsOf(TENANTS.replace('acme.{rack}-{serial}', `${BROKEN}.{rack}`).split('  globex')[0] ?? '');
  assert.equal(tenant?.path, 'tenants.acme.allow[0].user');
  for (const user of [`${WALLET}.*`, `${BROKEN}*`, `${BROKEN.slice(0, -8)}*`, `${BROKEN}{serial}`]) good(listed(user));
  for (const user of ['bc1northfarmsiteminers2024x.*', '1stMiningFarmOfTheNorthSide2024', 'ops@acme.example/*'])
    good(listed(user));
});

const inFolder = (t: TestContext, files: { readonly [name: string]: string }): string => {
  const folder = mkdtempSync(join(tmpdir(), 'assayer-config-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return join(folder, 'assayer.yaml');
};

const FIRMWARE = `${MINIMAL}firmware:
  file: firmware.yaml
  approved:
    - { family: whatsminer, version: "20230911.*" }
`;

test('firmware: the lists of its file come behind those of the configuration, and the file counts in the digest', (t) => {
  const entries = 'approved:\n  - { family: vnish, version: "1.2.*", expires: 2027-01-01T00:00:00Z }\nadvisories:\n';
  const advisory = '  - { id: CVE-2026-1, family: axeos, fixed_in: 2.9.0 }\n';
  const file = inFolder(t, { 'assayer.yaml': FIRMWARE, 'firmware.yaml': entries + advisory });
  const first = loadConfig(file);
  assert.deepEqual(
    first.config.firmware?.approved?.map(({ family }) => family),
    ['whatsminer', 'vnish'],
  );
  assert.equal(first.config.firmware?.advisories[0]?.fixed_in, '2.9.0');
  const other = inFolder(t, { 'assayer.yaml': FIRMWARE, 'firmware.yaml': `${entries}${advisory}# one more line\n` });
  assert.notEqual(loadConfig(other).sha256, first.sha256);
});

test('firmware: what is wrong with its file is told with that file and line', (t) => {
  const problemIn = (text: string | undefined): string => {
    const file = inFolder(t, { 'assayer.yaml': FIRMWARE, ...(text === undefined ? {} : { 'firmware.yaml': text }) });
    try {
      loadConfig(file);
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error('the file was taken as good');
  };
  assert.match(problemIn(undefined), /firmware\.yaml:1: cannot be read: .*ENOENT/);
  assert.match(
    problemIn('approved:\n  - { famly: vnish }\n'),
    /firmware\.yaml:2: approved\[0\]\.famly: unknown setting "famly" \(did you mean "family"/,
  );
  assert.match(
    problemIn('approved:\n  - { family: vnihs, version: "1" }\n'),
    /firmware\.yaml:2: approved\[0\]\.family: there is no family "vnihs" \(did you mean "vnish"/,
  );
  assert.match(
    problemIn('approved:\n  - { family: vnish }\n'),
    /firmware\.yaml:2: approved\[0\]: it names no firmware \(give it version/,
  );
  assert.match(problemIn('advisories:\n  - { id: X, family: vnish }\n'), /advisories\[0\]: it names no version/);
  assert.match(
    problemIn('approved:\n  - { version: "1", expires: 2027-01-01 }\n'),
    /expires: a time like 2026-12-01T00:00:00Z/,
  );
  assert.match(problemIn('approved: [\n'), /firmware\.yaml:\d+: not valid YAML/);
});

test('firmware: lists in the configuration itself are checked likewise', () => {
  const [problem] = problemsOf(
    `${MINIMAL}firmware:\n  advisories:\n    - { id: X, family: whatsmner, version: "*" }\n`,
  );
  assert.match(
    `${problem?.line} ${problem?.path}: ${problem?.message}`,
    /^8 firmware\.advisories\[0\]\.family: there is no family "whatsmner"/,
  );
  assert.equal(good(MINIMAL).firmware, undefined);
  assert.equal(good(`${MINIMAL}firmware: { approved: [] }\n`).firmware?.approved?.length, 0);
});
