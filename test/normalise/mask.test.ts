import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Driver, defineDriver } from '../../agent/drivers/driver.ts';
import { maskCapture, secretNames } from '../../agent/normalise/mask.ts';
import { parseReply } from '../../agent/probe/json.ts';

const driver = (secrets: readonly string[]): Driver =>
  defineDriver({
    family: 'test',
    title: 'Test',
    source: 'this test',
    recognise: () => 0,
    queries: {},
    facts: {},
    secrets,
  });

const NAMES = secretNames(driver(['hiddenPin']));

const mask = (text: string, names = NAMES): string | undefined => {
  const masked = maskCapture(Buffer.from(text), names);
  return masked === undefined ? undefined : Buffer.from(masked).toString();
};

test('values of secret members are masked wherever they stand, and nothing else changes', () => {
  assert.equal(
    mask('{"pools":[{"url":"a","user":"u","pass":"x"},{"url":"b", "Passwd" : "y" }],"hiddenPin":1234,"passes":3}'),
    '{"pools":[{"url":"a","user":"u","pass":"***"},{"url":"b", "Passwd" : "***" }],"hiddenPin":"***","passes":3}',
  );
});

test('a password in a URL is masked wherever the URL stands in a text, up to the last `@`', () => {
  for (const [text, masked] of [
    ['a://u:p@h b://w.1:q:r@h', 'a://u:***@h b://w.1:***@h'],
    ['x://y://u:p@h', 'x://y://u:***@h'],
    ['://://u:p@h', '://://u:***@h'],
    ['a://u:p h', 'a://u:p h'],
    ['a://h/p:1@b://u:p@h@', 'a://h/p:1@b://u:***@'],
    ['a://h:3333/x@y', 'a://h:3333/x@y'],
    ['a://u:@h', 'a://u:@h'],
    ['a:\\/\\/u:p\\/q@h', 'a:\\/\\/u:***@h'],
  ] as const)
    assert.equal(mask(`{"url":"${text}","n":1}`), `{"url":"${masked}","n":1}`);
});

test('all the common spellings are secret in every family', () => {
  for (const name of [
    'pass',
    'PASS',
    'passwd',
    'Password',
    'pwd',
    'wifiPass',
    'stratumPassword',
    'fallbackStratumPassword',
    'psk',
    'salt',
    'token',
    'influxToken',
    'Mpassword1',
    'pool2pass',
    'api_key',
    'passwordHash',
    'token_value',
    'SessionID',
    'session_id',
    'x-api-key',
    'accessKey',
    'auth-key',
    'wifi_key',
    'Cookie',
    'jwt',
    'passcode',
    'pass_1',
    'Pass 2',
    'Password-2',
    'pools.0.pass',
    'psk_3_',
  ]) {
    assert.ok(NAMES.has(name), name);
  }
  for (const name of [
    'user',
    'url',
    'PassThrough',
    'Passed',
    'Pool Count',
    'tokens',
    'Session',
    'key',
    'keyboard',
    'authorised',
    'chip_freqs_test_pass_7',
  ])
    assert.ok(!NAMES.has(name), name);
});

test('where a name may be one of a secret the value tells whether it is', () => {
  for (const name of [
    ...['pw', 'admin_pw', 'adminPw', '_ant_pool1pw', 'rootpw', 'auth', 'Authorization', 'sysauth', 'bearer', 'stok'],
    ...['passwords', 'pool_passes', 'Passwds', 'api_keys', 'refresh_tokens', 'credentials', 'session', 'PHPSESSID'],
    ...['private_key_pem', 'Password (hidden)', 'PoolPassword[0]', 'password_admin', 'tokenNew', 'unlock_key'],
  ]) {
    for (const value of ['"hunter2"', '"hunter"', '["hunter2"]', '"12345"', '1234567', '"hun\\u0074er"'])
      assert.equal(mask(`{"${name}":${value},"n":1}`), `{"${name}":"***","n":1}`, name);
    for (const value of ['true', 'null', '0', '""', '"none"', '3400', '-12.5', '"WPA2-PSK"', '"digest"', '"***"', '[]'])
      assert.equal(mask(`{"${name}":${value},"n":1}`), `{"${name}":${value},"n":1}`, name);
  }
  for (const name of [
    ...['pw_limit', 'auth_mode', 'password_set', 'token_type', 'tokenExpiresAt', 'session_count', 'secret_name', 'pwm'],
    ...['key', 'keys', 'public_key', 'hotkey', 'author', 'bestSessionDiff', 'upfreq_pass_chips_percent', 'pwr', 'pin'],
  ])
    assert.equal(mask(`{"${name}":"hunter2"}`), `{"${name}":"hunter2"}`, name);
});

test('a list or an object under the name of secrets is one, and what a session is like is none', () => {
  assert.equal(mask('{"passwords":{"admin":"hunter2"},"n":1}'), '{"passwords":"***","n":1}');
  assert.equal(mask('{"Tokens":[{"t":"hunter2"}],"n":1}'), '{"Tokens":"***","n":1}');
  assert.equal(mask('{"Session":{"Startup":17,"pass":"x"}}'), '{"Session":{"Startup":17,"pass":"***"}}');
  assert.equal(mask('{"SESSION":[{"SessionID":"x"}]}'), '{"SESSION":[{"SessionID":"***"}]}');
  assert.equal(
    mask('STATUS=S,Code=7|POOL=0,pw=hunter2,auth=1,URL=a|\0'),
    'STATUS=S,Code=7|POOL=0,pw=***,auth=1,URL=a|',
  );
});

test('of a pair of name and value the value is masked where the name is that of a secret', () => {
  for (const [reply, masked] of [
    [
      '[{"name":"password","value":"x"},{"name":"user","value":"u"}]',
      '[{"name":"password","value":"***"},{"name":"user","value":"u"}]',
    ],
    [
      '{"s":[{"value":"x","max":{"value":7},"key":"Wifi_Pass"}]}',
      '{"s":[{"value":"***","max":{"value":7},"key":"Wifi_Pass"}]}',
    ],
    ['{"id":3,"name":"hiddenPin","Value":1234}', '{"id":3,"name":"hiddenPin","Value":"***"}'],
    ['{"name":"p\\u0061ss","value":["x"],"default":"y"}', '{"name":"p\\u0061ss","value":"***","default":"***"}'],
    [
      '[{"name":"auth","value":"x"},{"name":"auth","value":"digest"}]',
      '[{"name":"auth","value":"***"},{"name":"auth","value":"digest"}]',
    ],
    ['{"name":"session","value":{"n":1}}', '{"name":"session","value":{"n":1}}'],
    ['{"name":"password","of":{"value":"x"},"values":["y"]}', '{"name":"password","of":{"value":"x"},"values":["y"]}'],
    [
      'STATUS=S,Code=7|POOL=0,name=password,value=x|POOL=1,name=user,value=u|\0',
      'STATUS=S,Code=7|POOL=0,name=password,value=***|POOL=1,name=user,value=u|',
    ],
  ] as const)
    assert.equal(mask(reply), masked);
});

test('a block of a private key is masked wherever it stands', () => {
  const block = (key: string, kind: string) => `-----BEGIN ${kind}-----${key}-----END ${kind}-----\\n`;
  assert.equal(
    mask(`{"note":"${block('\\nMIIE\\n', 'EC PRIVATE KEY')}","cert":"${block('\\nMIIB\\n', 'CERTIFICATE')}"}`),
    `{"note":"${block('***', 'EC PRIVATE KEY')}","cert":"${block('\\nMIIB\\n', 'CERTIFICATE')}"}`,
  );
});

test('of a log-in the account stays, and the address of a wallet is no password', () => {
  const cash = `kaspa:q${'z'.repeat(60)}.rig7`;
  for (const [value, masked] of [
    ['admin:hunter2', 'admin:***'],
    ['admin:hun:ter 2', 'admin:***'],
    ['admin:hun\\"ter2', 'admin:***'],
    ['admin\\u003ahunter2', '***'],
    ['acct.rig7', 'acct.rig7'],
    ['10.0.0.1:22', '10.0.0.1:22'],
    ['http://h/', 'http://h/'],
    [cash, cash],
  ] as const) {
    assert.equal(mask(`{"login":"${value}","n":1}`), `{"login":"${masked}","n":1}`);
  }
  assert.equal(mask('{"login":{"a":"b:c"},"Login2":"a:hunter2"}'), '{"login":{"a":"b:c"},"Login2":"a:***"}');
  assert.equal(mask('{"login":"token=x:y z"}'), '{"login":"token=***"}');
});

test('the length and kind of a secret do not show', () => {
  const masked = ['""', '"a"', '"a \\" } long one"', '12', 'null', '["a",{"b":1}]', '{"pass":"inner"}'].map((value) =>
    mask(`{"pass":${value}}`),
  );
  assert.deepEqual(new Set(masked), new Set(['{"pass":"***"}']));
});

test('a name that is spelled with escapes is the same name', () => {
  assert.equal(mask('{"p\\u0061ss":"x"}'), '{"p\\u0061ss":"***"}');
});

test('both values of a name that comes twice are masked', () => {
  assert.equal(mask('{"pass":"x","pass":"y"}'), '{"pass":"***","pass":"***"}');
});

test('a password inside a URL is masked, the rest of the URL is kept', () => {
  assert.equal(mask('{"url":"stratum+tcp://u.w:secret@pool:1"}'), '{"url":"stratum+tcp://u.w:***@pool:1"}');
  assert.equal(mask('{"url":"stratum+tcp://u:se:cr@et@pool:1"}'), '{"url":"stratum+tcp://u:***@pool:1"}');
  assert.equal(mask('{"url":"stratum+tcp:\\/\\/u:se:cret@pool:1"}'), '{"url":"stratum+tcp:\\/\\/u:***@pool:1"}');
  assert.equal(mask('{"url":"u.w:secret@pool:1"}'), '{"url":"u.w:***@pool:1"}');
  assert.equal(mask('{"url":"stratum+tcp://pool:1"}'), '{"url":"stratum+tcp://pool:1"}');
});

test('a URL with a password that is spelled with escapes is masked as a whole', () => {
  assert.equal(mask('{"url":"stratum+tcp:\\u002f\\u002Fu:secret\\u0040pool:1"}'), '{"url":"***"}');
  assert.equal(mask('{"url":"stratum+tcp:\\/\\/pool:1"}'), '{"url":"stratum+tcp:\\/\\/pool:1"}');
});

test('a secret in a query, beside a URL, or in a URL that is spelled carelessly is masked', () => {
  for (const [text, masked] of [
    ['http://h/x?user=a&password=hunter2&n=1', 'http://h/x?user=a&password=***&n=1'],
    ['http:\\/\\/h\\/x?api_key=hunter2#token=hunter2', 'http:\\/\\/h\\/x?api_key=***#token=***'],
    ['pass=hunter2', 'pass=***'],
    ['pass\\u003dhunter2', '***'],
    ['http://bob:hun ter2@10.0.0.1:80', 'http://bob:***@10.0.0.1:80'],
    ['http://bob:hun\\"ter2@10.0.0.1:80', 'http://bob:***@10.0.0.1:80'],
    ['mqtt://a:hunter2@h1:1,mqtt://b:hunter2@h2:2', 'mqtt://a:***@h1:1,mqtt://b:***@h2:2'],
    ['http://10.0.0.1:8080 of admin@site.example', 'http://10.0.0.1:8080 of admin@site.example'],
    ['passes=3;x=4', 'passes=3;x=4'],
  ] as const)
    assert.equal(mask(`{"note":"${text}","n":1}`), `{"note":"${masked}","n":1}`);
});

test('damage stays as it was, and what follows the document is dropped', () => {
  assert.equal(mask('{"S":[{"pass":"x"}{"b":nan}],}"}\0'), '{"S":[{"pass":"***"}{"b":nan}],}');
});

test('the plain-text form is masked in its own spelling', () => {
  assert.equal(
    mask('STATUS=S,Code=7|POOL=0,URL=a,User=u,Passwd=x\\,y,Status=Alive|\0'),
    'STATUS=S,Code=7|POOL=0,URL=a,User=u,Passwd=***,Status=Alive|',
  );
});

test('what cannot be read is never kept', () => {
  for (const text of ['{"pass":"x"', '{"a":1}"pass":"x"', '<html>pass=x</html>', 'pass: x', '', '{"a":1;"pass":"x"}']) {
    assert.equal(mask(text), undefined, text);
  }
});

test('facts that the operator redacts are masked, too', () => {
  const names = secretNames(driver([]), ['pools.user']);
  assert.equal(
    mask('{"User":"acme.1","stratumUser":"w","url":"a"}', names),
    '{"User":"***","stratumUser":"***","url":"a"}',
  );
});

test('bytes that are no UTF-8 keep their places', () => {
  const raw = Buffer.concat([Buffer.from('\ufeff{"a":"'), Buffer.from([0xff, 0xfe]), Buffer.from('ö","pass":"ö"}')]);
  const expected = Buffer.concat([
    Buffer.from('\ufeff{"a":"'),
    Buffer.from([0xff, 0xfe]),
    Buffer.from('ö","pass":"***"}'),
  ]);
  assert.deepEqual(Buffer.from(maskCapture(raw, NAMES) ?? []), expected);
});

test('property: a masked reply parses to the same value but for its secrets, and holds none of them', () => {
  const text = fc.string({ unit: fc.constantFrom('{', '}', '"', '\\', ',', ':', 'a', 'é', ' ') });
  const secret = fc.stringMatching(/^hunter[0-9]{4}$/);
  fc.assert(
    fc.property(text, text, secret, fc.boolean(), (name, value, password, damaged) => {
      const rows = [
        { [`x${name}`]: value, pass: password },
        { wifiPass: [password], z: value },
      ].map((row) => JSON.stringify(row));
      const raw = Buffer.from(damaged ? `{"rows":[${rows.join('')}],}` : `{"rows":[${rows.join(',')}]}`);
      const masked = maskCapture(raw, NAMES);
      assert.ok(masked !== undefined);
      assert.ok(!Buffer.from(masked).toString().includes(password));
      const parsed = parseReply(masked);
      assert.deepEqual(parsed.kind === 'parsed' && parsed.value, {
        rows: [
          { [`x${name}`]: value, pass: '***' },
          { wifiPass: '***', z: value },
        ],
      });
    }),
    { numRuns: 200 },
  );
});
