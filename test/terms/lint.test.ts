import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Counted,
  idleDocument,
  isIdle,
  type Line,
  linesUnused,
  noisy,
  type Sighting,
  type Written,
} from '../../agent/terms/lint.ts';

const DAY = 86_400;
const NOW = 1_795_339_200;

const line = (name: string, url: string, user?: string, tenant?: string): Line => ({
  name,
  line: { url, ...(user === undefined ? {} : { user }) },
  ...(tenant === undefined ? {} : { tenant }),
});

const seen = (url: string, user: string | undefined, labels: { readonly [name: string]: string } = {}): Sighting => ({
  device: { labels, facts: { 'identity.serial': 'SN1' }, address: '10.0.0.1' },
  configured: [{ url, user }],
  running: [],
});

const names = (lines: readonly Line[]): readonly string[] => lines.map(({ name }) => name);

test('a line is needed by a device that is set to its pool, or works for it, as its own list has it', () => {
  const site = [
    line('exact', 'stratum+tcp://a.example:3333', 'acme.{serial}'),
    line('any', 'stratum+tcp://*.b.example:3333'),
    line('other', 'stratum+tcp://a.example:3333', 'globex.*'),
  ];
  const none: ReadonlySet<string> = new Set();
  assert.deepEqual(names(linesUnused(site, none, seen('stratum+tcp://a.example:3333', 'acme.SN1'))), ['any', 'other']);
  assert.deepEqual(names(linesUnused(site, none, seen('stratum+tcp://x.b.example:3333', 'who'))), ['exact', 'other']);
  assert.equal(linesUnused(site, none, seen('stratum+tcp://a.example.evil:3333', 'acme.SN1')).length, 3);
  const running = { ...seen('stratum+tcp://z:1', 'z'), running: [{ url: 'stratum+tcp://x.b.example:3333' }] };
  assert.deepEqual(names(linesUnused(site, none, running)), ['exact', 'other']);
  assert.deepEqual(
    names(linesUnused(site, none, seen('stratum+tcp://a.example:3333', undefined))),
    ['any'],
    'a user that is withheld is judged by the URL',
  );
});

test('the list of the site is not that of a tenant who has one, also when nothing of it is left', () => {
  const both = [line('site', 'a.example'), line('acme', 'a.example', undefined, 'acme')];
  const tenants = new Set(['acme']);
  const acme = seen('stratum+tcp://a.example:3333', 'x', { tenant: 'acme' });
  assert.deepEqual(names(linesUnused(both, tenants, acme)), ['site']);
  assert.deepEqual(names(linesUnused(linesUnused(both, tenants, acme), tenants, acme)), ['site']);
  const other = seen('stratum+tcp://a.example:3333', 'x', { tenant: 'globex' });
  assert.deepEqual(names(linesUnused(both, tenants, other)), ['acme'], 'a tenant without a list has that of the site');
});

test('a document is idle when it matched nothing and is over, or has been there so long', () => {
  const written = (changes: Partial<Written>): Written => ({
    ...{ kind: 'waiver', name: 'w', seq: 1, matched: false, sinceS: NOW - 10 * DAY },
    ...changes,
  });
  assert.ok(!isIdle(written({}), NOW, 30));
  assert.ok(isIdle(written({}), NOW, 10));
  assert.ok(isIdle(written({ untilS: NOW }), NOW, 30));
  assert.ok(!isIdle(written({ untilS: NOW, matched: true }), NOW, 30));
  assert.ok(!isIdle(written({ sinceS: NOW + DAY, untilS: NOW + 2 * DAY }), NOW, 1), 'its time is to come');
});

test('an idle plan for what is compared with nothing is told why, and not to compare it with the devices', () => {
  const plan: Written = { kind: 'plan', name: 'fq', seq: 7, matched: false, sinceS: NOW, untilS: NOW + DAY };
  assert.match(
    idleDocument(plan, NOW + DAY, 30).remedy,
    /^compare its scope, ids and expected values with the devices$/,
  );
  const { remedy } = idleDocument({ ...plan, uncompared: ['config.freq_mhz'] }, NOW + DAY, 30);
  assert.match(remedy, /^config\.freq_mhz changes by itself: .* unless a signed reference holds it/);
});

test('more than a quarter of the findings is noise, of a rule or under a waiver; of a few findings nothing is', () => {
  const many = (rule: string, count: number, more: Partial<Counted> = {}): readonly Counted[] =>
    Array.from({ length: count }, (_, at) => ({ rule, device: `rig-${at % 4}`, ...more }));
  const quiet = ['a.a', 'b.b', 'c.c', 'd.d'].flatMap((rule) => many(rule, 5));
  assert.deepEqual(noisy(quiet, [], 30), [], 'a quarter is not more than one');
  const waiver: Written = { kind: 'waiver', name: 'bench', seq: 7, matched: true, sinceS: NOW, owner: 'bob' };
  const loud = noisy([...quiet, ...many('config.drift', 20, { waiver: 7 })], [waiver], 30);
  assert.deepEqual(
    loud.map(({ what, name, message, owner }) => [what, name, message, owner]),
    [
      ['rule', 'config.drift', '20 of 40 findings in 30 days (50 %), on 4 devices', undefined],
      ['waiver', 'bench', 'it covers 20 of 40 findings in 30 days (50 %)', 'bob'],
    ],
  );
  assert.deepEqual(noisy(many('config.drift', 19), [], 30), []);
});
