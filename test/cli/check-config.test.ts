import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LONGEST_STATE_DIR } from '../../agent/platform/control.ts';
import { jwkOf } from '../../shared/keys.ts';
import { formatVkey, NOTE_TYPE } from '../../shared/note.ts';
import { assayer, assertHarmless, configured, folder, lines } from './assayer.ts';

const WRONG = `gateway: gw-1
operator: example.org
state_dir: state
devices:
  - host: 10.0.0.7
    credential: stock
  - range: 10.0.0.0/24
scheduel:
  pools: "* * * * *"
`;

test('every problem is one line: file, line, setting, what is wrong, the nearest known setting', async (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, 'assayer.yaml'), WRONG);
  const { code, out, err } = await assayer(['check-config'], { cwd });
  assert.deepEqual([code, out], [2, '']);
  const problems = lines(err);
  assert.equal(problems.length, 2);
  assert.match(
    problems[0] ?? '',
    /assayer\.yaml:6: devices\[0\]\.credential: unknown setting "credential" \(did you mean "credentials"\?/,
  );
  assert.match(problems[1] ?? '', /assayer\.yaml:8: scheduel: unknown setting "scheduel" \(did you mean "schedule"\?/);
});

test('a file may be named without --config', async (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, 'other.yaml'), WRONG);
  const { code, err } = await assayer(['check-config', 'other.yaml'], { cwd });
  assert.equal(code, 2);
  assert.match(err, /other\.yaml:8: scheduel/);
});

test('--json gives the same problems as data', async (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, 'assayer.yaml'), WRONG);
  const { code, out } = await assayer(['check-config', '--json'], { cwd });
  assert.equal(code, 2);
  const { ok, problems } = JSON.parse(out);
  assert.equal(ok, false);
  assert.deepEqual(
    problems.map(({ line, path }: { line: number; path: string }) => [line, path]),
    [
      [6, 'devices[0].credential'],
      [8, 'scheduel'],
    ],
  );
});

test('run refuses the same file in the same words, and starts nothing', async (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, 'assayer.yaml'), WRONG);
  const { code, err } = await assayer(['run'], { cwd });
  assert.equal(code, 2);
  assert.match(err, /:6: devices\[0\]\.credential: unknown setting/);
  assert.match(err, /\[config\.invalid\]/);
});

test('broken YAML, binary and a directory are told', async (t) => {
  const cwd = folder(t);
  for (const [name, bytes, told] of [
    ['broken.yaml', 'gateway: [', /broken\.yaml:1: not valid YAML/],
    [
      'binary.yaml',
      Buffer.from([0xff, 0x00, 0x1b, 0x5b, 0x33, 0x31, 0x6d]),
      /binary\.yaml:1: it is no UTF-8 text \(save the file as UTF-8\)$/m,
    ],
    ['latin1.yaml', Buffer.from('gateway: gw-\xfc\n', 'latin1'), /latin1\.yaml:1: it is no UTF-8 text/],
    ['empty.yaml', '', /empty\.yaml:1: /],
  ] as const) {
    writeFileSync(join(cwd, name), bytes);
    const said = await assayer(['check-config', '-c', name], { cwd });
    assert.equal(said.code, 2, name);
    assert.match(said.err, told);
    assertHarmless(said);
  }
  assert.match((await assayer(['check-config', '-c', '.'], { cwd })).err, /cannot read .*: EISDIR/);
});

test('a key with terminal escapes does not reach the terminal', async (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, 'assayer.yaml'), `${WRONG}"evil\\e[2J": 1\n`);
  assertHarmless(await assayer(['check-config'], { cwd }));
});

test('a state folder whose path is too long for the socket in it is told', async (t) => {
  const cwd = folder(t);
  const long = (bytes: number) => 'x'.repeat(bytes - Buffer.byteLength(`${cwd}/`));
  const check = (bytes: number) =>
    assayer(['check-config', '-c', configured(cwd, { state_dir: long(bytes) })], { cwd });
  assert.equal((await check(LONGEST_STATE_DIR)).code, 0);
  const { code, err } = await check(LONGEST_STATE_DIR + 1);
  assert.equal(code, 2);
  assert.match(
    err,
    /assayer\.yaml:3: state_dir: the path .* has 91 bytes, .*\(choose a folder with .* at most 90 bytes\)/,
  );
});

test('a witness that is no key of a cosigner, named twice, or a quorum that can never be, is told', async (t) => {
  const cwd = folder(t);
  const { publicKey } = generateKeyPairSync('ed25519');
  const good = formatVkey('col-a', NOTE_TYPE.cosignature, jwkOf(publicKey));
  const check = (mqtt: object) =>
    assayer(['check-config', '-c', configured(cwd, { mqtt: { url: 'mqtt://127.0.0.1', ...mqtt } })], { cwd });
  assert.equal((await check({ witnesses: [good] })).code, 0);
  for (const [mqtt, told] of [
    [{ witnesses: ['collector-a'] }, /mqtt\.witnesses: "collector-a" is not the key of a cosigner/],
    [{ witnesses: [good.replace('col-a', 'col-b')] }, /is not the key of a cosigner/],
    [{ witnesses: [formatVkey('col-a', NOTE_TYPE.signature, jwkOf(publicKey))] }, /is not the key of a cosigner/],
    [{ witnesses: [good, good] }, /two witnesses have one name/],
    [{ witnesses: [good], quorum: 2 }, /2 of 1 witnesses can never cosign/],
  ] as const) {
    const { code, err } = await check(mqtt);
    assert.equal(code, 2);
    assert.match(err, told);
  }
});

test('an address at which no device can be is told, with its line', async (t) => {
  const cwd = folder(t);
  for (const device of [
    { host: '255.255.255.255' },
    { host: '224.0.0.1' },
    { host: 'ff02::1' },
    { range: '0.0.0.0/32' },
  ]) {
    const { code, err } = await assayer(['check-config', '-c', configured(cwd, { devices: [device] })], { cwd });
    assert.equal(code, 2);
    assert.match(err, /assayer\.yaml:5: devices\[0\]\.(?:host|range): no device can have the address \S+ \(write /);
  }
});

test('a password that any device would be shown is a warning with a remedy, and the file is good', async (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, 'password'), 'hunter2');
  const source = { user: 'root', password_file: 'password' };
  const devices = [{ range: '10.0.0.0/30', credentials: 'stock' }];
  const check = (credentials: object, ...words: readonly string[]) =>
    assayer(['check-config', '-c', configured(cwd, { devices, credentials }), ...words], { cwd });
  const open = await check({ stock: source, unused: source });
  assert.equal(open.code, 0);
  assert.match(open.out, /: good\. /);
  assert.match(
    open.err,
    /^\S+assayer\.yaml: warning: the password of stock is shown, perhaps in clear, .* \(name the families .* families: \[antminer-stock\] .*\)\n$/,
  );
  assert.equal(JSON.parse((await check({ stock: source }, '--json')).out).warnings.length, 1);
  const narrow = await check({ stock: { ...source, families: ['antminer-stock'] } });
  assert.deepEqual([narrow.code, narrow.err], [0, '']);
  assert.deepEqual(JSON.parse((await check({ stock: { vendor_default: true } }, '--json')).out).warnings, []);
});

test('a file of authorities without a certificate is told', async (t) => {
  const cwd = folder(t);
  const { privateKey } = generateKeyPairSync('ed25519');
  for (const text of ['', privateKey.export({ type: 'pkcs8', format: 'pem' }), 'nothing\n']) {
    writeFileSync(join(cwd, 'ca.pem'), text);
    const mqtt = { url: 'mqtts://broker.example.org', ca: join(cwd, 'ca.pem') };
    const { code, err } = await assayer(['check-config', '-c', configured(cwd, { mqtt })], { cwd });
    assert.equal(code, 2);
    assert.match(err, /mqtt\.ca: ca file \S+ holds no certificate \(name the PEM file of the authority as mqtt\.ca\)/);
  }
});

test('--schema prints the JSON Schema of the file', async () => {
  const { code, out } = await assayer(['check-config', '--schema']);
  assert.equal(code, 0);
  const schema = JSON.parse(out);
  assert.deepEqual(schema.required, ['gateway', 'operator', 'state_dir', 'devices']);
  assert.equal(schema.additionalProperties, false);
});

test('a schedule that leaves devices alone for longer than a period of coverage is a warning, and the file is good', async (t) => {
  const cwd = folder(t);
  const devices = [{ range: '10.0.0.0/30' }];
  const warned = async (settings: object): Promise<readonly string[]> => {
    const file = configured(cwd, { devices, ...settings });
    const { code, out } = await assayer(['check-config', '--json', '-c', file], { cwd });
    assert.equal(code, 0, out);
    return (JSON.parse(out).warnings as { message: string }[]).map(({ message }) => message);
  };
  const yearly = await warned({ schedule: { pools: '0 0 1 1 *', config: '0 0 1 1 *' } });
  assert.equal(yearly.length, 2);
  assert.match(yearly[0] ?? '', /^schedule\.pools lets up to 366 d pass without a look, and a period .* is 15 min: /);
  assert.match(yearly[1] ?? '', /^schedule\.config lets up to 366 d pass without a look, /);
  const byDay = await warned({ schedule: { pools: '* 8-17 * * *', config: '*/15 8-17 * * *' } });
  assert.match(
    byDay.join('\n'),
    /^schedule\.pools lets up to 14 h 1 min pass [^\n]*\nschedule\.config lets up to 14 h 15 min /,
  );
  const settings = await warned({ schedule: { config: '0 */2 * * *' } });
  assert.deepEqual([settings.length, settings[0]?.startsWith('schedule.config lets up to 2 h pass')], [1, true]);

  assert.deepEqual(await warned({}), [], 'as it comes');
  assert.deepEqual(await warned({ schedule: { pools: '0 0 1 1 *' } }), [], 'full looks read the pools, too');
  assert.deepEqual(await warned({ schedule: { config: '0 * * * *' }, coverage_s: 3600 }), []);
});

test('a list of pools that allows everything is a warning of check-config and doctor, and the file is good', async (t) => {
  const cwd = folder(t);
  const check = async (allow: readonly object[], verb = 'check-config') => {
    configured(cwd, { pools: { allow }, tenants: { acme: { allow: [{ url: '*', user: 'acme.*' }] } } });
    return assayer([verb], { cwd });
  };
  for (const open of [{ url: '*' }, { url: 'stratum+tcp://*:3333', user: '*' }]) {
    const { code, out, err } = await check([{ url: 'pool.example' }, open]);
    assert.equal(code, 0);
    assert.match(out, /: good\. /);
    assert.match(
      err,
      /^\S+: warning: pools\.allow has a line that allows every pool for every user: .*\(name the pools, .*\)\n$/,
    );
  }
  assert.match(
    (await check([{ url: '*' }], 'doctor')).out,
    /^warn {2}configuration {2}pools\.allow has a line that allows every /m,
  );
  for (const bounded of [{ url: '*', user: 'site.*' }, { url: '*.pool.example' }, { url: '*/key' }])
    assert.equal((await check([bounded])).err, '', JSON.stringify(bounded));
});

test('a list of pools with an account that whoever holds a machine can set is a warning of check-config and doctor', async (t) => {
  const cwd = folder(t);
  const check = async (user: string, verb = 'check-config') => {
    const allow = [{ url: 'stratum+tcp://pool.example:3333', user: 'acme.*' }];
    const devices = [{ range: '10.0.0.0/30', labels: { rack: 'r1' } }];
    configured(cwd, { devices, pools: { allow }, tenants: { acme: { allow: [{ url: 'pool.example', user }] } } });
    return assayer([verb], { cwd });
  };
  for (const [user, field] of [
    ['{hostname}.x', 'hostname'],
    ['{model}.{serial}', 'model'],
    ['LTC.{hostname}.x', 'hostname'],
  ] as const) {
    const { code, out, err } = await check(user);
    assert.equal(code, 0);
    assert.match(out, /: good\. /);
    assert.ok(
      err.includes(`warning: tenants.acme.allow has ${user}, whose account is made of {${field}}, which whoever holds`),
      err,
    );
    assert.equal(lines(err).length, 1);
  }
  assert.match((await check('{hostname}.x', 'doctor')).out, /^warn {2}configuration {2}tenants\.acme\.allow has /m);
  for (const held of ['acme.{hostname}', '{rack}.{hostname}', '{serial}.x', 'ops@acme.example/{hostname}'])
    assert.equal((await check(held)).err, '', held);
});

test('one address listed as several positions with the same cgminer and http ports is a warning that names them, and the file is good', async (t) => {
  const cwd = folder(t);
  const check = async (...devices: readonly object[]) => {
    const { code, err } = await assayer(['check-config', '-c', configured(cwd, { devices })], { cwd });
    assert.equal(code, 0, err);
    return err;
  };
  const host = '10.0.0.7';
  const err = await check({ host }, { host, ports: { ssh: 2222 } }, { host, name: 'rig', ports: { volcminer: 8361 } });
  assert.match(
    err,
    /: warning: 10\.0\.0\.7 is 10-0-0-7, 10-0-0-7-2222, rig with the same ports, cgminer 4028 and http 80: .* \(list the machine once.*\)\n$/,
  );
  assert.equal(lines(err).length, 1);
  assert.match(
    await check({ host: 'Miner7' }, { host: 'miner7', name: 'rig' }),
    /warning: miner7 is miner7, rig with /,
  );
  assert.match((await assayer(['doctor'], { cwd })).out, /^warn {2}configuration {2}miner7 is miner7, rig with /m);
  assert.equal(await check({ host }, { host, ports: { http: 8081 } }, { host, ports: { cgminer: 14028 } }), '');
  assert.equal(await check({ host }, { host: '10.0.0.8', ports: { ssh: 2222 } }, { range: '10.0.0.0/28' }), '');
});

test('a range of which an earlier one holds addresses and says otherwise what is there is a warning; a host within a range is none', async (t) => {
  const cwd = folder(t);
  const check = async (...devices: readonly object[]) => {
    const { code, err } = await assayer(['check-config', '-c', configured(cwd, { devices })], { cwd });
    assert.equal(code, 0, err);
    return err;
  };
  const wide = { range: '10.0.0.0/24', labels: { tenant: 'acme', rack: 'r1' } };
  const narrow = { range: '10.0.0.64/30', labels: { tenant: 'other' }, ports: { cgminer: 4029 } };
  assert.match(
    await check(wide, narrow),
    /: warning: devices\[0\] \(range 10\.0\.0\.0\/24\) stands before devices\[1\] \(range 10\.0\.0\.64\/30\) and holds for 2 addresses of it: the labels and ports of devices\[1\] \S+ \S+ do not count there \(let no two ranges have the same address, .*\)\n$/,
  );
  const reversed = await check(narrow, { range: '10.0.0.200/32' }, wide);
  assert.match(
    reversed,
    /warning: devices\[0\] .* stands before devices\[2\] .* for 2 addresses of it \(so does another/,
  );
  assert.equal(lines(reversed).length, 1);
  const { labels } = wide;
  const same = { range: '10.0.0.128-10.0.1.9', labels: { rack: labels.rack, tenant: labels.tenant } };
  assert.equal(await check(wide, same), '', 'whichever holds says the same');
  assert.equal(await check({ range: '10.0.0.0/30' }, { range: '10.0.0.4-10.0.0.9', labels }), '', 'no address of both');
  const host = { host: '10.0.0.65', labels: { tenant: 'third' } };
  assert.equal(await check(wide, host), '', 'it holds wherever it stands');
  assert.equal(
    await check(wide, host, { range: '10.0.0.65/32', labels: { rack: 'r2' } }),
    '',
    'neither range holds there',
  );
  assert.match(
    (await assayer(['doctor', '-c', configured(cwd, { devices: [wide, narrow] })], { cwd })).out,
    /^warn {2}configuration {2}devices\[0\] /m,
  );
});

test('an empty file, a key that is there twice and a range that is too large are told in words of ours', async (t) => {
  const cwd = folder(t);
  const check = async (text: string): Promise<string> => {
    writeFileSync(join(cwd, 'assayer.yaml'), text);
    const { code, err } = await assayer(['check-config'], { cwd });
    assert.equal(code, 2);
    return err;
  };
  const good = 'operator: example.org\nstate_dir: .\n';
  for (const empty of ['', '# nothing yet\n'])
    assert.match(await check(empty), /:1: it holds no setting \(assayer init /);
  assert.match(
    await check(`gateway: a\n${good}gateway: b\ndevices: [{ host: 10.0.0.1, labels: { "a b": c, "a b": d } }]\n`),
    /:4: gateway is there twice, .*\(remove one of them.*\)\n.*:5: "a b" is there twice, /,
  );
  assert.match(
    await check(`gateway: a\n${good}devices: [{ range: 10.0.0.0/4 }]\n`),
    /:4: devices\[0\]\.range: "10\.0\.0\.0\/4" has 268435454 addresses \(split it: /,
  );
});
