import assert from 'node:assert/strict';
import { test } from 'node:test';
import { approvedOf } from '../../agent/appraise/approval.ts';
import { approvedFactsOf } from '../../agent/appraise/origin.ts';
import { reportPlan } from '../../agent/appraise/plan-report.ts';
import { type Adopted, NOTHING_STANDING } from '../../agent/baseline/standing.ts';
import { differencesInForce } from '../../agent/desk/differences.ts';
import type { FactName, Facts } from '../../shared/facts.ts';
import type { ExpectedValue, ReferenceTerms, Scope } from '../../shared/terms.ts';
import { plan, reference, under, waiver } from './standing.ts';
import { HOUR, honest, MINUTE, pools, showing, T0, Watch } from './watch.ts';

/** For whom documents count: a device neither leaves a scope nor enters one by what it says of itself. */

const ACCOUNT: ExpectedValue = { fact: 'pools.user', class: 'template', value: 'acme.*' };
const THEFT = pools({ user: 'mallory.rig' }, { user: 'mallory.rig' }, { user: 'mallory.rig' });
const OTHER_MODEL: Facts = { 'identity.model': 'Antminer T21' };
const OTHER_VERSION: Facts = { 'firmware.version': '2026.04.1', 'firmware.build': 'Wed Apr 1 10:00:00 CST 2026' };
const OTHER_FAMILY: Facts = { family: 'vnish' };

test('a device does not leave the scope of a reference by another model, version or family: what it showed stays open', () => {
  const cases: [Scope, Facts][] = [
    [{ models: ['Antminer S21'] }, OTHER_MODEL],
    [{ firmware: ['antminer-stock 2026.03.1'] }, OTHER_VERSION],
    [{ firmware: ['antminer-stock 2026.03.1'] }, { 'firmware.version': 'v2026.03.1' }],
    [{ firmware: ['antminer-stock'] }, OTHER_FAMILY],
    [
      { firmware: ['antminer-stock'], models: ['Antminer S21'] },
      { ...OTHER_FAMILY, ...OTHER_MODEL },
    ],
  ];
  for (const [scope, changes] of cases) {
    // It worked for the thief when it was first seen: only the document says that this is none of ours.
    const watch = new Watch();
    watch.live(20 * MINUTE, showing(THEFT));
    watch.context = under(() => watch.nowMs, { references: [reference(7, [ACCOUNT], scope)] });
    watch.live(20 * MINUTE, showing(THEFT));
    const open = () => watch.state.tracks.filter(({ finding }) => finding.ruleId === 'pool.user-changed').length;
    assert.ok(open() > 0);
    watch.live(2 * HOUR, showing({ ...THEFT, ...changes }));
    assert.ok(open() > 0, JSON.stringify(changes));
    assert.ok(!watch.said().includes('pool.user-changed resolved'));
  }
});

test('a device does not enter the scope of a waiver, of a plan or of a reference by saying that it is another one', () => {
  const cases: [Scope, Facts][] = [
    [{ models: ['Antminer T21'] }, OTHER_MODEL],
    [{ firmware: ['antminer-stock 2026.04.1'] }, OTHER_VERSION],
    [{ firmware: ['vnish'] }, OTHER_FAMILY],
  ];
  for (const [scope, changes] of cases) {
    const watch = Watch.commissioned();
    const { terms, ...tolerated } = waiver(40, ['pool.user-changed'], 600);
    const planned = plan(
      41,
      { ids: ['pool.user-changed'], expected_after: [{ ...ACCOUNT, value: ['acme.*', 'mallory.*'] }], scope },
      0,
      600,
    );
    watch.context = under(() => watch.nowMs, {
      waivers: [{ ...tolerated, terms: { ...terms, scope } }],
      plans: [planned],
      references: [reference(42, [{ ...ACCOUNT, value: '*' }], scope)],
    });
    watch.live(HOUR, showing(changes));
    watch.live(HOUR, showing({ ...changes, ...THEFT }));
    const [theft] = watch.opened('pool.user-changed');
    assert.deepEqual(
      [theft?.state, theft?.severity, theft?.waiver, theft?.plan],
      ['open', 'critical', undefined, undefined],
    );
  }
});

test('what a document or a person allowed decides who a device is: documents for the new version count from then on', () => {
  const newer = [{ fact: 'pools.user', class: 'exact', value: 'acme.new' } as const];
  const scoped = reference(8, newer, { firmware: ['antminer-stock 2026.04.1'] });
  const versions: ExpectedValue = { fact: 'firmware.version', class: 'set', value: ['2026.03.1', '2026.04.1'] };
  const free = { fact: 'firmware.build', class: 'volatile' } as const;
  const watch = Watch.commissioned();
  watch.context = under(() => watch.nowMs, { references: [reference(7, [versions, free]), scoped] });
  watch.live(HOUR, showing({}));
  assert.deepEqual(watch.opened('pool.user-changed'), []);
  watch.live(HOUR, showing(OTHER_VERSION));
  assert.ok(watch.opened('pool.user-changed').length > 0);
  const planned = Watch.commissioned();
  const rollout = plan(30, {
    ids: ['firmware.*'],
    expected_after: [{ fact: 'firmware.version', class: 'exact', value: '2026.04.1' }, free],
  });
  planned.context = under(() => planned.nowMs, { references: [scoped], plans: [rollout] });
  planned.live(HOUR, showing(OTHER_VERSION));
  assert.ok(planned.opened('pool.user-changed').length > 0);
});

test('a reference that allows another version, or model, than its scope names goes on holding who has that', () => {
  const free = { fact: 'firmware.build', class: 'volatile' } as const;
  const cases: [Scope, ExpectedValue, Facts][] = [
    [
      { devices: ['rig'], firmware: ['antminer-stock 2026.03.1'] },
      { fact: 'firmware.version', class: 'set', value: ['2026.03.1', '2026.04.1'] },
      OTHER_VERSION,
    ],
    [
      { models: ['Antminer S21'] },
      { fact: 'identity.model', class: 'set', value: ['Antminer S21', 'Antminer T21'] },
      OTHER_MODEL,
    ],
  ];
  // What a document for the new version lays down of the version would make the device what it was.
  const contrary = reference(8, [{ fact: 'firmware.version', class: 'exact', value: '2026.05.1' }], {
    devices: ['rig'],
    firmware: ['antminer-stock 2026.04.1'],
  });
  for (const [scope, allowed, changes] of cases) {
    for (const others of [[], [contrary]]) {
      const watch = Watch.known();
      watch.context = under(() => watch.nowMs, {
        references: [reference(7, [allowed, free, ACCOUNT], scope), ...others],
      });
      watch.live(HOUR, showing({}));
      for (const mode of ['low', 'high', 'low', 'high'])
        watch.live(HOUR, showing({ ...changes, 'config.other': [{ key: 'led', value: mode }] }));
      assert.deepEqual(
        watch.said().filter((said) => /firmware|identity\.model/.test(said)),
        [],
      );
      const held = approvedOf(watch.state, watch.context.standing ?? NOTHING_STANDING, changes, watch.nowMs)?.facts;
      assert.equal(held?.[allowed.fact as FactName], changes[allowed.fact as FactName], 'and no difference is shown');
      watch.live(HOUR, showing({ ...changes, ...THEFT }));
      const [theft] = watch.opened('pool.user-changed');
      assert.equal(theft?.severity, 'critical');
    }
  }
});

type Text = Extract<ExpectedValue, { class: 'exact' }>;

/** In each class that a text may have: the first is shown for an hour, the other from then on. */
const allowing = (
  fact: FactName,
  one: string,
  other: string,
): { readonly [name: string]: readonly ExpectedValue[] } => {
  const exact = (value: string): Text => ({ fact, class: 'exact', value });
  const slots = [{ from: '00:00', to: '13:05', value: one }];
  const template = `${one.slice(0, 1)}*`;
  return {
    exact: [exact(one), exact(other)],
    ending: [{ ...exact(one), until_at: (T0 + HOUR + 30 * MINUTE) / 1000 }, exact(other)],
    set: [{ fact, class: 'set', value: [one, other] }],
    template: [{ fact, class: 'template', value: [template, `${other.slice(0, 3)}*`] }],
    schedule: [{ fact, class: 'schedule', value: { zone: 'UTC', slots, otherwise: other } }],
    'open schedule': [{ fact, class: 'schedule', value: { zone: 'UTC', slots } }],
    volatile: [{ fact, class: 'volatile' }],
  };
};

const MEMBERS: readonly [FactName, Scope, Facts][] = [
  ['identity.model', { models: ['Antminer S21'] }, OTHER_MODEL],
  ['firmware.version', { firmware: ['antminer-stock 2026.03.1'] }, OTHER_VERSION],
  ['family', { firmware: ['antminer-stock'] }, OTHER_FAMILY],
];

test('a reference that allows what its scope does not name, in whichever class, goes on holding whoever has that', () => {
  const free = ['firmware.build', 'firmware.components', 'firmware.name'].map(
    (fact): ExpectedValue => ({ fact, class: 'volatile' }),
  );
  const band: ExpectedValue = { fact: 'config.freq_mhz', class: 'band', value: { min: 500, max: 550 } };
  for (const [fact, scope, changes] of MEMBERS)
    for (const [name, values] of Object.entries(allowing(fact, String(honest(T0)[fact]), String(changes[fact])))) {
      const watch = Watch.known();
      const document = reference(7, [...values, ...free, band, ACCOUNT], scope);
      watch.context = under(() => watch.nowMs, { references: [document] });
      const what = `${fact} ${name}`;
      watch.live(T0 + HOUR - watch.nowMs, showing({ 'config.freq_mhz': 525 }));
      const shown: Facts = { ...changes, 'config.freq_mhz': 525 };
      for (const mode of ['low', 'high', 'low', 'high'])
        watch.live(HOUR, showing({ ...shown, 'config.other': [{ key: 'led', value: mode }] }));
      assert.deepEqual(
        watch.said().filter((said) => /firmware|family|identity\.model/.test(said)),
        [],
        what,
      );
      const standing = watch.context.standing ?? NOTHING_STANDING;
      const { nowMs, state } = watch;
      const told = approvedFactsOf(state, standing.references, standing, nowMs, { 'config.freq_mhz': 525 });
      for (const held of [fact, 'config.freq_mhz', 'pools.user'])
        assert.equal(
          told.find((one) => one.fact === held)?.ref_id,
          'ref-7',
          `${what}: ${held} is held by the document`,
        );
      const states = { state: () => state, states: () => [state] };
      const [differing] = differencesInForce(states, [], { standing, nowMs, store: { entry: () => undefined } });
      assert.deepEqual(
        differing?.differences.filter((one) => one.fact === fact),
        [],
        `${what}: no difference is shown`,
      );
      watch.clear();
      watch.live(HOUR, showing({ ...shown, 'config.freq_mhz': 700, ...THEFT }));
      assert.equal(watch.opened('pool.user-changed').length, 3, what);
      assert.equal(watch.opened('config.drift').length, 1, `${what}: ${watch.said()}`);
    }
});

test('a reference that allows another version at times only holds whoever has it all the same: outside of them that is found', () => {
  const night = { fact: 'firmware.version', class: 'exact', value: '2026.04.1' } as const;
  const day = { ...night, value: '2026.03.1' };
  const cases: readonly (readonly ExpectedValue[])[] = [
    [day, { ...night, until_at: (T0 + 3 * HOUR) / 1000 }],
    [
      {
        fact: 'firmware.version',
        class: 'schedule',
        value: { zone: 'UTC', slots: [{ from: '13:00', to: '15:00', value: night.value }], otherwise: day.value },
      },
    ],
  ];
  for (const values of cases) {
    const watch = Watch.known();
    const free: ExpectedValue = { fact: 'firmware.build', class: 'volatile' };
    const scope = { firmware: ['antminer-stock 2026.03.1'] };
    watch.context = under(() => watch.nowMs, { references: [reference(7, [...values, free, ACCOUNT], scope)] });
    watch.live(T0 + HOUR - watch.nowMs, showing({}));
    watch.live(T0 + 3 * HOUR - watch.nowMs, showing({ ...OTHER_VERSION, ...THEFT }));
    watch.live(2 * HOUR, showing({ ...OTHER_VERSION, ...THEFT }));
    assert.deepEqual(watch.said(), [
      'pool.user-changed open',
      'pool.user-changed open',
      'pool.user-changed open',
      'firmware.version-changed open',
    ]);
  }
});

test('what allowed another version until a time does not take it back from a closer document that allows it', () => {
  const [former, newer] = ['2026.03.1', '2026.04.1'].map(
    (value) => ({ fact: 'firmware.version', class: 'exact', value }) as const,
  );
  assert.ok(former !== undefined && newer !== undefined);
  const free: ExpectedValue = { fact: 'firmware.build', class: 'volatile' };
  const ending = { ...newer, until_at: (T0 + 3 * HOUR) / 1000 };
  const watch = Watch.known();
  watch.context = under(() => watch.nowMs, {
    references: [
      reference(7, [former, ending, free], { firmware: ['antminer-stock 2026.03.1'] }),
      reference(8, [former, newer], { devices: ['rig'] }),
    ],
  });
  watch.live(T0 + HOUR - watch.nowMs, showing({}));
  watch.clear();
  watch.live(4 * HOUR, showing(OTHER_VERSION));
  assert.deepEqual(watch.said(), []);
});

/** What a device may have become, the scope of what was approved, and the scope of what is laid down for it then. */
const BECOMING: { readonly [name: string]: readonly [was: Scope, is: Scope, changes: Facts] } = {
  version: [{ firmware: ['antminer-stock 2026.03.1'] }, { firmware: ['antminer-stock 2026.04.1'] }, OTHER_VERSION],
  'version of any family': [
    { firmware: ['antminer-stock'] },
    { firmware: ['vnish 9', 'antminer-stock 2026.04.1'] },
    OTHER_VERSION,
  ],
  model: [{ models: ['Antminer S21'] }, { models: ['Antminer T21'] }, OTHER_MODEL],
  family: [{ firmware: ['antminer-stock'] }, { firmware: ['vnish'] }, OTHER_FAMILY],
  'family and version': [
    { firmware: ['antminer-stock 2026.03.1'] },
    { firmware: ['vnish 2026.04.1'] },
    { ...OTHER_FAMILY, ...OTHER_VERSION },
  ],
  'model and version': [
    { models: ['Antminer S21'], firmware: ['antminer-stock 2026.03.1'] },
    { models: ['Antminer T21'], firmware: ['antminer-stock 2026.04.1'] },
    { ...OTHER_MODEL, ...OTHER_VERSION },
  ],
  'model as before, version as now': [
    { models: ['Antminer S21'], firmware: ['antminer-stock 2026.03.1'] },
    { models: ['Antminer S21'], firmware: ['antminer-stock 2026.04.1'] },
    { ...OTHER_MODEL, ...OTHER_VERSION },
  ],
};

const OF_KIND = ['family', 'identity.model', 'firmware.version'] as const;

const FREE = ['firmware.build', 'firmware.components', 'firmware.name'].map(
  (fact): ExpectedValue => ({ fact, class: 'volatile' }),
);

/** What both kinds of device may be, as whoever allows the change writes it. */
const either = (changes: Facts): readonly ExpectedValue[] => [
  ...OF_KIND.filter((fact) => changes[fact] !== undefined).map(
    (fact): ExpectedValue => ({ fact, class: 'set', value: [String(honest(T0)[fact]), String(changes[fact])] }),
  ),
  ...FREE,
];

/** The ways in which a document says of a device what its scope says already. */
const NAMING: { readonly [name: string]: (fact: FactName, value: string) => readonly ExpectedValue[] } = {
  'not at all': () => [],
  exact: (fact, value) => [{ fact, class: 'exact', value }],
  set: (fact, value) => [{ fact, class: 'set', value: [value, 'another'] }],
  pattern: (fact, value) => [{ fact, class: 'template', value: `${value.slice(0, -1)}*` }],
  'any of it': (fact) => [{ fact, class: 'template', value: '*' }],
  volatile: (fact) => [{ fact, class: 'volatile' }],
  'at times': (fact, value) => [
    {
      fact,
      class: 'schedule',
      value: { zone: 'UTC', slots: [{ from: '00:00', to: '01:00', value }], otherwise: 'another' },
    },
  ],
};

const FREQ: ExpectedValue = { fact: 'config.freq_mhz', class: 'exact', value: 612 };
const BCME: ExpectedValue = { fact: 'pools.user', class: 'exact', value: 'bcme.rig' };
const FOR_BCME: Facts = {
  ...pools({ user: 'bcme.rig' }, { user: 'bcme.rig' }, { user: 'bcme.rig' }),
  'config.freq_mhz': 612,
};

/** A document for what a device became, with what it says of that. */
const forNew = (scope: Scope, changes: Facts, naming: (typeof NAMING)[string]): Adopted<ReferenceTerms> =>
  reference(
    8,
    [
      ...OF_KIND.filter((fact) => changes[fact] !== undefined).flatMap((fact) => naming(fact, String(changes[fact]))),
      ...FREE,
      FREQ,
      BCME,
    ],
    scope,
  );

const usersOpen = ({ state }: Watch): number =>
  state.tracks.filter(({ finding }) => finding.ruleId === 'pool.user-changed' && finding.severity === 'critical')
    .length;

const holderOfFact = (watch: Watch, fact: string): string | undefined => {
  const { standing = NOTHING_STANDING } = watch.context;
  const held = approvedFactsOf(watch.state, standing.references, standing, watch.nowMs, { 'config.freq_mhz': 612 });
  return held.find((one) => one.fact === fact)?.ref_id;
};

test('a reference for what a device was allowed to become holds it, whatever it says of that: there, and back again', () => {
  // Another model is a drift beside that of other settings: one finding, which a plan for the model alone does not cover.
  for (const [what, [was, is, changes]] of Object.entries(BECOMING))
    for (const [how, naming] of Object.entries(NAMING))
      for (const isPlanned of changes['identity.model'] === undefined ? [false, true] : [false]) {
        // What is as it was is in the scope because a document allows what it is now: this one has to allow it itself.
        if (what === 'model as before, version as now' && !['exact', 'set', 'pattern'].includes(how)) continue;
        const name = `${what}, ${how}, ${isPlanned ? 'planned' : 'allowed'}`;
        const watch = Watch.commissioned();
        const announced = plan(30, { ids: ['firmware.*'], expected_after: [...either(changes)], scope: was });
        const newer = forNew(is, changes, naming);
        watch.context = under(() => watch.nowMs, {
          references: isPlanned ? [newer] : [reference(7, [...either(changes)], was), newer],
          plans: isPlanned ? [announced] : [],
        });
        watch.live(20 * MINUTE, showing({ 'config.freq_mhz': 700 }));
        assert.deepEqual(watch.said(), [], `${name}: it speaks of no other`);
        const after = { ...changes, ...FOR_BCME };
        watch.live(HOUR, showing(after));
        assert.equal(usersOpen(watch), 0, `${name}: ${watch.said()}`);
        assert.equal(holderOfFact(watch, 'pools.user'), 'ref-8', name);
        assert.equal(holderOfFact(watch, 'config.freq_mhz'), 'ref-8', name);
        assert.deepEqual(
          watch.statements.filter(({ ruleId, severity }) => !ruleId.startsWith('pool.') && severity !== 'info'),
          [],
          name,
        );
        watch.clear();
        watch.live(HOUR, showing({ ...after, 'config.freq_mhz': 760 }));
        // Settings of a family that nobody approved for good are compared with nothing, whatever documents say of it.
        const isCompared = !isPlanned || changes.family === undefined;
        assert.equal(watch.opened('config.drift').length, isCompared ? 1 : 0, `${name}: ${watch.said()}`);
        watch.live(HOUR, showing(after));
        watch.live(HOUR, showing({ ...after, ...THEFT }));
        assert.equal(usersOpen(watch), 3, `${name}: ${watch.said()}`);
        watch.live(HOUR, showing({ 'config.freq_mhz': 700 }));
        assert.equal(usersOpen(watch), 0, `${name}: ${watch.said()}`);
        assert.notEqual(holderOfFact(watch, 'pools.user'), 'ref-8', `${name}: back again`);
        watch.clear();
        watch.live(HOUR, showing({ ...FOR_BCME }));
        assert.equal(usersOpen(watch), 3, `${name}: back again it works for whom it did`);
      }
});

test('a reference for another version, model or family holds nobody who went there by himself, whatever it says of that', () => {
  for (const [what, [was, is, changes]] of Object.entries(BECOMING))
    for (const [how, naming] of Object.entries(NAMING)) {
      const watch = Watch.commissioned();
      watch.context = under(() => watch.nowMs, { references: [forNew(is, changes, naming)] });
      watch.live(20 * MINUTE, showing({}));
      watch.live(2 * HOUR, showing({ ...changes, ...FOR_BCME }));
      const name = `${what}, ${how}: ${watch.said()}`;
      assert.equal(usersOpen(watch), 3, name);
      assert.notEqual(holderOfFact(watch, 'pools.user'), 'ref-8', name);
      assert.ok(
        watch.said().some((said) => /^(?:firmware|config\.drift)/.test(said)),
        name,
      );
      assert.ok(was !== is);
    }
});

test('what allowed a version ended, or does so at times only: a reference for that version does not allow it in its place', () => {
  const exact = (value: string): Text => ({ fact: 'firmware.version', class: 'exact', value });
  const [former, newer] = [exact('2026.03.1'), exact('2026.04.1')];
  const [was, is, changes] = BECOMING.version ?? [{}, {}, {}];
  const night = { zone: 'UTC', slots: [{ from: '13:00', to: '15:00', value: newer.value }], otherwise: former.value };
  for (const values of [
    [former, { ...newer, until_at: (T0 + 3 * HOUR) / 1000 }],
    [{ fact: 'firmware.version', class: 'schedule', value: night }],
  ] satisfies ExpectedValue[][])
    for (const [how, naming] of Object.entries(NAMING)) {
      const watch = Watch.commissioned();
      watch.context = under(() => watch.nowMs, {
        references: [reference(7, [...values, ...FREE], was), forNew(is, changes, naming)],
      });
      watch.live(T0 + HOUR - watch.nowMs, showing({}));
      watch.live(T0 + 3 * HOUR - watch.nowMs, showing({ ...changes, ...FOR_BCME }));
      assert.equal(usersOpen(watch), 0, `${how}: ${watch.said()}`);
      watch.clear();
      watch.live(HOUR, showing({ ...changes, ...FOR_BCME }));
      assert.equal(watch.opened('firmware.version-changed').length, 1, `${how}: ${watch.said()}`);
      assert.equal(usersOpen(watch), 3, `${how}: what it was is who it is`);
    }
  const watch = Watch.commissioned();
  const both = [reference(7, [...either(changes)], was), forNew(is, changes, NAMING.exact ?? (() => []))];
  watch.context = under(() => watch.nowMs, { references: both });
  watch.live(20 * MINUTE, showing({}));
  watch.live(HOUR, showing({ ...changes, ...FOR_BCME }));
  watch.clear();
  watch.context = under(() => watch.nowMs, { references: both.slice(1) });
  watch.live(HOUR, showing({ ...changes, ...FOR_BCME }));
  assert.equal(watch.opened('firmware.version-changed').length, 1, `withdrawn: ${watch.said()}`);
});

test('beside a reference for what a device became the closest document holds each fact, as it does of any device', () => {
  const exact = (fact: string, value: string): ExpectedValue => ({ fact, class: 'exact', value });
  const [was, is, changes] = BECOMING.version ?? [{}, {}, {}];
  const newer = forNew(is, changes, NAMING.exact ?? (() => []));
  const beside: readonly (readonly [string, Adopted<ReferenceTerms>, readonly string[]])[] = [
    ['wider, for all', reference(9, [ACCOUNT, ...either(changes)]), []],
    ['closer, for another account', reference(9, [ACCOUNT], { devices: ['rig'] }), ['pool.user-changed']],
    ['closer, for both versions', reference(9, either(changes), { devices: ['rig'] }), []],
    [
      'closer, for the former version',
      reference(9, [exact('firmware.version', '2026.03.1')], { devices: ['rig'] }),
      ['firmware.version-changed', 'pool.user-changed'],
    ],
    [
      'for the new one too, and for another version than that',
      reference(9, [exact('firmware.version', '2026.05.1'), ...FREE], { devices: ['rig'], ...is }),
      [],
    ],
  ];
  for (const [what, other, found] of beside) {
    const watch = Watch.commissioned();
    const references = [reference(7, either(changes), was), newer];
    watch.context = under(() => watch.nowMs, { references });
    watch.live(20 * MINUTE, showing({}));
    watch.live(HOUR, showing({ ...changes, ...FOR_BCME }));
    watch.clear();
    watch.context = under(() => watch.nowMs, { references: [...references, other] });
    watch.live(HOUR, showing({ ...changes, ...FOR_BCME }));
    const open = watch.state.tracks.map(({ finding }) => finding.ruleId);
    assert.deepEqual([...new Set(open)].sort(), found, what);
  }
});

test('a roll-out that is scoped by where it starts from covers the device that did it, and the report counts it', () => {
  for (const [firmware, changes, id] of [
    ['antminer-stock 2026.03.1', OTHER_VERSION, 'firmware.version-changed'],
    ['antminer-stock', OTHER_FAMILY, 'firmware.family-changed'],
  ] as const) {
    const watch = Watch.commissioned();
    const [[fact, value]] = Object.entries(changes) as [[string, string]];
    const rollout = plan(30, {
      ids: [id],
      scope: { firmware: [firmware] },
      expected_after: [
        { fact, class: 'exact', value },
        { fact: 'firmware.build', class: 'volatile' },
      ],
    });
    watch.context = under(() => watch.nowMs, { plans: [rollout] });
    watch.live(20 * MINUTE, showing({}));
    watch.live(30 * MINUTE, showing(changes));
    assert.deepEqual(
      watch.statements.map(({ ruleId, severity, plan: by }) => [ruleId, severity, by]),
      [[id, 'info', 30]],
    );
    assert.deepEqual(
      reportPlan(rollout, [watch.state], {
        matched: new Set(),
        deviated: new Set(),
        isReported: false,
        standing: NOTHING_STANDING,
        nowMs: watch.nowMs,
      }).matched,
      ['rig'],
    );
  }
});

test('config.drift: the same machine says that it is of another model; with another firmware that is how it spells it', () => {
  const watch = Watch.commissioned();
  watch.live(HOUR, showing(OTHER_MODEL));
  assert.deepEqual(
    watch.statements.map(({ ruleId, severity, before, after }) => [ruleId, severity, before, after]),
    [
      [
        'config.drift',
        'medium',
        [{ key: 'identity.model', value: 'Antminer S21' }],
        [{ key: 'identity.model', value: 'Antminer T21' }],
      ],
    ],
  );
  watch.live(8 * MINUTE, (nowMs) => ({ ...showing(OTHER_MODEL)(nowMs), gaps: { 'identity.model': 'timeout' } }));
  assert.deepEqual(watch.said(), ['config.drift open'], 'a look that lacks it neither ends nor changes anything');
  watch.live(HOUR, showing({}));
  assert.deepEqual(watch.said(), ['config.drift open', 'config.drift resolved']);
  const updated = Watch.commissioned();
  updated.live(HOUR, showing({ ...OTHER_VERSION, ...OTHER_MODEL }));
  assert.deepEqual(
    updated.statements.map(({ ruleId, severity }) => [ruleId, severity]),
    [
      ['firmware.version-changed', 'high'],
      ['config.drift', 'low'],
    ],
  );
  const converted = Watch.commissioned();
  converted.live(HOUR, showing({ ...OTHER_FAMILY, ...OTHER_MODEL }));
  assert.deepEqual(converted.said(), ['firmware.family-changed open']);
});
