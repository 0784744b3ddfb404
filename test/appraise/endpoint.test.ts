import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DeviceState, newDevice, readDevice, type Track, writeDevice } from '../../agent/appraise/device.ts';
import { dueSurfaces, endpointShown, noteEndpoint, surfacesShown } from '../../agent/appraise/endpoint.ts';
import { NO_FACTS } from '../../agent/baseline/kept.ts';
import { withEndpoint } from '../../agent/normalise/facts.ts';
import type { Surface } from '../../agent/probe/capture.ts';
import { ADDRESS, HOUR, honest, MINUTE, observationOf, T0, Watch } from './watch.ts';

const NEVER: { readonly [Name in Surface]?: number } = {};

/** A device that was read an hour ago on every surface. */
const device = (changes: Partial<DeviceState> = {}): DeviceState => {
  const atS = (T0 - HOUR) / 1000;
  const fresh = newDevice({ id: 'rig', position: 'host', address: ADDRESS, labels: {} });
  return {
    ...fresh,
    attested: { seq: 1, atMs: T0 - HOUR, reachable: true, facts: NO_FACTS },
    marks: { ...fresh.marks, endpoint: { atS: { web: atS, tls: atS, ssh: atS }, shown: '' } },
    ...changes,
  };
};

const turned = (atMs: number) => ({ web: atMs, tls: atMs, ssh: atMs });

const due = (
  state: DeviceState,
  { turns = turned(T0 - 2 * HOUR) as typeof NEVER, nowMs = T0, ranUntilMs = 0 } = {},
): readonly Surface[] => dueSurfaces(state, { lastMs: (surface) => turns[surface], nowMs, ranUntilMs });

const ALL: readonly Surface[] = ['web', 'tls', 'ssh'];

/** A finding of that id that another look has to decide. */
const undecided = (id: string): Pick<DeviceState, 'tracks'> => {
  const finding = { ruleId: id, state: 'provisional', firstObservedAt: 1 } as unknown as Track['finding'];
  return { tracks: [{ finding, clear: 0, changesMs: [] }] };
};

test('a surface is read at its turn, once, and by itself', () => {
  assert.deepEqual(due(device()), []);
  assert.deepEqual(due(device(), { turns: { ...turned(T0 - 2 * HOUR), ssh: T0 - 1 } }), ['ssh']);
  assert.deepEqual(due(device(), { turns: turned(T0 - 1) }), ALL);
});

test('a surface that was never read is read, but at first sight; one that is off never', () => {
  const { marks } = newDevice({ id: 'rig', position: 'host', address: ADDRESS, labels: {} });
  assert.deepEqual(due(device({ marks })), ALL);
  const { attested: _, ...unseen } = device({ marks });
  assert.deepEqual(due(unseen), []);
  assert.deepEqual(due(device({ marks }), { turns: NEVER }), []);
  assert.deepEqual(due(device(undecided('firmware.version-changed')), { turns: NEVER }), []);
});

test('a restart asks nobody whose turn was while the former process ran, and everybody whose turn was not', () => {
  const state = readDevice(writeDevice(device()));
  assert.deepEqual(state.marks.endpoint, device().marks.endpoint);
  const turns = turned(T0 - HOUR / 2);
  assert.deepEqual(due(state, { turns }), ALL);
  assert.deepEqual(due(state, { turns, ranUntilMs: T0 - HOUR / 4 }), []);
  assert.deepEqual(due(state, { turns: turned(T0 - HOUR / 8), ranUntilMs: T0 - HOUR / 4 }), ALL);
});

test('what is no list of components ends the start as a damaged row', () => {
  const state = device();
  for (const shown of ['[{"name":', '7', '{}']) {
    const damaged = { ...state, marks: { ...state.marks, endpoint: { atS: {}, shown } } };
    assert.throws(() => readDevice(writeDevice(damaged)), shown);
  }
});

test('after a reboot, after a silence and while firmware or machine are in question all is read anew', () => {
  assert.deepEqual(due(device({ rebootsMs: [T0 - HOUR / 2] })), ALL);
  assert.deepEqual(due(device({ rebootsMs: [T0 - 2 * HOUR] })), []);
  assert.deepEqual(due(device({ returned: { darkSinceMs: 0, backMs: T0, facts: NO_FACTS } })), ALL);
  assert.deepEqual(due(device(undecided('visibility.device-dark'))), ALL);
  assert.deepEqual(due(device(undecided('firmware.version-changed'))), ALL);
  assert.deepEqual(due(device(undecided('firmware.fingerprint-changed'))), ALL);
  assert.deepEqual(due(device(undecided('identity.hardware-swapped'))), ALL);
  assert.deepEqual(due(device(undecided('pool.user-changed'))), [], 'a change of pools is confirmed without delay');
});

test('a reading from a time to come is of a clock that was set back', () => {
  assert.deepEqual(due(device(), { nowMs: T0 - 2 * HOUR, turns: turned(T0 - 3 * HOUR) }), ALL);
});

test('what a surface showed stays until it is read again, and is forgotten when it is switched off', () => {
  const state = device();
  const key = { name: 'ssh.host-key', value: 'ssh-ed25519 SHA256:a' };
  const turns = (on: typeof NEVER) => ({ lastMs: (surface: Surface) => on[surface], nowMs: T0 });
  noteEndpoint(state, new Map([['ssh', [key]]]), turns(turned(0)));
  noteEndpoint(state, new Map([['web', []]]), turns(turned(0)));
  assert.deepEqual(endpointShown(state), [key]);
  assert.deepEqual(surfacesShown(state), ['ssh']);
  assert.deepEqual(state.marks.endpoint?.atS, { tls: (T0 - HOUR) / 1000, ssh: T0 / 1000, web: T0 / 1000 });
  noteEndpoint(state, new Map(), turns({ web: 0, tls: 0 }));
  assert.deepEqual([endpointShown(state), Object.keys(state.marks.endpoint?.atS ?? {}).sort()], [[], ['tls', 'web']]);
  noteEndpoint(state, new Map(), turns(NEVER));
  assert.deepEqual(state.marks.endpoint, { atS: {}, shown: '' });
});

const KEY = { name: 'ssh.host-key', value: 'ssh-ed25519 SHA256:a' };

test('what the endpoint shows stands among the components, sorted, sanitised, and in the fingerprint', () => {
  const plain = observationOf('full', T0, { facts: honest(T0) });
  const shown = withEndpoint(plain, [KEY, { name: 'ssh.software', value: `SSH-2.0-${'x'.repeat(400)}` }]);
  const components = shown.facts['firmware.components'] ?? [];
  assert.deepEqual(
    components.map(({ name }) => name),
    ['compile_time', 'keys.summary', 'ssh.host-key', 'ssh.software', 'web.index'],
  );
  assert.deepEqual(
    components.filter(({ name }) => !name.startsWith('ssh.')),
    plain.facts['firmware.components'],
  );
  assert.equal(components.find(({ name }) => name === 'ssh.software')?.value.length, 256);
  assert.match(shown.facts['firmware.fingerprint'] ?? '', /^[\w-]{43}$/);
  assert.equal(withEndpoint(plain, []), plain);
});

test('a device whose firmware names no components has those of its endpoint; where they could not be read they stay unknown', () => {
  const { 'firmware.components': _, ...facts } = honest(T0);
  const of = (gaps: Parameters<typeof observationOf>[2]['gaps']) =>
    withEndpoint(observationOf('full', T0, { facts, gaps: gaps ?? {} }), [KEY]);
  assert.deepEqual(of({}).facts['firmware.components'], [KEY]);
  const absent = of({ 'firmware.components': 'absent' });
  assert.deepEqual([absent.facts['firmware.components'], absent.gaps.size], [[KEY], 0]);
  const lost = of({ 'firmware.components': 'timeout' });
  assert.deepEqual([lost.facts['firmware.components'], lost.gaps.get('firmware.components')], [undefined, 'timeout']);
});

/** What a machine shows with these components of its endpoint. */
const showingEndpoint = (shown: { readonly [name: string]: string }) => (nowMs: number) => {
  const plain = observationOf('full', nowMs, { facts: honest(nowMs) });
  return {
    facts: withEndpoint(
      plain,
      Object.entries(shown).map(([name, value]) => ({ name, value })),
    ).facts,
  };
};

test('identity.endpoint-changed: a key made anew under the same version is medium, by name; without it nothing is said', () => {
  const watch = Watch.known();
  watch.live(HOUR, showingEndpoint({ 'tls.key': 'a' }));
  watch.live(HOUR, showingEndpoint({}));
  watch.live(HOUR, showingEndpoint({ 'tls.key': 'a' }));
  assert.deepEqual(watch.said(), []);
  watch.live(HOUR, showingEndpoint({ 'tls.key': 'b' }));
  assert.deepEqual(watch.said(), ['identity.endpoint-changed open']);
  assert.deepEqual(
    watch.statements.map(({ severity, basis, before, after }) => [severity, basis, before, after]),
    [['medium', 'gateway-observed', [{ key: 'tls.key', value: 'a' }], [{ key: 'tls.key', value: 'b' }]]],
  );
  watch.live(HOUR, showingEndpoint({ 'tls.key': 'a' }));
  assert.equal(watch.said().at(-1), 'identity.endpoint-changed resolved');
});

test('identity.endpoint-changed: the splash of an extortioner on a second device is high, also on the first', () => {
  const watch = Watch.known();
  watch.live(HOUR, showingEndpoint({ 'asset./': 'page' }));
  watch.live(2 * MINUTE, showingEndpoint({ 'asset./': 'splash' }));
  watch.context = { endpointChanges: 1 };
  watch.live(20 * MINUTE, showingEndpoint({ 'asset./': 'splash' }));
  assert.deepEqual(
    watch.opened('identity.endpoint-changed').map(({ severity, reasons }) => [severity, reasons]),
    [
      ['medium', undefined],
      ['high', ['several-devices']],
    ],
  );
});

test('firmware.fingerprint-changed: a page and a key that changed together are high, and are not told twice', () => {
  const watch = Watch.known();
  watch.live(HOUR, showingEndpoint({ 'asset./': 'page', 'ssh.host-key': 'a' }));
  watch.live(HOUR, showingEndpoint({ 'asset./': 'other', 'ssh.host-key': 'b' }));
  assert.deepEqual(watch.said(), ['firmware.fingerprint-changed open']);
  assert.equal(watch.statements[0]?.severity, 'high');
});

test('remote-control.management-port-open: a port that opens is medium, telnet and 8889 are high; what was open before is none', () => {
  const open = (...ports: readonly number[]) =>
    showingEndpoint(Object.fromEntries(ports.map((port) => [`port.${port}`, 'open'])));
  const opened = (...ports: readonly number[]) => {
    const watch = Watch.known({ vantage: () => '10.20.14.2' });
    watch.live(HOUR, open(80, 4028));
    watch.live(HOUR, open(4028));
    watch.live(HOUR, open(80, 4028));
    assert.deepEqual(watch.said(), []);
    watch.live(HOUR, open(80, 4028, ...ports));
    return watch.statements.map(({ ruleId, severity, before, after }) => [ruleId, severity, before, after]);
  };
  const id = 'remote-control.management-port-open';
  const before = { open: [80, 4028] };
  assert.deepEqual(opened(8889), [[id, 'high', before, { opened: [8889], from: '10.20.14.2' }]]);
  assert.deepEqual(opened(22, 443), [[id, 'medium', before, { opened: [22, 443], from: '10.20.14.2' }]]);
});

/** The ports that a device shows after readings that said so of one or more ports, one after the other. */
const portsAfter = (...readings: readonly { readonly [port: string]: string }[]) => {
  const state = device();
  for (const reading of readings) {
    const parts = Object.entries(reading).map(([port, value]) => ({ name: `port.${port}`, value }));
    noteEndpoint(state, new Map([['ports', parts]]), { lastMs: () => 0, nowMs: T0 });
  }
  const { facts } = withEndpoint(observationOf('full', T0, { facts: honest(T0) }), endpointShown(state));
  return facts['access.open_ports'];
};

test('a port that gave no answer leaves open which ports are, until it gave none twice in a row: then it is kept from us', () => {
  const [open, silent] = [
    { 80: 'open', 4028: 'open' },
    { 80: 'open', 4028: 'no answer' },
  ];
  assert.deepEqual(portsAfter(open), [80, 4028]);
  assert.equal(portsAfter(silent), undefined);
  assert.equal(portsAfter(open, silent), undefined);
  assert.deepEqual(portsAfter(silent, open), [80, 4028]);
  assert.deepEqual(portsAfter(silent, silent), [80]);
  assert.deepEqual(portsAfter(silent, silent, silent), [80]);
  assert.deepEqual(portsAfter(silent, silent, open), [80, 4028]);
  assert.equal(portsAfter(silent, open, silent), undefined, 'an answer in between counts');
  assert.equal(portsAfter(silent, {}, silent), undefined, 'so does a refusal, and half a reading');
});

test('remote-control.management-port-open: no answer neither raises nor ends it; a firewall does', () => {
  const state = device();
  const reading = (telnet: string | undefined) => (nowMs: number) => {
    const parts = [
      { name: 'port.80', value: 'open' },
      ...(telnet === undefined ? [] : [{ name: 'port.23', value: telnet }]),
    ];
    noteEndpoint(state, new Map([['ports', parts]]), { lastMs: () => 0, nowMs });
    return { facts: withEndpoint(observationOf('full', nowMs, { facts: honest(nowMs) }), endpointShown(state)).facts };
  };
  const id = 'remote-control.management-port-open';
  const watch = Watch.known();
  const once = (telnet: string | undefined) => watch.live(MINUTE, reading(telnet));
  // The first reading of a device may be the one in which a packet got lost: what is not known is not its reference.
  once('no answer');
  watch.live(HOUR, reading('open'));
  assert.deepEqual(watch.said(), []);

  const other = Watch.known();
  other.live(HOUR, reading(undefined));
  other.live(HOUR, reading('open'));
  assert.deepEqual(other.said(), [`${id} open`]);
  other.live(MINUTE, reading('no answer'));
  assert.deepEqual(other.said(), [`${id} open`]);
  other.live(HOUR, reading('no answer'));
  assert.equal(other.said().at(-1), `${id} resolved`);
});

test('open ports are no part of the firmware, and are looked for at their turn and while they are in question', () => {
  const { facts } = showingEndpoint({ 'port.22': 'open', 'port.4028': 'open' })(T0);
  assert.deepEqual(facts['access.open_ports'], [22, 4028]);
  assert.deepEqual(facts['firmware.components'], honest(T0)['firmware.components']);
  const seldom = (turnMs: number, state = device()) => due(state, { turns: { ports: turnMs } });
  const { marks } = newDevice({ id: 'rig', position: 'host', address: ADDRESS, labels: {} });
  const fresh = device({ marks, firstSeenMs: T0 - HOUR });
  assert.deepEqual(seldom(T0 - 2 * HOUR, fresh), [], 'its first turn is yet to come');
  assert.deepEqual(seldom(T0 - 1, fresh), ['ports']);
  const known = (changes: Partial<DeviceState> = {}) =>
    device({ ...changes, marks: { ...marks, endpoint: { atS: { ports: (T0 - HOUR) / 1000 }, shown: '' } } });
  assert.deepEqual(seldom(T0 - 2 * HOUR, known()), []);
  assert.deepEqual(seldom(T0 - 1, known()), ['ports']);
  assert.deepEqual(seldom(T0 - 2 * HOUR, known({ rebootsMs: [T0 - 1] })), []);
  assert.deepEqual(seldom(T0 - 2 * HOUR, known(undecided('firmware.version-changed'))), []);
  assert.deepEqual(seldom(T0 - 2 * HOUR, known(undecided('remote-control.management-port-open'))), ['ports']);
});

test('remote-control.default-credentials: a log-in of the maker that is taken is high at once; one that is refused is none', () => {
  const watch = Watch.known();
  watch.live(HOUR, showingEndpoint({ 'login.default': 'refused' }));
  assert.deepEqual(watch.said(), []);
  watch.live(HOUR, showingEndpoint({ 'login.default': 'root at http:/conf.cgi' }));
  assert.deepEqual(
    watch.statements.map(({ ruleId, severity, after }) => [ruleId, severity, after]),
    [['remote-control.default-credentials', 'high', { account: 'root at http:/conf.cgi' }]],
  );
  watch.live(HOUR, showingEndpoint({ 'login.default': 'refused' }));
  assert.equal(watch.said().at(-1), 'remote-control.default-credentials resolved');
});
