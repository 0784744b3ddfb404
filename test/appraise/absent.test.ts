import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accept } from '../../agent/appraise/accept.ts';
import { readDevice, writeDevice } from '../../agent/appraise/device.ts';
import { rebuilt } from '../../agent/appraise/promote.ts';
import { keptFacts } from '../../agent/baseline/kept.ts';
import { antminerStock } from '../../agent/drivers/antminer-stock.ts';
import { axeos } from '../../agent/drivers/axeos.ts';
import type { Driver } from '../../agent/drivers/driver.ts';
import { whatsminer } from '../../agent/drivers/whatsminer.ts';
import type { FactName, Facts } from '../../shared/facts.ts';
import { type Edits, SpecimenLife } from './specimen-life.ts';
import { reference, under } from './standing.ts';
import { type Answer, type Gaps, HOUR, honest, MINUTE, Watch } from './watch.ts';

/** A device that has none of these facts; `facts` are what it shows otherwise. */
const lacking =
  (names: readonly FactName[], facts: Facts = {}, gap: NonNullable<Gaps[FactName]> = 'absent') =>
  (nowMs: number): Answer => ({
    facts: honest(nowMs, facts),
    gaps: Object.fromEntries(names.map((name) => [name, gap])),
  });

const NAMES = ['network.dns', 'network.gateway', 'network.ntp', 'access.api_allow', 'access.cloud'] as const;

/** One that was learned without these, and what it said of itself since. */
const learned = (names: readonly FactName[] = NAMES): Watch => {
  const watch = new Watch();
  watch.live(20 * MINUTE, lacking(names));
  assert.deepEqual(watch.said(), []);
  watch.clear();
  return watch;
};

const EVIL = ['203.0.113.53'];

test('config.network-changed: a DNS server where the device was known to have none is a change, and is not learned', () => {
  const watch = learned();
  watch.live(40 * MINUTE, lacking(['network.gateway', 'network.ntp'], { 'network.dns': EVIL }));
  assert.deepEqual(watch.said(), ['config.network-changed open']);
  const [finding] = watch.opened('config.network-changed');
  assert.equal(finding?.severity, 'high');
  assert.deepEqual(finding?.reasons, ['unlisted-server']);
  assert.deepEqual(finding?.before, [{ key: 'dns', value: null }]);
  assert.deepEqual(finding?.after, [{ key: 'dns', value: EVIL }]);
  assert.deepEqual(
    watch.attestations.at(-1)?.checks.failed.map(({ id }) => id),
    ['config.network-changed'],
  );
  assert.equal(keptFacts(watch.state.reference?.facts)['network.dns'], undefined);
});

test('config.network-changed: every setting that came is named; of gateways none is on a list', () => {
  const watch = learned();
  watch.live(20 * MINUTE, lacking(['network.dns'], { 'network.gateway': '10.20.14.66' }));
  assert.equal(watch.opened('config.network-changed')[0]?.severity, 'medium');
  watch.live(20 * MINUTE, lacking(['network.dns'], { 'network.gateway': '10.20.14.66', 'network.ntp': EVIL }));
  assert.deepEqual(watch.state.tracks[0]?.finding.before, [
    { key: 'gateway', value: null },
    { key: 'ntp', value: null },
  ]);
  assert.equal(watch.state.tracks[0]?.finding.severity, 'high');
});

test('config.access-changed: a list of the API where there was none is a change', () => {
  const watch = learned();
  watch.live(
    20 * MINUTE,
    lacking(
      NAMES.filter((name) => name !== 'access.api_allow'),
      { 'access.api_allow': 'W:0/0' },
    ),
  );
  assert.deepEqual(watch.said(), ['config.access-changed open']);
  const [finding] = watch.opened('config.access-changed');
  assert.equal(finding?.severity, 'high');
  assert.deepEqual(finding?.before, [{ key: 'api_allow', value: null }]);
  assert.equal(keptFacts(watch.state.reference?.facts)['access.api_allow'], undefined);
});

test('firmware.version-changed: a version where the firmware named none is a change', () => {
  for (const names of [['firmware.version'], ['firmware.version', 'firmware.build']] as const) {
    const watch = learned(names);
    watch.live(20 * MINUTE, lacking(names.slice(1), { 'firmware.version': 'v9-evil' }));
    assert.deepEqual(watch.said(), ['firmware.version-changed open']);
    const [finding] = watch.opened('firmware.version-changed');
    assert.deepEqual(finding?.before, [{ key: 'version', value: null }]);
    assert.deepEqual(finding?.after, [{ key: 'version', value: 'v9-evil' }]);
    assert.deepEqual(finding?.reasons, ['unordered']);
    assert.equal(keptFacts(watch.state.reference?.facts)['firmware.version'], undefined);
  }
});

test('a setting that is blank again ends the finding, also where the rule has nothing else to compare', () => {
  const access = ['access.ssh', 'access.web_auth', 'config.other', 'access.api_allow'] as const;
  const watch = learned(access);
  watch.live(20 * MINUTE, lacking(access.slice(0, 3), { 'access.api_allow': 'W:0/0' }));
  watch.live(HOUR, lacking(access, {}, 'timeout'));
  assert.deepEqual(watch.said(), ['config.access-changed open']);
  watch.live(HOUR, lacking(access));
  assert.deepEqual(watch.said(), ['config.access-changed open', 'config.access-changed resolved']);
});

test('what is absent as it was is no check that passed, and none that did not run', () => {
  const watch = new Watch();
  const names = ['access.ssh', 'access.web_auth', 'config.other'] as const;
  watch.live(20 * MINUTE, lacking(names));
  watch.nowMs += HOUR;
  watch.context = { demanded: true };
  watch.see('full', {}, Object.fromEntries(names.map((name) => [name, 'absent'])));
  const { passed, notRun } = watch.attestations.at(-1)?.checks ?? {};
  assert.deepEqual(notRun, []);
  assert.ok(passed?.['self-reported']?.includes('config.network-changed'));
  assert.ok(!passed?.['self-reported']?.includes('config.access-changed'));
});

test('what was unknown, refused or not asked when the device was learned is learned when it shows', () => {
  for (const gap of ['timeout', 'refused', 'unreadable'] as const) {
    const watch = new Watch();
    watch.live(20 * MINUTE, lacking(NAMES, {}, gap));
    watch.live(HOUR, lacking(NAMES.slice(1), { 'network.dns': EVIL }));
    assert.deepEqual(watch.said(), []);
    assert.deepEqual(keptFacts(watch.state.reference?.facts)['network.dns'], EVIL);
  }
});

test('a reference of an earlier build, which says nothing of what was absent, learns as before', () => {
  const watch = learned();
  const { absent: _, ...before } = watch.state.reference ?? { entries: [], facts: '' as never };
  watch.state = { ...watch.state, reference: before };
  watch.live(20 * MINUTE, lacking(NAMES.slice(1), { 'network.dns': EVIL }));
  assert.deepEqual(watch.said(), []);
  assert.deepEqual(keptFacts(watch.state.reference?.facts)['network.dns'], EVIL);
});

test('other settings without a value are learned with their first one', () => {
  const names = ['config.power_target_w', 'config.watchdog', 'config.preset'] as const;
  const watch = learned(names);
  watch.live(
    20 * MINUTE,
    lacking([], { 'config.power_target_w': 3000, 'config.watchdog': true, 'config.preset': 'a' }),
  );
  assert.deepEqual(watch.said(), []);
  assert.equal(keptFacts(watch.state.reference?.facts)['config.preset'], 'a');
  assert.equal(watch.state.reference?.absent, undefined);
});

test('a fact that was known, is left out and comes back as it was is nothing', () => {
  const watch = Watch.known();
  watch.live(20 * MINUTE, lacking(['network.dns']));
  watch.live(20 * MINUTE, lacking([]));
  assert.deepEqual(watch.said(), []);
  watch.state = accept(watch.state, { by: 'jo', nowMs: watch.nowMs, seq: 900 }).state;
  assert.equal(watch.state.reference?.absent, undefined);
});

test('a person who accepts a device accepts what it has none of, and with a value that it is no longer without', () => {
  const watch = new Watch();
  watch.live(20 * MINUTE, lacking(NAMES, {}, 'timeout'));
  watch.context = { demanded: true };
  watch.live(2 * MINUTE, lacking(NAMES));
  watch.context = {};
  assert.equal(watch.state.reference?.absent, undefined);
  watch.state = accept(watch.state, { by: 'jo', nowMs: watch.nowMs, seq: 900, facts: ['network.dns'] }).state;
  assert.deepEqual(watch.state.reference?.absent, ['network.dns']);
  watch.state = accept(watch.state, { by: 'jo', nowMs: watch.nowMs, seq: 901 }).state;
  assert.deepEqual([...(watch.state.reference?.absent ?? [])].sort(), [...NAMES].sort());
  watch.live(20 * MINUTE, lacking(NAMES.slice(1), { 'network.dns': EVIL }));
  assert.deepEqual(watch.said(), ['config.network-changed open']);
  const { state, transitions } = accept(watch.state, { by: 'jo', nowMs: watch.nowMs, seq: 902 });
  assert.deepEqual(
    transitions.map((finding) => `${finding.ruleId} ${finding.state}`),
    ['config.network-changed approved'],
  );
  assert.deepEqual(keptFacts(state.reference?.facts)['network.dns'], EVIL);
  assert.ok(state.reference?.absent?.includes('network.dns') === false);
});

test('what a device has none of is remembered over a start', () => {
  const watch = learned();
  watch.state = readDevice(writeDevice(watch.state));
  watch.live(20 * MINUTE, lacking(NAMES.slice(1), { 'network.dns': EVIL }));
  assert.deepEqual(watch.said(), ['config.network-changed open']);
});

test('a list of what devices have none of is held once', () => {
  const [one, other] = [learned(), learned()];
  assert.equal(one.state.reference?.absent, other.state.reference?.absent);
  assert.equal(one.state.reference?.absent, readDevice(writeDevice(other.state)).reference?.absent);
});

test('another version may tell more: that is learned when it is told, and held against from then on, before anybody accepts the version, too', () => {
  const watch = learned();
  const newer = { 'firmware.version': '2026.09.1', 'network.ntp': ['10.20.0.123'] };
  watch.live(HOUR, lacking(['network.dns', 'network.gateway'], newer));
  assert.deepEqual(watch.said(), ['firmware.version-changed open']);
  assert.deepEqual(keptFacts(watch.state.reference?.facts)['network.ntp'], ['10.20.0.123']);
  watch.clear();
  watch.live(HOUR, lacking(['network.dns', 'network.gateway'], { ...newer, 'network.ntp': EVIL }));
  assert.deepEqual(watch.said(), ['config.network-changed open']);
  watch.live(HOUR, lacking(['network.dns', 'network.gateway'], newer));
  const version = ['firmware.version', 'firmware.build'] as const;
  watch.state = accept(watch.state, { by: 'jo', nowMs: watch.nowMs, seq: 900, facts: version }).state;
  watch.clear();
  watch.live(20 * MINUTE, lacking(['network.dns', 'network.gateway'], newer));
  assert.deepEqual(watch.said(), []);
  watch.live(20 * MINUTE, lacking(['network.gateway'], { ...newer, 'network.dns': EVIL }));
  assert.deepEqual(watch.said(), ['config.network-changed open']);
});

test('what was found where there was none goes on under another version, and is not taken along with that', () => {
  const blank = { 'network.dns': 'absent', 'access.api_allow': 'absent' } as const;
  const set = { 'network.dns': ['203.0.113.53'], 'access.api_allow': 'W:0/0' };
  const next = { 'firmware.version': '2026.04.1', 'firmware.build': 'Thu Apr 12 10:00:00 CST 2026' };
  const watch = new Watch();
  watch.live(HOUR, (nowMs) => ({ facts: honest(nowMs), gaps: blank }));
  watch.clear();
  watch.live(HOUR, (nowMs) => ({ facts: honest(nowMs, set) }));
  watch.live(3 * HOUR, (nowMs) => ({ facts: honest(nowMs, { ...set, ...next }) }));
  assert.deepEqual(
    watch.said().filter((said) => said.startsWith('config.')),
    ['config.network-changed open', 'config.access-changed open'],
  );
  const of = { by: 'ann', nowMs: watch.nowMs, seq: 90, facts: ['firmware.version', 'firmware.build'] } as const;
  assert.throws(() => accept(watch.state, of), /config\.\S+ \(high\) is open/);
  const known = keptFacts(watch.state.reference?.facts);
  assert.deepEqual([known['network.dns'], known['access.api_allow']], [undefined, undefined]);
});

test('a document says what may be where there was nothing', () => {
  const watch = learned();
  watch.context = under(() => watch.nowMs, {
    references: [reference(900, [{ fact: 'network.dns', class: 'set', value: [EVIL] }])],
  });
  watch.live(20 * MINUTE, lacking(NAMES.slice(1), { 'network.dns': EVIL }));
  assert.deepEqual(watch.said(), []);
  watch.context = under(() => watch.nowMs, {
    references: [reference(901, [{ fact: 'network.dns', class: 'volatile' }])],
  });
  watch.live(20 * MINUTE, lacking(NAMES.slice(1), { 'network.dns': ['198.51.100.53'] }));
  assert.deepEqual(watch.said(), []);
});

test('visibility.changed-while-dark: access that was opened in the dark where nothing was said of it', () => {
  const watch = learned();
  watch.live(20 * MINUTE, () => undefined);
  watch.live(20 * MINUTE, lacking(['access.cloud'], { 'access.api_allow': 'W:0/0' }));
  assert.ok(watch.said().includes('visibility.changed-while-dark open'));
});

test('with the reference goes what it says of what was absent; what is left of it says it still', () => {
  const watch = learned();
  const [entry] = watch.state.reference?.entries ?? [];
  assert.ok(entry !== undefined);
  assert.equal(rebuilt(watch.state, []).reference, undefined);
  const given = { entry, claims: keptFacts(watch.state.reference?.facts), absent: ['network.dns'] as const };
  assert.deepEqual(rebuilt(watch.state, [given]).reference?.absent, ['network.dns']);
  watch.state = rebuilt(watch.state, []);
  watch.live(20 * MINUTE, lacking(NAMES.slice(1), { 'network.dns': EVIL }));
  assert.deepEqual(watch.said(), []);
});

/** A device of which the first look is over, without these. */
const seenOnce = (): Watch => {
  const watch = new Watch();
  watch.live(MINUTE / 60, lacking(NAMES));
  return watch;
};

test('a list that was empty at first sight, as while a device starts, is not known to be: a look ten minutes later says so', () => {
  const watch = seenOnce();
  assert.equal(watch.state.reference?.absent, undefined);
  watch.live(HOUR, lacking(NAMES.slice(1), { 'network.dns': EVIL }));
  assert.deepEqual(watch.said(), []);
  assert.deepEqual(keptFacts(watch.state.reference?.facts)['network.dns'], EVIL);
  assert.equal(watch.state.reference?.absentOnce, undefined);
  const again = seenOnce();
  again.live(20 * MINUTE, lacking(NAMES));
  again.live(20 * MINUTE, lacking(NAMES.slice(1), { 'network.dns': EVIL }));
  assert.deepEqual(again.said(), ['config.network-changed open']);
  const starting = new Watch();
  starting.live(3 * MINUTE, lacking(NAMES));
  starting.live(2 * HOUR, lacking([], { 'network.dns': EVIL }));
  assert.deepEqual(starting.said(), []);
});

test('a second look that could not read it says nothing; a later one does, though it shows the same facts', () => {
  const watch = seenOnce();
  watch.live(40 * MINUTE, lacking(NAMES, {}, 'timeout'));
  assert.equal(watch.state.reference?.absent, undefined);
  assert.ok(watch.looks < 50, 'and it is not asked for again and again');
  watch.live(20 * MINUTE, lacking(NAMES));
  assert.deepEqual([...(watch.state.reference?.absent ?? [])].sort(), [...NAMES].sort());
});

test('what a person accepts as absent is so from that look on', () => {
  const watch = seenOnce();
  watch.state = accept(watch.state, { by: 'jo', nowMs: watch.nowMs, seq: 900 }).state;
  watch.live(20 * MINUTE, lacking(NAMES.slice(1), { 'network.dns': EVIL }));
  assert.deepEqual(watch.said(), ['config.network-changed open']);
});

test('a device of which something is withheld at first sight is known to have none of the rest all the same', () => {
  const watch = new Watch({ inFirstPass: false }, 'range');
  const others = [{ slot: 0, url: 'stratum+tcp://other.example:3333', user: 'other.rig', priority: 0 }];
  watch.state = { ...watch.state, replaces: { device: 'mac-020000000007', pools: others } };
  watch.live(20 * MINUTE, lacking(NAMES));
  assert.equal(keptFacts(watch.state.reference?.facts).pools, undefined);
  assert.deepEqual([...(watch.state.reference?.absent ?? [])].sort(), [...NAMES].sort());
});

/** What a device shows with a field of its replies blank, and with something in it. */
const FIELDS: readonly (readonly [Driver, specimen: string, blank: Edits, set: Edits, found: string, key: string])[] = [
  [
    antminerStock,
    'antminer-stock/s21',
    [[/"(conf_)?dnsservers":"[^"]*"/g, '"$1dnsservers":""']],
    [[/"(conf_)?dnsservers":"[^"]*"/g, '"$1dnsservers":"203.0.113.53"']],
    'config.network-changed',
    'dns',
  ],
  [
    whatsminer,
    'whatsminer/m50s-api2',
    [[/"dns":"[^"]*"/g, '"dns":""']],
    [[/"dns":"[^"]*"/g, '"dns":"203.0.113.53"']],
    'config.network-changed',
    'dns',
  ],
  [
    whatsminer,
    'whatsminer/m7x-rel3',
    [[/"gateway":"[^"]*"/g, '"gateway":""']],
    [[/"gateway":"[^"]*"/g, '"gateway":"192.0.2.66"']],
    'config.network-changed',
    'gateway',
  ],
  [
    whatsminer,
    'whatsminer/m7x-rel3',
    [[/"ntp":\[[^\]]*\]/g, '"ntp":[]']],
    [[/"ntp":\[[^\]]*\]/g, '"ntp":["203.0.113.123"]']],
    'config.network-changed',
    'ntp',
  ],
  [
    axeos,
    'axeos/supra-2.4',
    [[/"version":\s*"[^"]*"/g, '"version":""']],
    [[/"version":\s*"[^"]*"/g, '"version":"v9-evil"']],
    'firmware.version-changed',
    'version',
  ],
];

test('a blank field of a real reply that somebody fills in is found on each family', () => {
  for (const [driver, specimen, blank, filled, found, key] of FIELDS) {
    const life = new SpecimenLife(driver, specimen);
    const watch = life.settle({ edits: blank });
    life.live(12, { edits: filled });
    assert.deepEqual(watch.said(), [`${found} open`], `${specimen} ${key}`);
    assert.deepEqual(watch.statements[0]?.before, [{ key, value: null }], `${specimen} ${key}`);
  }
});
