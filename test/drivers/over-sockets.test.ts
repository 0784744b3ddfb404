import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Driver } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { lookAt, lookDeps, type Sight } from '../../agent/look.ts';
import type { LookKind } from '../../agent/normalise/observation.ts';
import { systemClock } from '../../agent/platform/clock.ts';
import { requestText } from '../../agent/probe/allow.ts';
import type { Target } from '../../agent/probe/target.ts';
import { startFleet } from '../simulator/fleet.ts';
import { loadSpecimens, type Specimen } from '../specimens/specimen.ts';

/** Specimens on real sockets, asked as the agent asks. */

const limits = { connectMs: 2000, exchangeMs: 4000, deviceMs: 20_000, maxReplyBytes: 1_048_576 };
/** Pauses that a family wants are not waited for. */
const deps = lookDeps({ drivers: DRIVERS, limits, clock: systemClock(), wait: () => Promise.resolve() });

interface Asking {
  readonly known?: Driver;
  readonly kind?: LookKind;
  readonly credentials?: boolean;
  /** What else the configuration says of the device. */
  readonly more?: Pick<Target, 'families' | 'vendorDefault'>;
}

/** One look at a specimen whose family is known (or not), and what it was asked, in order. */
const lookOnce = async (
  specimen: Specimen,
  { known, kind = 'full', credentials = true, more }: Asking = {},
): Promise<{ sight: Sight; asked: readonly string[] }> => {
  await using fleet = await startFleet({
    specimens: [specimen],
    base: '127.28.0.1',
    exact: true,
    allowed: deps.allow.listed,
  });
  const asked: string[] = [];
  fleet.follow((_, request) => asked.push(request));
  const { auth } = specimen.device;
  const credential =
    auth === undefined || !credentials ? {} : { credential: { user: auth.user, password: () => auth.password } };
  const target = { address: fleet.device(0).address, ports: fleet.ports, ...credential, ...more };
  const sight = await lookAt(target, known, kind, deps);
  assert.deepEqual(fleet.violations(), []);
  assert.equal(fleet.maxConnections(), 1);
  return { sight, asked };
};

const SPECIMENS = loadSpecimens();

const named = (name: string): Specimen => {
  const specimen = SPECIMENS.find((one) => one.name === name);
  if (specimen === undefined) throw new Error(`no specimen ${name}`);
  return specimen;
};

const driverOf = (family: string): Driver => {
  const driver = DRIVERS.find((one) => one.family === family);
  if (driver === undefined) throw new Error(`no driver ${family}`);
  return driver;
};

describe('a full look over sockets, identification included, gives what the specimen says', () => {
  for (const specimen of SPECIMENS) {
    const { device, name } = specimen;
    if (!('family' in device)) continue;
    for (const { credentials, facts: expected, readings } of device.expect) {
      test(`${name} ${credentials ? 'with' : 'without'} the log-in`, async () => {
        const { sight } = await lookOnce(specimen, { credentials });
        assert.ok(sight.kind === 'seen', JSON.stringify(sight));
        const { 'firmware.fingerprint': _, ...facts } = sight.observation.facts;
        assert.deepEqual(facts, expected);
        const { gaps } = sight.observation;
        for (const [fact, reading] of Object.entries(readings)) {
          const found = [...gaps].find(([gap]) => gap === fact)?.[1];
          assert.equal(found === 'absent' ? found : `unknown: ${found}`, reading, fact);
        }
      });
    }
  }
});

/** The same device after its owner asked for a log-in, of reads as well. */
const locked = (specimen: Specimen, realm: string): Specimen => ({
  ...specimen,
  device: {
    ...specimen.device,
    auth: { kind: 'basic', realm, user: 'owner', password: 'specimen' },
    replies: Object.fromEntries(
      Object.entries(specimen.device.replies).map(([asked, reply]) => [asked, { ...reply, auth: true }]),
    ),
  },
});

test('an AxeOS whose owner asks for a log-in is known by its realm, and read with the log-in of the operator only', async () => {
  const specimen = locked(named('axeos/gamma-2.15'), 'Bitaxe');
  const { sight } = await lookOnce(specimen);
  assert.ok(sight.kind === 'seen', JSON.stringify(sight));
  assert.equal(sight.observation.facts['firmware.version'], 'v2.15.0');
  const without = await lookOnce(specimen, { credentials: false });
  assert.deepEqual([without.sight.kind, 'reason' in without.sight && without.sight.reason], ['nothing', 'refused']);
});

/** The same device with its port 4028 closed. */
const webOnly = (specimen: Specimen, system: string): Specimen => {
  const page = 'http:/cgi-bin/get_system_info.cgi';
  const pages = Object.entries(specimen.device.replies).filter(([asked]) => asked.startsWith('http:'));
  const replies = { ...Object.fromEntries(pages), [page]: { auth: true, status: 200, headers: {}, file: 'system' } };
  return {
    ...specimen,
    device: { ...specimen.device, replies },
    files: new Map(specimen.files).set('system', Buffer.from(system)),
  };
};

describe('a realm that several makers have, with nothing on 4028 and 8359', () => {
  const blackminer = webOnly(named('hammer/blackminer-f1'), '{"minertype":"Blackminer F1-ULTRA","hostname":"f1"}');
  const SYSTEM = 'GET /cgi-bin/get_system_info.cgi';

  test('is decided by the model that the system document names', async () => {
    const { sight, asked } = await lookOnce(blackminer);
    assert.ok(sight.kind === 'seen', JSON.stringify(sight));
    const { facts } = sight.observation;
    assert.deepEqual([facts.family, facts['identity.make']], ['hammer', 'Blackminer']);
    assert.deepEqual(asked.slice(0, 2), ['GET /', SYSTEM]);
    const volcminer = await lookOnce(
      webOnly(named('volcminer/d1-web'), '{"minertype":"VolcMiner D1","hostname":"rig"}'),
    );
    assert.ok(volcminer.sight.kind === 'seen' && volcminer.sight.driver.family === 'volcminer');
  });

  test('and a model that nobody knows is nobody’s', async () => {
    for (const system of ['{"minertype":"Other X1"}', '{"hostname":"rig"}', '{"minertype":']) {
      const { sight } = await lookOnce(webOnly(blackminer, system));
      assert.ok(sight.kind === 'nothing' && sight.family === undefined, system);
    }
  });

  test('is shown no log-in that is not there, is for one of the makers only, or is that of a maker', async () => {
    for (const asking of [
      { credentials: false },
      { more: { families: ['volcminer'] } },
      { credentials: false, more: { vendorDefault: true } },
    ]) {
      const { sight, asked } = await lookOnce(blackminer, asking);
      const detail = 'could be hammer or volcminer';
      assert.deepEqual(sight, { kind: 'nothing', reason: 'refused', detail, mayBeMiner: true });
      assert.deepEqual(asked, ['GET /']);
    }
  });

  test('stays the family it was found to be when 4028 opens', async () => {
    const { sight } = await lookOnce(named('hammer/blackminer-f1'), { known: driverOf('hammer') });
    assert.ok(sight.kind === 'seen' && sight.driver.family === 'hammer' && sight.recognised === undefined);
  });
});

const INFO = 'GET /api/system/info';

const DOCUMENTS: { readonly [specimen: string]: readonly string[] } = {
  'axeos/gamma-2.12': [INFO, 'GET /api/system/asic'],
  'axeos/gamma-2.15': [INFO, 'GET /api/system/asic'],
  'axeos/supra-2.4': [INFO, 'GET /api/system/asic'],
  'axeos/nerdqaxe-v1': [INFO, 'GET /api/v2/system'],
  'axeos/nerdqaxe-v2': [INFO, 'GET /api/v2/system', 'GET /api/v2/settings', 'GET /api/v2/dashboard'],
};

describe('what a look costs', () => {
  test('a board that runs AxeOS is asked for the documents it has, once each', async () => {
    const boards = SPECIMENS.filter(({ name }) => name.startsWith('axeos/')).map(({ name }) => name);
    assert.deepEqual(boards.sort(), Object.keys(DOCUMENTS).sort());
    for (const [name, documents] of Object.entries(DOCUMENTS)) {
      const { asked } = await lookOnce(named(name), { known: driverOf('axeos') });
      assert.deepEqual(asked, documents, name);
      const poll = await lookOnce(named(name), { known: driverOf('axeos'), kind: 'pools' });
      assert.deepEqual(poll.asked, [INFO], name);
    }
  });

  test('a WhatsMiner that knows its own questions by cmd only is asked those by both keys, and pools by none', async () => {
    const specimen = named('whatsminer/m30s-cmd');
    const { asked } = await lookOnce(specimen, { known: driverOf('whatsminer') });
    const both = ['get_version', 'get_miner_info', 'get_psu', 'status'].flatMap((command) => [
      `{"command":"${command}"}`,
      `{"cmd":"${command}"}`,
    ]);
    const others = ['devdetails', 'edevs', 'devs'].map((command) => `{"command":"${command}"}`);
    assert.deepEqual(asked, ['{"command":"summary"}', '{"command":"pools"}', ...both, ...others]);
    const poll = await lookOnce(specimen, { known: driverOf('whatsminer'), kind: 'pools' });
    assert.deepEqual(poll.asked, ['{"command":"summary"}', '{"command":"pools"}']);
  });

  test('the web interface of an Avalon is asked for its MAC only where port 4028 does not tell it', async () => {
    const MINERINFO = 'GET /get_minerinfo.cgi';
    const known = driverOf('avalon');
    const old = await lookOnce(named('avalon/a741-modules'), { known });
    assert.equal(old.asked.filter((request) => request === MINERINFO).length, 1);
    const rack = await lookOnce(named('avalon/a1246'), { known });
    assert.ok(!rack.asked.includes(MINERINFO));
  });

  test('a WhatsMiner that knows them by command is asked by command alone', async () => {
    const { asked } = await lookOnce(named('whatsminer/m50s-api2'), { known: driverOf('whatsminer') });
    assert.equal(asked.length, 9);
    assert.ok(asked.every((request) => request.startsWith('{"command":')));
  });

  test('an ePIC is recognised by three questions although port 4028 is asked as the CGMiner API first, one connection each', async () => {
    const { asked } = await lookOnce(named('epic/umc-s19'));
    assert.deepEqual(asked.slice(0, 3), ['{"command":"version"}', 'GET /', 'GET /summary @cgminer']);
    // The state of splits is not asked of a rig that has none.
    const { split_status: _, ...queries } = driverOf('epic').queries;
    const read = Object.values(queries).map((query) => requestText(query));
    assert.deepEqual(asked.slice(3), read);
  });

  test('where its web interface is closed, that a web server answers on port 4028 is enough', async () => {
    const { asked } = await lookOnce(named('epic/blockminer-split'));
    assert.deepEqual(asked.slice(0, 2), ['{"command":"version"}', 'GET /summary @cgminer']);
  });
});

describe('a session', () => {
  for (const name of ['auradine/at1500', 'proto/rig', 'sealminer/a2', 'whatsminer/m21x-luci']) {
    test(`of ${name} is opened once for several looks`, async () => {
      const specimen = named(name);
      const own = lookDeps({ drivers: DRIVERS, limits, clock: systemClock() });
      await using fleet = await startFleet({ specimens: [specimen], base: '127.28.1.1', allowed: own.allow.listed });
      const { auth } = specimen.device;
      assert.ok(auth?.kind === 'login');
      const credential = { user: auth.user, password: () => auth.password };
      const target = { address: fleet.device(0).address, ports: fleet.ports, credential };
      const driver = driverOf(specimen.name.split('/')[0] ?? '');
      for (const kind of ['full', 'pools', 'full'] as const) {
        const sight = await lookAt(target, driver, kind, own);
        assert.ok(sight.kind === 'seen' && sight.observation.facts.pools !== undefined, JSON.stringify(sight));
        assert.ok(![...sight.observation.gaps.values()].includes('refused'));
      }
      const opened = [...fleet.requests()].filter(([request]) => request.startsWith('POST '));
      assert.deepEqual(
        opened.map(([, count]) => count),
        [1],
      );
      assert.deepEqual(fleet.violations(), []);
    });
  }
});

test('Braiins OS without a REST API is asked over gRPC last: one log-in, two calls, and none without credentials or at a pools look', async () => {
  const specimen = named('braiins/s19kpro-24.09');
  const { asked } = await lookOnce(specimen, { known: driverOf('braiins') });
  const calls = asked.filter((request) => request.startsWith('grpc '));
  assert.deepEqual(calls, [
    'grpc braiins.bos.v1.AuthenticationService/Login 1=<user> 2=<password>',
    'grpc braiins.bos.v1.MinerService/GetMinerDetails',
    'grpc braiins.bos.v1.NetworkService/GetNetworkInfo',
  ]);
  assert.deepEqual(asked.slice(-3), calls);
  const without = await lookOnce(specimen, { known: driverOf('braiins'), credentials: false });
  assert.deepEqual(
    without.asked.filter((request) => request.startsWith('grpc ')),
    [],
  );
  const polled = await lookOnce(specimen, { known: driverOf('braiins'), kind: 'pools' });
  assert.deepEqual(
    polled.asked.filter((request) => /^grpc |login/i.test(request)),
    [],
    'no password goes where there is no REST API',
  );
});
