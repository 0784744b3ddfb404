import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { gradeOf, holdsSecret, isSecretName, mayNameSecret } from '../../agent/drivers/secret-names.ts';

const NO_SECRET = [
  ...[
    'bypass',
    'fan_bypass',
    'fanBypass',
    'dcbypass',
    'by_pass',
    'ByPass',
    'bypasses',
    'compass',
    'encompass',
    'trespass',
  ],
  ...[
    'bypass_key',
    'lowpass',
    'passed',
    'Passed',
    'passive',
    'passthrough',
    'PassThrough',
    'pass_through',
    'pass-thru',
  ],
  ...[
    'test_pass_3',
    'chip_freqs_test_pass_12',
    'pass_count',
    'pass_rate',
    'passRate',
    'PassCount2',
    'pass_fail',
    'pass_pct',
  ],
  ...[
    'upfreq_pass_chips_percent',
    'upfreq_pass_cores_percent',
    'low_pass_filter',
    'last_ok',
    'chip_wd',
    'temp_sw',
    'map_sk',
  ],
  ...[
    'password_set',
    'token_type',
    'tokenExpiresAt',
    'secret_name',
    'creds_path',
    'session_count',
    'pw_limit',
    'pwm',
    'pwr',
  ],
  ...['key', 'keys', 'public_key', 'pubkey', 'hotkey', 'monkey', 'author', 'authorised', 'ssid', 'pin', 'sacred', ''],
];

test('a name tells whether what stands under it is a secret', () => {
  for (const name of [
    ...[
      'pass',
      'wifiPass',
      'WIFIPass',
      'guestpass',
      'standby_pass',
      'comPass',
      'pass_word',
      'passWord',
      'pass code',
      'pswd',
    ],
    ...[
      'Mpassword1',
      'wifi_pswd',
      'passkey',
      'passwordhash',
      'wifi_key_hash',
      'apiKey',
      'oauth_key',
      'session-id',
      'PSK',
    ],
  ])
    assert.ok(isSecretName(name), name);
  for (const name of NO_SECRET) assert.equal(gradeOf(name), undefined, name);
});

test('a name that begins with `pass`, and words that are short for a secret, tell it together with the value', () => {
  for (const name of [
    ...[
      'pass_wifi',
      'passPool1',
      'PassMD5',
      'PASS-WEB',
      'pool_pass_md5',
      'userPassEnc',
      'wifi_pass_new',
      'creds',
      'mqttCreds',
    ],
    ...['ssh_key', 'sshKeys', 'mqttpw', 'MQTTpw', 'ftp_pw', 'rootpw2', 'sess_id', 'PHPSESSID', 'pass_wifi_2'],
  ]) {
    assert.ok(!isSecretName(name), name);
    for (const spelled of ['"hunter2"', '"hunter"', '"482913"', '482913', '["hunter2"]'])
      assert.ok(holdsSecret(name, spelled), `${name}: ${spelled}`);
    for (const spelled of ['true', '"enabled"', '12', '"3"', '[3, 4]', '""', '"***"', 'null'])
      assert.ok(!holdsSecret(name, spelled), `${name}: ${spelled}`);
  }
});

test('keys of licences, one-time codes, the community of SNMP, the PIN of WPS and the address of a webhook are secrets', () => {
  for (const name of ['privkey', 'priv_key', 'PrivKey', 'tlsPrivKey']) assert.ok(isSecretName(name), name);
  for (const name of [
    ...['totp', 'user_totp', 'snmp_community', 'community', 'snmpCommunity2', 'wpsPin', 'wps_pin', 'WPS PIN'],
    ...['license_key', 'licenceKey', 'contract_key', 'contractKey', 'activation-key'],
    ...['webhook', 'webhooks', 'webHook', 'discord_webhook', 'webhookURL', 'webhook_url', 'webhookAddress'],
  ]) {
    for (const spelled of ['"ZQ7f9aKp"', '"https://hooks.example/T0/ZQ7f9aKp"', '48291354'])
      assert.ok(holdsSecret(name, spelled), `${name}: ${spelled}`);
    for (const spelled of ['true', '"enabled"', '3', '""', '"***"', 'null'])
      assert.ok(!holdsSecret(name, spelled), `${name}: ${spelled}`);
  }
  for (const name of [
    ...[
      'totp_enabled',
      'webhook_enabled',
      'webhookTimeout',
      'community_name',
      'license',
      'license_key_valid',
      'contract',
    ],
    ...['pin', 'fan_pin', 'hook', 'influxURL', 'influx_bucket', 'stratumCert'],
  ])
    assert.equal(gradeOf(name), undefined, name);
});

test('the public half of an SSH key may be seen by anybody', () => {
  for (const spelled of ['"ssh-ed25519 AAAAC3Nz ops@site"', '["ssh-rsa AAAAB3Nz"]', '"ecdsa-sha2-nistp256 AAAAE2Vj"'])
    assert.ok(!holdsSecret('ssh_key', spelled), spelled);
  assert.ok(holdsSecret('ssh_key', '"-----BEGIN OPENSSH PRIVATE KEY-----\\nb3BlbnNz"'));
});

test('property: what may be a secret by its name is one however the words are put together', () => {
  const owner = fc.constantFrom('wifi', 'pool', 'admin', 'mqtt', 'com', 'sta', 'standby', 'x9');
  const secret = fc.constantFrom(
    ...[
      ['pass'],
      ['pass', 'word'],
      ['pwd'],
      ['pswd'],
      ['token'],
      ['api', 'key'],
      ['session', 'id'],
      ['psk'],
      ['secret'],
    ],
  );
  const number = fc.constantFrom('', '1', '_2', ' 3', '-4');
  const upper = (word: string): string => `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
  const put = fc.constantFrom<(words: readonly string[]) => string>(
    (words) => words.join('_'),
    (words) => words.join('-'),
    (words) => words.join(' ').toUpperCase(),
    (words) => words.map(upper).join(''),
    ([first = '', ...rest]) => [first, ...rest.map(upper)].join(''),
  );
  fc.assert(
    fc.property(owner, secret, number, put, (whose, words, nth, spell) => {
      const name = `${spell([whose, ...words])}${nth}`;
      assert.ok(isSecretName(name), name);
      assert.ok(mayNameSecret(`a ${name} b`), name);
      assert.notEqual(gradeOf(spell([...words, whose])), undefined, name);
    }),
    { numRuns: 500 },
  );
});

test('a name of any length is read in time that grows with it and no faster', () => {
  for (const part of [
    'pass',
    'pass_',
    '_',
    'passKey',
    'by_',
    'sess_id_',
    '1',
    'aB',
    'expir',
    '_expir',
    ' key',
    '\xe9',
  ]) {
    const time = (length: number): number => {
      const name = `${part.repeat(length / part.length)}x`;
      const begun = performance.now();
      isSecretName(name);
      holdsSecret(name, '"hunter2"');
      return performance.now() - begun;
    };
    const best = (length: number): number => Math.min(...[1, 2, 3].map(() => time(length)));
    const [one, eight] = [best(32_768), best(262_144)];
    assert.ok(eight < 48 * Math.max(one, 5), `${part}: ${one} ms, then ${eight} ms`);
  }
});
