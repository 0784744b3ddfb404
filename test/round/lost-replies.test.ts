import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { cgminer, defineDriver } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { known } from '../../agent/drivers/rows.ts';
import { lookAt, lookDeps } from '../../agent/look.ts';
import { systemClock } from '../../agent/platform/clock.ts';
import type { Place } from '../../agent/schedule/places.ts';
import { assayer } from '../cli/assayer.ts';
import { FakeMiner, PATIENT } from '../probe/fake-miner.ts';
import type { Behaviour } from '../simulator/behaviour.ts';
import { type Fleet, startFleet } from '../simulator/fleet.ts';
import { loadSpecimens, replyBytes, type Specimen } from '../specimens/specimen.ts';
import { Hall } from './hall.ts';

/** Devices that only one reply tells from plain cgminer, and what becomes of them where it is lost. */

const A741 = 'avalon/a741-modules';

const start = (base: string, name: string, ports: Fleet['ports'] | undefined = undefined): Promise<Fleet> =>
  startFleet({
    specimens: loadSpecimens().filter((specimen) => specimen.name === name),
    base,
    ...(ports === undefined ? {} : { ports }),
  });

const placeOf = (address: string, { ports }: Fleet, origin: Place['origin'] = 'range'): Place => ({
  address,
  ports,
  labels: {},
  origin,
  entry: address,
  ...(origin === 'host' ? { id: 'rack-1' } : {}),
});

/** Loses the next so many replies to a command in this way. Returns how many are still to be lost. */
const losing = (fleet: Fleet, command: string, how: Behaviour, count: number): (() => number) => {
  let left = count;
  fleet.follow((device, request) => {
    const isHit = left > 0 && request.includes(`"${command}"`);
    if (isHit) left -= 1;
    device.behave(isHit ? how : 'honest');
  });
  return () => left;
};

const familyAt = (hall: Hall): string | undefined => hall.seat(0).family;

for (const [at, count] of [2, 3, 100].entries()) {
  test(`an Avalon of which ${count} replies to stats are cut is no plain cgminer, and nothing is found`, async (t) => {
    const base = `127.44.2${at}.1`;
    await using fleet = await start(base, A741);
    const hall = new Hall(t, [placeOf(base, fleet, 'host')]);
    await hall.look(0);
    assert.equal(familyAt(hall), 'avalon');
    const left = losing(fleet, 'stats', 'truncate', count);
    for (let looks = 0; looks < 3; looks += 1) {
      await hall.look(0);
      assert.equal(familyAt(hall), 'avalon');
      hall.aheadMs += 5000;
    }
    assert.ok(left() < count - 1, 'replies were cut');
    losing(fleet, 'stats', 'truncate', 0);
    for (let looks = 0; looks < 2; looks += 1) await hall.look(0);
    assert.equal(familyAt(hall), 'avalon');
    assert.deepEqual(
      hall.findings().map(({ id }) => id),
      [],
    );
  });
}

for (const [at, [name, command, how]] of (
  [
    [A741, 'stats', 'truncate'],
    [A741, 'stats', 'silent'],
    ['strongu/u6', 'summary', 'early-close'],
    ['whatsminer/m20x-cgminer-2020', 'summary', 'silent'],
  ] as const
).entries()) {
  test(`${name} of which nobody ever saw the ${command} (${how}) is told of once, and learned when it answers`, async (t) => {
    const base = `127.44.3${at}.1`;
    await using fleet = await start(base, name);
    const hall = new Hall(t, [placeOf(base, fleet)]);
    losing(fleet, command, how, 100);
    await hall.look(0);
    assert.equal(hall.events.length, 0, 'one may be lost anywhere');
    assert.equal(
      hall.timetable.due(Number.MAX_SAFE_INTEGER)[0]?.early,
      true,
      'and it is asked again before the next full round',
    );
    await hall.look(0);
    assert.deepEqual([familyAt(hall), hall.seat(0).device, hall.attestations()], [undefined, undefined, []]);
    assert.deepEqual(
      hall.events.map(({ event, address }) => [event, address]),
      [['device.unrecognised', base]],
    );
    assert.match(String(hall.events[0]?.message), new RegExp(`no whole answer to .*${command}`));
    losing(fleet, command, how, 0);
    await hall.look(0);
    assert.equal(familyAt(hall), name.replace(/\/.*/, ''));
  });
}

test('one at a position is told of, too: its finding says only that it is dark', async (t) => {
  const base = '127.44.42.1';
  await using fleet = await start(base, A741);
  const hall = new Hall(t, [placeOf(base, fleet, 'host')]);
  losing(fleet, 'stats', 'truncate', 100);
  for (let looks = 0; looks < 5; looks += 1) await hall.look(0);
  const told = hall.events.filter(({ event }) => event === 'device.unrecognised');
  assert.deepEqual(
    told.map(({ address }) => address),
    [base],
  );
  assert.deepEqual(
    hall.findings().map(({ id, severity }) => [id, severity]),
    [['visibility.device-dark', 'low']],
  );
});

/** Plain cgminer whose web port speaks SSH, and what it is known as after each of these waits, ms, and the look then. */
const lookedAtWithoutPage = async (t: TestContext, waits: readonly number[]) => {
  const base = '127.0.0.1';
  await using fleet = await start(base, 'cgminer/cgminer');
  await using page = await FakeMiner.start((_request, socket) => socket.end('SSH-2.0-x\r\n'));
  const { ports, ...place } = placeOf(base, fleet);
  const hall = new Hall(t, [{ ...place, ports: { ...ports, http: page.port } }]);
  const families: (string | undefined)[] = [];
  for (const waitMs of waits) {
    hall.passedMs += waitMs;
    await hall.look(0);
    families.push(familyAt(hall));
  }
  await hall.look(0);
  return { families, events: hall.events.map(({ event }) => event), findings: hall.findings().map(({ id }) => id) };
};

test('plain cgminer whose web page never answers is told of, and after ten minutes watched by its API', async (t) => {
  const seen = await lookedAtWithoutPage(t, [0, 150_000, 150_000, 150_000, 150_000, 0]);
  assert.deepEqual(seen.families, [undefined, undefined, undefined, undefined, 'cgminer', 'cgminer']);
  assert.deepEqual(seen.events, ['device.unrecognised']);
  assert.deepEqual(seen.findings, [], 'it was there when its entry was searched');
});

test('that it has no web page is concluded neither in less time nor from fewer looks', async (t) => {
  const often = await lookedAtWithoutPage(t, [0, 0, 0, 0, 0, 300_000]);
  const seldom = await lookedAtWithoutPage(t, [0, 900_000, 900_000, 900_000]);
  assert.deepEqual(new Set([...often.families, ...seldom.families]), new Set([undefined]));
});

test('a driver file gets its device at the next full look where an answer was lost when it was to be found out', async (t) => {
  const base = '127.44.41.1';
  await using fleet = await start(base, 'cgminer/cgminer');
  const ours = {
    ...defineDriver({
      family: 'ours',
      title: 'Ours',
      source: 'this test',
      recognise: ({ cgminer: replies }) => (replies.has('coin') ? 2 : 0),
      proofs: ['coin'],
      queries: { version: cgminer('version'), coin: cgminer('coin') },
      facts: { 'firmware.name': known('version', 'Ours') },
    }),
    outside: true,
  } as const;
  const hall = new Hall(t, [placeOf(base, fleet)], [...DRIVERS, ours]);
  hall.seat(0).family = 'cgminer';
  losing(fleet, 'stats', 'truncate', 100);
  await hall.look(0);
  assert.equal(familyAt(hall), 'cgminer');
  losing(fleet, 'stats', 'truncate', 0);
  await hall.look(0);
  assert.equal(familyAt(hall), 'ours');
});

test('probe and scan say what could not be told, and never cgminer', async () => {
  const base = '127.44.40.1';
  await using fleet = await start(base, A741);
  const ports = Object.entries({ ...fleet.ports, volcminer: 1, whatsminer: 1 })
    .map(([name, port]) => `${name}=${port}`)
    .join();
  losing(fleet, 'stats', 'truncate', 2);
  const lost = await assayer(['probe', base, '--ports', ports]);
  assert.notEqual(lost.code, 0);
  assert.match(lost.err, /truncated, could be cgminer, or another one: no whole answer to stats/);
  losing(fleet, 'stats', 'truncate', 2);
  const scanned = await assayer(['scan', base, '--ports', ports, '--json']);
  const unread = { reason: 'truncated', detail: 'could be cgminer, or another one: no whole answer to stats' };
  assert.deepEqual(JSON.parse(scanned.out), { address: base, unread });
  losing(fleet, 'stats', 'truncate', 1);
  const { out } = await assayer(['probe', base, '--ports', ports, '--json', '--no-endpoint']);
  assert.equal(JSON.parse(out).family, 'avalon');
});

const BUSY = 'HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy';
const EMPTY = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

/** The Goldshell box whose program calls itself bfgminer, with pages of its own making: what a request is answered, or that it is closed. */
const boxOf = async (base: string, answer: (request: string) => string | undefined) => {
  const fleet = await start(base, 'goldshell/sc-4028');
  const page = await FakeMiner.start((request, socket) => {
    const text = answer(request.split(' HTTP/')[0] ?? '');
    if (text === undefined) socket.end();
    else socket.write(text);
  });
  const { ports, ...place } = placeOf(base, fleet);
  return {
    place: { ...place, ports: { ...ports, http: page.port } },
    requests: page.requests,
    [Symbol.asyncDispose]: async () => {
      await page[Symbol.asyncDispose]();
      await fleet.stop();
    },
  };
};

const [specimen] = loadSpecimens().filter(({ name }) => name === 'goldshell/sc-4028');

/** The page as the specimen has it. */
const honest = (request: string): string => {
  const body = Buffer.from(replyBytes(specimen as Specimen, `http:${request.replace('GET ', '')}`) ?? '').toString();
  const status = body === '' ? '404 Not Found' : '200 OK';
  return `HTTP/1.1 ${status}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
};

for (const [how, away] of Object.entries({ busy: BUSY, empty: EMPTY, closed: undefined })) {
  test(`a Goldshell whose web interface is ${how} at first is never plain cgminer, and nothing changed when it answers`, async (t) => {
    const base = '127.0.0.1';
    let isAway = true;
    await using box = await boxOf(base, (request) => (isAway ? away : honest(request)));
    const hall = new Hall(t, [box.place]);
    for (let looks = 0; looks < 2; looks += 1) await hall.look(0);
    assert.equal(familyAt(hall), undefined);
    assert.deepEqual(
      hall.events.map(({ event }) => event),
      ['device.unrecognised'],
    );
    isAway = false;
    for (let looks = 0; looks < 3; looks += 1) await hall.look(0);
    assert.equal(familyAt(hall), 'goldshell');
    assert.deepEqual(
      hall.findings().map(({ id }) => id),
      [],
    );
  });
}

test('a Goldshell whose landing page alone is away is one all the same, and its looks do not ask anew what it is', async (t) => {
  await using box = await boxOf('127.0.0.1', (request) => (request === 'GET /' ? undefined : honest(request)));
  const hall = new Hall(t, [box.place]);
  await hall.look(0);
  assert.equal(familyAt(hall), 'goldshell');
  const landings = () => box.requests.filter((request) => request.startsWith('GET / ')).length;
  const before = landings();
  for (let looks = 0; looks < 3; looks += 1) await hall.look(0);
  assert.equal(landings(), before);
});

test('a Goldshell that is watched after ten minutes without its pages stays one when they answer', async (t) => {
  let isAway = true;
  await using box = await boxOf('127.0.0.1', (request) => (isAway ? undefined : honest(request)));
  const hall = new Hall(t, [box.place]);
  for (let looks = 0; looks < 5; looks += 1) {
    await hall.look(0);
    hall.passedMs += 160_000;
  }
  assert.equal(familyAt(hall), 'goldshell');
  isAway = false;
  for (let looks = 0; looks < 3; looks += 1) {
    await hall.look(0);
    hall.passedMs += 20_000;
  }
  assert.equal(familyAt(hall), 'goldshell');
  assert.deepEqual(
    hall.findings().filter(({ id }) => id === 'firmware.family-changed'),
    [],
  );
});

/** The same box where nothing in its API names it. */
const startNameless = (base: string, ports: Partial<Fleet['ports']> = {}, nowMs = Date.now): Promise<Fleet> => {
  const { files, ...rest } = specimen as Specimen;
  const devs = Buffer.from(files.get('devs.json') ?? '').toString();
  assert.match(devs, /tstemp-/);
  const renamed = new Map([...files, ['devs.json', Buffer.from(devs.replaceAll('tstemp-', 'sensor-'))]]);
  return startFleet({ specimens: [{ ...rest, files: renamed }], base, ports, nowMs });
};

/** What such a box is known as after looks at which its page was cut, nobody was there, and its page was cut once more; then it answers. */
const boxGoneBetween = async (t: TestContext, base: string, cutBefore: number) => {
  const cuttingPages = (fleet: Fleet): void =>
    fleet.follow((device, request) => device.behave(request.startsWith('GET ') ? 'early-close' : 'honest'));
  const families: (string | undefined)[] = [];
  const before = await startNameless(base);
  const hall = new Hall(t, [placeOf(base, before)]);
  const look = async (afterMs: number): Promise<void> => {
    hall.passedMs += afterMs;
    await hall.look(0);
    families.push(familyAt(hall));
  };
  cuttingPages(before);
  for (let looks = 0; looks < cutBefore; looks += 1) await look(15_000);
  await before.stop();
  for (let looks = 0; looks < 3; looks += 1) await look(300_000);
  await using back = await startNameless(base, before.ports);
  cuttingPages(back);
  await look(1000);
  back.follow((device) => device.behave('honest'));
  await look(1000);
  return families;
};

test('looks before a time in which nobody was there say nothing of whether there is a web page', async (t) => {
  for (const [at, cutBefore] of [4, 0].entries()) {
    const families = await boxGoneBetween(t, `127.44.7${at}.1`, cutBefore);
    assert.deepEqual([families.at(-2), families.at(-1)], [undefined, 'goldshell'], `cut ${cutBefore} times before`);
  }
});

/** A web port that is away in this way until it is let up, and counts the connections that it saw. */
const startAway = async (t: TestContext, how: 'reset' | 'closed' | 'cut', answer = honest) => {
  let isUp = false;
  let connections = 0;
  const requests: string[] = [];
  const server = createServer((socket) => {
    connections += 1;
    if (!isUp && how === 'reset') socket.resetAndDestroy();
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      const request = bytes.toString('latin1').split(' HTTP/')[0] ?? '';
      requests.push(request);
      if (isUp) socket.write(answer(request));
      else socket.end();
    });
  });
  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await listen(0);
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo; // a TCP server has one
  if (how === 'closed') await new Promise((resolve) => server.close(resolve));
  return {
    port,
    requests,
    connections: () => connections,
    up: async () => {
      isUp = true;
      if (how === 'closed') await listen(port);
    },
  };
};

/** The nameless box beside a web port of its own. */
const boxBeside = async (t: TestContext, webPort: number) => {
  const base = '127.0.0.1';
  let nowMs = Date.now;
  const fleet = await startNameless(base, {}, () => nowMs());
  const { ports, ...place } = placeOf(base, fleet);
  const hall = new Hall(t, [{ ...place, ports: { ...ports, http: webPort } }]);
  nowMs = () => hall.nowMs();
  return { hall, fleet, [Symbol.asyncDispose]: () => fleet.stop() };
};

const weightsIn = (hall: Hall) =>
  hall.findings().map(({ id, state, severity, reasons }) => [id, state, severity, reasons]);

for (const [how, looksUntilKnown] of [
  ['reset', 1],
  ['closed', 1],
  ['cut', 5],
] as const) {
  test(`a Goldshell whose web port was away (${how}) when it was found out is one as soon as a full look sees its page, and that is no alarm`, async (t) => {
    const web = await startAway(t, how);
    await using box = await boxBeside(t, web.port);
    const { hall, fleet } = box;
    for (let looks = 0; looks < looksUntilKnown; looks += 1) {
      assert.equal(familyAt(hall), undefined);
      await hall.look(0);
      hall.passedMs += 160_000;
    }
    assert.equal(familyAt(hall), 'cgminer', 'it is watched');
    await web.up();
    const before = web.connections();
    await hall.look(0, 'pools');
    assert.equal(web.connections(), before, 'nothing is asked of it between full looks');
    hall.passedMs += 900_000;
    for (let looks = 0; looks < 3; looks += 1) {
      await hall.look(0);
      hall.passedMs += 20_000;
      assert.equal(familyAt(hall), 'goldshell');
    }
    assert.deepEqual(weightsIn(hall), [['firmware.family-changed', 'open', 'low', ['page-seen']]]);
    assert.equal(fleet.maxConnections(), 1);
    const { insteadOf } = hall.kept(hall.seat(0).device ?? '')?.identified ?? {};
    assert.equal(insteadOf, 'cgminer', 'and it is kept why');
  });
}

for (const [how, away] of Object.entries({
  'refuses connections': undefined,
  'asks for a log-in': 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n',
  'forbids its pages': 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n',
  'has lost its pages': 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n',
  'sends to TLS': 'HTTP/1.1 302 Found\r\nLocation: https://192.0.2.7/\r\nContent-Length: 0\r\n\r\n',
}))
  test(`a Goldshell that is known by its page alone is one while its web port ${how}, and no other family`, async (t) => {
    let isAway = false;
    const page = await FakeMiner.start((request, socket) => {
      socket.write(isAway && away !== undefined ? away : honest(request.split(' HTTP/')[0] ?? ''));
    });
    t.after(() => page[Symbol.asyncDispose]());
    await using box = await boxBeside(t, page.port);
    const { hall, fleet } = box;
    await hall.look(0);
    assert.equal(familyAt(hall), 'goldshell');
    isAway = true;
    if (away === undefined) await page[Symbol.asyncDispose]();
    for (let looks = 0; looks < 4; looks += 1) {
      hall.passedMs += 900_000;
      await hall.look(0);
      await hall.look(0, 'pools');
      assert.equal(familyAt(hall), 'goldshell');
    }
    assert.deepEqual(new Set(hall.findings().map(({ id }) => id)), new Set(['visibility.coverage-reduced']));
    await fleet.device(0).swapTo(loadSpecimens().find(({ name }) => name === M50S) as Specimen);
    for (let looks = 0; looks < 3; looks += 1) await hall.look(0);
    assert.ok(weightsIn(hall).some(([id, , severity]) => id === 'firmware.family-changed' && severity === 'high'));
  });

for (const [at, name] of ['antminer-stock/s21', 'antminer-stock/s19-4028', 'antminer-stock/s9'].entries())
  test(`${name}: one that answers as plain cgminer while its web port refuses is of another family at once`, async (t) => {
    const base = `127.44.73.${1 + at}`;
    await using fleet = await start(base, name);
    const { ports, ...place } = placeOf(base, fleet);
    const hall = new Hall(t, [{ ...place, ports: { ...ports, http: 1 } }]);
    for (let looks = 0; looks < 2; looks += 1) await hall.look(0);
    assert.equal(familyAt(hall), 'antminer-stock');
    const cgminer = loadSpecimens().find((one) => one.name === 'cgminer/cgminer') as Specimen;
    const pools = loadSpecimens()
      .find((one) => one.name === name)
      ?.files.get('pools.json');
    const files = new Map([...cgminer.files, ...(pools === undefined ? [] : [['pools.json', pools] as const])]);
    await fleet.device(0).swapTo({ ...cgminer, files });
    for (let looks = 0; looks < 3; looks += 1) await hall.look(0);
    assert.ok(weightsIn(hall).some(([id, , severity]) => id === 'firmware.family-changed' && severity === 'high'));
  });

test('a web port that resets at every look is asked for its page at full looks, for six hours', async (t) => {
  const web = await startAway(t, 'reset');
  await using box = await boxBeside(t, web.port);
  const { hall } = box;
  const asked: number[] = [];
  for (const waitMs of [0, 900_000, 900_000, 6 * 3_600_000, 900_000]) {
    hall.passedMs += waitMs;
    const before = web.connections();
    await hall.look(0);
    await hall.look(0, 'pools');
    asked.push(web.connections() - before);
  }
  assert.deepEqual(asked.slice(1), [1, 1, 0, 0]);
  assert.equal(familyAt(hall), 'cgminer');
  assert.deepEqual(hall.findings(), []);
});

test('an agent that was started asks a device that is known without its page for it once more, however long ago that was', async (t) => {
  const web = await startAway(t, 'reset');
  await using fleet = await startNameless('127.0.0.1');
  const target = { address: '127.0.0.1', ports: { ...fleet.ports, http: web.port } };
  const driver = DRIVERS.find(({ family }) => family === 'cgminer');
  const deps = lookDeps({ drivers: DRIVERS, limits: PATIENT, clock: systemClock() });
  const askedFor: number[] = [];
  for (let looks = 0; looks < 3; looks += 1) {
    const before = web.connections();
    await lookAt(target, driver, 'full', deps, 0);
    askedFor.push(web.connections() - before);
  }
  assert.deepEqual(askedFor, [1, 0, 0]);
});

test('plain cgminer whose page comes up later stays what it is, and is not asked for it again', async (t) => {
  const base = '127.0.0.1';
  await using fleet = await start(base, 'cgminer/cgminer');
  const web = await startAway(t, 'reset', () => 'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>shop</a>\n');
  const { ports, ...place } = placeOf(base, fleet);
  const hall = new Hall(t, [{ ...place, ports: { ...ports, http: web.port } }]);
  await hall.look(0);
  await web.up();
  await hall.look(0);
  assert.ok(web.requests.length > 0);
  const seen = web.connections();
  for (let looks = 0; looks < 3; looks += 1) await hall.look(0);
  assert.deepEqual([familyAt(hall), web.connections(), hall.findings()], ['cgminer', seen, []]);
});

test('a device known without its page that answers in other words over its API, too, is another family as ever', async (t) => {
  const base = '127.44.72.1';
  await using fleet = await start(base, 'cgminer/cgminer');
  const { ports, ...place } = placeOf(base, fleet);
  const hall = new Hall(t, [{ ...place, ports: { ...ports, http: 1 } }]);
  await hall.look(0);
  assert.equal(familyAt(hall), 'cgminer');
  await fleet.device(0).swapTo(loadSpecimens().find(({ name }) => name === M50S) as Specimen);
  for (let looks = 0; looks < 3; looks += 1) await hall.look(0);
  assert.equal(familyAt(hall), 'whatsminer');
  assert.ok(weightsIn(hall).some(([id, , severity]) => id === 'firmware.family-changed' && severity === 'high'));
});

/** What is told of something that answers at a web port alone. */
const toldOf = async (t: TestContext, answer: (request: string) => string): Promise<readonly string[]> => {
  await using page = await FakeMiner.start((request, socket) => socket.end(answer(request)));
  const address = '127.0.0.1';
  const ports = { cgminer: 1, http: page.port };
  const hall = new Hall(t, [{ address, ports, labels: {}, origin: 'range', entry: address }]);
  for (let looks = 0; looks < 3; looks += 1) await hall.look(0);
  return hall.events.map(({ event, message }) => `${event} ${message}`);
};

test('a device whose only telling answer is cut is told of once, and a web server that is no miner is not', async (t) => {
  const cut = await toldOf(t, () => 'HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n<html><title>');
  assert.equal(cut.length, 1);
  assert.match(String(cut[0]), /^device\.unrecognised .*GET \/: truncated/);
  const page = 'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>shop</a>\n';
  const failing = 'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n';
  assert.deepEqual(await toldOf(t, (request) => (request.startsWith('GET / ') ? page : failing)), []);
  const busy = 'HTTP/1.1 503 Service Temporarily Unavailable\r\nContent-Length: 4\r\n\r\nbusy';
  const empty = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
  for (const answer of [busy, failing, empty, 'HTTP/1.1 204 No Content\r\n\r\n', 'SSH-2.0-x\r\n'])
    assert.deepEqual(await toldOf(t, () => answer), [], answer);
});

test('a miner that stood there untold is no new device, though one look found nobody; after two it was gone', async (t) => {
  const found = async (base: string, closed: number): Promise<readonly string[]> => {
    await using fleet = await start(base, A741);
    const hall = new Hall(t, [placeOf(base, fleet)]);
    losing(fleet, 'stats', 'truncate', 100);
    for (let looks = 0; looks < 2; looks += 1) await hall.look(0);
    await fleet.stop();
    for (let looks = 0; looks < closed; looks += 1) await hall.look(0);
    await using back = await start(base, A741, fleet.ports);
    for (let looks = 0; looks < 3; looks += 1) await hall.look(0);
    assert.equal(familyAt(hall), 'avalon');
    assert.ok(back.devices.length > 0);
    return hall.findings().map(({ id }) => id);
  };
  assert.deepEqual(await found('127.44.45.1', 1), []);
  assert.deepEqual(await found('127.44.46.1', 2), ['identity.new-device']);
});

/** Has a request answered by a device that stands elsewhere. */
const pass = (request: string, socket: Socket, elsewhere: { readonly host: string; readonly port: number }): void => {
  const device = connect(elsewhere, () => device.write(request));
  device.pipe(socket);
};

/** What befalls the answers of a miner: all connections are accepted. */
type Befalls = (fleet: Fleet) => void;

const cut: Befalls = (fleet) => void losing(fleet, 'version', 'truncate', 1000);
const silent: Befalls = (fleet) => fleet.follow((device) => device.behave('silent'));
const soundly: Befalls = (fleet) => fleet.follow((device) => device.behave('honest'));

for (const [at, [name, befalls]] of (
  [
    ['cgminer/bfgminer', cut],
    ['cgminer/sgminer', silent],
    ['whatsminer/m50s-api2', cut],
  ] as const
).entries()) {
  test(`a ${name} whose answers were lost (${befalls === cut ? 'cut' : 'silent'}) when its entry was searched is no new device`, async (t) => {
    const base = `127.44.5${at}.1`;
    await using fleet = await start(base, name);
    const hall = new Hall(t, [placeOf(base, fleet)]);
    befalls(fleet);
    for (let looks = 0; looks < 3; looks += 1) await hall.look(0);
    assert.deepEqual([hall.seat(0).device, hall.seat(0).passed], [undefined, false]);
    assert.deepEqual(hall.fleet.untoldAddresses(), [base]);
    soundly(fleet);
    for (let looks = 0; looks < 3; looks += 1) await hall.look(0);
    assert.equal(familyAt(hall), name.replace(/\/.*/, ''));
    assert.deepEqual([hall.findings().map(({ id }) => id), hall.fleet.untoldAddresses()], [[], []]);
  });
}

for (const [at, name] of ['antminer-stock/s21', 'axeos/gamma-2.12'].entries()) {
  test(`${name}, with its port 4028 closed and its web interface busy when its entry was searched, is no new device`, async (t) => {
    const base = `127.44.6${at}.1`;
    await using fleet = await start(base, name);
    let isAway = true;
    await using page = await FakeMiner.start((request, socket) => {
      if (isAway) socket.end(BUSY);
      else pass(request, socket, { host: base, port: fleet.ports.http });
    });
    const address = '127.0.0.1';
    const ports = { cgminer: 1, http: page.port };
    const hall = new Hall(t, [{ address, ports, labels: {}, origin: 'range', entry: address }]);
    hall.credential = { user: 'root', password: () => 'specimen' };
    for (let looks = 0; looks < 3; looks += 1) await hall.look(0);
    assert.deepEqual([hall.events, hall.fleet.untoldAddresses()], [[], [address]], 'any web server may be busy');
    isAway = false;
    for (let looks = 0; looks < 3; looks += 1) await hall.look(0);
    assert.notEqual(familyAt(hall), undefined);
    assert.deepEqual(
      hall.findings().filter(({ id }) => id === 'identity.new-device'),
      [],
    );
  });
}

test('where nobody accepts a connection, or whole answers show no miner, the first pass is over', async (t) => {
  const passedAfterOne = async (ports: Place['ports']): Promise<boolean> => {
    const hall = new Hall(t, [{ address: '127.0.0.1', ports, labels: {}, origin: 'range', entry: '127.0.0.1' }]);
    await hall.look(0);
    return hall.seat(0).passed;
  };
  await using shop = await FakeMiner.start((request, socket) =>
    socket.end(
      request.startsWith('GET / ')
        ? 'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>shop</a>\n'
        : 'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n',
    ),
  );
  assert.deepEqual(
    [await passedAfterOne({ cgminer: 1, http: 1 }), await passedAfterOne({ cgminer: 1, http: shop.port })],
    [true, true],
  );
});

test('a bfgminer without a page whose version is cut each time is told of once', async (t) => {
  const base = '127.44.55.1';
  await using fleet = await start(base, 'cgminer/bfgminer');
  const { ports, ...place } = placeOf(base, fleet);
  const hall = new Hall(t, [{ ...place, ports: { ...ports, http: 1 } }]);
  cut(fleet);
  for (let looks = 0; looks < 4; looks += 1) await hall.look(0);
  assert.deepEqual(
    hall.events.map(({ event, address }) => [event, address]),
    [['device.unrecognised', base]],
  );
  assert.match(String(hall.events[0]?.message), /version: truncated/);
});

/** What becomes of a plain cgminer beside this landing page; other paths are not there. */
const besidePage = async (t: TestContext, base: string, page: string) => {
  await using fleet = await start(base, 'cgminer/cgminer');
  await using web = await FakeMiner.start((request, socket) =>
    socket.end(
      request.startsWith('GET / ')
        ? `HTTP/1.1 200 OK\r\nContent-Length: ${page.length}\r\n\r\n${page}`
        : 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n',
    ),
  );
  // Fleet and page stand at different addresses: the API is led to where the page is.
  await using api = await FakeMiner.start((request, socket) => {
    pass(request, socket, { host: base, port: fleet.ports.cgminer });
  });
  const address = '127.0.0.1';
  const ports = { cgminer: api.port, http: web.port };
  const hall = new Hall(t, [{ address, ports, labels: {}, origin: 'range', entry: address }]);
  for (let looks = 0; looks < 3; looks += 1) await hall.look(0);
  return { family: familyAt(hall), events: hall.events, findings: hall.findings().map(({ id }) => id) };
};

test('a plain cgminer beside the LuCI of OpenWrt is watched as one', async (t) => {
  const { family, events, findings } = await besidePage(t, '127.44.56.1', '<html><title>OpenWrt - LuCI</title></html>');
  assert.deepEqual([family, events, findings], ['cgminer', [], []]);
});

test('one that answers the CGMiner API whole and is recognised by nobody is told of', async (t) => {
  const { family, events } = await besidePage(t, '127.44.57.1', '<html><title>LuCI of a cloud-box</title></html>');
  assert.equal(family, undefined);
  assert.deepEqual(
    events.map(({ event }) => event),
    ['device.unrecognised'],
  );
});

const M50S = 'whatsminer/m50s-api2';

/** Cuts all that would tell which machine this is, until it is told to stop. */
const namingCut = (fleet: Fleet): { stop: () => void } => {
  let isOn = true;
  fleet.follow((device, request) =>
    device.behave(isOn && /"(?:get_miner_info|summary|edevs|devdetails|devs)"/.test(request) ? 'truncate' : 'honest'),
  );
  return {
    stop: () => {
      isOn = false;
    },
  };
};

test('a machine that lost what names it is asked again before it is a device, and was there then', async (t) => {
  const base = '127.44.60.1';
  await using fleet = await start(base, M50S);
  const hall = new Hall(t, [placeOf(base, fleet)]);
  const cut = namingCut(fleet);
  for (let looks = 0; looks < 3; looks += 1) {
    await hall.look(0);
    assert.deepEqual([hall.seat(0).device, hall.fleet.untoldAddresses()], [undefined, [base]]);
    hall.aheadMs += 15_000;
  }
  cut.stop();
  for (let looks = 0; looks < 2; looks += 1) await hall.look(0);
  assert.match(hall.seat(0).device ?? '', /^mac-/);
  assert.deepEqual([hall.findings(), hall.fleet.untoldAddresses()], [[], []]);
});

test('one that never tells which machine it is is asked less and less often, and known by its address after ten minutes', async (t) => {
  const base = '127.44.61.1';
  await using fleet = await start(base, M50S);
  const hall = new Hall(t, [placeOf(base, fleet)]);
  namingCut(fleet);
  let looks = 0;
  while (looks < 20 && hall.seat(0).device === undefined) {
    await hall.look(0);
    const asked = hall.timetable.due(Number.MAX_SAFE_INTEGER).some(({ early }) => early);
    assert.equal(asked, hall.seat(0).device === undefined);
    hall.passedMs += 10_000 * 2 ** looks;
    looks += 1;
  }
  assert.deepEqual([hall.seat(0).device, looks], ['ip-127-44-61-1', 7]);
  assert.deepEqual(hall.findings(), []);
});

test('one that never names itself, and loses nothing, is known by its address at the first look', async (t) => {
  for (const [at, specimen] of loadSpecimens().entries()) {
    const base = `127.44.${100 + Math.floor(at / 250)}.${1 + (at % 250)}`;
    await using fleet = await start(base, specimen.name);
    const hall = new Hall(t, [placeOf(base, fleet)]);
    hall.credential = { user: 'root', password: () => 'specimen' };
    await hall.look(0);
    assert.equal(hall.seat(0).nameless, undefined, specimen.name);
  }
});

/** An S21 that answers a log-in as it is told, and all else as it should. */
const hangingUp = async (answer: (socket: Socket) => boolean) => {
  const fleet = await start('127.0.0.1', 'antminer-stock/s21');
  const page = await FakeMiner.start((request, socket) => {
    if (!/^authorization:/im.test(request) || !answer(socket))
      pass(request, socket, { host: '127.0.0.1', port: fleet.ports.http });
  });
  const place = placeOf('127.0.0.1', fleet);
  return {
    place: { ...place, ports: { ...place.ports, http: page.port } },
    [Symbol.asyncDispose]: async () => {
      await page[Symbol.asyncDispose]();
      await fleet.stop();
    },
  };
};

test('one whose log-in was left without an answer is waited for while it rests, and named by what it tells then', async (t) => {
  let isCutting = true;
  await using machine = await hangingUp((socket) => {
    const isCut = isCutting;
    if (isCut) socket.end('HTTP/1.1 2');
    isCutting = false;
    return isCut;
  });
  const hall = new Hall(t, [machine.place]);
  hall.credential = { user: 'root', password: () => 'specimen' };
  for (let looks = 0; looks < 6; looks += 1) {
    await hall.look(0);
    assert.deepEqual([hall.seat(0).device, isCutting], [undefined, false]);
    hall.passedMs += 40_000;
  }
  hall.passedMs += 60_000;
  await hall.look(0);
  assert.match(hall.seat(0).device ?? '', /^mac-/);
  assert.deepEqual(hall.findings(), []);
});

test('and one that leaves every log-in without an answer is known by its address after the fourth', async (t) => {
  let shown = 0;
  await using machine = await hangingUp((socket) => {
    shown += 1;
    return socket.destroy() !== undefined;
  });
  const hall = new Hall(t, [machine.place]);
  hall.credential = { user: 'root', password: () => 'specimen' };
  let minutes = 0;
  while (minutes <= 60 && hall.seat(0).device === undefined) {
    await hall.look(0);
    hall.passedMs += 60_000;
    minutes += 1;
  }
  assert.deepEqual([hall.seat(0).device, shown], ['ip-127-0-0-1', 4]);
  assert.deepEqual(hall.findings(), []);
});

test('a machine whose API takes connections in silence beside a page that nobody knows is told of; one whose port is closed is not', async (t) => {
  const page = 'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>shop</a>\n';
  await using web = await FakeMiner.start((request, socket) =>
    socket.end(request.startsWith('GET / ') ? page : 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'),
  );
  await using silent = await FakeMiner.start(() => undefined);
  const told = async (cgminer: number): Promise<readonly string[]> => {
    const ports = { cgminer, http: web.port };
    const hall = new Hall(t, [{ address: '127.0.0.1', ports, labels: {}, origin: 'range', entry: '127.0.0.1' }]);
    for (let looks = 0; looks < 2; looks += 1) await hall.look(0);
    return hall.events.map(({ event }) => event);
  };
  assert.deepEqual(await told(silent.port), ['device.unrecognised']);
  assert.deepEqual(await told(1), []);
});

test('one that resets each connection as soon as it stands was there when its entry was searched', async (t) => {
  const base = '127.0.0.1';
  await using fleet = await start(base, 'cgminer/cgminer');
  let isResetting = true;
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    if (isResetting) socket.resetAndDestroy();
    else {
      socket.pipe(connect(fleet.ports.cgminer, base)).pipe(socket);
      socket.resume();
    }
  });
  server.listen(0, base);
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo; // a TCP server has one
  const place = placeOf(base, fleet);
  const hall = new Hall(t, [{ ...place, ports: { ...place.ports, cgminer: port } }]);
  for (let looks = 0; looks < 4; looks += 1) {
    await hall.look(0);
    assert.equal(hall.seat(0).passed, false);
  }
  isResetting = false;
  for (let looks = 0; looks < 3; looks += 1) await hall.look(0);
  assert.equal(familyAt(hall), 'cgminer');
  assert.deepEqual(hall.findings(), []);
});
