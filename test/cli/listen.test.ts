import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { deflateSync } from 'node:zlib';
import { sanitiseText } from '../../agent/normalise/sanitise.ts';
import { assayer, assertHarmless, folder, lines, type Said } from './assayer.ts';

/** Free ports for some forms of report. */
const anyPorts = (...names: readonly string[]) => names.map((name) => `${name}=0`).join(',');

/** The ports that the verb says it listens on. */
const portsIn = ({ err }: Said): readonly number[] | undefined =>
  /^listening on UDP ([\d, ]+) for/m.exec(err)?.[1]?.split(', ').map(Number);

const sender = (t: TestContext): Socket => {
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  return socket;
};

type Send = (port: number | undefined, payload: string | Uint8Array) => Promise<void>;

/** Waits until what the verb has said is as wanted, or until the verb has ended. */
type Until = (met: (said: Said) => boolean) => Promise<void>;

interface Scene {
  readonly words: readonly string[];
  /** Sends, and settles when the verb has shown what the test waits for; then comes Ctrl-C. */
  readonly act: (ports: readonly number[], send: Send, until: Until) => Promise<void>;
  readonly env?: { readonly [name: string]: string };
}

/** Listens as a person does, with devices that report meanwhile, until Ctrl-C. */
const listening = (t: TestContext, { words, act, env = {} }: Scene): Promise<Said> => {
  const socket = sender(t);
  const send: Send = (port = 0, payload) =>
    new Promise((resolve, reject) => {
      socket.send(payload, port, '127.0.0.1', (error) => (error === null ? resolve() : reject(error)));
    });
  return assayer(['scan', '--listen', '25', ...words], {
    env,
    meanwhile: async (child, soFar) => {
      const until: Until = async (met) => {
        while (!met(soFar()) && child.exitCode === null && child.signalCode === null) await wait(10);
      };
      await until((said) => portsIn(said) !== undefined);
      await act(portsIn(soFar()) ?? [], send, until);
      child.kill('SIGINT');
    },
  });
};

const sealed = (documents: string | Uint8Array): Buffer => {
  const packed = deflateSync(documents);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(packed.length + 4);
  head.writeUInt32BE(0x20190314, 4);
  return Buffer.concat([head, packed]);
};

/** A report of one device with these pools. */
const sealMiner = (...urls: readonly string[]): Buffer =>
  sealed(
    [
      '{"MAC":"02:1a:2b:3c:4d:5e","Type":"A2","Firmware":"2025040301","MainBoardSN":"S100000000000001"}',
      `{"Pools":[${urls.map((url) => `{"URL":"${url}","Worker":"acme.r1","Password":"hunter2"}`).join()}]}`,
    ].join('\0\0'),
  );

const SEALMINER = sealMiner('pool.example:3333');

test('scan --listen shows each device once as it comes in, and a table at the end that says what it is worth', async (t) => {
  const said = await listening(t, {
    words: ['--listen-ports', anyPorts('antminer', 'whatsminer', 'sealminer')],
    act: async ([antminer, whatsminer, sealminer], send, until) => {
      await send(antminer, 'OK\0\0send_b');
      await send(antminer, '10.20.14.7,02:1a:2b:3c:4d:60\0\0');
      await send(whatsminer, 'IP:127.0.0.1MAC:02:1A:2B:3C:4D:61');
      await send(whatsminer, 'IP:127.0.0.1MAC:02:1A:2B:3C:4D:61');
      await send(sealminer, SEALMINER);
      await until(({ err }) => /:5e/.test(err) && /:61/.test(err));
    },
  });
  assert.equal(said.code, 0);
  const [heading = '', ...rest] = lines(said.out);
  assert.match(heading, /^address +port +maker +mac +model +firmware +serial +pool +received at +reports$/);
  assert.match(
    said.out,
    /^127\.0\.0\.1 \(says 10\.20\.14\.7\) +\d+ +Antminer\/VolcMiner\/Hammer\/DragonBall +02:1a:2b:3c:4d:60 /m,
  );
  assert.match(said.out, /^127\.0\.0\.1 +\d+ +WhatsMiner +02:1a:2b:3c:4d:61 +\d\d:\d\d:\d\dZ +2$/m);
  assert.match(said.out, /SealMiner .* A2 +2025040301 +control board S100000000000001 +pool\.example:3333 acme\.r1 /);
  assert.match(rest.at(-1) ?? '', /^Anybody on the network can forge these reports: .* not evidence\. Nothing of them/);
  assert.match(said.err, /^\d\d:\d\d:\d\dZ {2}127\.0\.0\.1 {2}\d+ {2}WhatsMiner {2}02:1a:2b:3c:4d:61$/m);
  assert.match(
    said.err,
    /\ninterrupted; this was heard so far:\n3 different reports heard; repeated: 1; ignored, .*: 1\n$/,
  );
  assert.doesNotMatch(said.out + said.err, /hunter2|send_b/);
});

test('scan --listen --json prints a device at once, as a hint and not as an observation', async (t) => {
  const said = await listening(t, {
    words: ['--json', '--listen-ports', anyPorts('goldshell', 'sealminer')],
    act: async ([goldshell, sealminer], send, until) => {
      await send(
        goldshell,
        '{"ip":"10.20.14.7","mac":"02:1a:2b:3c:4d:60","model":"G\\u202e\\u001b[2J","cpbsn":["B1",null]}',
      );
      await until(({ out }) => out.endsWith('\n'));
      await send(sealminer, SEALMINER);
      await until(({ out }) => lines(out).length === 2);
    },
  });
  assert.equal(said.code, 0);
  assertHarmless(said);
  const [goldshell, sealminer] = lines(said.out).map((line) => JSON.parse(line));
  const [goldshellPort, sealminerPort] = portsIn(said) ?? [];
  const { received_at: receivedAt, ...rest } = goldshell;
  assert.ok(Math.abs(receivedAt - Date.now() / 1000) < 60);
  assert.deepEqual(rest, {
    address: '127.0.0.1',
    said_address: '10.20.14.7',
    port: goldshellPort,
    makers: ['Goldshell'],
    mac: '02:1a:2b:3c:4d:60',
    model: sanitiseText('G\u202e\u001b[2J'),
    hashboards: ['B1'],
    forgeable: true,
  });
  assert.deepEqual(
    [sealminer.port, sealminer.forgeable, sealminer.pools],
    [sealminerPort, true, [{ slot: 0, url: 'pool.example:3333', user: 'acme.r1' }]],
  );
  assert.match(said.err, /2 different reports heard\n$/);
});

test('whoever forges the first report of a device does not hide what it says: table and --json have both', async (t) => {
  const forgedFirst = (words: readonly string[]) =>
    listening(t, {
      words: [...words, '--listen-ports', anyPorts('goldshell', 'sealminer')],
      act: async ([goldshell, sealminer], send, until) => {
        // What one port hears comes in order, what two hear in any: each is waited for before the other is told something.
        for (const url of ['forged.example:1', 'true.example:1', 'true.example:1', 'last.example:1'])
          await send(sealminer, sealMiner(url));
        await until(({ out, err }) => /last/.test(out + err));
        for (const serial of ['S2', 'S3']) await send(goldshell, `{"boxsn":"${serial}"}`);
        await until(({ out, err }) => /S3/.test(out + err));
      },
    });
  const table = await forgedFirst([]);
  assert.match(table.out, /SealMiner .* forged\.example:1 acme\.r1 +\d\d:\d\d:\d\dZ +1$/m);
  assert.match(table.out, /SealMiner .* true\.example:1 acme\.r1 +\d\d:\d\d:\d\dZ +2$/m);
  assert.match(table.out, /Goldshell +S2 .*\n.* Goldshell +S3 /);
  assert.match(table.err, /\n5 different reports heard; repeated: 1\n$/);
  assert.doesNotMatch(table.out, /look alike/);
  const printed = lines((await forgedFirst(['--json'])).out).map((line) => JSON.parse(line));
  assert.deepEqual(
    printed.flatMap(({ pools = [], serial }) =>
      [...pools.map((pool: { url: string }) => pool.url), serial ?? []].flat(),
    ),
    ['forged.example:1', 'true.example:1', 'last.example:1', 'S2', 'S3'],
  );
});

test('reports that differ in what the table has no room for are lines of their own, and it says where the rest is', async (t) => {
  const said = await listening(t, {
    words: ['--listen-ports', anyPorts('sealminer')],
    act: async ([sealminer], send, until) => {
      await send(sealminer, SEALMINER);
      await send(sealminer, sealMiner('pool.example:3333', 'spare.example:3333'));
      await until(({ err }) => err.match(/:5e/g)?.length === 2);
    },
  });
  assert.equal(said.out.match(/ pool\.example:3333 acme\.r1 /g)?.length, 2);
  assert.match(said.out, /^Lines that look alike differ in what only --json prints\.$/m);
});

test('scan --listen --yaml prints the addresses heard as devices that a configuration takes', async (t) => {
  const said = await listening(t, {
    words: ['--yaml', '--listen-ports', anyPorts('iceriver', 'elphapex')],
    act: async ([iceriver, elphapex], send, until) => {
      await send(iceriver, 'addr:10.20.14.7');
      await send(elphapex, 'DG_IPREPORT_ONLY');
      await until(({ err }) => /IceRiver/.test(err) && /Elphapex/.test(err));
    },
  });
  assert.match(said.out, /^# Anybody on the network can forge .*\ndevices:\n {2}- host: 127\.0\.0\.1\n$/);
  const cwd = folder(t);
  writeFileSync(join(cwd, 'assayer.yaml'), `gateway: gw\noperator: example.org\nstate_dir: state\n${said.out}`);
  const checked = await assayer(['check-config', '--json'], { cwd });
  assert.deepEqual([checked.code, JSON.parse(checked.out).places], [0, 1], said.out);
});

test('scan --listen ends by itself when its time is over, and nobody heard is no error', async () => {
  const { code, out, err } = await assayer(['scan', '--listen', '1', '--listen-ports', anyPorts('ipollo')]);
  assert.equal(code, 0);
  assert.match(out, /^address +port +maker\nAnybody on the network/);
  assert.match(err, /^listening on UDP \d+ for 1 s, Ctrl-C ends it; nothing is sent\n0 different reports heard\n$/);
});

test('a flood of inventions, bombs and garbage ends in a bounded list, and the verb goes on', async (t) => {
  const bomb = sealed(Buffer.alloc(40_000_000));
  const said = await listening(t, {
    words: ['--json', '--listen-ports', anyPorts('goldshell', 'sealminer')],
    act: async ([goldshell, sealminer], send, until) => {
      let over = false;
      const ended = until(({ err }) => /counted only/.test(err)).then(() => {
        over = true;
      });
      for (let index = 0; !over; index = (index + 1) % 4000) {
        await send(goldshell, `{"boxsn":"BX${index}","ip":"10.20.${index >> 8}.${index & 255}"}`);
        if (index % 500 === 0) {
          await send(sealminer, bomb);
          await send(sealminer, Buffer.alloc(65_507, 0xff));
        }
        if (index % 20 === 0) await wait(1);
      }
      await ended;
    },
  });
  assert.equal(said.code, 0, said.err);
  assert.equal(lines(said.out).length, 2048);
  assert.match(said.err, /^more than 2048 different reports: further ones are counted only; this looks like a flood$/m);
  assert.match(
    said.err,
    /2048 different reports heard; .*further ones: \d+; ignored, because they are no reports: \d+\n$/,
  );
});

/** A socket that has a port for itself alone. */
const taken = (t: TestContext): Promise<number> =>
  new Promise((resolve) => {
    const socket = createSocket('udp4');
    t.after(() => socket.close());
    socket.bind(0, '0.0.0.0', () => resolve(socket.address().port));
  });

test('a port that is taken is told once with its remedy, and the others go on', async (t) => {
  const port = await taken(t);
  const said = await listening(t, {
    words: ['--listen-ports', `whatsminer=${port},iceriver=0`],
    act: async ([iceriver], send, until) => {
      await send(iceriver, 'addr:127.0.0.1');
      await until(({ err }) => /IceRiver/.test(err));
    },
  });
  assert.equal(said.code, 0);
  assert.equal(
    said.err.slice(0, said.err.indexOf('listening')),
    `reports of WhatsMiner are not heard: UDP port ${port} is taken by another program\n` +
      `  remedy: find it, as root, with: ss -lunp 'sport = :${port}'; then stop it\n`,
  );
  assert.match(said.err, /1 report heard\n$/);
});

test('no port at all ends with 3', async (t) => {
  const port = await taken(t);
  const { code, out, err } = await assayer(['scan', '--listen', '--listen-ports', `whatsminer=${port}`]);
  assert.deepEqual([code, out], [3, '']);
  assert.match(err, /no UDP port is left to listen on\n {2}remedy: free one .* \[listen\.no-port\]\n$/);
});

test('what does not go with --listen is told', async () => {
  for (const [words, told] of [
    [[], /no range of addresses is given\n {2}remedy: .*assayer scan --listen \[usage\.range\]/],
    [['--listen', '10.20.14.0/24'], /1 to 86400 seconds/],
    [['10.20.14.0/24', '--listen'], /--listen asks nobody, and takes no range\n {2}remedy/],
    [['10.20.14.0/24', '--listen-ports', 'goldshell=1314'], /--listen-ports goes with --listen only/],
    [['--listen', '--user', 'root'], /'--listen \[seconds\]' cannot be used with option '--user <name>'/],
    [['--listen', '--listen-ports', 'bitcoin=1'], /write for example .*; known are antminer, whatsminer, /],
    [['--listen', '--listen-ports', 'goldshell=65536'], /write for example/],
  ] as const) {
    const { code, out, err } = await assayer(['scan', ...words]);
    assert.deepEqual([code, out], [2, ''], words.join(' '));
    assert.match(err, told);
  }
});

test('nothing that listens for reports can send', () => {
  const source = readFileSync(join(import.meta.dirname, '..', '..', 'agent', 'probe', 'ip-reports.ts'), 'utf8');
  assert.match(source, /createSocket/);
  assert.doesNotMatch(source, /\.send\b|\.connect\b|setBroadcast/);
});
