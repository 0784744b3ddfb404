import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { type Clues, defineDriver } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { compileAllowList } from '../../agent/probe/allow.ts';
import { IDENTIFICATION, type Identification, identify } from '../../agent/probe/identify.ts';
import { type Behaviour, FakeMiner, fresh, PATIENT, page, SHORT } from './fake-miner.ts';

const BOUND = { timeout: 10_000 };
const allow = compileAllowList(DRIVERS, IDENTIFICATION);
const UNKNOWN = '{"STATUS":[{"STATUS":"E","When":1,"Code":14,"Msg":"Invalid command","Description":""}],"id":1}';

/** A device that answers some commands and some pages; its 4028 is shut where `commands` is null. */
const start = async (
  commands: { readonly [request: string]: string } | null,
  pages: { readonly [path: string]: string } | null,
): Promise<{ cgminer: FakeMiner | null; web: FakeMiner | null }> => {
  const cgminer: Behaviour = (request, socket) => socket.end(`${commands?.[request] ?? UNKNOWN}\0`);
  const web: Behaviour = (request, socket) =>
    socket.write(pages?.[request.split(' ')[1] ?? ''] ?? page('', { status: '404 Not Found' }));
  return {
    cgminer: commands === null ? null : await FakeMiner.start(cgminer),
    web: pages === null ? null : await FakeMiner.start(web),
  };
};

/** Identifies such a device with the real drivers; returns also what it was asked, in order. */
const identifyDevice = async (
  commands: Parameters<typeof start>[0],
  pages: Parameters<typeof start>[1],
  drivers = DRIVERS,
): Promise<{ found: Identification; asked: readonly string[] }> => {
  const miner = await start(commands, pages);
  await using closed = await FakeMiner.start((_request, socket) => socket.destroy());
  const { port } = closed;
  await closed[Symbol.asyncDispose]();
  const target = {
    address: '127.0.0.1',
    ports: { cgminer: miner.cgminer?.port ?? port, http: miner.web?.port ?? port },
  };
  const found = await identify(target, drivers, { limits: PATIENT, allow, ...fresh() });
  const fakes = [miner.cgminer, miner.web].filter((fake) => fake !== null);
  const asked = fakes.flatMap((fake) => fake.requests.map((request) => request.split(' HTTP/')[0] ?? ''));
  // First: a fake that is left open holds up the end of the tests.
  for (const fake of fakes) await fake[Symbol.asyncDispose]();
  for (const fake of fakes) {
    assert.deepEqual(fake.strangers(allow), []);
    assert.ok(fake.mostAtOnce <= 1);
  }
  return { found, asked };
};

const familyOf = (found: Identification): string => (found.kind === 'identified' ? found.driver.family : found.kind);

const version = (row: object): string =>
  JSON.stringify({
    STATUS: [{ STATUS: 'S', When: 1, Code: 22, Msg: 'CGMiner versions', Description: '' }],
    VERSION: [row],
    id: 1,
  });

test('a family that version gives away costs one connection', BOUND, async () => {
  const avalon = version({ CGMiner: '4.11.1', API: '3.7', PROD: 'AvalonMiner 1246-83', MODEL: '1246-83' });
  const { found, asked } = await identifyDevice({ '{"command":"version"}': avalon }, {});
  assert.equal(familyOf(found), 'avalon');
  assert.deepEqual(asked, ['{"command":"version"}']);
});

test(
  'a landing page that sends on to /user/login is an IceRiver where the panel answers as one, or sends there, too',
  BOUND,
  async () => {
    const sentOn = page('', { status: '302 Found', headers: ['Location: http://127.0.0.1/user/login'] });
    const panel = { '/': sentOn, '/user/userpanel': page('{"error":1004,"data":"","message":"not logged in"}') };
    const { found, asked } = await identifyDevice(null, panel);
    assert.equal(familyOf(found), 'iceriver');
    assert.deepEqual(asked, ['GET /', 'POST /user/userpanel']);
    const strict = await identifyDevice(null, { '/': sentOn, '/user/userpanel': sentOn });
    assert.equal(familyOf(strict.found), 'iceriver');
    // A router with such a page, and one whose page only begins like it.
    const other = await identifyDevice(null, { '/': sentOn, '/user/userpanel': page('{"code":401,"msg":"sign in"}') });
    assert.equal(familyOf(other.found), 'unidentified');
    const longer = page('', { status: '302 Found', headers: ['Location: /user/login-expired'] });
    assert.equal(familyOf((await identifyDevice(null, { '/': longer })).found), 'unidentified');
  },
);

test('a miner that does not know version is asked as a WhatsMiner, by either key', BOUND, async () => {
  const answer = JSON.stringify({
    STATUS: 'S',
    When: 1,
    Code: 131,
    Msg: { api_ver: '2.0.4', fw_ver: '20220101.11.REL', platform: 'H6OS', chip: 'K' },
    Description: 'whatsminer v1.3',
  });
  const byCommand = await identifyDevice({ '{"command":"get_version"}': answer }, null);
  assert.equal(familyOf(byCommand.found), 'whatsminer');
  assert.equal(byCommand.asked.length, 2);
  const byCmd = await identifyDevice({ '{"cmd":"get_version"}': answer }, null);
  assert.equal(familyOf(byCmd.found), 'whatsminer');
  assert.equal(byCmd.asked.length, 3);
});

test(
  'an AxeOS device is found by its page and the reply that proves it, over one kept-alive connection',
  BOUND,
  async () => {
    const info = JSON.stringify({
      ASICModel: 'BM1370',
      boardVersion: '601',
      version: 'v2.10.1',
      hostname: 'bitaxe',
      stratumURL: 'a',
    });
    const { found, asked } = await identifyDevice(null, {
      '/': page('<html><title>AxeOS</title></html>'),
      '/api/system/info': page(info),
    });
    assert.equal(familyOf(found), 'axeos');
    assert.deepEqual(asked, ['GET /', 'GET /api/system/info']);
  },
);

test('a redirect of the landing page is a clue and is not followed', BOUND, async () => {
  const seen: Clues[] = [];
  const watcher = defineDriver({
    family: 'watcher',
    title: 'Watcher',
    source: 'this test',
    queries: {},
    facts: {},
    recognise: (clues) => {
      seen.push(clues);
      return clues.web?.location === 'https://10.0.0.1/cgi-bin/luci' ? 3 : 0;
    },
  });
  const redirect = page('', { status: '307 Temporary Redirect', headers: ['Location: https://10.0.0.1/cgi-bin/luci'] });
  const { found, asked } = await identifyDevice(null, { '/': redirect }, [watcher]);
  assert.equal(familyOf(found), 'watcher');
  assert.deepEqual(asked, ['GET /']);
});

test('LuCI alone is a router: a WhatsMiner shows something of its own', BOUND, async () => {
  const redirect = page('', { status: '307 Temporary Redirect', headers: ['Location: https://10.0.0.1/cgi-bin/luci'] });
  assert.equal(familyOf((await identifyDevice(null, { '/': redirect })).found), 'unidentified');
  const summary = JSON.stringify({ STATUS: [{ STATUS: 'S', Description: 'btminer' }], SUMMARY: [{ 'MHS av': 1 }] });
  const program = { '{"command":"version"}': version({ CGMiner: '4.10.0', API: '3.7' }) };
  assert.equal(familyOf((await identifyDevice(program, { '/': redirect })).found), 'unidentified');
  const whatsminer = await identifyDevice({ ...program, '{"command":"summary"}': summary }, { '/': redirect });
  assert.equal(familyOf(whatsminer.found), 'whatsminer');
});

test('the realm of a log-in is a clue', BOUND, async () => {
  const login = page('', {
    status: '401 Unauthorized',
    headers: ['WWW-Authenticate: Digest realm="antMiner Configuration", nonce="n", qop="auth"'],
  });
  const { found, asked } = await identifyDevice(null, { '/': login });
  assert.equal(familyOf(found), 'antminer-stock');
  assert.deepEqual(asked, ['GET /']);
});

test(
  'a plain cgminer is asked for what old firmware of other makers shows before it is taken for generic',
  BOUND,
  async () => {
    const generic = { '{"command":"version"}': version({ CGMiner: '4.10.0', API: '3.7' }) };
    const plain = await identifyDevice(generic, null);
    assert.equal(familyOf(plain.found), 'cgminer');
    assert.deepEqual(
      plain.asked,
      ['version', 'stats', 'summary', 'devs'].map((command) => JSON.stringify({ command })),
    );
  },
);

test('a web interface that is busy or empty is asked again, and says nothing of what a device is', BOUND, async () => {
  const generic = { '{"command":"version"}': version({ CGMiner: '4.10.0', API: '3.7' }) };
  for (const away of [page('busy', { status: '503 Busy' }), page('', { status: '429 Too Many Requests' }), page('')]) {
    const { found, asked } = await identifyDevice(generic, { '/': away });
    assert.ok(found.kind === 'ambiguous');
    assert.deepEqual([found.families, found.lost, found.pageless?.driver.family], [['cgminer'], ['GET /'], 'cgminer']);
    assert.equal(asked.filter((request) => request === 'GET /').length, 2);
  }
  for (const status of ['401 Unauthorized', '403 Forbidden', '404 Not Found', '302 Found', '501 Not Implemented']) {
    const { found } = await identifyDevice(generic, { '/': page('', { status }) });
    assert.equal(familyOf(found), 'cgminer', status);
  }
});

test('a proof that is busy is no answer: the device may be what it would tell', BOUND, async () => {
  const pages = { '/': page('<title>AxeOS</title>'), '/api/system/info': page('{}', { status: '502 Bad Gateway' }) };
  const { found } = await identifyDevice(null, pages);
  assert.ok(found.kind === 'ambiguous');
  assert.deepEqual([found.families, found.lost], [['axeos'], ['GET /api/system/info']]);
});

test('what says all that stock firmware says beside another API is asked whether it is LuxOS', BOUND, async () => {
  const like = (api: string) => ({
    '{"command":"version"}': version({
      BMMiner: '1.0.0',
      API: api,
      Miner: 'uart_trans.1.3',
      CompileTime: 'Tue Mar  4 09:12:44 CST 2025',
      Type: 'Antminer S21',
    }),
  });
  const configOf = (row: object) => ({
    '{"command":"config"}': JSON.stringify({ STATUS: [{ STATUS: 'S', When: 1, Code: 33 }], CONFIG: [row], id: 1 }),
  });
  const stock = await identifyDevice(like('3.1'), {});
  assert.deepEqual([familyOf(stock.found), stock.asked.length], ['antminer-stock', 1]);
  const closed = { ...like('3.7'), ...configOf({ OS: 'LuxOS', Model: 'Antminer S21' }) };
  for (const pages of [null, {}, { '/': page('<title>Luxor Firmware</title>') }]) {
    const { found, asked } = await identifyDevice(closed, pages);
    assert.equal(familyOf(found), 'luxos');
    assert.ok(asked.length <= 3);
  }
  for (const config of [configOf({ OS: 'Linux' }), {}]) {
    const { found, asked } = await identifyDevice({ ...like('3.7'), ...config }, {});
    assert.equal(familyOf(found), 'antminer-stock');
    assert.deepEqual(asked, ['{"command":"version"}', '{"command":"config"}', 'GET /']);
  }
});

test('two drivers that are equally sure are ambiguous', BOUND, async () => {
  const sure = (family: string) =>
    defineDriver({
      family,
      title: family,
      source: 'this test',
      queries: {},
      facts: {},
      recognise: ({ web }) => (web ? 2 : 0),
    });
  const { found } = await identifyDevice(null, { '/': page('x') }, [sure('one'), sure('two')]);
  assert.deepEqual(found, { kind: 'ambiguous', families: ['one', 'two'], reason: 'unreadable' });
});

test('a driver that stumbles over clues does not know the device, and the others are heard', BOUND, async () => {
  const clumsy = defineDriver({
    family: 'clumsy',
    title: 'Clumsy',
    source: 'this test',
    queries: {},
    facts: {},
    recognise: () => {
      throw new Error('unexpected shape');
    },
  });
  const { found } = await identifyDevice({ '{"command":"version"}': version({ CGMiner: '4.10.0' }) }, null, [
    clumsy,
    ...DRIVERS,
  ]);
  assert.equal(familyOf(found), 'cgminer');
});

test('a driver judges the clues once after each answer, however often it is asked who is surest', BOUND, async () => {
  const judged: number[] = [];
  const counting = defineDriver({
    family: 'counting',
    title: 'Counting',
    source: 'this test',
    queries: {},
    facts: {},
    recognise: ({ cgminer, http, web }) => {
      judged.push(cgminer.size + http.size + (web === undefined ? 0 : 1));
      return 0;
    },
  });
  const strange = version({ Strange: '1' });
  const commands = ['version', 'summary', 'stats'].map((command) => [`{"command":"${command}"}`, strange] as const);
  await identifyDevice(Object.fromEntries(commands), { '/': page('<title>nobody</title>') }, [counting, ...DRIVERS]);
  assert.deepEqual(judged, [...new Set(judged)]);
  assert.ok(judged.length >= 4, `${judged.length} answers`);
});

test('what answers but is no miner is unidentified, with what was tried', BOUND, async () => {
  const { found } = await identifyDevice(null, { '/': page('<html>router</html>') });
  assert.ok(found.kind === 'unidentified');
  assert.match(
    found.detail,
    /^version: unreachable, ECONNREFUSED; GET \/: HTTP 200; GET \/api\/system\/info: unsupported/,
  );
});

test('a miner that refuses everything is there, not unreachable', BOUND, async () => {
  const denied = '{"STATUS":[{"STATUS":"E","Code":45,"Msg":"Access denied"}],"id":1}';
  const { found } = await identifyDevice(Object.fromEntries(allow.listed.map((request) => [request, denied])), null);
  assert.equal(found.kind, 'unidentified');
});

test('nothing listening is unreachable, silence is a timeout', BOUND, async () => {
  assert.deepEqual((await identifyDevice(null, null)).found, { kind: 'unreachable', reason: 'unreachable' });
  await using silent = await FakeMiner.start(() => {});
  const target = { address: '127.0.0.1', ports: { cgminer: silent.port, http: silent.port } };
  const found = await identify(target, DRIVERS, { limits: SHORT, allow, ...fresh() });
  assert.deepEqual(found, { kind: 'unreachable', reason: 'timeout', accepts: true });
});

const INFO_3 =
  '{"code":0,"when":1,"msg":{"miner":{"type":"M60S"},"system":{"fwversion":"20241216.16.REL"}},"desc":"get.device.info"}';

/** WhatsMiner API 3: what is no frame to it, it does not answer, or closes the connection over it. */
const speaksFrames =
  (otherwise: (socket: Socket) => void): Behaviour =>
  (request, socket) => {
    const head = Buffer.alloc(4);
    head.writeUInt32LE(INFO_3.length);
    if (request.slice(4) === '{"cmd":"get.device.info"}') socket.end(head.toString('latin1') + INFO_3);
    else otherwise(socket);
  };

test(
  'a WhatsMiner of which only the port of API 3 answers is found, whatever becomes of the usual ones',
  BOUND,
  async () => {
    await using api3 = await FakeMiner.start(speaksFrames(() => {}));
    await using silent = await FakeMiner.start(() => {});
    await using closing = await FakeMiner.start((_request, socket) => socket.end());
    for (const usual of [silent.port, closing.port]) {
      const target = { address: '127.0.0.1', ports: { cgminer: usual, http: usual, whatsminer: api3.port } };
      const found = await identify(target, DRIVERS, { limits: SHORT, allow, ...fresh() });
      assert.equal(familyOf(found), 'whatsminer');
    }
  },
);

test('a port that is named alone is asked in the frames of API 3, too', BOUND, async () => {
  for (const otherwise of [() => {}, (socket: Socket) => socket.end()]) {
    await using api3 = await FakeMiner.start(speaksFrames(otherwise));
    const { port } = api3;
    const target = { address: '127.0.0.1', ports: { cgminer: port, http: port, whatsminer: port, volcminer: port } };
    const found = await identify(target, DRIVERS, { limits: SHORT, allow, ...fresh() });
    assert.equal(familyOf(found), 'whatsminer');
    assert.equal(api3.mostAtOnce, 1);
  }
});

test('one port that may speak either protocol is asked in both', BOUND, async () => {
  const info = JSON.stringify({ ASICModel: 'BM1370', boardVersion: '601', version: 'v2.10.1', stratumURL: 'a' });
  await using miner = await FakeMiner.start((request, socket) => {
    if (request.startsWith('{')) socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');
    else socket.write(request.startsWith('GET /api/system/info') ? page(info) : page('<title>AxeOS</title>'));
  });
  const target = { address: '127.0.0.1', ports: { cgminer: miner.port, http: miner.port } };
  const found = await identify(target, DRIVERS, { limits: PATIENT, allow, ...fresh() });
  assert.equal(familyOf(found), 'axeos');
  assert.equal(miner.mostAtOnce, 1);
});
