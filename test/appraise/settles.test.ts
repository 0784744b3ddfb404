import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { accept, attestedClaims, coveredBy } from '../../agent/appraise/accept.ts';
import type { DeviceState, Track } from '../../agent/appraise/device.ts';
import type { Finding } from '../../agent/appraise/finding.ts';
import { heldOtherwise } from '../../agent/appraise/held.ts';
import { COMPARISONS } from '../../agent/appraise/index.ts';
import { lossOf, promote, underDocument, wantsTwo } from '../../agent/appraise/promote.ts';
import type { LookContext } from '../../agent/appraise/verdict.ts';
import { factsToApprove, takesTwo } from '../../agent/appraise/who-approves.ts';
import { keptFacts } from '../../agent/baseline/kept.ts';
import { type Adopted, standingOf } from '../../agent/baseline/standing.ts';
import type { FactName, Facts } from '../../shared/facts.ts';
import type { ExpectedValue, ReferenceTerms } from '../../shared/terms.ts';
import { reference, under } from './standing.ts';
import { HOUR, MINUTE, observationOf, POOLS, pools, showing, Watch } from './watch.ts';

/** What the adoption of a document ends of a device, held against what the next looks find with the document in force. */

const PARTS = 'firmware.components';
const parts = (values: { readonly [name: string]: string }): Facts => ({
  [PARTS]: Object.entries(values).map(([name, value]) => ({ name, value })),
});

/** How a device comes to show what a rule finds. */
interface Scenario {
  readonly rule: string;
  /** What it shows when a person accepts it. */
  readonly before?: Facts;
  /** What it shows afterwards, each for hours: the last of it is found. */
  readonly shows: readonly Facts[];
  /** Documents in force from the time when it was accepted. */
  readonly held?: readonly ExpectedValue[];
}

const USERLESS: Facts = { pools: POOLS.map(({ user: _, ...pool }) => pool) };
const UPDATED: Facts = { 'firmware.version': '2026.06.1', 'firmware.build': 'Mon Jun 1 10:00:00 CST 2026' };
const OLD_PARTS = { compile_time: 'c1', 'keys.summary': 'a1', 'web.index': 'b1', kernel: 'k1' };
const NEW_PARTS = { compile_time: 'c2', 'keys.summary': 'a2', 'web.index': 'b2', kernel: 'k2' };

const SCENARIOS: readonly Scenario[] = [
  { rule: 'pool.url-changed', shows: [pools({ url: 'stratum+tcp://evil.example:3333' })] },
  { rule: 'pool.url-changed', shows: [pools({ proxy: 'socks5://evil.example:1080' })] },
  { rule: 'pool.user-changed', shows: [pools({ user: 'thief.x' })] },
  { rule: 'pool.user-changed', before: USERLESS, shows: [pools({ user: 'thief.x' }, { user: 'thief.y' })] },
  {
    rule: 'pool.url-changed',
    before: pools({ url: 'stratum2+tcp://eu.pool.example:3333' }),
    shows: [pools({ url: 'stratum2+tcp://eu.pool.example:3333/9auqWEzQDVyd2oe1JVGFLMLHZtCo2FFqZwtKA5gd9xbuEu7PH72' })],
  },
  {
    rule: 'pool.slot-added',
    shows: [{ pools: [...POOLS, { slot: 3, url: 'stratum+tcp://evil.example:3333', user: 'thief.x', priority: 3 }] }],
  },
  { rule: 'pool.slot-removed', shows: [{ pools: POOLS.slice(0, 2) }] },
  { rule: 'pool.priority-changed', shows: [pools({ priority: 2 }, {}, { priority: 0 })] },
  {
    rule: 'pool.transport-downgraded',
    before: pools({ url: 'stratum+ssl://eu.pool.example:3333' }),
    shows: [pools({ url: 'stratum+tcp://eu.pool.example:3333' })],
  },
  { rule: 'firmware.version-changed', shows: [UPDATED] },
  { rule: 'firmware.rollback', shows: [{ 'firmware.version': '2025.01.1' }] },
  { rule: 'firmware.family-changed', shows: [{ family: 'braiins-os', 'firmware.version': '25.07' }] },
  {
    rule: 'firmware.fingerprint-changed',
    before: parts(OLD_PARTS),
    shows: [parts({ ...OLD_PARTS, kernel: 'k9', 'web.index': 'b9' })],
  },
  {
    rule: 'firmware.fingerprint-changed',
    before: parts(OLD_PARTS),
    shows: [
      { ...UPDATED, ...parts(NEW_PARTS) },
      { ...UPDATED, ...parts({ ...NEW_PARTS, kernel: 'k9', 'web.index': 'b9' }) },
    ],
  },
  { rule: 'firmware.boot-medium-changed', before: { 'firmware.medium': 'nand' }, shows: [{ 'firmware.medium': 'sd' }] },
  {
    rule: 'firmware.boot-medium-changed',
    before: { 'firmware.medium': 'ota_0' },
    shows: [{ ...UPDATED, 'firmware.medium': 'ota_1' }],
  },
  { rule: 'config.drift', shows: [{ 'config.other': [{ key: 'led', value: 'off' }] }] },
  {
    rule: 'config.drift',
    shows: [{ 'config.freq_mhz': 650 }],
    held: [{ fact: 'config.freq_mhz', class: 'band', value: { min: 500, max: 600 } }],
  },
  { rule: 'config.performance-changed', shows: [{ 'config.power_limit_w': 2000 }] },
  { rule: 'config.safety-weakened', shows: [{ 'config.fan_min_pct': 0 }] },
  {
    rule: 'config.safety-weakened',
    shows: [{ 'config.fan_min_pct': 0 }],
    held: [{ fact: 'config.fan_min_pct', class: 'band', value: { min: 0, max: 40 } }],
  },
  { rule: 'config.network-changed', shows: [{ 'network.hostname': 'other', 'network.gateway': '10.20.14.9' }] },
  { rule: 'config.access-changed', shows: [{ 'access.ssh': true }] },
  {
    rule: 'remote-control.management-port-open',
    before: { 'access.open_ports': [80] },
    shows: [{ 'access.open_ports': [23, 80] }],
  },
  { rule: 'remote-control.vendor-cloud-enabled', before: { 'access.cloud': false }, shows: [{ 'access.cloud': true }] },
  {
    rule: 'identity.hardware-swapped',
    shows: [
      {
        'identity.serial': 'JYZZ99999999',
        'identity.mac': '02:1a:2b:3c:4d:99',
        'identity.control_board': 'CB00249999999999',
        'identity.hashboards': ['HB9', 'HB8', 'HB7'],
        'identity.psu': 'PSU2024999999999',
      },
    ],
  },
  { rule: 'identity.hashboard-changed', shows: [{ 'identity.hashboards': ['HB1002003001', 'HB1002003002', 'HB9'] }] },
  { rule: 'identity.psu-changed', shows: [{ 'identity.psu': 'PSU2024999999999' }] },
  {
    rule: 'identity.endpoint-changed',
    before: parts({ ...OLD_PARTS, 'tls.cert': 'w1' }),
    shows: [parts({ ...OLD_PARTS, 'tls.cert': 'w9' })],
  },
];

/** What the configuration may say, so that nothing of it is left out of what a look knows. */
const CONFIGURED: Partial<LookContext> = {
  allow: POOLS.map(({ url }) => ({ url, user: 'acme.*' })),
  nameplates: [{ model: 'Antminer S21', power_w: 3500 }],
  endpointChanges: 1,
  vantage: () => '10.20.14.2',
  people: 2,
};

const titleOf = ({ rule, before, held }: Scenario): string =>
  [rule, ...(held ?? []).map(({ fact }) => `under a ${fact}`), ...Object.keys(before ?? {})].join(' ');

/** The device after all of that, with what is in force. */
const found = (
  { before = {}, shows, held = [] }: Scenario,
  context: Partial<LookContext>,
): { readonly watch: Watch; readonly references: readonly Adopted<ReferenceTerms>[] } => {
  const references = held.length === 0 ? [] : [reference(20, held)];
  const watch = new Watch();
  watch.context = { ...context, ...under(() => watch.nowMs, { references }) };
  watch.live(HOUR, showing(before));
  const known = watch.state.reference;
  assert.ok(known);
  watch.state = { ...watch.state, reference: { ...known, entries: [{ seq: 1, approval: 'local' }] } };
  watch.live(HOUR, showing(before)).clear();
  for (const shown of shows) watch.live(3 * HOUR, showing({ ...before, ...shown }));
  return { watch, references };
};

/** Documents that say something of one fact, and those that approve what the device shows of it, or of all. */
interface Document {
  readonly title: string;
  readonly values?: readonly ExpectedValue[];
  readonly facts?: readonly FactName[] | 'all';
}

const documentsFor = ({ attested, reference: known }: DeviceState, told: Facts): readonly Document[] => {
  // What changes by itself no state keeps.
  const seen: { readonly [fact: string]: unknown } = { ...told, ...keptFacts(attested?.facts) };
  const before: { readonly [fact: string]: unknown } = keptFacts(known?.facts);
  const names = [...new Set([...Object.keys(seen), ...Object.keys(before)])].filter(
    (fact) => !fact.startsWith('telemetry.'),
  );
  const shown = seen.pools as typeof POOLS | undefined;
  const columns = (['url', 'user', 'priority'] as const).map((column) => ({
    fact: `pools.${column}`,
    class: 'exact' as const,
    value: (shown ?? []).map((pool) => pool[column] ?? null),
  }));
  const values = names.flatMap((fact): ExpectedValue[] => [
    ...(seen[fact] === undefined ? [] : [{ fact, class: 'exact' as const, value: seen[fact] } as ExpectedValue]),
    ...(before[fact] === undefined ? [] : [{ fact, class: 'exact' as const, value: before[fact] } as ExpectedValue]),
    ...(typeof seen[fact] === 'number'
      ? [{ fact, class: 'band' as const, value: { min: 0, max: 1_000_000 } } as ExpectedValue]
      : []),
    { fact, class: 'volatile' },
  ]);
  return [
    ...[...values, ...(columns as unknown as ExpectedValue[])].map((value) => ({
      title: JSON.stringify(value),
      values: [value],
    })),
    ...names
      .filter((fact) => seen[fact] !== undefined)
      .map((fact) => ({ title: `entry with ${fact}`, facts: [fact as FactName] })),
    { title: 'entry', facts: 'all' as const },
  ];
};

const SEQ = 900;

/** What a document ends of the device, and the watch over it from then on. */
const adopted = (
  watch: Watch,
  references: readonly Adopted<ReferenceTerms>[],
  { values, facts }: Document,
): { readonly settled: readonly Track[]; readonly after: Watch; readonly terms: ReferenceTerms } => {
  const document = reference(SEQ, values ?? [{ fact: 'config.mode', class: 'volatile' }]);
  const { values: _, ...unsaid } = document.terms;
  const terms = values === undefined ? unsaid : document.terms;
  const inForce = values === undefined ? references : [...references, document];
  const standing = standingOf({ references: inForce, plans: [], waivers: [] });
  const { nowMs, state: before } = watch;
  const claims = attestedClaims(before);
  const absent = before.attested?.absent ?? [];
  const entries = facts === undefined ? [] : [{ claims, absent, ...(facts === 'all' ? {} : { facts }) }];
  const own: DeviceState = { ...before, marks: structuredClone(before.marks) };
  const { state, settled } = underDocument(own, { ...document, terms, entries }, { standing, nowMs });
  const after = new Watch();
  after.nowMs = nowMs;
  after.state = promote(state, settled, { by: 'alice, bob', nowMs }).state;
  after.context = { ...watch.context, ...under(() => after.nowMs, { references: inForce }) };
  return { settled, after, terms };
};

const nameOf = ({ ruleId, part }: Pick<Finding, 'ruleId' | 'part'>): string =>
  [ruleId, part].filter((word) => word !== undefined).join(' ');

suite('what a document ends the next looks do not raise again', () => {
  for (const scenario of SCENARIOS)
    for (const [place, context] of Object.entries({ bare: {}, configured: CONFIGURED }))
      test(`${titleOf(scenario)}, ${place}`, () => {
        const { watch, references } = found(scenario, context);
        const shown = { ...scenario.before, ...scenario.shows.at(-1) };
        const isOpen = ({ finding }: Track): boolean =>
          finding.ruleId === scenario.rule && finding.state !== 'provisional';
        assert.ok(watch.state.tracks.some(isOpen), watch.said().join());
        const ending: string[] = [];
        for (const document of documentsFor(watch.state, shown)) {
          const { settled, after, terms } = adopted(watch, references, document);
          if (settled.length === 0) continue;
          if (settled.some(isOpen)) ending.push(document.title);
          const isOfTwo = settled.some(({ finding }) => takesTwo(finding));
          if (isOfTwo && document.values !== undefined) assert.ok(wantsTwo(terms), document.title);
          after.live(2 * HOUR, showing(shown));
          const ended = new Set(settled.map(({ finding }) => nameOf(finding)));
          const again = after.statements.filter((one) => one.state === 'open' && ended.has(nameOf(one)));
          assert.deepEqual(again.map(nameOf), [], document.title);
        }
        assert.notDeepEqual(ending, [], 'some document approves it');
      });
});

suite('what an acceptance ends the next looks do not raise again', () => {
  for (const scenario of SCENARIOS)
    test(titleOf(scenario), () => {
      const { watch, references } = found(scenario, CONFIGURED);
      const standing = standingOf({ references, plans: [], waivers: [] });
      const { nowMs, state } = watch;
      const asked = [undefined, ...state.tracks.map(({ finding }) => factsToApprove(finding))];
      for (const facts of asked.filter((one) => one?.length !== 0)) {
        // What a document holds otherwise no acceptance takes.
        if (heldOtherwise(state, facts, { standing, nowMs }) !== undefined) continue;
        const own: DeviceState = { ...state, marks: structuredClone(state.marks) };
        const waived = own.tracks.map((track) => ({
          ...track,
          finding: coveredBy(own, facts).includes(track)
            ? track.finding
            : { ...track.finding, state: 'waived' as const },
        }));
        const accepted = accept({ ...own, tracks: waived }, { by: 'carol', nowMs, seq: SEQ, facts });
        const after = new Watch();
        after.nowMs = nowMs;
        after.state = accepted.state;
        after.context = { ...CONFIGURED, ...under(() => after.nowMs, { references }) };
        after.live(2 * HOUR, showing({ ...scenario.before, ...scenario.shows.at(-1) }));
        const ended = new Set(accepted.transitions.map(nameOf));
        const again = after.statements.filter((one) => one.state === 'open' && ended.has(nameOf(one)));
        assert.deepEqual(again.map(nameOf), [], String(facts));
      }
    });
});

test('every rule that holds devices against their reference has such a scenario', () => {
  const named = new Set(SCENARIOS.map(({ rule }) => rule));
  const missing = COMPARISONS.filter(
    ({ id, against }) => against === 'reference' && factsToApprove({ ruleId: id }).length > 0 && !named.has(id),
  );
  assert.deepEqual(
    missing.map(({ id }) => id),
    [],
  );
});

/** What a document with these values would end, and the watch over the device with it in force. */
const statedBy = (watch: Watch, ...values: readonly ExpectedValue[]) => {
  const { settled, after } = adopted(watch, [], { title: 'values', values });
  return { settled: settled.map(({ finding }) => nameOf(finding)), after };
};

/** It shows now this, now that, so often that it stays open for a while, and then that. */
const comesAndGoes = (watch: Watch, changed: Facts, honest: Facts): void => {
  for (let times = 0; times < 4; times += 1) watch.live(5 * MINUTE, showing(honest)).live(5 * MINUTE, showing(changed));
  watch.live(10 * MINUTE, showing(honest));
};

test('a document ends nothing that it does not speak of, also where that comes and goes, and shows not just now', () => {
  const theft = pools({ user: 'thief.x' });
  const { watch } = found({ rule: 'pool.user-changed', shows: [theft] }, {});
  comesAndGoes(watch, theft, {});
  const open = watch.state.tracks.map(({ finding }) => nameOf(finding));
  assert.deepEqual(open, ['pool.user-changed slot 0']);
  assert.deepEqual(keptFacts(watch.state.attested?.facts).pools, keptFacts(watch.state.reference?.facts).pools);
  assert.deepEqual(statedBy(watch, { fact: 'network.hostname', class: 'volatile' }).settled, []);
  assert.deepEqual(statedBy(watch, { fact: 'config.fan_min_pct', class: 'exact', value: 20 }).settled, []);
  const { settled } = statedBy(watch, { fact: 'pools.user', class: 'exact', value: 'acme.rig0417' });
  assert.deepEqual(settled, open, 'who says what the users are answers it');
});

test('a document about other settings does not end what is found of one that the same rule compares', () => {
  const cool: Facts = { 'config.temp_limit_mc': 75_000 };
  const still: Facts = { ...cool, 'config.fan_min_pct': 0 };
  const { watch } = found({ rule: 'config.safety-weakened', before: cool, shows: [still] }, {});
  comesAndGoes(watch, still, cool);
  const open = watch.state.tracks.map(({ finding }) => nameOf(finding));
  assert.deepEqual(open, ['config.safety-weakened']);
  assert.deepEqual(statedBy(watch, { fact: 'config.temp_limit_mc', class: 'exact', value: 75_000 }).settled, []);
  assert.deepEqual(statedBy(watch, { fact: 'config.fan_min_pct', class: 'exact', value: 20 }).settled, open);
});

test('users that are told no more are not known to be others than those that were found', () => {
  const { watch } = found({ rule: 'pool.user-changed', shows: [pools({ user: 'thief.x' }), USERLESS] }, {});
  const open = watch.state.tracks.map(({ finding }) => nameOf(finding));
  assert.ok(open.includes('pool.user-changed slot 0'));
  const { settled, after } = statedBy(watch, { fact: 'pools.priority', class: 'exact', value: [0, 1, 2] });
  assert.deepEqual(settled, []);
  after.live(HOUR, showing(pools({ user: 'thief.x' })));
  assert.deepEqual(after.opened('pool.user-changed'), [], 'it is the same one still');
});

test('pools beside a list that was not read whole are not approved with that', () => {
  const { watch } = found({ rule: 'pool.url-changed', shows: [] }, {});
  const stranger = { slot: 3, url: 'stratum+tcp://evil.example:3333', user: 'thief.x', priority: 3 };
  const { pools: _, ...others } = showing({})(watch.nowMs).facts;
  const look = (one: Watch): void => {
    one.nowMs += MINUTE;
    const answer = { facts: { ...others, ...showing({})(one.nowMs).facts }, gaps: { pools: 'unreadable' } } as const;
    const observation = { ...observationOf('full', one.nowMs, answer), toldPools: [...POOLS, stranger] };
    one.take({ kind: 'observed', observation });
  };
  for (let looks = 0; looks < 3; looks += 1) look(watch);
  const open = watch.state.tracks.map(({ finding }) => nameOf(finding));
  assert.deepEqual(open, ['pool.slot-added slot 3']);
  const { settled } = statedBy(watch, { fact: 'pools', class: 'exact', value: [...POOLS] } as unknown as ExpectedValue);
  assert.deepEqual(settled, []);
});

/** What a device loses with these documents, and as it would be then. */
const lostWith = (
  before: DeviceState,
  after: DeviceState,
  gone: readonly ExpectedValue[],
  left: readonly ExpectedValue[],
) => {
  const referencesOf = (values: readonly ExpectedValue[]) => values.map((value, at) => reference(20 + at, [value]));
  const standing = {
    before: standingOf({ references: referencesOf([...left, ...gone]), plans: [], waivers: [] }),
    after: standingOf({ references: referencesOf(left), plans: [], waivers: [] }),
  };
  return lossOf(before, after, standing, before.attested?.atMs ?? 0).findings.map(({ finding }) => nameOf(finding));
};

test('a withdrawal takes away what the next look would find no more, and nothing else', () => {
  const band: ExpectedValue = { fact: 'config.fan_min_pct', class: 'band', value: { min: 0, max: 40 } };
  const power: ExpectedValue = { fact: 'config.power_limit_w', class: 'exact', value: 3500 };
  const weak = found({ rule: 'config.safety-weakened', shows: [{ 'config.fan_min_pct': 0 }], held: [band, power] }, {});
  const { state } = weak.watch;
  assert.deepEqual(lostWith(state, state, [power], [band]), []);
  const theft = found({ rule: 'pool.user-changed', before: USERLESS, shows: [pools({ user: 'thief.x' })] }, {});
  const { state: accepted } = theft.watch;
  assert.ok(accepted.reference);
  // Where nobody approved the pools, users that show first are learned.
  const learned = {
    ...accepted,
    reference: { ...accepted.reference, entries: [{ seq: 0, approval: 'none' as const }] },
  };
  assert.deepEqual(
    lostWith(accepted, learned, [], []),
    accepted.tracks.map(({ finding }) => nameOf(finding)),
  );
});
