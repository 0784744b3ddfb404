import assert from 'node:assert/strict';
import { test } from 'node:test';
import { approvedOf } from '../../agent/appraise/approval.ts';
import { approvedFactsOf } from '../../agent/appraise/origin.ts';
import { reportPlan } from '../../agent/appraise/plan-report.ts';
import { NOTHING_STANDING } from '../../agent/baseline/standing.ts';
import { differencesInForce } from '../../agent/desk/differences.ts';
import type { FactName, Facts } from '../../shared/facts.ts';
import type { ExpectedValue, Scope } from '../../shared/terms.ts';
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
