import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { FirmwareComponent } from '../../shared/facts.ts';
import { type HostKey, hostKey, SshStation, Station } from '../probe/stations.ts';
import { startFleet } from '../simulator/fleet.ts';
import { loadSpecimens } from '../specimens/specimen.ts';
import { Hall } from './hall.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const BOUND = { timeout: 30_000 };

const [FIRST, SECOND] = [hostKey('ed25519'), hostKey('ed25519')];

/** A miner of one of the families with a static landing page, an SSH server and no TLS server, in a hall of its own. */
const furnished = async (t: TestContext, address: string, keys: readonly HostKey[] = [FIRST]) => {
  const specimen = loadSpecimens().find(({ name }) => name === 'goldshell/ck5');
  assert.ok(specimen !== undefined);
  const fleet = await startFleet({ specimens: [specimen], base: address });
  const ssh = await Station.at(new SshStation(keys), address);
  t.after(async () => {
    await ssh[Symbol.asyncDispose]();
    await fleet.stop();
  });
  const ports = { ...fleet.ports, https: 1, ssh: ssh.port };
  const hall = new Hall(t, [{ address, ports, labels: {}, origin: 'range', entry: address }]);
  return { fleet, ssh, hall, ports, device: fleet.device(0) };
};

/** Every surface has its turn now. */
const turn = (hall: Hall): void => {
  hall.passedMs += 2000;
  const atMs = Date.now() + hall.passedMs;
  hall.turns = { web: atMs, tls: atMs, ssh: atMs };
};

const componentsOf = (attestation: unknown): readonly FirmwareComponent[] => {
  const { evidence } = attestation as { evidence: { claims: { firmware: { components: FirmwareComponent[] } } } };
  return evidence.claims.firmware.components;
};

const shown = (hall: Hall): readonly string[] =>
  componentsOf(hall.attestations().at(-1))
    .map(({ name }) => name)
    .filter((name) => /^(?:asset|tls|ssh)\./.test(name));

/** First sight, the look that reads the endpoint, and the one that confirms it. */
const known = async (hall: Hall): Promise<void> => {
  turn(hall);
  for (const _ of [1, 2, 3]) await hall.look(0);
};

const ALL = ['asset./', 'ssh.host-key', 'ssh.software'];

test(
  'the endpoint is not touched at first sight; the next full look reads it, and it is attested as learned',
  BOUND,
  async (t) => {
    const { hall, ssh, fleet } = await furnished(t, '127.44.60.1');
    turn(hall);
    await hall.look(0);
    assert.deepEqual([ssh.connections, shown(hall)], [0, []]);
    await hall.look(0, 'pools');
    assert.equal(ssh.connections, 0);
    await hall.look(0);
    assert.equal(ssh.connections, 1);
    await hall.look(0);
    assert.deepEqual(
      hall.attestations().map(({ evidence }) => evidence.trigger),
      ['first', 'change'],
    );
    assert.deepEqual(shown(hall), ALL);
    const key = componentsOf(hall.attestations().at(-1)).find(({ name }) => name === 'ssh.host-key');
    assert.equal(key?.value, FIRST.text);
    assert.deepEqual([ssh.connections, ssh.requests, hall.findings()], [1, [], []]);
    assert.equal(fleet.maxConnections(), 1);
  },
);

test(
  'looks between two turns neither ask the endpoint nor lose it, not even those that are attested',
  BOUND,
  async (t) => {
    const { hall, ssh, fleet } = await furnished(t, '127.44.61.1');
    await known(hall);
    const pages = () => fleet.requests().get('GET /') ?? 0;
    const [before, entries] = [pages(), hall.said().length];
    for (const _ of [1, 2, 3]) await hall.look(0);
    for (const _ of [1, 2]) await hall.look(0, 'pools');
    assert.deepEqual([ssh.connections, pages(), hall.said().length], [1, before, entries]);
    hall.passedMs += 25 * HOUR;
    await hall.look(0);
    assert.equal(hall.attestations().at(-1)?.evidence.trigger, 'refresh');
    assert.deepEqual([shown(hall), ssh.connections, pages()], [ALL, 1, before]);
  },
);

test('at its turn the endpoint is read again, and what is the same is not stated', BOUND, async (t) => {
  const { hall, ssh } = await furnished(t, '127.44.62.1');
  await known(hall);
  const entries = hall.said().length;
  turn(hall);
  for (const _ of [1, 2]) await hall.look(0);
  assert.deepEqual([ssh.connections, hall.said().length], [2, entries]);
});

test(
  'a port that is closed, or silent, is no change; nor is it one when it shows the same as before',
  BOUND,
  async (t) => {
    const { hall, ssh, ports, device } = await furnished(t, '127.44.63.1');
    await known(hall);
    await ssh[Symbol.asyncDispose]();
    turn(hall);
    for (const _ of [1, 2, 3]) await hall.look(0);
    hall.passedMs += 25 * HOUR;
    await hall.look(0);
    assert.deepEqual(shown(hall), ['asset./'], 'what was not read is not claimed');
    await using again = await Station.at(new SshStation([FIRST]), device.address, ports.ssh);
    turn(hall);
    for (const _ of [1, 2, 3]) await hall.look(0);
    assert.deepEqual([again.connections, shown(hall)], [1, ALL]);
    assert.deepEqual(hall.findings(), []);
  },
);

test(
  'another host key under the same version is identity.endpoint-changed, read anew by the look that confirms it',
  BOUND,
  async (t) => {
    const { hall, ssh } = await furnished(t, '127.44.64.1');
    await known(hall);
    ssh.keys = [SECOND];
    turn(hall);
    await hall.look(0);
    assert.deepEqual(hall.findings(), []);
    await hall.look(0);
    const [finding, ...more] = hall.findings();
    assert.deepEqual([finding?.id, finding?.severity, more], ['identity.endpoint-changed', 'medium', []]);
    assert.deepEqual(
      [finding?.before, finding?.after],
      [[{ key: 'ssh.host-key', value: FIRST.text }], [{ key: 'ssh.host-key', value: SECOND.text }]],
    );
    assert.ok(finding?.surfaces?.includes('ssh'));
    assert.equal(ssh.connections, 3);
    await hall.look(0);
    assert.equal(ssh.connections, 3, 'what is decided waits for its turn');

    ssh.keys = [FIRST];
    turn(hall);
    for (const _ of [1, 2, 3]) await hall.look(0);
    assert.deepEqual(
      hall.findings().map(({ state }) => state),
      ['open', 'resolved'],
    );
    assert.equal(ssh.connections, 6);
  },
);

test('a key that was there for one look only is stated as gone, not as a change', BOUND, async (t) => {
  const { hall, ssh } = await furnished(t, '127.44.65.1');
  await known(hall);
  ssh.keys = [SECOND];
  turn(hall);
  await hall.look(0);
  ssh.keys = [FIRST];
  await hall.look(0);
  assert.deepEqual(
    hall.findings().map(({ state, confirmed_at }) => [state, confirmed_at]),
    [['resolved', undefined]],
  );
});

test('a surface without turns is never touched, and what it showed before is forgotten', BOUND, async (t) => {
  const { hall, ssh } = await furnished(t, '127.44.66.1');
  for (const _ of [1, 2, 3]) await hall.look(0);
  assert.deepEqual([ssh.connections, shown(hall)], [0, []]);
  await known(hall);
  assert.deepEqual([ssh.connections, shown(hall)], [1, ALL]);
  const { ssh: _, ...others } = hall.turns;
  hall.turns = others;
  hall.passedMs += 25 * HOUR;
  await hall.look(0);
  assert.deepEqual([ssh.connections, shown(hall)], [1, ['asset./']]);
});

test(
  'that a surface showed nothing is stored once, so that another process does not look again at all of a fleet',
  BOUND,
  async (t) => {
    const { hall, ssh } = await furnished(t, '127.44.68.1');
    await ssh[Symbol.asyncDispose]();
    await hall.look(0);
    hall.turns = { tls: 1, ssh: 1 };
    const entries = hall.said().length;
    for (const _ of [1, 2]) await hall.look(0);
    assert.equal(hall.said().length, entries);
    const [state] = hall.stored();
    assert.deepEqual(
      [Object.keys(state?.marks.endpoint?.atS ?? {}), state?.marks.endpoint?.shown],
      [['tls', 'ssh'], ''],
    );
  },
);

test('where the store refuses the look, the endpoint counts as not read', BOUND, async (t) => {
  const { hall, ssh } = await furnished(t, '127.44.67.1');
  await known(hall);
  ssh.keys = [SECOND];
  turn(hall);
  hall.refusing = true;
  await hall.look(0);
  hall.refusing = false;
  await hall.look(0);
  assert.equal(ssh.connections, 3);
});

test('a look over which the clock was set back was made when it began, by the clock as it is now', BOUND, async (t) => {
  const { hall, ssh } = await furnished(t, '127.44.69.1');
  await known(hall);
  turn(hall);
  const fromMs = hall.nowMs();
  Object.defineProperty(ssh, 'keys', {
    get: () => {
      hall.aheadMs -= HOUR;
      return [FIRST];
    },
  });
  await hall.look(0);
  const { fullMs = 0 } = hall.fleet.states()[0]?.marks ?? {};
  assert.ok(fromMs - HOUR - 1000 <= fullMs && fullMs <= hall.nowMs(), `${fullMs - fromMs} ms`);
});
