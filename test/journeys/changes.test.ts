import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FindingStatement } from '../../shared/statement.ts';
import type { SimulatedDevice } from '../simulator/device.ts';
import type { Fleet } from '../simulator/fleet.ts';
import { Gateway } from './agent.ts';
import { assertPolite, fleetOf, specimen } from './fleets.ts';

/** What happens to one device, how it is undone, and what is to be found meanwhile. */
interface Change {
  readonly id: string;
  readonly part?: string;
  readonly severity: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly happens: (device: SimulatedDevice) => unknown;
  readonly isUndone: (device: SimulatedDevice) => unknown;
}

const SPECIMENS = [
  'axeos/gamma-2.15',
  'whatsminer/m50s-api2',
  'axeos/gamma-2.15',
  'axeos/gamma-2.15',
  'avalon/a741-modules',
  'cgminer/cgminer',
];

const CHANGES: readonly Change[] = [
  {
    id: 'pool.user-changed',
    part: 'slot 0',
    severity: 'critical',
    before: 'acme.axe15-00001',
    after: 'thief.x',
    happens: (device) => device.changePoolUser(0, 'thief.x'),
    isUndone: (device) => device.changePoolUser(0, 'acme.axe15-00001'),
  },
  {
    id: 'pool.url-changed',
    part: 'slot 0',
    severity: 'high',
    before: 'stratum+tcp://north.pool.example:3333',
    after: 'stratum+tcp://203.0.113.9:3333',
    happens: (device) => device.changePoolUrl(0, 'stratum+tcp://203.0.113.9:3333'),
    isUndone: (device) => device.changePoolUrl(0, 'stratum+tcp://north.pool.example:3333'),
  },
  {
    id: 'firmware.version-changed',
    severity: 'medium',
    before: [{ key: 'version', value: 'v2.15.0' }],
    after: [{ key: 'version', value: 'v2.16.0' }],
    happens: (device) => device.setFirmware({ version: 'v2.16.0' }),
    isUndone: (device) => device.setFirmware({ version: 'v2.15.0' }),
  },
  {
    id: 'firmware.rollback',
    severity: 'high',
    before: [{ key: 'version', value: 'v2.15.0' }],
    after: [{ key: 'version', value: 'v2.9.0' }],
    happens: (device) => device.setFirmware({ version: 'v2.9.0' }),
    isUndone: (device) => device.setFirmware({ version: 'v2.15.0' }),
  },
  {
    id: 'firmware.family-changed',
    severity: 'high',
    before: 'avalon',
    after: 'whatsminer',
    happens: (device) => device.swapTo(specimen('whatsminer/m50s-api2')),
    isUndone: (device) => device.swapTo(specimen('avalon/a741-modules')),
  },
];

test('a stolen pool, another URL, firmware up, firmware down, another family: each is found with before and after beside its attestation, and ends after three looks at the approved value', {
  timeout: 90_000,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const fleets: Fleet[] = [];
  for (const [index, name] of SPECIMENS.entries())
    fleets.push(stack.use(await fleetOf([name], `127.73.${index}.1`, { first: index + 1 })));
  const rigs = fleets.map((fleet) => fleet.device(0));
  const devices = fleets.map(({ ports }, index) => ({ host: `127.73.${index}.1`, name: `rig-${index}`, ports }));
  await using gateway = await Gateway.start({ devices });
  await gateway.knows(SPECIMENS.length);
  assert.equal((await gateway.assayer('findings')).code, 0);

  for (const [index, { happens }] of CHANGES.entries()) await happens(rigs[index] as SimulatedDevice);
  for (const [index, { id }] of CHANGES.entries())
    await gateway.says(id, () => gateway.findings(id, `rig-${index}`).length > 0);
  assert.equal((await gateway.assayer('findings')).code, 1);
  for (const [index, change] of CHANGES.entries()) assertFound(gateway, `rig-${index}`, change);

  const looks: number[] = [];
  await Promise.all(
    CHANGES.map(async ({ id, isUndone }, index) => {
      const fleet = fleets[index] as Fleet;
      const before = looksAt(fleet);
      await isUndone(rigs[index] as SimulatedDevice);
      await gateway.says(`the end of ${id}`, () => gateway.findings(id, `rig-${index}`).length > 1);
      looks[index] = looksAt(fleet) - before;
    }),
  );
  for (const [index, { id }] of CHANGES.entries()) {
    const [opened, ended] = gateway.findings(id, `rig-${index}`).map(({ finding }) => finding);
    assert.equal(ended?.state, 'resolved', id);
    assert.equal(ended.opened_seq, opened?.opened_seq, id);
    assert.ok((looks[index] ?? 0) >= 3, `${id} ended after ${looks[index]} looks`);
    const isQuiet = () => gateway.attestations(`rig-${index}`).at(-1)?.appraisal.conformance === 'unbaselined';
    await gateway.says(`no deviation after ${id}`, isQuiet);
  }
  assert.equal((await gateway.assayer('findings')).code, 0);
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  assert.equal(gateway.attestations('rig-5').length, 1, 'nothing happened to this one');
  assert.deepEqual(
    gateway.events.filter(({ level }) => level === 'error'),
    [],
  );
  for (const fleet of fleets) assertPolite(fleet);
  await gateway.verified();
});

/** Every look asks one of these once. */
const looksAt = (fleet: Fleet): number =>
  (fleet.requests().get('GET /api/system/info') ?? 0) + (fleet.requests().get('{"command":"pools"}') ?? 0);

/** The finding is as the change was, and its evidence is an attestation of the same transaction that shows it. */
const assertFound = (gateway: Gateway, device: string, { id, part, severity, before, after }: Change): void => {
  const [said] = gateway.findings(id, device) as readonly [FindingStatement];
  const { finding } = said;
  assert.deepEqual(
    [finding.state, finding.part, finding.severity, finding.before, finding.after],
    ['open', part, severity, before, after],
    id,
  );
  assert.ok(finding.confirmed_at !== undefined && finding.confirmed_at >= finding.first_observed_at, id);
  assert.equal(finding.opened_seq, said.seq);
  const [seq = -1, ...others] = finding.evidence;
  assert.deepEqual(others, []);
  const shown = gateway.log[seq];
  assert.ok(shown?.kind === 'attestation' && shown.subject.device === device, id);
  assert.ok(seq < said.seq && shown.mono_ms === said.mono_ms, `${id}: written together`);
  assert.deepEqual([shown.evidence.trigger, shown.appraisal.conformance], ['change', 'deviation'], id);
  const check = shown.appraisal.failed.find((one) => one.id === id && one.part === part);
  assert.deepEqual([check?.ref, check?.obs, check?.severity], [before, after, severity], id);
};

test('a pool that no line of the allow-list covers is a finding without any baseline, and ends when the list has it', {
  timeout: 60_000,
}, async () => {
  await using fleet = await fleetOf(['whatsminer/m50s-api2', 'axeos/gamma-2.15', 'avalon/a1246'], '127.74.0.1');
  const places = fleet.devices.map(({ address }, index) => ({
    host: address,
    name: `rig-${index}`,
    ports: fleet.ports,
  }));
  const listed = { url: '*.pool.example', user: 'acme.*' };
  fleet.device(1).changePoolUrl(1, 'evil.pool.example.attacker.example:3333');
  fleet.device(2).changePoolUser(0, 'x.acme.a12');
  await using gateway = await Gateway.start({ devices: places, pools: { allow: [listed] } });
  await gateway.says('both', () => gateway.findings('pool.outside-allowlist').length >= 2);
  assert.deepEqual(await outside(gateway), [
    ['rig-1', 'slot 1', 'open', 'stratum+ssl://evil.pool.example.attacker.example:3333'],
    ['rig-2', 'slot 0', 'open', 'stratum+tcp://north.pool.example:3333'],
  ]);
  for (const { finding } of gateway.findings('pool.outside-allowlist')) {
    assert.equal(finding.severity, 'high');
    assert.deepEqual(finding.reasons, ['not-listed']);
  }
  assert.equal(gateway.attestations('rig-1').at(-1)?.appraisal.conformance, 'deviation');

  gateway.configure({ pools: { allow: [listed, { url: '*.attacker.example' }, { url: '*', user: 'x.acme.a12' }] } });
  gateway.signal('SIGHUP');
  await gateway.says('their ends', () => gateway.findings('pool.outside-allowlist').length >= 4);
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  const states = gateway.findings('pool.outside-allowlist').map(({ finding }) => finding.state);
  assert.deepEqual(states, ['open', 'open', 'resolved', 'resolved']);
  assert.deepEqual(gateway.findings('pool.outside-allowlist', 'rig-0'), []);
  assertPolite(fleet);
  await gateway.verified();
});

/** Device, part, state and URL of each open finding outside the list, as `assayer findings --json` prints them. */
const outside = async (gateway: Gateway): Promise<readonly unknown[]> => {
  const { out } = await gateway.assayer('findings', '--json');
  const rows = out
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  return rows
    .filter(({ id }) => id === 'pool.outside-allowlist')
    .map(({ device, part, state, after }) => [device, part, state, after.url])
    .sort();
};
