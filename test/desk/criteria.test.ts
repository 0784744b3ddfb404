import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { stringify } from 'yaml';
import type { Finding } from '../../agent/appraise/finding.ts';
import { type LoadedConfig, parseConfig } from '../../agent/config/load.ts';
import { heedCriteria } from '../../agent/desk/criteria.ts';
import { SECRET } from '../notify/receiver.ts';
import { ACME } from '../outside/example.ts';

const BASE = {
  gateway: 'gw-1',
  operator: 'example.org',
  state_dir: 'state',
  devices: [
    { host: '10.0.0.1', name: 'rig-0' },
    { range: '10.0.1.0/24', labels: { row: '7' } },
  ],
};

const FOLDER = mkdtempSync(join(tmpdir(), 'assayer-criteria-'));
after(() => rmSync(FOLDER, { recursive: true }));

type Said = Pick<LoadedConfig, 'config' | 'written'>;

const read = (text: string): Said => {
  const parsed = parseConfig(text, FOLDER);
  if (parsed.kind === 'good') return parsed;
  throw new Error(parsed.problems.map(({ message }) => message).join());
};

const configuration = (change: object = {}): Said => read(stringify({ ...BASE, ...change }));

const file = (name: string, text: string): string => {
  writeFileSync(join(FOLDER, name), text);
  return name;
};

/** An agent that starts again and again with what the store kept; `stores` is false while the store takes nothing. */
class Desk {
  readonly told: Finding[] = [];
  readonly meta = new Map<string, string>();

  start(said: Said, { people = 2, stores = true } = {}): readonly string[] {
    const before = this.told.length;
    heedCriteria(said, {
      store: { meta: (name, read) => (this.meta.has(name) ? read(this.meta.get(name) ?? '') : undefined) },
      recorder: {
        saveMeta: (name, value) => void this.meta.set(name, value),
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
    ['schedule', { schedule: { pools: '0 0 1 1 *' } }],
    ['schedule', { coverage_s: 3600 }],
    ['probe', { probe: { max_reply_bytes: 4096 } }],
    ['notify', { notify: [{ name: 'pager', command: ['/bin/true'] }] }],
    // An empty one allows nothing.
    ['pools.allow', { pools: { allow: [] } }],
    ['tenants.allow', { tenants: { acme: { allow: [] } } }],
    ['firmware', { firmware: { approved: [] } }],
  ];
  for (const [part, change] of edits) {
    test(`the edit ${JSON.stringify(change)} is told once, as ${part}, and so is its way back`, () => {
      const desk = new Desk();
      assert.deepEqual(desk.start(configuration()), []);
      assert.deepEqual(desk.start(configuration(change)), [part]);
      assert.deepEqual(desk.start(configuration(change)), []);
      assert.deepEqual(desk.start(configuration()), [part]);
    });
  }

  test('so is a target that goes, is told less, or tells somebody else; the order of targets says nothing', () => {
    const secret_file = file('pager-secret', SECRET);
    const pager = { name: 'pager', webhook: { url: 'https://pager.example/x', secret_file }, least: 'high' };
    const chat = { name: 'chat', command: ['/bin/true'] };
    const edits: readonly (readonly object[])[] = [
      [chat],
      [{ ...pager, least: 'critical' }, chat],
      [{ ...pager, ids: ['firmware.*'] }, chat],
      [{ ...pager, states: ['resolved'] }, chat],
      [{ ...pager, webhook: { ...pager.webhook, url: 'https://pager.example/y' } }, chat],
      [pager, { ...chat, command: ['/bin/false'] }],
    ];
    for (const notify of edits) {
      const desk = new Desk();
      desk.start(configuration({ notify: [pager, chat] }));
      assert.deepEqual(desk.start(configuration({ notify })), ['notify'], JSON.stringify(notify));
      assert.deepEqual(desk.start(configuration({ notify: [chat, pager] })), ['notify'], 'and its way back');
      assert.deepEqual(desk.start(configuration({ notify: [pager, { ...chat, least: 'medium' }] })), []);
    }
  });

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

  test('what says as much as before is no edit, however it is written', () => {
    const pools = { allow: [{ url: '*', user: 'acme.*' }] };
    const firmware = { approved: [{ family: '*', version: '*' }] };
    const desk = new Desk();
    desk.start(configuration({ pools, firmware }));
    for (const same of [
      { schedule: { pools: '* * * * *' }, probe: { concurrency: 256 }, confirm_s: 10, coverage_s: 900 },
      { tenants: {}, nameplates: [], schedule: {}, probe: { management_ports: [] } },
      { provenance: {} },
      { provenance: { lists: {}, record: [] } },
      { firmware: { ...firmware, advisories: [] } },
      { firmware: { file: file('firmware.yaml', stringify(firmware)) } },
      { pools: { allow: [{ user: 'acme.*', url: '*' }] } },
    ])
      assert.deepEqual(desk.start(configuration({ pools, firmware, ...same })), [], JSON.stringify(same));
    const text = `${stringify({ ...BASE, firmware })}pools: { allow: &a ${JSON.stringify(pools.allow)} }\ntenants: { acme: { allow: *a } }\n`;
    assert.deepEqual(desk.start(read(text)), ['tenants.allow']);
    assert.deepEqual(desk.start(configuration({ pools, firmware, tenants: { acme: pools } })), []);
  });

  test('nor is a list whose lines stand in another order, twice, or in another spelling', () => {
    const lines = [{ url: 'stratum+tcp://*.pool.example:3333', user: 'acme.*' }, { url: 'backup.example' }];
    const respelled = [{ url: 'STRATUM+TCP://*.Pool.example.:3333/', user: 'acme.*' }, { url: 'Backup.Example' }];
    const firmware = { approved: [{ version: '1' }, { version: '2' }], advisories: ADVISORIES };
    const desk = new Desk();
    desk.start(configuration({ pools: { allow: lines }, tenants: { acme: { allow: lines } }, firmware }));
    for (const allow of [lines.toReversed(), [...lines, ...lines], respelled])
      assert.deepEqual(desk.start(configuration({ pools: { allow }, tenants: { acme: { allow } }, firmware })), []);
    const turned = { approved: firmware.approved.toReversed(), advisories: ADVISORIES.toReversed() };
    const same = { pools: { allow: lines }, tenants: { acme: { allow: lines } } };
    assert.deepEqual(desk.start(configuration({ ...same, firmware: turned })), []);
    for (const allow of [
      lines.slice(1),
      [...lines, { url: 'backup.example', user: '*' }],
      [{ url: 'account@backup.example' }],
    ])
      assert.deepEqual(desk.start(configuration({ ...same, pools: { allow }, firmware })), ['pools.allow']);
  });

  test('what the version before kept of lists is taken on: their order then is no edit now, and what was edited meanwhile is', () => {
    const lines = [{ url: 'b.example' }, { url: 'A.example' }];
    for (const [allow, told] of [
      [lines, []],
      [[...lines, { url: 'c.example' }], ['pools.allow']],
    ] as const) {
      const desk = new Desk();
      desk.meta.set('criteria', SECOND);
      assert.deepEqual(desk.start(configuration({ pools: { allow } })), told);
      assert.deepEqual(desk.start(configuration({ pools: { allow: allow.toReversed() } })), []);
    }
  });

  test('an empty list of advisories, and firmware without any list, is no edit', () => {
    const nothing = file('nothing.yaml', 'advisories: []\n');
    for (const firmware of [{ advisories: [] }, {}, { file: nothing }, { file: nothing, advisories: [] }]) {
      const change = { firmware };
      const desk = new Desk();
      desk.start(configuration());
      assert.deepEqual(desk.start(configuration(change)), []);
      assert.deepEqual(desk.start(configuration()), []);
    }
  });

  test('the firmware file is part of it', () => {
    const [one, other] = ['1', '2'].map((version) => stringify({ approved: [{ version }] })) as [string, string];
    const desk = new Desk();
    desk.start(configuration({ firmware: { file: file('approved.yaml', one) } }));
    assert.deepEqual(desk.start(configuration({ firmware: { file: file('approved.yaml', other) } })), ['firmware']);
    assert.deepEqual(desk.start(configuration({ firmware: { file: file('approved.yaml', `# same\n${other}`) } })), []);
  });

  test('driver files are part of it, by what they say', () => {
    const desk = new Desk();
    desk.start(configuration());
    assert.deepEqual(desk.start(configuration({ drivers: [file('acme.yaml', ACME)] })), ['drivers']);
    assert.deepEqual(desk.start(configuration({ drivers: [file('same.yaml', `# so\n${ACME}`)] })), []);
    assert.deepEqual(desk.start(configuration({ drivers: [file('acme.yaml', OTHER)] })), ['drivers']);
    assert.deepEqual(desk.start(configuration()), ['drivers']);
  });

  test('a default of a later version is no edit, and hides none that comes with it', () => {
    const desk = new Desk();
    const later = ({ config, written }: Said): Said => ({
      written,
      config: { ...config, confirm_s: 12, probe: { ...config.probe, ...{ new_member: 7 } } },
    });
    desk.start(configuration());
    assert.deepEqual(desk.start(later(configuration())), []);
    assert.deepEqual(desk.start(later(configuration({ coverage_s: 60 }))), ['schedule']);
    assert.deepEqual(desk.start(configuration({ coverage_s: 60 })), []);
  });

  test('what a former version kept is taken on: nothing is told of what it did not keep, and what was edited meanwhile is', () => {
    for (const [change, told] of [
      [{}, []],
      [{ drivers: [], devices: [{ ...BASE.devices[0], ports: { http: 81 } }] }, []],
      [{ coverage_s: 60 }, ['schedule']],
      [{ pools: { allow: [] } }, ['pools.allow']],
    ] as const) {
      const desk = new Desk();
      desk.meta.set('criteria', FORMER);
      assert.deepEqual(desk.start(configuration(change)), told);
      assert.deepEqual(desk.start(configuration(change)), []);
      const entries = [...configuration(change).written.devices].map((entry) => ({ ...entry, ports: { http: 82 } }));
      assert.equal(desk.start(configuration({ ...change, devices: entries }))[0], 'devices');
    }
  });
});

/** What the version before wrote of `BASE`. */
const FORMER = JSON.stringify({
  'pools.allow': 'dCNOmK_nSY-12vHzasLXiswzlGT5UHA7jAGYkvmCuQs',
  'tenants.allow': 'RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o',
  firmware: 'dCNOmK_nSY-12vHzasLXiswzlGT5UHA7jAGYkvmCuQs',
  nameplates: 'T1PNoYwrqgwDVLtfmj7L5e0Sq02OEbqHPC8RFhICuUU',
  provenance: 'dCNOmK_nSY-12vHzasLXiswzlGT5UHA7jAGYkvmCuQs',
  'labels.cooling': 'HY_GzrH5TGMm1tVIPSWPyy4XnphpMlskXRBcIhm_af0',
  probe: 'h0eC2FirP8_V7r89L608NUPoC-4kW44Qxs1qansS_aQ',
  schedule: 'dHZe27n8x3UZUYow8_RARu8BvhyV4UCaZvSROrLzM6I',
});

/** What the version before wrote of `BASE` with a list of two lines that stand in no order. */
const SECOND = JSON.stringify({
  form: 2,
  written: {
    'pools.allow': 'koc4tBy1A-OSVnnjVZx09Qamk-6rpwwPlGtrSywOTrQ',
    'tenants.allow': 'RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o',
    firmware: 'dCNOmK_nSY-12vHzasLXiswzlGT5UHA7jAGYkvmCuQs',
    nameplates: 'dCNOmK_nSY-12vHzasLXiswzlGT5UHA7jAGYkvmCuQs',
    provenance: 'dCNOmK_nSY-12vHzasLXiswzlGT5UHA7jAGYkvmCuQs',
    probe: 'dCNOmK_nSY-12vHzasLXiswzlGT5UHA7jAGYkvmCuQs',
    schedule: '_kSozM2J7a5wtUxeWDmZeb19ixJkOoOWrWLQiaeBtpI',
    drivers: 'T1PNoYwrqgwDVLtfmj7L5e0Sq02OEbqHPC8RFhICuUU',
  },
  effective: {
    'pools.allow': 'koc4tBy1A-OSVnnjVZx09Qamk-6rpwwPlGtrSywOTrQ',
    'tenants.allow': 'RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o',
    firmware: 'dCNOmK_nSY-12vHzasLXiswzlGT5UHA7jAGYkvmCuQs',
    nameplates: 'T1PNoYwrqgwDVLtfmj7L5e0Sq02OEbqHPC8RFhICuUU',
    provenance: 'dCNOmK_nSY-12vHzasLXiswzlGT5UHA7jAGYkvmCuQs',
    probe: 'h0eC2FirP8_V7r89L608NUPoC-4kW44Qxs1qansS_aQ',
    schedule: 'dHZe27n8x3UZUYow8_RARu8BvhyV4UCaZvSROrLzM6I',
    drivers: 'T1PNoYwrqgwDVLtfmj7L5e0Sq02OEbqHPC8RFhICuUU',
  },
  devices: [
    { host: '10.0.0.1', name: 'rig-0', ports: {} },
    { range: '10.0.1.0/24', ports: {} },
  ],
});

const ADVISORIES = [
  { id: 'CVE-2026-1', family: 'axeos', fixed_in: '2' },
  { id: 'CVE-2026-2', family: 'axeos', fixed_in: '3' },
];

/** The same driver, that looks for the pools elsewhere. */
const OTHER = ACME.replace('at: /POOLS,', 'at: /OTHERS,');

suite('how devices are asked', () => {
  const login = { password_file: file('login', 'secret\n') };
  const credentials = { one: login, other: login };
  const rig = { host: '10.0.0.1', name: 'rig-0' };
  const block = { range: '10.0.1.0/24' };

  /** What a start with these entries, after one with those, tells: the parts, then the entries. */
  const told = (before: readonly object[], now: readonly object[]): readonly string[] => {
    const desk = new Desk();
    desk.start(configuration({ credentials, devices: before }));
    const said = desk.start(configuration({ credentials, devices: now }));
    assert.deepEqual(desk.start(configuration({ credentials, devices: now })), []);
    return said;
  };

  const edits: readonly (readonly [
    what: string,
    before: readonly object[],
    now: readonly object[],
    entries: string,
  ])[] = [
    ['ports of a host', [rig, block], [{ ...rig, ports: { cgminer: 5028 } }, block], '10.0.0.1'],
    ['ports of a host without a name', [{ host: '10.0.0.1' }], [{ host: '10.0.0.1', ports: { http: 81 } }], '10.0.0.1'],
    ['ports of a range', [rig, block], [rig, { ...block, ports: { http: 81 } }], '10.0.1.0/24'],
    ['a log-in that is given', [rig], [{ ...rig, credentials: 'one' }], '10.0.0.1'],
    ['a log-in that is exchanged', [{ ...rig, credentials: 'one' }], [{ ...rig, credentials: 'other' }], '10.0.0.1'],
    ['a log-in that is taken away', [{ ...block, credentials: 'one' }], [block], '10.0.1.0/24'],
    ['ports and name at once', [rig], [{ host: '10.0.0.1', name: 'rig-9', ports: { http: 81 } }], '10.0.0.1'],
    ['a named position that is led elsewhere', [rig, block], [{ ...rig, host: '10.0.0.9' }, block], '10.0.0.9'],
    [
      'two that exchange their addresses',
      [rig, { host: '10.0.0.2', name: 'rig-1' }],
      [
        { ...rig, host: '10.0.0.2' },
        { host: '10.0.0.1', name: 'rig-1' },
      ],
      '10.0.0.2, 10.0.0.1',
    ],
    ['a position that is led into a range', [rig, block], [{ ...rig, host: '10.0.1.7' }, block], '10.0.1.7'],
    ['ports and address at once', [rig], [{ host: '10.0.0.9', name: 'rig-0', ports: { http: 81 } }], '10.0.0.9'],
    [
      'a range that is split',
      [block],
      [{ range: '10.0.1.1-10.0.1.99' }, { range: '10.0.1.100-10.0.1.254', credentials: 'one' }],
      '10.0.1.100-10.0.1.254',
    ],
    ['an address that leaves its range', [block], [block, { host: '10.0.1.7', ports: { http: 81 } }], '10.0.1.7'],
    [
      'one of two machines behind an address',
      [rig, { host: '10.0.0.1', name: 'rig-1', ports: { cgminer: 5028 } }],
      [rig, { host: '10.0.0.1', name: 'rig-1', ports: { cgminer: 6028 } }],
      '10.0.0.1',
    ],
  ];
  const cooled = { labels: { cooling: 'immersion' } };
  test('how what stays is cooled is told, under its own name, also where another label stands for the whole site', () => {
    assert.deepEqual(told([rig, block], [{ ...rig, ...cooled }, block]), ['labels.cooling', '10.0.0.1']);
    assert.deepEqual(told([{ ...rig, ...cooled }], [rig]), ['labels.cooling', '10.0.0.1']);
    const desk = new Desk();
    desk.start(configuration());
    assert.deepEqual(desk.start(configuration(cooled)), ['labels.cooling', '10.0.0.1, 10.0.1.0/24']);
    assert.deepEqual(
      desk.start(configuration({ devices: BASE.devices.map((one) => ({ ...one, ...cooled })) })),
      [],
      'said by each entry in place of the site',
    );
    const both = { ...rig, ...cooled, ports: { http: 81 } };
    assert.deepEqual(told([rig], [both]), ['devices, labels.cooling', '10.0.0.1']);
  });

  for (const [what, before, now, entries] of edits)
    test(`${what}: told once, with the entries, and so is the way back`, () => {
      assert.deepEqual(told(before, now), ['devices', entries]);
      assert.equal(told(now, before)[0], 'devices');
    });

  const ordinary: readonly (readonly [what: string, before: readonly object[], now: readonly object[]])[] = [
    ['an entry that comes', [rig], [rig, { ...block, ports: { http: 81 }, credentials: 'one' }]],
    ['an entry that goes', [rig, { ...block, credentials: 'one' }], [rig]],
    ['another machine behind an address', [rig], [rig, { ...rig, name: 'rig-1', ports: { cgminer: 5028 } }]],
    ['the usual port written out, and no port at all', [rig], [{ ...rig, ports: { http: 80 } }]],
    ['an empty map of ports', [rig], [{ ...rig, ports: {} }]],
    ['another name', [{ ...rig, credentials: 'one' }], [{ ...rig, name: 'rig-7', credentials: 'one' }]],
    ['another order', [rig, { ...block, credentials: 'one' }], [{ credentials: 'one', ...block }, rig]],
    ['a range that is split', [block], [{ range: '10.0.1.1-10.0.1.99' }, { range: '10.0.1.100-10.0.1.254' }]],
    ['labels', [rig], [{ ...rig, labels: { row: '9' } }]],
    ['a position without a name that is elsewhere: it is another one', [{ host: '10.0.0.1' }], [{ host: '10.0.0.9' }]],
    ['an address that leaves its range for a position', [block], [{ ...rig, host: '10.0.1.7' }, block]],
    ['an entry that is cooled otherwise and comes', [rig], [{ ...block, labels: { cooling: 'hydro' } }, rig]],
  ];
  for (const [what, before, now] of ordinary)
    test(`${what}: not told, in both directions`, () => {
      assert.deepEqual(told(before, now), []);
      assert.deepEqual(told(now, before), []);
    });

  test('of many entries the first are named', () => {
    const rigs = Array.from({ length: 11 }, (_, at) => ({ host: `10.0.0.${at + 1}` }));
    const entries = told(
      rigs,
      rigs.map((one) => ({ ...one, credentials: 'one' })),
    ).at(-1);
    assert.equal(
      entries,
      `${rigs
        .slice(0, 8)
        .map(({ host }) => host)
        .join(', ')} and 3 more`,
    );
  });

  test('of a log-in only the name is kept', () => {
    const said = (login: object) => {
      const desk = new Desk();
      desk.start(configuration({ credentials: { one: login }, devices: [{ ...rig, credentials: 'one' }] }));
      return desk.meta.get('criteria');
    };
    const secret = { user: 'root', password_file: file('password', 'hunter2\n') };
    assert.equal(said(secret), said({ user: 'another', password_file: file('password-2', 'sunshine\n') }));
    assert.match(said(secret) ?? '', /"credentials":"one"/);
  });
});
