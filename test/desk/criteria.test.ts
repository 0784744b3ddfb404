import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Finding } from '../../agent/appraise/finding.ts';
import { type Config, configSchema } from '../../agent/config/schema.ts';
import { heedCriteria } from '../../agent/desk/criteria.ts';

const BASE = {
  gateway: 'gw-1',
  operator: 'example.org',
  state_dir: 'state',
  devices: [
    { host: '10.0.0.1', name: 'rig-0' },
    { range: '10.0.1.0/24', labels: { row: '7' } },
  ],
};

const configuration = (change: object = {}): Config => configSchema.parse({ ...BASE, ...change });

/** An agent that starts again and again with what the store kept; `stores` is false while the store takes nothing. */
class Desk {
  readonly told: Finding[] = [];
  readonly #meta = new Map<string, string>();

  start(config: Config, { people = 2, stores = true } = {}): readonly string[] {
    const before = this.told.length;
    heedCriteria(config, {
      store: { meta: (name, read) => (this.#meta.has(name) ? read(this.#meta.get(name) ?? '') : undefined) },
      recorder: {
        saveMeta: (name, value) => void this.#meta.set(name, value),
        takeGatewayFinding: (finding) => (stores ? this.told.push(finding) : undefined),
      },
      people,
      nowMs: 1_790_000_000_000,
    });
    return this.told.slice(before).flatMap(({ after }) => Object.values(after ?? {}) as string[]);
  }
}

suite('what the configuration holds devices against', () => {
  const edits: readonly (readonly [part: string, change: object])[] = [
    ['pools.allow', { pools: { allow: [{ url: '*', user: 'acme.*' }] } }],
    ['tenants.allow', { tenants: { acme: { allow: [{ url: '*' }] } } }],
    ['firmware', { firmware: { approved: [{ family: '*', version: '*' }] } }],
    ['nameplates', { nameplates: [{ model: 'S21', power_w: 9000 }] }],
    ['provenance', { provenance: { record: ['lot'] } }],
    ['labels.cooling', { devices: [{ ...BASE.devices[0], labels: { cooling: 'immersion' } }, BASE.devices[1]] }],
    ['schedule', { schedule: { pools: '0 0 1 1 *' } }],
    ['schedule', { coverage_s: 3600 }],
    ['probe', { probe: { max_reply_bytes: 4096 } }],
  ];
  for (const [part, change] of edits) {
    test(`an edit of ${Object.keys(change).join()} is told once, as ${part}, and so is its way back`, () => {
      const desk = new Desk();
      assert.deepEqual(desk.start(configuration()), []);
      assert.deepEqual(desk.start(configuration(change)), [part]);
      assert.deepEqual(desk.start(configuration(change)), []);
      assert.deepEqual(desk.start(configuration()), [part]);
    });
  }

  test('nothing else of the configuration is', () => {
    const desk = new Desk();
    desk.start(configuration());
    const devices = [...BASE.devices, { host: '10.0.0.9', labels: { row: '8' } }];
    assert.deepEqual(desk.start(configuration({ devices, labels: { site: 'tx1' }, log_level: 'debug' })), []);
  });

  test('nor is the order in which tenants stand', () => {
    const [acme, zeta] = [{ allow: [{ url: '*', user: 'acme.*' }] }, { allow: [{ url: '*', user: 'zeta.*' }] }];
    const desk = new Desk();
    desk.start(configuration({ tenants: { acme, zeta } }));
    assert.deepEqual(desk.start(configuration({ tenants: { zeta, acme } })), []);
  });

  test('it is open, high, and says that the configuration was edited', () => {
    const desk = new Desk();
    desk.start(configuration());
    desk.start(configuration({ nameplates: [{ model: 'S21', power_w: 9000 }], coverage_s: 60 }));
    const [finding] = desk.told;
    assert.deepEqual(
      [finding?.ruleId, finding?.state, finding?.severity, finding?.after, finding?.reasons],
      ['change.break-glass', 'open', 'high', { edited: 'nameplates, schedule' }, ['configuration-edited']],
    );
  });

  test('where nobody approves it is not told, also not afterwards; what the store refused is told the next time', () => {
    const desk = new Desk();
    const edited = configuration({ coverage_s: 60 });
    desk.start(configuration(), { people: 0 });
    assert.deepEqual(desk.start(edited, { people: 0 }), []);
    assert.deepEqual(desk.start(edited), []);
    assert.deepEqual(desk.start(configuration(), { stores: false }), []);
    assert.deepEqual(desk.start(configuration()), ['schedule']);
  });
});
