import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createConnectionServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Fleet, startFleet } from '../simulator/fleet.ts';
import { loadSpecimens } from '../specimens/specimen.ts';
import { assayer, folder, lines } from './assayer.ts';

let fleet: Fleet;
let ports: string;
const RANGE = '127.41.0.1-127.41.0.12';
const SILENT = '127.41.0.3';
const OTHERS = ['127.41.0.1', '127.41.0.2'];
/** Behind a log-in with every page. */
const SILENT_WITHOUT_LOGIN = 'elphapex/dg1';

before(async () => {
  const wanted = ['whatsminer/m50s-api2', 'axeos/gamma-2.12', 'cgminer/cgminer'];
  fleet = await startFleet({
    specimens: loadSpecimens().filter(({ name }) => wanted.includes(name)),
    base: '127.41.0.1',
  });
  ports = `cgminer=${fleet.ports.cgminer},http=${fleet.ports.http}`;
});

after(() => fleet.stop());

test('scan lists what it found, one line each, in the order of the addresses', async () => {
  const { code, out, err } = await assayer(['scan', RANGE, '127.41.0.1', '--ports', ports]);
  assert.equal(code, 0);
  const [heading, ...rows] = lines(out);
  assert.match(heading ?? '', /^address +family +model +firmware +hash rate +pool +mac$/);
  assert.deepEqual(
    rows.map((row) => row.split(/ {2,}/).slice(0, 2)),
    [
      ['127.41.0.1', 'axeos'],
      ['127.41.0.2', 'cgminer'],
      ['127.41.0.3', 'whatsminer'],
    ],
  );
  assert.match(rows[0] ?? '', /TH\/s +\S+:\d+ acme\.\S+ +02:/);
  assert.equal(err, '3 devices found\n');
});

test('scan --json prints one observation a line, as probe does', async () => {
  const { code, out } = await assayer(['scan', RANGE, '--ports', ports, '--json']);
  assert.equal(code, 0);
  const found = lines(out).map((line) => JSON.parse(line));
  assert.deepEqual(
    found.map(({ address }) => address),
    ['127.41.0.1', '127.41.0.2', '127.41.0.3'],
  );
  for (const { telemetry } of found) assert.equal(telemetry.hashrate_ghs, telemetry.hashrate_hs / 1e9);
});

test('scan --yaml prints devices that a configuration takes as they are', async (t) => {
  const cwd = folder(t);
  const { out } = await assayer(['scan', RANGE, '--ports', ports, '--yaml']);
  writeFileSync(join(cwd, 'assayer.yaml'), `gateway: gw\noperator: example.org\nstate_dir: state\n${out}`);
  const checked = await assayer(['check-config', '--json'], { cwd });
  assert.deepEqual([checked.code, JSON.parse(checked.out).places], [0, 3], out);
});

test('a device that is recognised, but refuses, is listed with its family and with why nothing is read', async (t) => {
  const base = '127.41.1.1';
  const closed = await startFleet({
    specimens: loadSpecimens().filter(({ name }) => name === SILENT_WITHOUT_LOGIN),
    base,
  });
  t.after(() => closed.stop());
  const at = ['scan', base, '--ports', `cgminer=${closed.ports.cgminer},http=${closed.ports.http}`];
  const { code, out, err } = await assayer(at);
  assert.equal(code, 0);
  assert.deepEqual((lines(out)[1] ?? '').split(/ {2,}/).filter(Boolean), [base, 'elphapex']);
  assert.equal(
    err,
    `${base}: elphapex, but nothing can be read: no credentials are configured for this device\n1 device found\n`,
  );
  assert.match((await assayer([...at, '--yaml'])).out, new RegExp(`host: ${base}`));
  const listed = await assayer([...at, '--json']);
  assert.deepEqual(
    lines(listed.out).map((line) => JSON.parse(line)),
    [
      {
        address: base,
        family: 'elphapex',
        unread: { reason: 'refused', detail: 'no credentials are configured for this device' },
      },
    ],
  );
  const probed = await assayer(['probe', ...at.slice(1)]);
  assert.deepEqual(
    [probed.code, probed.err.split('\n')[0]],
    [3, `assayer: ${base} (elphapex): refused, no credentials are configured for this device`],
  );
});

test('an address that answers and is not recognised is no device, and is listed as JSON all the same', async (t) => {
  const server = createServer((_, response) => response.end('<html><title>Printer</title></html>'));
  await new Promise<void>((resolve) => server.listen(0, '127.41.2.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const at = ['scan', '127.41.2.1-127.41.2.2', '--ports', `http=${port},cgminer=1,volcminer=1,whatsminer=1,auradine=1`];
  const { code, out, err } = await assayer([...at, '--json']);
  assert.equal(code, 0);
  const [one, ...others] = lines(out).map((line) => JSON.parse(line));
  assert.deepEqual([one.address, one.family, one.unread.reason, others], ['127.41.2.1', undefined, 'unreadable', []]);
  assert.match(one.unread.detail, /^version: .*GET \/: HTTP 200/);
  assert.match(err, /^127\.41\.2\.1: answers, but is not recognised: .*\n0 devices found\n$/);
});

for (const [kind, begins, drop] of [
  ['cgminer', '', ' '],
  ['http', 'HTTP/1.1 200 OK\r\nX-Drip: ', 'a'],
] as const)
  test(`an address that drips at ${kind} and gives no whole reply is listed; one that takes connections and says nothing is not`, async (t) => {
    const listening = async (address: string, port: number, behave: (socket: Socket) => void): Promise<number> => {
      const server = createConnectionServer((socket) => {
        socket.on('error', () => {});
        behave(socket);
      });
      await new Promise<void>((resolve) => server.listen(port, address, resolve));
      t.after(() => server.close());
      return (server.address() as AddressInfo).port;
    };
    const port = await listening('127.53.5.1', 0, (socket) => {
      socket.write(begins);
      const timer = setInterval(() => socket.write(drop), 50);
      socket.on('close', () => clearInterval(timer));
    });
    await listening('127.53.5.2', port, () => {});
    const others = ['cgminer', 'http', 'volcminer', 'whatsminer', 'auradine'].filter((name) => name !== kind);
    const ports = [`${kind}=${port}`, ...others.map((name) => `${name}=1`)].join();
    const at = ['scan', '127.53.5.1-127.53.5.2', '--ports', ports, '--timeout', '1', '--json'];
    const { out, err } = await assayer(at);
    assert.deepEqual(
      lines(out).map((line) => JSON.parse(line)),
      [{ address: '127.53.5.1', unread: { reason: 'timeout', detail: 'what it sends is no whole reply in time' } }],
      err,
    );
  });

test('a device that is recognised and then falls silent is listed', async (t) => {
  const base = '127.41.3.1';
  const server = createConnectionServer((socket) => {
    socket.once('data', (data) => {
      if (!data.includes('version')) return;
      socket.end(
        '{"STATUS":[{"STATUS":"S","When":1,"Code":22,"Msg":"CGMiner versions","Description":"whatsminer"}],"VERSION":[{"API":"3.7","Miner":"btminer"}],"id":1}',
      );
      server.close();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, base, resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { out, err } = await assayer([
    'scan',
    base,
    '--ports',
    `cgminer=${port},http=1,volcminer=1,whatsminer=1,auradine=1`,
    '--json',
  ]);
  const [one] = lines(out).map((line) => JSON.parse(line));
  assert.deepEqual([one?.address, one?.family, one?.unread.reason], [base, 'whatsminer', 'unreachable'], err);
});

test('a device whose pools are cut off is not shown as one without pools', async (t) => {
  const base = '127.41.4.1';
  const status = '"STATUS":[{"STATUS":"S","When":1,"Code":22,"Msg":"ok","Description":"cgminer 4.11.1"}]';
  const replies: { readonly [command: string]: string } = {
    version: `{${status},"VERSION":[{"CGMiner":"4.11.1","API":"3.7"}],"id":1}`,
    summary: `{${status},"SUMMARY":[{"Elapsed":10,"MHS av":1000}],"id":1}`,
    pools: `{${status},"POOLS":[{"POOL":0,"URL":"stratum+tcp://pool.exa`,
  };
  const server = createConnectionServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (data) => {
      const { command } = JSON.parse(String(data)) as { command: string };
      socket.end(replies[command] ?? '{"STATUS":[{"STATUS":"E","When":1,"Code":14,"Msg":"Invalid command"}],"id":1}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, base, resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const asked = `cgminer=${port},http=1,volcminer=1,whatsminer=1,auradine=1,https=1,ssh=1`;
  const { out, err } = await assayer(['scan', base, '--ports', asked]);
  assert.match(lines(out)[1] ?? '', /^127\.41\.4\.1 +cgminer .* unknown: truncated/, err);
});

test('Ctrl-C prints what was found so far, says how far it came, and ends with 1', async (t) => {
  const asked = new Map<string, number>();
  fleet.follow(({ address }) => asked.set(address, (asked.get(address) ?? 0) + 1));
  await assayer(['scan', RANGE, '--ports', ports]);
  const inAll = new Map(asked);
  asked.clear();
  // One that has closed after the last question has its answer.
  const isRead = (address: string) =>
    asked.get(address) === inAll.get(address) && fleet.device(address).connections.size === 0;
  const silent = fleet.device(SILENT);
  silent.behave('silent');
  t.after(() => silent.behave('honest'));
  const { code, out, err } = await assayer(['scan', RANGE, '--ports', ports, '--timeout', '25'], {
    meanwhile: (child) => {
      const waiting = setInterval(() => {
        if (silent.connections.size === 0 || !OTHERS.every(isRead)) return;
        child.kill('SIGINT');
        clearInterval(waiting);
      }, 20);
      child.once('close', () => clearInterval(waiting));
    },
  });
  assert.equal(code, 1);
  assert.match(out, /^127\.41\.0\.1 +axeos/m);
  assert.doesNotMatch(out, /^127\.41\.0\.3/m);
  assert.equal(err, '2 devices found\ninterrupted: 11 of 12 addresses were looked at\n');
});

test('nothing found is no error', async () => {
  const { code, out, err } = await assayer(['scan', '127.41.0.100-127.41.0.110', '--ports', ports]);
  assert.deepEqual([code, err], [0, '0 devices found\n']);
  assert.match(out, /^address/);
});

test('ranges and bounds that are none are told', async () => {
  for (const [words, told] of [
    [['10.0.0.0/8'], /has 16777214 addresses\n {2}remedy: split it/],
    [['10.0.0.9-10.0.0.1'], /ends before it begins/],
    [['miners'], /"miners" is not a range of IPv4 addresses\n {2}remedy: write 10\.20\.14\.0\/24/],
    [['10.0.0.7:4028'], /is not a range/],
    [[RANGE, '--concurrency', '0'], /a whole number from 1 to 1024/],
    [[RANGE, '--concurrency', 'many'], /a whole number from 1 to 1024/],
  ] as const) {
    const { code, out, err } = await assayer(['scan', ...words]);
    assert.deepEqual([code, out], [2, ''], words.join(' '));
    assert.match(err, told);
  }
});
