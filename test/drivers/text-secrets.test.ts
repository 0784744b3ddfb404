import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { withoutSecrets } from '../../agent/drivers/text-secrets.ts';
import { isHost } from '../../agent/drivers/user-info.ts';
import { maskCapture, secretNames } from '../../agent/normalise/mask.ts';
import { canonicalPoolUrl } from '../../agent/normalise/pool-url.ts';
import { sanitiseText } from '../../agent/normalise/sanitise.ts';

test('passwords of URLs and named secrets are masked, and what tells where it goes stays', () => {
  for (const [text, masked] of [
    ['mqtt://ops:hunter2@10.0.0.9:1883', 'mqtt://ops:***@10.0.0.9:1883'],
    ['http://:hunter2@h/', 'http://:***@h/'],
    ['bob:hunter2@h:1', 'bob:***@h:1'],
    ['see http://a:hunter2@h1/ and http://b:hun@ter2@h2/', 'see http://a:***@h1/ and http://b:***@h2/'],
    ['http://a:hunter2@h1/,http://b:hunter2@h2/', 'http://a:***@h1/,http://b:***@h2/'],
    ['{"url":"http://a:hunter2@h1/"}', '{"url":"http://a:***@h1/"}'],
    ['http://a:hun ter2@h1/', 'http://a:***@h1/'],
    ['http://h/?password=hunter2&user=u', 'http://h/?password=***&user=u'],
    ['http://h/?user=u&api_key=hunter2#x', 'http://h/?user=u&api_key=***#x'],
    ['http://h/#access_token=hunter2', 'http://h/#access_token=***'],
    ['https://a:hunter2@h/?token=hunter2', 'https://a:***@h/?token=***'],
    ['url=http://h/?token=hunter2', 'url=http://h/?token=***'],
    ['user=u;token=hun;ter2;x=1', 'user=u;token=***;x=1'],
    ['http://10.0.0.9:1883/x@y', 'http://10.0.0.9:1883/x@y'],
    ['http://10.0.0.9:1883 mail me@home', 'http://10.0.0.9:1883 mail me@home'],
    ['Linux version 4.9.0 (root@build) #1 SMP 12:30', 'Linux version 4.9.0 (root@build) #1 SMP 12:30'],
    ['wallet.rig@pool.example:3333', 'wallet.rig@pool.example:3333'],
    ['t://me@mail.example:hunter2@pool.example:3333', 't://me@mail.example:***@pool.example:3333'],
    ['me@mail.example:hunter2@pool.example', 'me@mail.example:***@pool.example'],
    ['acct:12345/hunter2@host', 'acct:***@host'],
    ['stratum+tcp://acct:12345/hunter2@host', 'stratum+tcp://acct:***@host'],
    ['t://acct:12345/hunter2@pool.example', 't://acct:***@pool.example'],
    ['t://acct/w:hunter2@pool.example:3333', 't://acct/w:***@pool.example:3333'],
    ['t://t://u:hunter2@pool.example', 't://t://u:***@pool.example'],
    ['acct:hun ter2@pool.example', 'acct:***@pool.example'],
  ] as const) {
    assert.equal(withoutSecrets(text), masked);
    assert.equal(withoutSecrets(masked), masked);
  }
});

test('where the strict reading of a URL names another host than the loose one, both stay', () => {
  for (const [text, masked] of [
    ['t://a.example:3333/x@b.example:3333', 't://a.example:***/***@b.example:3333'],
    ['t://me@a.example:3333/x@b.example', 't://me@a.example:***/***@b.example'],
    ['t://u:p@a.example:3333/x@b.example', 't://u:***@a.example:***/***@b.example'],
    ['t://u:p@a.example:3333/x@y', 't://u:***@a.example:3333/x@y'],
    ['t://10.0.0.9:3333/x@b.example:3333', 't://10.0.0.9:3333/x@b.example:3333'],
  ] as const) {
    assert.equal(withoutSecrets(text), masked);
    assert.equal(withoutSecrets(masked), masked);
  }
});

test('what has no password stays as it is', () => {
  const schemes = ['', 'stratum+tcp://', 'stratum+ssl://', 'http://'];
  const users = ['', 'acct@', 'acct.worker@', 'me%40mail.example@'];
  const hosts = [
    'pool.example',
    'pool.example:3333',
    '10.0.0.9:3333',
    '[2001:db8::1]:3333',
    '2001:db8::1',
    'pool:3333',
  ];
  const paths = ['', '/', '/path', '/x@y', '/@scope/package', '?x=1', '#xnsub'];
  const urls = schemes.flatMap((scheme) =>
    users.flatMap((user) => hosts.flatMap((host) => paths.map((path) => `${scheme}${user}${host}${path}`))),
  );
  assert.equal(urls.length, 672);
  for (const text of [
    // Scheme-less, a bare host and digits before a path with an `@` are an account and its password.
    ...urls.filter(
      (url) => !/^pool:3333\/(?:x@y|@scope)/.test(url) && !/^stratum.*\/\/pool:3333\/(?:x@y|@scope)/.test(url),
    ),
    'acme@mail.example',
    'acme@mail.example.rig7',
    'acct.worker',
    'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq.rig7',
    'me@mail.example/worker',
    'mailto:ops@site.example',
    'Contact: ops@site.example',
    'ask ops@site.example: port 3333',
    'http://web:8080 of admin@site.example',
    'http://assets.example/logo@2x.png',
    '2001:db8::1',
    'aa:bb:cc:dd:ee:ff',
    '12:30:15',
    'Password required',
    'password: ',
    'Password: required',
    'Token: invalid',
    'passes: 3',
    'password',
    "user 'admin' may not log in",
    'key: 5',
  ])
    assert.equal(withoutSecrets(text), text);
});

test('a secret beside its name is masked, however the two are put together', () => {
  for (const [text, masked] of [
    ['Access denied password: hunter2', 'Access denied password: ***'],
    ['password:hun@ter2', 'password:***'],
    ['password = hunter2', 'password = ***'],
    ['Wifi password: hun#ter&2 of me', 'Wifi password: *** of me'],
    ['API key: hunter2', 'API key: ***'],
    ['denied {"passwd":"hunter2","user":"u"}', 'denied {"passwd":"***","user":"u"}'],
    ['denied {"passwd" : "hun\\"ter2"}', 'denied {"passwd" : "***"}'],
    ['denied {\\"passwd\\":\\"hunter2\\",\\"user\\":\\"u\\"}', 'denied {\\"passwd\\":\\"***\\",\\"user\\":\\"u\\"}'],
    ['denied {\\"passwd\\":\\"hun\\\\\\"ter2\\"}', 'denied {\\"passwd\\":\\"***\\"}'],
    ["{'passwd': 'hunter2'}", "{'passwd': '***'}"],
    ["pass='hun ter2'", "pass='***'"],
    ['{"passwd":"hunter2', '{"passwd":"***'],
    ["bad login 'admin' 'hunter2'", "bad login 'admin' '***'"],
    ['authentication failed: "admin" / "hunter2"', 'authentication failed: "admin" / "***"'],
    ['token:hunter2@pool.example:3333', 'token:***@pool.example:3333'],
    ['http://token:hunter2@h/', 'http://token:***@h/'],
  ] as const) {
    assert.equal(withoutSecrets(text), masked);
    assert.equal(withoutSecrets(masked), masked);
  }
});

test('a secret on a command line is masked, and what it is for stays', () => {
  for (const [text, masked] of [
    [
      'cgminer -o stratum+tcp://p.example:3333 -u a.b -p hunter2',
      'cgminer -o stratum+tcp://p.example:3333 -u a.b -p ***',
    ],
    ['cgminer -o p.example:3333 -p 123 --api-listen', 'cgminer -o p.example:3333 -p *** --api-listen'],
    ['-u a -p=hunter2', '-u a -p=***'],
    ['-u a -p "hun ter2" -q', '-u a -p "***" -q'],
    ['-u a -p \\"hun ter2\\" -q', '-u a -p \\"***\\" -q'],
    ['plink -pw hunter2 -u root', 'plink -pw *** -u root'],
    ['mosquitto_sub -h b.example -u a -P hunter2', 'mosquitto_sub -h b.example -u a -P ***'],
    ['cgminer --pass hunter2 --queue 1', 'cgminer --pass *** --queue 1'],
    ['cgminer\\n--pass hunter2', 'cgminer\\n--pass ***'],
    ['--rpc-password=hunter2 --user a', '--rpc-password=*** --user a'],
    ['-psk hunter2', '-psk ***'],
    ['--api-key hunter2,', '--api-key ***'],
    ['--userpass a.b:hunter2 -q', '--userpass a.b:*** -q'],
    ['bfgminer -O a.b:hun:ter2', 'bfgminer -O a.b:***'],
    ['("--token" hunter2)', '("--token" hunter2)'],
  ] as const) {
    assert.equal(withoutSecrets(text), masked);
    assert.equal(withoutSecrets(masked), masked);
  }
});

test('a secret that a sentence tells is masked where it can be nothing else', () => {
  for (const [text, masked] of [
    ['password is hunter2', 'password is ***'],
    ['The new password was set to hunter2.', 'The new password was set to ***.'],
    ['passwd is "hunter"', 'passwd is "***"'],
    ['Wifi password -> hun#ter', 'Wifi password -> ***'],
    ['API key is now 4f2a9c77', 'API key is now ***'],
    ['passcode is 482913', 'passcode is ***'],
    ['password hunter2 rejected', 'password *** rejected'],
    ['password "hunter" is wrong', 'password "***" is wrong'],
    ['bad password hunter2 for admin', 'bad password *** for admin'],
    ["wrong password 'hunter' of admin", "wrong password '***' of admin"],
    ['Authorization: Basic dTpodW50ZXIy', 'Authorization: Basic ***'],
    ['authorization=Bearer hunter', 'authorization=Bearer ***'],
    ['{\\"Authorization\\": \\"Basic dTpodW50ZXIy\\"}', '{\\"Authorization\\": \\"***\\"}'],
    ['Authorization: hunter2', 'Authorization: ***'],
    ['sent bearer 4f2a9c77 to it', 'sent bearer *** to it'],
    ['login: admin:hunter', 'login: admin:***'],
    ['{"login":"admin:hunter"}', '{"login":"admin:***"}'],
    ['//bob:hunter@pool.example', '//bob:***@pool.example'],
    ['proxy=//bob:hunter@pool.example/x', 'proxy=//bob:***@pool.example/x'],
    ['next=%2F%3Fuser%3Da%26pwd%3Dhunter%26x%3D1', 'next=%2F%3Fuser%3Da%26pwd%3D***%26x%3D1'],
    ['next=password%253Dhunter%2526x', 'next=password%253D***%2526x'],
    ['?pw=hunter&auth=hunter&x=1', '?pw=***&auth=***&x=1'],
    ['pass_1=hunter; Pass-2: hunter', 'pass_1=*** Pass-2: ***'],
    ['{"passwords":"hunter","auth":"hunter","auth":true}', '{"passwords":"***","auth":"***","auth":true}'],
  ] as const) {
    assert.equal(withoutSecrets(text), masked);
    assert.equal(withoutSecrets(masked), masked);
  }
});

const KEY = 'MIIEvQIBADANBgkqhkiG9w0BAQEF';

test('a secret is masked where a text is a document of its own: pairs, elements and blocks', () => {
  for (const [text, masked] of [
    ['{"name":"password","value":"hunter2"}', '{"name":"password","value":"***"}'],
    ['{"value":"hunter","key" : "wifi_pass"}', '{"value":"***","key" : "wifi_pass"}'],
    ['{\\"name\\":\\"password\\",\\"value\\":\\"hunter\\"}', '{\\"name\\":\\"password\\",\\"value\\":\\"***\\"}'],
    [
      '[{"id":"token","type":"text","value":"hunter"},{"id":"user","value":"acct"}]',
      '[{"id":"token","type":"text","value":"***"},{"id":"user","value":"acct"}]',
    ],
    [
      '{"name":"auth","value":"hunter"} {"name":"auth","value":true}',
      '{"name":"auth","value":"***"} {"name":"auth","value":true}',
    ],
    ['<input type="text" name="password" value="hunter">', '<input type="text" name="password" value="***">'],
    ["<input value='hunter' name='pwd'/>", "<input value='***' name='pwd'/>"],
    ['?name=password&value=hunter&x=1', '?name=password&value=***&x=1'],
    ['<password>hunter</password>', '<password>***</password>'],
    ['<Wifi:Pass a="1">hun ter&amp;</Wifi:Pass><user>acct</user>', '<Wifi:Pass a="1">***</Wifi:Pass><user>acct</user>'],
    ['<password>hunter<\\/password>', '<password>***<\\/password>'],
    ['<param name="password">hunter</param>', '<param name="password">***</param>'],
    ['<token><![CDATA[hunter]]></token>', '<token><![CDATA[***]]></token>'],
    ['<auth>digest</auth><auth>hunter</auth>', '<auth>digest</auth><auth>***</auth>'],
    [
      `-----BEGIN RSA PRIVATE KEY-----\n${KEY}\n-----END RSA PRIVATE KEY-----\nrest`,
      '-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----\nrest',
    ],
    [`x -----BEGIN PRIVATE KEY-----\\n${KEY}\\n${KEY}`, 'x -----BEGIN PRIVATE KEY-----***'],
    [
      `-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n${KEY}\n-----END PGP PRIVATE KEY BLOCK-----`,
      '-----BEGIN PGP PRIVATE KEY BLOCK-----***-----END PGP PRIVATE KEY BLOCK-----',
    ],
  ] as const) {
    assert.equal(withoutSecrets(text), masked);
    assert.equal(withoutSecrets(masked), masked);
  }
});

test('a secret of a failed log-in, of curl, of an expired token, and behind many blanks is masked', () => {
  for (const [text, masked] of [
    ['login failed for admin:hunter2', 'login failed for admin:***'],
    ['Login failed for user admin:hunter from 10.0.0.7', 'Login failed for user admin:*** from 10.0.0.7'],
    ["authentication failed for 'admin:hunter'", "authentication failed for 'admin:***'"],
    ['access denied for admin:12345', 'access denied for admin:***'],
    ['curl -u admin:hunter http://h/', 'curl -u admin:*** http://h/'],
    ['/usr/bin/curl -s --user "admin:hun ter" h', '/usr/bin/curl -s --user "admin:***" h'],
    ['curl --proxy-user admin:hunter -U a:hunter', 'curl --proxy-user admin:*** -U a:***'],
    ['pass   =   hunter', 'pass   =   ***'],
    ['Password             : hunter', 'Password             : ***'],
    ['pass_wifi: hunter2, creds: admin:hunter2', 'pass_wifi: *** creds: ***'],
    ['pass := hunter', 'pass := ***'],
    ['pass == hunter', 'pass == ***'],
    ['pass === hunter', 'pass === ***'],
    ["'pass' => 'hunter'", "'pass' => '***'"],
    ['session id 4f2a9c77 expired', 'session id *** expired'],
    ['token 4f2a9c77 expired', 'token *** expired'],
    ['API key "hunter" is invalid', 'API key "***" is invalid'],
    ['invalid token 4f2a9c77b1', 'invalid token ***'],
  ] as const) {
    assert.equal(withoutSecrets(text), masked);
    assert.equal(withoutSecrets(masked), masked);
  }
});

/** What firmwares and people say of passwords, options and log-ins without telling one. */
const ORDINARY = [
  ...['password required', 'wrong password', 'password is required', 'password is incorrect', 'password is too short'],
  ...['password is 8 characters long', 'password is SHA256 hashed', 'password rejected', 'password was not accepted'],
  ...['password set to default', 'password expired 3 days ago', 'wrong password 3 times', 'invalid password (401)'],
  ...['password "required" for admin', 'the password is sunshine', 'token expired', 'invalid token at line 3'],
  ...['Unexpected token < in JSON at position 0', 'token is missing', 'bearer token required', 'Bearer authentication'],
  ...[
    'auth: user unknown',
    'auth: failed',
    'auth=true',
    'auth_mode=digest',
    'session: started',
    'sessions=3',
    'pw=3400',
  ],
  ...['pw: ok', 'pass 1: hashing', 'test pass 2 of 3: ok', 'pass 1 rejected', 'tokens=4096', 'cookies=0', 'key=3'],
  ...['Authorization required', 'Authorization: required', 'Basic authentication', 'authorization=basic'],
  ...['Last login: 12:30', 'login: 10.0.0.1:22', 'login: http://h/', 'Login: root', 'login failed: bad user'],
  ...[`login: kaspa:${'q'.repeat(61)}.rig7`, `Login: LTC:${'L'.repeat(34)}.rig7`],
  ...['mkdir -p /tmp/x', 'ssh -p 22 root@host', 'ps -p 123', 'nmap -p 80 h', 'docker run -p 80:80 x'],
  ...['use --password to set it', '--pass <password>', '--password-file /etc/x', '--no-password x', '--ask-pass x'],
  ...['cgminer --api-listen -o pool.example:3333 -u acct.rig7', '-u kaspa:qq.rig7', '-O http://h/', 'a - p b', 'x-p y'],
  ...['bearer [S1][S2] of it', '"session": {', '{"session":{"a":1}}', 'f(clean_session=True, x=1)'],
  ...[
    'token v2 expired',
    'token is expired',
    'invalid token <',
    "invalid token '}' at 3",
    'invalid token 12',
    'bypass = on',
  ],
  ...[
    'login failed for admin',
    'login failed for 10.0.0.5:52211',
    'login failed for aa:bb:cc:dd:ee:ff',
    'fan bypass: open',
  ],
  ...[
    'login failed for pool.example:3333',
    'login failed for user:admin',
    'login failed for 2001:db8::1',
    'compass: n',
  ],
  ...['login failed: version of app:2.1', 'authentication required for realm:miner', 'login as role:viewer'],
  ...[
    'pass_wifi: unchanged',
    'ssh_key: SHA256:47DEQpj8',
    'auth: worker01 unknown',
    'session: rig7',
    'tokens: 12k of 4096',
  ],
  ...[
    '{"name":"psu token","current":12.5}',
    'login failed for admin: bad user',
    'login to h at 12:30:15',
    'created for rig:7',
    'curl -u admin http://h:80/',
  ],
  ...['curl http://h/ -o x', '-u kaspa:qq.rig7 -o x # curl', 'authorised for t://h.example:1', 'pass   2   of 3: ok'],
  ...['{"name":"password","type":"text"}', '{"name":"user","value":"acct"}', '{"name":"auth","value":"digest"}'],
  ...['{"name":"password"},{"value":"7"}', '{"name":"token_count","value":"700000"}', '<user>acct</user>', '<pass>'],
  ...[
    'use --pass <password> to set it',
    'a <b> pass <c> d',
    '<password></password>',
    '<token/>',
    'if a<pass and b>c d<e',
  ],
  ...[
    '-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----',
    '-----BEGIN CERTIFICATE-----\nMIIB',
    'PRIVATE KEY lost',
  ],
  ...['ssh_key=ssh-rsa AAAAB3Nz ops@site', 'passthrough=yes-always', 'pass_rate=99.7312', 'pass_count="1234567"'],
  ...['sort -u x', '//cdn.example/lib@2', '// note: mail me@home.example', 'pwd%20x', 'keyboard=us', 'ssh_key=none'],
];

test('what is said of secrets stays as it is', () => {
  for (const text of ORDINARY) assert.equal(withoutSecrets(text), text);
});

test('property: sentences about secrets stay as they are, whatever they are put beside', () => {
  const word = fc.constantFrom(
    ...['Miner', 'ready', 'pool', 'A1', '3400W', '12:30:15', 'v2.1.0', '-', 'fan=4', '(ok)'],
  );
  fc.assert(
    fc.property(
      fc.array(fc.oneof(word, fc.constantFrom('password', 'wrong', 'is', 'rejected', 'token', 'auth')), {
        maxLength: 8,
      }),
      (words) => {
        const text = words.join(' ').replace(/(?:password|token|auth|wrong)(?= (?:is )?(?:A1|v2|fan|3400W|12:))/g, 'x');
        assert.equal(withoutSecrets(text), text);
      },
    ),
    { numRuns: 2000 },
  );
});

test('property: no password of a command line or a sentence is left, whatever else is said', () => {
  const password = fc.stringMatching(/^S3cret[\w#%!]{1,12}$/);
  const around = fc.string({ unit: fc.constantFrom('a', 'b.', '1', '=', '/', ':'), maxLength: 6 });
  const telling = fc.constantFrom(
    ...['-u acct -p ', '-O acct:', '--pass ', '--userpass=acct:', 'password is ', 'pwd%3D', 'Authorization: Basic '],
    ...[
      'bad password ',
      'pass_1=',
      'login: admin:',
      '?pw=',
      'login failed for admin:',
      'curl -u admin:',
      'pass_wifi = "',
    ],
    ...['{"name":"password","value":"', '-----BEGIN PRIVATE KEY-----\n', 'pass      =      ', 'pswd='],
  );
  fc.assert(
    fc.property(around, telling, password, around, (before, told, secret, after) => {
      assert.doesNotMatch(withoutSecrets(`${before} ${told}${secret} ${after}`), /S3cret/);
      const reply = Buffer.from(JSON.stringify({ cmd: `${before} ${told}${secret} ${after}` }));
      assert.doesNotMatch(Buffer.from(maskCapture(reply, secretNames({})) ?? []).toString(), /S3cret/);
    }),
    { numRuns: 1000 },
  );
});

test('the account of a pool is no command line and no sentence: a thief hides behind none', () => {
  for (const account of [
    'acct -p thief1',
    'login:thief:1',
    'password is thief1',
    '//acct:thief1@x.example',
    'pw=thief1',
    '-O a:thief',
    'pass_wifi=thief1',
    'login failed for acct:thief1',
    '<password>thief1</password>',
    '{"name":"password","value":"thief1"}',
  ])
    assert.equal(withoutSecrets(account, { account: true }), account);
});

const HOSTILE = [
  ...[
    'a:',
    '://u:',
    '://u: @',
    'x=',
    '@',
    ' ',
    ',a://',
    'token=;',
    'token=',
    '"',
    'a@',
    '@a:',
    'a://',
    '://a@b:1/',
    '.a',
  ],
  ...[
    ':',
    '/',
    '\\',
    '\\"',
    'token:',
    "token:'",
    'token:"\\"',
    "login'a'",
    "user 'a' 'b",
    '://a:1 @',
    '[',
    '://[:',
    'a.@:',
  ],
  ...[' -p x', '-u a -p ', ' --pass="', ' -O a:', ' -o a', 'login:a:', 'login=1:1/', 'password ', 'password is "\\"'],
  ...[
    'bad password a1 ',
    'bearer ',
    'Authorization: Basic ',
    'a%3D',
    'pw=1',
    'auth=[1,',
    'session="1',
    'pass_1',
    '=//a:',
  ],
  ...[
    '{"name":"pass","value":"',
    '"value":"x",',
    "name='",
    '<pass>',
    '<pass',
    '<pass>x',
    '>',
    '-----BEGIN PRIVATE KEY-----',
  ],
  ...[
    '-----BEGIN ',
    'A ',
    'login for a:',
    'login for a:b ',
    ' for ',
    'curl -u a:',
    'pass        ',
    'token a1 ',
    '<![CDATA[',
  ],
  ...['://a:b"@', '\\u0040:', 'stratum', '::', 'a', 'é', "'a"],
];

test('a text of any length is searched in time that grows with it and no faster', () => {
  // Of this thread: what else runs on the machine says nothing.
  const workMs = (): number => process.threadCpuUsage().user / 1000;
  const time = (text: string): number => {
    const begun = workMs();
    assert.ok(withoutSecrets(text).length > 0);
    return workMs() - begun;
  };
  const tries = [1, 2, 3];
  for (const part of HOSTILE) {
    for (const end of ['', '@', '@h.example', ' @h.example:1']) {
      const [short, long] = [32_768, 262_144].map((length) => part.repeat(length / part.length) + end) as [
        string,
        string,
      ];
      const one = Math.min(...tries.map(() => time(short)));
      const eight: number[] = [];
      // Eight times the text; 64 times as long would be its square, which is minutes for some of these.
      const isLinear = tries.some(() => {
        const tookMs = time(long);
        eight.push(tookMs);
        return tookMs < 48 * Math.max(one, 5);
      });
      assert.ok(isLinear, `${JSON.stringify(part + end)}: ${one} ms, then ${eight.join(', ')} ms`);
    }
  }
});

test('property: a password is in no text, wherever its URL stands', () => {
  const around = fc.string({ unit: fc.constantFrom('a', ' ', ',', '"', '/', '.', '1', '=', '&', '?') });
  fc.assert(
    fc.property(around, around, (before, after) => {
      assert.doesNotMatch(withoutSecrets(`${before} http://bob:hunter2@h1${after}`), /hunter2/);
      assert.doesNotMatch(withoutSecrets(`${before}?token=hunter2&${after}`), /hunter2/);
    }),
    { numRuns: 300 },
  );
});

/** Words of passwords, none of which is part of anything else in the texts. */
const WORDS = ['S3CRETpw', 'hunter', 'pässwörd', '矿池密码', '12345', '7777'];
const passwordText = fc
  .tuple(
    fc.constantFrom(...WORDS),
    fc.array(
      fc.tuple(
        fc.string({ unit: fc.constantFrom(...'/@:#%\\ ?"&\','), minLength: 1, maxLength: 2 }),
        fc.constantFrom(...WORDS),
      ),
      { maxLength: 3 },
    ),
    fc.constantFrom('', '/', '#', '%'),
  )
  .map(([first, rest, end]) => `${first}${rest.flat().join('')}${end}`);

/** Digits and a blank behind them are a port and prose where neither scheme nor port tell that this is a pool. */
const isLikeProse = (scheme: string, password: string, host: string): boolean =>
  /^\d{4,5}[.,;)]?\\?[ "]/.test(password) && host.endsWith('.example') && !scheme.startsWith('stratum');

/** A password that makes a whole URL with account and host of what stands before a blank in it. */
const isUrlByItself = (password: string): boolean =>
  password
    .split(/[\0- "]/)
    .slice(0, -1)
    .some((piece) => piece.includes('@') && isHost(piece.slice(piece.lastIndexOf('@') + 1)));

/** A password that makes two URLs of what it stands in: a host behind an `@`, a blank, and another scheme. */
const isTwoUrls = (password: string): boolean => /@\w+[\0- "]+[a-z][a-z\d]*:\/\//i.test(password);

test('property: no piece of a password is left of the URL it stands in, and its host is', () => {
  const scheme = fc.constantFrom('', 'stratum+tcp://', 'stratum+ssl://', 'http://', 'mqtts://');
  const account = fc.constantFrom(
    ...['', 'acct', 'acct.rig7', 'me@mail.example', 'a@b@mail.example', 'acme@mail.example.rig7', 'bc1qar0srrr.7'],
  );
  const host = fc.constantFrom(
    ...['pool.example', 'pool.example:3333', '10.0.0.9', '10.0.0.9:3333', '[2001:db8::7]:3333', 'pool:3333'],
  );
  const path = fc.constantFrom('', '/', '/path', '?x=1', '#xnsub');
  let looked = 0;
  fc.assert(
    fc.property(scheme, account, passwordText, host, path, (front, name, password, place, rest) => {
      if (isLikeProse(front, password, place) || isUrlByItself(password)) return;
      looked += 1;
      const text = `${front}${name}:${password}@${place}${rest}`;
      const reply = JSON.stringify({ url: text });
      const kept = [reply, reply.replaceAll('/', '\\/')].map((spelled) => {
        const masked = Buffer.from(maskCapture(Buffer.from(spelled), secretNames({})) ?? []).toString();
        return (JSON.parse(masked) as { readonly url: string }).url;
      });
      const once = withoutSecrets(text);
      assert.equal(withoutSecrets(once), once);
      const canonical = canonicalPoolUrl(text);
      assert.equal(canonicalPoolUrl(canonical), canonical);
      for (const shown of [once, canonical, sanitiseText(canonical), ...kept]) {
        for (const word of WORDS) assert.ok(!shown.includes(word), `${text} as ${shown}`);
        assert.ok(shown.includes(`@${place}`), `${text} as ${shown}`);
      }
    }),
    { numRuns: 3000 },
  );
  assert.ok(looked > 2000);
});

test('property: the password of an account says nothing of the pool, so that a change of it is none', () => {
  // Without a dot: what could be the host of the strict reading stays.
  const plain = fc
    .string({ unit: fc.constantFrom(...'aZ9@:#%$/? '), minLength: 1, maxLength: 12 })
    .filter((text) => !isUrlByItself(text) && !isTwoUrls(text));
  const account = fc.constantFrom('acct', 'acct.rig7', 'me@mail.example');
  fc.assert(
    fc.property(account, plain, (name, rest) => {
      const text = (password: string) => `stratum+tcp://${name}:${password}@pool.example:3333`;
      assert.equal(withoutSecrets(text(`x${rest}`)), text('***'));
    }),
    {
      numRuns: 1000,
      examples: [
        ['acct', ' a://a'],
        ['acct', '@ a://'],
      ],
    },
  );
});

test('property: whatever a text is, what is masked stays as it is and a reply can be read', () => {
  const any = fc.string({
    unit: fc.constantFrom(
      ...'aé1.:/@#?\\ "\'=,*[]',
      ...['<pass>', '</', '{"name":"pass"', '"value":"', 'login for ', 'curl -u ', '-----BEGIN PRIVATE KEY-----'],
      ...['://', 'pass', 'user', 'h.example', ' -p ', ' -u ', '-O ', '--pass ', 'password is ', 'login: ', '%3D', 'pw'],
    ),
    maxLength: 24,
  });
  fc.assert(
    fc.property(any, (text) => {
      const once = withoutSecrets(text);
      assert.equal(withoutSecrets(once), once);
      const masked = maskCapture(Buffer.from(JSON.stringify({ note: text, url: [text] })), secretNames({})) ?? [];
      assert.doesNotThrow(() => JSON.parse(Buffer.from(masked).toString()));
    }),
    { numRuns: 5000, examples: [["login for a:\\'"], ['login: a:\\'], ['-p \\']] },
  );
});

test('what stands behind two thousand named things in one text is masked unread', () => {
  const masked = withoutSecrets(`${'user=1;'.repeat(2048)}user=1;note hunter2`);
  assert.ok(masked.startsWith('user=1;user=1;'));
  assert.ok(!masked.includes('hunter2'));
  assert.ok(withoutSecrets(`${'user=1;'.repeat(2047)}note hunter2`).endsWith('note hunter2'));
});
