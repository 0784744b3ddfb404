import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { gatewayFinding } from '../../agent/appraise/gateway-finding.ts';
import { RULES, ruleOf } from '../../agent/appraise/index.ts';
import type { RuleEntry } from '../../agent/appraise/rule.ts';
import { endingOf, isCoverable, takesTwo } from '../../agent/appraise/who-approves.ts';
import { command } from '../../agent/cli/program.ts';
import type { Handed } from '../../agent/desk/adoption.ts';
import { differencesInForce } from '../../agent/desk/differences.ts';
import { reviewFinding } from '../../agent/desk/review.ts';
import { type ControlRequest, serveControl } from '../../agent/platform/control.ts';
import { AgentError } from '../../agent/platform/errors.ts';
import { Store } from '../../agent/record/store.ts';
import { readDraft, type TermsKind } from '../../agent/terms/draft.ts';
import type { Facts } from '../../shared/facts.ts';
import { formatSignedTerms } from '../../shared/signed-terms.ts';
import type { ExpectedValue, Plan, ReferenceTerms } from '../../shared/terms.ts';
import { pools } from '../appraise/watch.ts';
import { People } from '../record/approvers.ts';
import { deskOf } from '../record/desk.ts';
import { Recording } from '../record/recording.ts';
import { configured } from './assayer.ts';

/** What `findings show` tells people to type, typed as it stands there: the finding ends, or the refusal is what was said. */

const PEOPLE = { 0: new People(), 1: new People('alice'), 2: new People('alice', 'bob') } as const;
type Count = keyof typeof PEOPLE;

/** What rules speak of, beside what every device tells: an acceptance ends no finding of what is not attested. */
const TOLD: Facts = { 'access.cloud': false, 'access.open_ports': [80], 'firmware.medium': 'ota_1' };

/** A gateway with this many approvers, whose two devices were learned; `stands` puts a finding there. */
class Site {
  readonly recording: Recording;
  readonly #people: People;
  readonly #changes: ReturnType<Recording['changes']>;

  private constructor(t: TestContext, count: Count, devices: readonly string[]) {
    this.recording = new Recording(t, devices, { sinceMs: Date.now() });
    this.#people = PEOPLE[count];
    this.#changes = this.recording.changes(this.#people);
  }

  static async open(t: TestContext, count: Count, devices: readonly string[] = ['rig-1', 'rig-2']): Promise<Site> {
    const site = new Site(t, count, devices);
    const { recording } = site;
    await recording.learnAll();
    for (const id of recording.states.keys()) await recording.looks(id, 2, TOLD);
    recording.recorder.writeLearned();
    site.#changes.resume();
    const { dir } = recording;
    const approvers = Object.fromEntries(
      [...site.#people.names.values()].map((name) => {
        writeFileSync(join(dir, `${name}.jwk.json`), JSON.stringify(site.#people.jwk(name)));
        return [name, `${name}.jwk.json`];
      }),
    );
    configured(dir, { approvers });
    process.chdir(dir);
    const door = await serveControl(dir, async (request) => site.#answer(request));
    t.after(() => door.close());
    return site;
  }

  #answer(request: ControlRequest): unknown {
    const { recording } = this;
    const { recorder, clock } = recording;
    clock.wall = Math.max(clock.wall, Date.now());
    const { fleet, preview, accept } = deskOf(recording, () => this.#changes.people());
    switch (request.do) {
      case 'preview-accept':
        return preview(request);
      case 'accept':
        return accept(request);
      case 'review': {
        using store = Store.openReadOnly(recording.dir);
        const { opened_seq: seq, action, by, note } = request;
        const review = { action, by, ...(note === undefined ? {} : { note }) };
        return reviewFinding(seq, review, { states: fleet.states(), recorder, store });
      }
      case 'preview-adopt':
      case 'adopt': {
        const { document, break_glass: breakGlass } = request;
        const handed: Handed =
          'doc' in document ? { kind: 'signed', ...document, breakGlass } : { kind: 'local', ...document, breakGlass };
        return request.do === 'adopt'
          ? this.#changes.adopt(handed, request.ends)
          : this.#changes.previewAdoption(handed);
      }
      case 'approved':
        return this.#changes.approved(request.device);
      case 'differences': {
        const { standing } = recording.orders;
        return differencesInForce(fleet, request.devices, { standing, nowMs: clock.wall, store: recording.store });
      }
      default:
        throw new AgentError({ code: 'control.unknown', message: request.do, remedy: 'none' });
    }
  }

  /** A confirmed finding of this rule: about the device, or the gateway. Gives its number. */
  stands(
    rule: RuleEntry,
    about: { readonly reasons?: readonly string[]; readonly plan?: number; readonly waiver?: number } = {},
  ): number {
    const { recorder, clock } = this.recording;
    const now = Math.floor(clock.wall / 1000);
    const finding = {
      ruleId: rule.id,
      state: 'open' as const,
      severity: rule.severity,
      severityBase: rule.severity,
      basis: rule.basis,
      ruleVersion: rule.version,
      firstObservedAt: now,
      confirmedAt: now,
      surfaces: [],
      ...about,
    };
    if (!isCoverable(rule.id)) return recorder.takeGatewayFinding(finding, ['rig-1']) ?? -1;
    const before = this.recording.state('rig-1');
    const track = { finding, clear: 0, changesMs: [] };
    recorder.take({
      before,
      marks: before.marks,
      address: before.address,
      look: { kind: 'unreachable', atMs: clock.wall },
      verdict: { state: { ...before, tracks: [...before.tracks, track] }, changed: true, transitions: [finding] },
    });
    recorder.flush();
    const { openedSeq, parent } = this.recording.state('rig-1').tracks.at(-1)?.finding ?? {};
    return openedSeq ?? parent ?? -1;
  }

  /** A plan that everybody signed who has to, where somebody does. Gives its entry. */
  planned(changes: Pick<Plan, 'ids'> & Partial<Plan>): number {
    const now = Math.floor(this.recording.clock.wall / 1000);
    const plan: Plan = {
      kind: 'plan',
      plan_id: 'move',
      iat: now,
      type: 'change',
      scope: {},
      expected_after: [{ fact: 'pools.user', class: 'exact', value: 'acme2.x' }],
      not_before_at: now,
      not_after_at: now + 7200,
      author: 'alice',
      ...changes,
    };
    const names = [...this.#people.names.values()];
    const handed: Handed =
      names.length === 0
        ? { kind: 'local', terms: plan, by: 'carol' }
        : { kind: 'signed', ...this.#people.sign(plan, ...names) };
    return this.#changes.adopt(handed).seq;
  }

  /** A reference of these values that everybody signed who has to. */
  holds(values: ReferenceTerms['values'], version = 1): void {
    const before = this.#changes.all().find(({ terms }) => terms.kind === 'reference' && terms.ref_id === 'site');
    const follows = before === undefined ? {} : { prev_sha256: before.sha256 };
    const terms = { kind: 'reference', ref_id: 'site', version, ...follows, values } as const;
    this.#changes.adopt({ kind: 'signed', ...this.#people.sign(terms, ...this.#people.names.values()) });
  }

  /** What a person types, and what is said. */
  async type(...words: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
    let text = '';
    const into = { write: (part: string) => (text += part) };
    process.exitCode = undefined;
    try {
      await command(words, { out: into, err: into, input: new PassThrough().end() });
      return { code: Number(process.exitCode ?? 0), text };
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      return { code: 2, text: `${text}${error.message} ${error.remedy}` };
    } finally {
      process.exitCode = undefined;
    }
  }

  /** What `findings show` says of who can approve it, and the lines to type that stand there. */
  async advice(number: number): Promise<{ readonly who: string; readonly lines: readonly (readonly string[])[] }> {
    const { text } = await this.type('findings', 'show', String(number));
    const who = /^ +who can approve +(.*)$/m.exec(text)?.[1] ?? '';
    const lines = [...who.matchAll(/assayer ((?:[^;,"]|"[^"]*")+)/g)].map(([, words = '']) =>
      [...words.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? ''),
    );
    return { who, lines };
  }

  state(number: number): string {
    using store = Store.openReadOnly(this.recording.dir);
    const all = store.findings({ open: false, limit: 1000 });
    return all.find(({ finding }) => finding.openedSeq === number)?.finding.state ?? 'none';
  }

  /** A draft, signed by everybody who has to, in force. */
  async handOver(file: string, kind: TermsKind): Promise<void> {
    const { code, text } = await this.tryHandOver(file, kind);
    assert.equal(code, 0, text);
  }

  /** What is said of a draft that everybody signed who has to. */
  async tryHandOver(
    file: string,
    kind: TermsKind,
    words: readonly string[] = ['--yes'],
  ): Promise<{ readonly code: number; readonly text: string }> {
    const draft = readDraft(readFileSync(file, 'utf8'), { kind, nowS: Math.floor(this.recording.clock.wall / 1000) });
    assert.ok(draft.kind === 'good', JSON.stringify(draft));
    writeFileSync('signed.json', formatSignedTerms(this.#people.sign(draft.terms, ...this.#people.names.values())));
    return await this.type(kind === 'reference' ? 'baseline' : kind, 'adopt', 'signed.json', ...words);
  }
}

const FINDINGS = RULES.filter(({ id }) => id !== 'baseline.learned' && id !== 'baseline.promoted');

/** Types what `show` says of the finding, and holds what comes of it against that. */
const follow = async (site: Site, number: number, rule: RuleEntry, count: Count): Promise<void> => {
  const { who, lines } = await site.advice(number);
  const [line = []] = lines;
  const approve = async (...words: readonly string[]) =>
    await site.type('findings', 'approve', String(number), '--by', 'carol', '--yes', ...words);
  const ending = endingOf({ ruleId: rule.id });
  if (ending.kind !== 'facts' && ending.kind !== 'device') {
    const { code, text } = await approve();
    assert.equal(code, 2, text);
    assert.ok(text.endsWith(who), `${text}\n${who}`);
    assert.equal(site.state(number), 'open');
  }
  if (isCoverable(rule.id) && rule.approval !== 'AN') {
    const { code, text } = await site.type('findings', 'close', String(number), '--note', 'over');
    assert.equal(code, 2, text);
    assert.ok(text.endsWith(`Who can approve it: ${who}`), `${text}\n${who}`);
    assert.equal(site.state(number), 'open');
  }
  switch (ending.kind) {
    case 'itself':
      assert.deepEqual([lines.length, /^nobody has to: it ends by itself/.test(who)], [0, true]);
      return;
    case 'other':
      assert.equal((await site.type(...line)).code, 1);
      return;
    case 'close': {
      const { code, text } = await site.type(...line, '--by', 'carol');
      assert.deepEqual([code, site.state(number)], [0, 'incident-closed'], text);
      return;
    }
    case 'waive': {
      if (line[0] === 'findings') {
        const { code, text } = await site.type(...line, '--by', 'carol', '--yes');
        assert.equal(code, 0, text);
      } else {
        const { code, text } = await site.type(...line);
        assert.equal(code, 0, text);
        await site.handOver(`finding-${number}.yaml`, 'waiver');
      }
      const [waiver] = site.recording.orders.standing.waivers;
      assert.deepEqual([waiver?.terms.waiver_id, waiver?.terms.ids], [`finding-${number}`, [rule.id]]);
      return;
    }
    case 'facts':
    case 'device':
      break;
  }
  if (count > 0 && takesTwo({ ruleId: rule.id })) {
    const { code, text } = await approve();
    assert.equal(code, 1, text);
    const signers = count === 1 ? 'the approver of this gateway has' : 'two approvers have';
    assert.match(text, new RegExp(`not accepted: .* ${signers} to sign, or that has to be planned`));
    assert.equal(site.state(number), 'open');
  }
  if (line[0] === 'baseline') {
    assert.equal((await site.type(...line)).code, 0);
    await site.handOver(`finding-${number}.yaml`, 'reference');
  } else {
    const { code, text } = await site.type(...line, '--yes', '--by', 'carol');
    assert.equal(code, 0, `${line.join(' ')}: ${text}`);
  }
  if (isCoverable(rule.id)) assert.equal(site.state(number), 'approved', who);
  else assert.ok(site.recording.state('rig-1').reference?.entries.some(({ approval }) => approval === 'local'));
  const broken = site.recording.openFindings().some((one) => one.startsWith('change.break-glass'));
  assert.equal(broken, line.includes('--break-glass'), who);
};

for (const count of [0, 1, 2] as const)
  test(`with ${count} approvers, what show tells people to type of each finding ends it, and what it says nobody can do is refused with the same words`, async (t) => {
    assert.ok(FINDINGS.length > 45);
    for (const rule of FINDINGS) {
      const site = await Site.open(t, count);
      if (endingOf({ ruleId: rule.id }).kind === 'other') site.stands(entry('pool.user-changed'));
      const number = site.stands(
        rule,
        endingOf({ ruleId: rule.id }).kind === 'other' ? { reasons: ['pool.user-changed'] } : {},
      );
      assert.ok(number > 0, rule.id);
      await t.test(rule.id, async () => await follow(site, number, rule, count));
    }
  });

const entry = (id: string): RuleEntry => {
  const rule = ruleOf(id);
  assert.ok(rule !== undefined);
  return rule;
};

const shown = async (site: Site, number: number): Promise<string> =>
  (await site.type('findings', 'show', String(number))).text;

test('what a plan covers one person approves, and show names the plan with its ticket and window', async (t) => {
  const site = await Site.open(t, 2);
  const seq = site.planned({ ids: ['pool.*'], ticket: 'CHG-7' });
  const number = site.stands(entry('pool.user-changed'), { plan: seq });
  const text = await shown(site, number);
  assert.match(
    text,
    new RegExp(
      `^ +plan +move \\(CHG-7\\), announced for \\d{4}-.* UTC to \\d{4}-.* UTC; entry ${seq} of the log$`,
      'm',
    ),
  );
  const { who, lines } = await site.advice(number);
  assert.match(who, /^one person, because a plan covers it: /);
  assert.equal((await site.type(...(lines[0] ?? []), '--yes')).code, 0);
  assert.equal(site.state(number), 'approved');
});

test('what a plan covers is not approved by one person together with what it does not cover: show says so before the refusal does', async (t) => {
  for (const count of [1, 2] as const) {
    const site = await Site.open(t, count);
    const { recording } = site;
    site.planned({ ids: ['pool.user-changed'] });
    await settle(
      site,
      pools({ url: 'stratum+tcp://pool.attacker.net:3333', user: 'acme2.x' }, { user: 'acme2.x' }, { user: 'acme2.x' }),
    );
    const tracks = recording.state('rig-1').tracks.map(({ finding }) => finding);
    const other = tracks.find(({ ruleId }) => ruleId === 'pool.url-changed');
    const planned = tracks.find(({ ruleId, plan }) => ruleId === 'pool.user-changed' && plan !== undefined);
    assert.ok(other?.plan === undefined && planned !== undefined);
    const number = planned.openedSeq ?? -1;
    const text = await shown(site, number);
    const { who, lines } = await site.advice(number);
    const signers = count === 1 ? 'the approver of this gateway, who signs' : 'two approvers, who sign';
    const why = `not by itself, because what approves it decides finding ${other?.openedSeq}, pool.url-changed, which no plan covers: ${signers} what the device shows: `;
    assert.equal(who.slice(0, why.length), why);
    assert.match(
      text,
      new RegExp(`ends too +by the same signature: .*finding ${other?.openedSeq}, pool\\.url-changed`),
    );
    assert.match(text, /^ +what to do +deal with pool\.url-changed first, /m);
    const alone = await site.type('findings', 'approve', String(number), '--by', 'carol', '--yes');
    assert.equal(alone.code, 1, alone.text);
    assert.equal((await site.type(...(lines[0] ?? []))).code, 0);
    await site.handOver(`finding-${number}.yaml`, 'reference');
    assert.deepEqual(recording.openFindings(), []);
  }
});

test('what one person may approve, beside what nobody planned, is approved in an emergency only: show says that', async (t) => {
  const site = await Site.open(t, 2);
  const { recording } = site;
  const shows = pools({ user: 'mallory.x', priority: 2 }, {}, { priority: 0 });
  await settle(site, shows);
  const tracks = recording.state('rig-1').tracks.map(({ finding }) => finding);
  const order = tracks.find(({ ruleId }) => ruleId === 'pool.priority-changed');
  const theft = tracks.find(({ ruleId }) => ruleId === 'pool.user-changed');
  assert.ok(order !== undefined && theft !== undefined);
  const { who } = await site.advice(order.openedSeq ?? -1);
  assert.match(
    who,
    new RegExp(
      `^not by itself, because what approves it decides finding ${theft.openedSeq}, pool\\.user-changed: nobody `,
    ),
  );
  assert.match(who, / --break-glass --note "<why>"$/);
});

for (const [how, more] of [
  ['a value with an end', { until_at: 7200 }],
  ['a curtailment', { type: 'curtailment' }],
] as const)
  for (const count of [0, 1, 2] as const)
    test(`what a plan announces for a while (${how}) ends with it, with ${count} approvers: show says who may make it last, and the refusal says the same`, async (t) => {
      const site = await Site.open(t, count);
      const { recording } = site;
      const now = Math.floor(recording.clock.wall / 1000);
      const url = 'stratum+tcp://other.example:3333';
      site.planned({
        ids: ['pool.url-changed'],
        ...('type' in more ? more : {}),
        expected_after: [
          {
            fact: 'pools.url',
            class: 'exact',
            value: url,
            ...('until_at' in more ? { until_at: now + more.until_at } : {}),
          },
        ],
      });
      await settle(site, pools({ url }));
      const [track] = recording.state('rig-1').tracks;
      assert.deepEqual([track?.finding.ruleId, track?.finding.plan !== undefined], ['pool.url-changed', true]);
      const number = track?.finding.openedSeq ?? -1;
      const { who, lines } = await site.advice(number);
      const { code, text } = await site.type('findings', 'approve', String(number), '--by', 'carol', '--yes');
      if (count === 0) {
        assert.match(who, /^one person, because a plan covers it: /);
        assert.deepEqual([code, site.state(number)], [0, 'approved'], text);
        return;
      }
      const signers = count === 1 ? 'the approver of this gateway' : 'two approvers';
      assert.match(
        who,
        new RegExp(`^nobody has to: .* ${signers} signs?: assayer baseline export rig-1 --fact pools `),
      );
      assert.match(
        await shown(site, number),
        /^ +what to do +when the plan is through, see that the devices are again/m,
      );
      assert.equal(code, 1, text);
      assert.match(text, new RegExp(`${signers} (?:has|have) to sign`));
      assert.match(text, new RegExp(`have ${signers} sign it`));
      assert.equal((await site.type(...(lines[0] ?? []))).code, 0);
      await site.handOver(`finding-${number}.yaml`, 'reference');
      assert.equal(site.state(number), 'approved');
    });

test('what to do names approving where that works: a change that had to be planned is set back where approvers are named', async (t) => {
  const stepOf = async (count: Count, id: string): Promise<string> => {
    const site = await Site.open(t, count);
    return /^ +what to do +(.*)$/m.exec(await shown(site, site.stands(entry(id))))?.[1] ?? '';
  };
  assert.match(await stepOf(0, 'pool.user-changed'), / If it was: approve it$/);
  assert.match(await stepOf(2, 'pool.user-changed'), / If it was: set it back .*\(assayer plan create\)/);
  assert.match(await stepOf(1, 'pool.user-changed'), / If it was: set it back /);
  assert.match(await stepOf(2, 'pool.url-changed'), / If it was: have it signed$/);
  assert.match(await stepOf(2, 'config.drift'), / If it was: approve it$/);
});

/** A device with two partitions after a roll-out, under a plan for its version that covers what these ids name; under none without any. */
const rolledOut = async (t: TestContext, ids: Plan['ids'], shows: Facts = {}, more: readonly ExpectedValue[] = []) => {
  const site = await Site.open(t, 2);
  const { recording } = site;
  const looks = async (facts: Facts): Promise<void> => {
    for (let made = 0; made < 4; made += 1) {
      recording.clock.pass(300_000);
      await recording.looks('rig-1', 1, { 'access.cloud': false, ...facts });
    }
  };
  await looks({ 'firmware.medium': 'ota_1' });
  const expected: readonly ExpectedValue[] = [
    { fact: 'firmware.version', class: 'exact', value: '2026.06.1' },
    { fact: 'firmware.build', class: 'volatile' },
    { fact: 'firmware.components', class: 'volatile' },
  ];
  if (ids.length > 0) site.planned({ ids, expected_after: [...expected, ...more] });
  const components = [{ name: 'idf', value: 'v5.5' }];
  const now = { 'firmware.version': '2026.06.1', 'firmware.build': 'June', 'firmware.components': components };
  await looks({ ...now, 'firmware.medium': 'ota_0', ...shows });
  const tracks = recording.state('rig-1').tracks.map(({ finding }) => finding);
  const numberOf = (id: string): string => String(tracks.find(({ ruleId }) => ruleId === id)?.openedSeq);
  return { site, recording, looks, numberOf, now: { ...now, 'firmware.medium': 'ota_0', ...shows } };
};

test('who approves a planned version approves the partition and the parts that came with it under the plan', async (t) => {
  const ids = ['firmware.version-changed', 'firmware.fingerprint-changed'];
  for (const wanted of ['firmware.version-changed', 'firmware.boot-medium-changed', 'accept']) {
    const { site, recording, looks, numberOf, now } = await rolledOut(t, ids);
    const both = ['firmware.boot-medium-changed rig-1', 'firmware.version-changed rig-1'];
    assert.deepEqual(recording.openFindings().toSorted(), both);
    const line =
      wanted === 'accept'
        ? ['baseline', 'accept', 'rig-1', '--fact', 'firmware.version']
        : ((await site.advice(Number(numberOf(wanted)))).lines[0] ?? []);
    const { code, text } = await site.type(...line, '--by', 'carol', '--yes');
    assert.equal(code, 0, text);
    assert.match(text, /^accepted 1 device, closed 2 findings$/m);
    assert.match(text, /firmware\.medium +ota_1 +ota_0$/m);
    await looks(now);
    assert.deepEqual(recording.openFindings(), []);
    await looks({ ...now, 'firmware.medium': 'ota_1' });
    assert.deepEqual(recording.openFindings().toSorted(), ['firmware.boot-medium-changed rig-1'], wanted);
  }
});

test('who approves a version that nobody planned approves the partition that came with it: two who sign, or one in an emergency', async (t) => {
  const both = ['firmware.boot-medium-changed rig-1', 'firmware.version-changed rig-1'];
  for (const wanted of ['firmware.version-changed', 'firmware.boot-medium-changed', 'emergency', 'values']) {
    const { site, recording, looks, numberOf, now } = await rolledOut(t, []);
    assert.deepEqual(recording.openFindings().toSorted(), both);
    if (wanted === 'emergency') {
      const words = ['findings', 'approve', numberOf('firmware.version-changed'), '--yes', '--by', 'carol'];
      assert.equal((await site.type(...words)).code, 1);
      const { code, text } = await site.type(...words, '--break-glass', '--note', 'fire');
      assert.equal(code, 0, text);
      assert.match(text, /closed 2 findings$/m);
    } else if (wanted === 'values') {
      site.holds([
        { fact: 'firmware.version', class: 'exact', value: '2026.06.1' },
        { fact: 'firmware.build', class: 'exact', value: 'June' },
      ]);
    } else {
      const { who, lines } = await site.advice(Number(numberOf(wanted)));
      assert.match(who, /^two approvers, who sign what the device shows: /);
      assert.equal((await site.type(...(lines[0] ?? []))).code, 0);
      await site.handOver(`finding-${numberOf(wanted)}.yaml`, 'reference');
    }
    const left = wanted === 'emergency' ? ['change.break-glass undefined'] : [];
    assert.deepEqual(recording.openFindings(), left, wanted);
    await looks(now);
    assert.deepEqual(recording.openFindings(), left, wanted);
    await looks({ ...now, 'firmware.medium': 'factory' });
    assert.ok(recording.openFindings().includes('firmware.boot-medium-changed rig-1'), wanted);
    const [slot] = recording.state('rig-1').tracks.map(({ finding }) => finding);
    assert.deepEqual([slot?.severity, slot?.before, slot?.reasons], ['high', 'ota_0', ['same-version']]);
    const { who } = await site.advice(slot?.openedSeq ?? -1);
    assert.match(who, /^nobody afterwards: it is acceptable only if planned beforehand/);
  }
});

test('what is open beside a planned version and is not of its plan stands in the way of it, and stays open', async (t) => {
  const ids = ['firmware.version-changed'];
  const strange = await rolledOut(t, ids, { 'config.mode': 'eco' });
  const number = strange.numberOf('firmware.version-changed');
  const { code, text } = await strange.site.type('findings', 'approve', number, '--yes');
  assert.equal(code, 1);
  assert.match(text, /config\.performance-changed \(\w+\) is open and this acceptance does not cover it/);
  assert.equal(strange.recording.openFindings().length, 3);
  const planned = await rolledOut(t, [...ids, 'config.performance-changed'], { 'config.mode': 'eco' }, [
    { fact: 'config.mode', class: 'exact', value: 'eco' },
  ]);
  const approved = await planned.site.type(
    'findings',
    'approve',
    planned.numberOf('firmware.version-changed'),
    '--yes',
  );
  assert.match(approved.text, /^accepted 1 device, closed 2 findings$/m);
  assert.deepEqual(
    planned.recording.openFindings(),
    ['config.performance-changed rig-1'],
    'it waits for its own approval',
  );
});

test('what a signed reference holds nobody approves at the gateway, also where it changes by itself: show names the reference', async (t) => {
  for (const [held, seen, id] of [
    [{ fact: 'config.freq_mhz', class: 'exact', value: 525 }, { 'config.freq_mhz': 600 }, 'config.drift'],
    [
      { fact: 'config.voltage_mv', class: 'band', value: { min: 300, max: 400 } },
      { 'config.voltage_mv': 480 },
      'config.drift',
    ],
    [
      { fact: 'firmware.version', class: 'exact', value: '2026.03.1' },
      { 'firmware.version': '2026.06.1' },
      'firmware.version-changed',
    ],
  ] as const) {
    const site = await Site.open(t, 2);
    const { recording } = site;
    site.holds([held]);
    for (let made = 0; made < 4; made += 1) {
      recording.clock.pass(300_000);
      await recording.looks('rig-1', 1, { 'access.cloud': false, ...seen });
    }
    assert.deepEqual(recording.openFindings(), [`${id} rig-1`]);
    const number = recording.state('rig-1').tracks[0]?.finding.openedSeq ?? -1;
    const next = `two approvers, who sign the next version (2) of reference site, which holds ${held.fact}: `;
    const { who, lines } = await site.advice(number);
    assert.ok(who.startsWith(next), who);
    assert.deepEqual(lines[0]?.slice(0, 2), ['baseline', 'sign']);
    assert.match(
      await shown(site, number),
      / If it was: have the next version of reference site signed, which holds it$/m,
    );
    const wanted = [
      ['findings', 'approve', String(number)],
      ['baseline', 'accept', 'rig-1'],
    ];
    for (const words of wanted) {
      const { code, text } = await site.type(...words, '--by', 'mallory', '--yes');
      assert.equal(code, 1, text);
      assert.match(text, new RegExp(`not accepted: rig-1: the signed reference site holds ${held.fact}, and`));
      assert.equal(site.state(number), 'open', 'nothing was closed');
    }
    site.holds([{ fact: held.fact, class: 'exact', value: Object.values(seen)[0] }], 2);
    for (let made = 0; made < 4; made += 1) await recording.looks('rig-1', 1, { 'access.cloud': false, ...seen });
    assert.deepEqual(recording.openFindings(), []);
  }
});

/** Looks at a device with what it shows, until findings about that are confirmed and attested. */
const settle = async ({ recording }: Site, shows: Facts): Promise<void> => {
  for (let made = 0; made < 4; made += 1) {
    recording.clock.pass(300_000);
    await recording.looks('rig-1', 1, { 'access.cloud': false, ...shows });
  }
};

const MOVED: Facts = {
  'firmware.version': '2026.06.1',
  ...pools({ url: 'stratum+tcp://pool.attacker.net:3333' }),
};

test('the line that show prints approves what the finding is about and nothing else of the device: a new pool beside a new version stays in the way', async (t) => {
  const site = await Site.open(t, 2);
  const { recording } = site;
  await settle(site, MOVED);
  const open = ['firmware.version-changed rig-1', 'pool.url-changed rig-1'];
  assert.deepEqual(recording.openFindings().toSorted(), open);
  const numberOf = (id: string): number =>
    recording.state('rig-1').tracks.find(({ finding }) => finding.ruleId === id)?.finding.openedSeq ?? -1;
  const number = numberOf('firmware.version-changed');
  const { lines } = await site.advice(number);
  assert.ok(lines[0]?.join(' ').includes('--fact firmware.version'), String(lines[0]));
  assert.equal((await site.type(...(lines[0] ?? []))).code, 0);
  const draft = readFileSync(`finding-${number}.yaml`, 'utf8');
  assert.match(draft, /facts:\n +- firmware\.version/);
  assert.doesNotMatch(draft, /EVERYTHING|attacker|hostname/);
  const refused = await site.tryHandOver(`finding-${number}.yaml`, 'reference');
  assert.match(refused.text, /pool\.url-changed \(high\) is open and this document does not cover it/);
  assert.deepEqual(recording.openFindings().toSorted(), open, 'nothing was approved');
  const together = /assayer (baseline export rig-1[^)]*)\)/.exec(refused.text)?.[1] ?? '';
  const other = numberOf('pool.url-changed');
  assert.match(together, new RegExp(`--fact pools --name finding-${other} --out finding-${other}.yaml$`));
  assert.match(together, /--fact firmware\.version/);
  // The pool is set back: then the version is approved, and a pool that comes later is none of it.
  await settle(site, { 'firmware.version': '2026.06.1' });
  assert.deepEqual(recording.openFindings(), ['firmware.version-changed rig-1']);
  await site.handOver(`finding-${number}.yaml`, 'reference');
  assert.equal(site.state(number), 'approved');
  await settle(site, MOVED);
  assert.deepEqual(recording.openFindings(), ['pool.url-changed rig-1']);
  for (const words of [[], ['--fact', 'pools']]) {
    const { text } = await site.type('baseline', 'accept', 'rig-1', ...words, '--yes');
    assert.match(text, /assayer baseline export rig-1 --fact pools, have two approvers sign it/);
  }
});

test('what nobody planned is not offered to be signed with another change: it is an incident, and in an emergency the line approves both', async (t) => {
  const site = await Site.open(t, 2);
  const { recording } = site;
  await settle(site, { 'firmware.version': '2026.06.1', ...pools({ user: 'mallory.x' }) });
  const open = ['firmware.version-changed rig-1', 'pool.user-changed rig-1'];
  assert.deepEqual(recording.openFindings().toSorted(), open);
  const numberOf = (id: string): number =>
    recording.state('rig-1').tracks.find(({ finding }) => finding.ruleId === id)?.finding.openedSeq ?? -1;
  const version = numberOf('firmware.version-changed');
  const { lines } = await site.advice(version);
  assert.equal((await site.type(...(lines[0] ?? []))).code, 0);
  const { text } = await site.tryHandOver(`finding-${version}.yaml`, 'reference');
  assert.match(text, /; pool\.user-changed was not planned: treat it as an incident, and set the device back/);
  assert.doesNotMatch(text, /where all of it is meant/);
  const words = (/assayer (baseline export rig-1[^)]*)\)/.exec(text)?.[1] ?? '').split(' ');
  assert.equal((await site.type(...words)).code, 0);
  const file = `finding-${numberOf('pool.user-changed')}.yaml`;
  assert.match((await site.tryHandOver(file, 'reference')).text, /acceptable only when planned beforehand/);
  assert.deepEqual(recording.openFindings().toSorted(), open, 'nothing was approved');
  const emergency = ['--yes', '--break-glass', '--note', 'power was cut'];
  const adopted = await site.tryHandOver(file, 'reference', emergency);
  assert.equal(adopted.code, 0, adopted.text);
  assert.deepEqual(recording.openFindings(), ['change.break-glass undefined']);
});

test('a finding that is not confirmed is not said to be left out by the document', async (t) => {
  const site = await Site.open(t, 2);
  const { recording } = site;
  await settle(site, { 'firmware.version': '2026.06.1' });
  const number = recording.state('rig-1').tracks[0]?.finding.openedSeq ?? -1;
  await recording.looks('rig-1', 1, { 'access.cloud': false, ...MOVED });
  assert.equal((await site.type('baseline', 'export', 'rig-1', '--name', 'whole', '--out', 'whole.yaml')).code, 0);
  const { text } = await site.tryHandOver('whole.yaml', 'reference');
  assert.match(text, /pool\.url-changed \(high\) is provisional and nothing covers it before it is confirmed/);
  assert.equal(site.state(number), 'open');
});

test('show names the other findings that the same signature, or approval, ends', async (t) => {
  for (const count of [0, 2] as const) {
    const site = await Site.open(t, count);
    const { recording } = site;
    const added = { slot: 7, url: 'stratum+tcp://pool.attacker.net:3333', user: 'm', priority: 7 };
    await settle(site, { 'firmware.version': '2026.06.1', pools: [...(MOVED.pools ?? []), added] });
    const tracks = recording.state('rig-1').tracks.map(({ finding }) => finding);
    const url = tracks.find(({ ruleId }) => ruleId === 'pool.url-changed');
    const slot = tracks.find(({ ruleId }) => ruleId === 'pool.slot-added');
    const text = await shown(site, url?.openedSeq ?? -1);
    const by = count === 0 ? 'approval' : 'signature';
    assert.match(
      text,
      new RegExp(`ends too +by the same ${by}: finding ${slot?.openedSeq}, pool\\.slot-added \\(high\\)$`, 'm'),
    );
    const version = tracks.find(({ ruleId }) => ruleId === 'firmware.version-changed');
    assert.doesNotMatch(await shown(site, version?.openedSeq ?? -1), /ends too/);
  }
});

test('show says of a signature that would end what nobody planned, too, that it is taken in an emergency only', async (t) => {
  const site = await Site.open(t, 2);
  const { recording } = site;
  await settle(site, pools({ url: 'stratum+tcp://pool.attacker.net:3333', user: 'mallory.x' }));
  const url = recording.state('rig-1').tracks.find(({ finding }) => finding.ruleId === 'pool.url-changed');
  assert.match(
    await shown(site, url?.finding.openedSeq ?? -1),
    /ends too +by the same signature: finding \d+, pool\.user-changed \(critical\)\. Since nobody planned pool\.user-changed it is an incident: .* --break-glass/,
  );
});

test('whoever adopts what a device showed as a whole sees what it approves otherwise and which findings end, is asked, and is told what ended', async (t) => {
  const site = await Site.open(t, 2);
  const { recording } = site;
  await settle(site, MOVED);
  assert.equal((await site.type('baseline', 'export', 'rig-1', '--name', 'whole', '--out', 'whole.yaml')).code, 0);
  assert.match(
    readFileSync('whole.yaml', 'utf8'),
    /^# A reference that approves EVERYTHING .* pools and safety settings/,
  );
  const asked = await site.tryHandOver('whole.yaml', 'reference', []);
  assert.match(asked.text, /there is no terminal to confirm on/);
  assert.match(asked.text, /^WARNING: it approves EVERY fact that rig-1 showed then/m);
  assert.match(asked.text, /^device +fact +reference +approved by this$/m);
  assert.match(asked.text, /^rig-1 +pools slot 0 url .*pool\.attacker\.net:3333$/m);
  assert.match(
    asked.text,
    /^Closes 2 open findings as approved:\n(?: +.*\n)* {2}\d+ high rig-1: pool\.url-changed slot 0, takes two people$/m,
  );
  assert.equal(recording.openFindings().length, 2);
  const { code, text } = await site.tryHandOver('whole.yaml', 'reference');
  assert.equal(code, 0, text);
  assert.match(
    text,
    /\nreference whole is in force by entry \d+; it ended 2 findings:\n +\d+ high rig-1: pool\.url-changed slot 0\n +\d+ medium rig-1: firmware\.version-changed\n$/,
  );
  assert.deepEqual(recording.openFindings(), []);
});

test('a pool of which a reference holds the user alone is approved for its device, with its user as it is held', async (t) => {
  const site = await Site.open(t, 2);
  const { recording } = site;
  const user: ExpectedValue = { fact: 'pools.user', class: 'set', value: ['acme.rig0417'] };
  site.holds([user]);
  await settle(site, pools({ url: 'stratum+tcp://pool.example:3334' }));
  assert.deepEqual(recording.openFindings(), ['pool.url-changed rig-1']);
  const number = recording.state('rig-1').tracks[0]?.finding.openedSeq ?? -1;
  const { who, lines } = await site.advice(number);
  assert.match(who, /^two approvers, who sign what the device shows: assayer baseline export rig-1 --fact pools /);
  assert.equal((await site.type(...(lines[0] ?? []))).code, 0);
  await site.handOver(`finding-${number}.yaml`, 'reference');
  assert.equal(site.state(number), 'approved');
});

test('a reference that leaves a part of a list open holds nothing of the others: they are approved at the gateway', async (t) => {
  const site = await Site.open(t, 2);
  const { recording } = site;
  site.holds([{ fact: 'config.other', class: 'volatile', value: ['log_level'] }]);
  await settle(site, {
    'config.other': [
      { key: 'led', value: 'off' },
      { key: 'log_level', value: '4' },
    ],
  });
  assert.deepEqual(recording.openFindings(), ['config.drift rig-1']);
  const number = recording.state('rig-1').tracks[0]?.finding.openedSeq ?? -1;
  assert.match((await site.advice(number)).who, /^one person: assayer findings approve /);
  const { code, text } = await site.type('findings', 'approve', String(number), '--by', 'carol', '--yes');
  assert.equal(code, 0, text);
  assert.equal(site.state(number), 'approved');
});

test('a reference that names more slots than are seen holds the pools otherwise', async (t) => {
  const site = await Site.open(t, 2);
  const { pools: slots = [] } = pools({});
  site.holds([{ fact: 'pools.user', class: 'exact', value: slots.map((slot) => slot.user) }]);
  await settle(site, { pools: slots.slice(0, 1) });
  assert.deepEqual(site.recording.openFindings(), ['pool.slot-removed rig-1', 'pool.slot-removed rig-1']);
  const { who } = await site.advice(site.recording.state('rig-1').tracks[0]?.finding.openedSeq ?? -1);
  assert.match(who, /the next version \(2\) of reference site, which holds pools: /);
});

test('what changes by itself and a reference holds is a difference where it is broken, and is shown as it is seen', async (t) => {
  const site = await Site.open(t, 2);
  site.holds([
    { fact: 'config.freq_mhz', class: 'band', value: { min: 480, max: 500 } },
    { fact: 'config.voltage_mv', class: 'exact', value: 1166 },
  ]);
  await settle(site, { ...TOLD, 'config.freq_mhz': 490, 'config.voltage_mv': 1166 });
  const same = await site.type('baseline', 'diff', 'rig-1');
  assert.deepEqual([same.code, same.text], [0, 'no difference\n']);
  assert.match((await site.type('baseline', 'show', 'rig-1')).text, /^config\.freq_mhz +\S+ +490 +band/m);
  await settle(site, { ...TOLD, 'config.freq_mhz': 600, 'config.voltage_mv': 1200 });
  assert.deepEqual(site.recording.openFindings(), ['config.drift rig-1']);
  const { code, text } = await site.type('baseline', 'diff', 'rig-1');
  assert.equal(code, 1, text);
  assert.match(text, /^rig-1 +config\.freq_mhz +500 +600$/m);
  assert.match(text, /^rig-1 +config\.voltage_mv +1166 +1200$/m);
  assert.match((await site.type('baseline', 'show', 'rig-1')).text, /^config\.voltage_mv +1166 +1200 +exact/m);
  const accepting = await site.type('baseline', 'accept', 'rig-1', '--yes');
  assert.doesNotMatch(accepting.text, /without a difference/);
  assert.match(accepting.text, /not accepted: rig-1: the signed reference site holds config\.(?:freq_mhz|voltage_mv)/);
});

test('what had to be planned beforehand and a signed reference holds says so: in an emergency the next version of it', async (t) => {
  const site = await Site.open(t, 2);
  site.holds([{ fact: 'pools.user', class: 'exact', value: 'acme.rig0417' }]);
  await site.recording.looks('rig-1', 2, { 'access.cloud': false, ...pools({ user: 'acme2.x' }) });
  const { who } = await site.advice(site.recording.state('rig-1').tracks[0]?.finding.openedSeq ?? -1);
  assert.match(
    who,
    /^nobody afterwards: .* the next version \(2\) of reference site, which holds pools, .* --break-glass/,
  );
});

test('a waiver is shown with its reason and end, and one that is over as over', async (t) => {
  const site = await Site.open(t, 0);
  const number = site.stands(entry('config.drift'));
  const waive = ['--reason', 'on the bench', '--risk', 'none', '--until', '+1d', '--yes'];
  assert.equal((await site.type('findings', 'waive', String(number), ...waive)).code, 0);
  const [waiver] = site.recording.orders.standing.waivers;
  const { wall } = site.recording.clock;
  const waived = site.stands(entry('config.network-changed'), { waiver: waiver?.seq ?? -1 });
  assert.match(
    await shown(site, waived),
    new RegExp(
      `^ +waiver +finding-${number}: on the bench; tolerated until \\d{4}-.* UTC; entry ${waiver?.seq} of`,
      'm',
    ),
  );
  t.mock.timers.enable({ apis: ['Date'], now: wall + 2 * 86_400_000 });
  const expired = site.stands(entry('waiver.expired'), { waiver: waiver?.seq ?? -1 });
  const text = await shown(site, expired);
  assert.match(text, /^ +waiver +finding-\d+: on the bench; it was tolerated until /m);
  assert.match(text, /^ +what to do +what it covered counts again: /m);
});

test('a waiver names all findings that it quiets, and goes on covering what they become: the new value is stated, with its own weight beside it', async (t) => {
  const site = await Site.open(t, 0);
  const { recording } = site;
  const moved = (...users: readonly string[]) => ({
    ...pools(...users.map((user) => ({ user }))),
    'access.cloud': false,
  });
  await recording.looks('rig-1', 3, moved('acme2.x', 'acme2.x'));
  const numbers = recording.state('rig-1').tracks.map(({ finding }) => finding.openedSeq ?? -1);
  assert.equal(numbers.length, 2);
  const waive = ['--reason', 'the tenant asked', '--risk', 'none', '--until', '+1d'];
  const asked = await site.type('findings', 'waive', String(numbers[0]), ...waive);
  assert.match(asked.text, /^ {2}quiet +1 kind of finding, up to critical, whatever shows: waived until then/m);
  assert.match(asked.text, new RegExp(`^ {2}now +2 findings: ${numbers.join(', ')}$`, 'm'));
  const { code, text } = await site.type('findings', 'waive', String(numbers[0]), ...waive, '--yes');
  assert.equal(code, 0, text);
  assert.match(
    text,
    new RegExp(`^findings ${numbers.join(', ')} are waived by finding-${numbers[0]}; they show as such`, 'm'),
  );
  await recording.looks('rig-1', 3, moved('thief.x', 'acme2.x'));
  const told = recording
    .said()
    .flatMap((one) => (one.kind === 'finding' ? [one.finding] : []))
    .at(-1);
  assert.deepEqual(
    [told?.after, told?.state, told?.severity, told?.severity_base],
    ['thief.x', 'waived', 'info', 'critical'],
  );
});

test('who acknowledged a finding is told so when they do it again, and nothing is written; with another note, or by another person, it is new', async (t) => {
  const site = await Site.open(t, 0);
  const { recording } = site;
  const own = site.stands(entry('config.drift'));
  const ofGateway = site.stands(entry('change.break-glass'));
  for (const number of [own, ofGateway]) {
    const ack = (...words: readonly string[]) => site.type('findings', 'ack', String(number), ...words);
    const written = () => recording.said().length;
    const first = await ack('--by', 'carol', '--note', 'called the site');
    assert.deepEqual([first.code, / is acknowledged$/m.test(first.text)], [0, true], first.text);
    const since = new Date(Math.floor(recording.clock.wall / 1000) * 1000).toISOString().replace('.000', '');
    const size = written();
    recording.clock.pass(60_000);
    for (const note of [[], ['--note', 'called the site']]) {
      const again = await ack('--by', 'carol', ...note);
      assert.equal(again.code, 0);
      assert.match(
        again.text,
        new RegExp(`^finding ${number} \\(\\S+\\) is acknowledged already, by carol since ${since}$`, 'm'),
      );
    }
    const json = await ack('--by', 'carol', '--json');
    assert.deepEqual(
      [JSON.parse(json.text).already, JSON.parse(json.text).acknowledged_at],
      [true, Date.parse(since) / 1000],
    );
    assert.equal(written(), size);
    assert.match((await ack('--by', 'carol', '--note', 'it comes tomorrow')).text, / is acknowledged$/m);
    assert.match((await ack('--by', 'dave')).text, / is acknowledged$/m);
    assert.equal(written(), size + 2);
  }
});

test('a finding about a part of the device approves that part; an unrelated drift stays', async (t) => {
  const site = await Site.open(t, 0);
  const { recording } = site;
  await recording.looks('rig-1', 3, { 'access.cloud': false, 'network.hostname': 'bench-1', 'config.mode': 'eco' });
  const open = (): readonly string[] => recording.openFindings().toSorted();
  assert.deepEqual(open(), ['config.network-changed rig-1', 'config.performance-changed rig-1']);
  const [mode] = recording.state('rig-1').tracks.filter(({ finding }) => finding.ruleId !== 'config.network-changed');
  const glass = site.stands(entry('change.break-glass'));
  assert.equal((await site.type('findings', 'approve', String(glass), '--yes')).code, 2);
  assert.equal(open().length, 3, 'it accepted nothing');
  const refused = await site.type('findings', 'approve', String(mode?.finding.openedSeq), '--yes');
  assert.match(refused.text, /config\.network-changed \(medium\) is open and this acceptance does not cover it/);
  assert.equal(open().length, 3);
});

test('no waiver is made of a finding that none covers; the refusal says what ends it', async (t) => {
  const site = await Site.open(t, 0);
  const number = site.stands(entry('change.break-glass'));
  const waive = ['--reason', 'r', '--risk', 'r', '--until', '+1d', '--yes'];
  const { code, text } = await site.type('findings', 'waive', String(number), ...waive);
  assert.equal(code, 2);
  assert.match(text, /^no plan or waiver covers change\.break-glass: .* assayer findings close \d+ --note "<why>"$/);
  const end = `${new Date(site.recording.clock.wall + 86_400_000).toISOString().slice(0, 19)}Z`;
  writeFileSync(
    'w.yaml',
    `waiver_id: hush\nscope: {}\nids: [change.break-glass]\nreason: r\nrisk: r\nexpires_at: ${end}\nauthor: mallory\n`,
  );
  const adopted = await site.type('waiver', 'adopt', 'w.yaml', '--yes');
  assert.equal(adopted.code, 2);
  assert.match(adopted.text, /no plan or waiver covers change\.break-glass/);
  assert.deepEqual(site.recording.orders.standing.waivers, []);
});

/** Six devices that work for another account since the same round. */
const movedSite = async (t: TestContext): Promise<Site> => {
  const rigs = Array.from({ length: 6 }, (_, at) => `rig-${at + 1}`);
  const site = await Site.open(t, 0, rigs);
  const { recording } = site;
  const moved = { ...pools({ user: 'acme2.x' }), 'access.cloud': false };
  for (const _ of [1, 2]) {
    recording.clock.pass(10_000);
    for (const id of rigs) recording.look(id, moved);
    recording.recorder.flush();
  }
  return site;
};

test('of many devices those that are seen are approved, and those that are dark are named and wait', async (t) => {
  const site = await movedSite(t);
  const { recording } = site;
  const parent = recording.state('rig-1').tracks[0]?.finding.parent ?? -1;
  await recording.looks('rig-6', 6, undefined);
  const { code, text } = await site.type('findings', 'approve', String(parent), '--yes');
  assert.equal(code, 1);
  assert.match(text, /^rig-6: not accepted: rig-6 is not seen now \(accept it when it answers again\)$/m);
  assert.match(text, /^accepted 5 of 6 devices, closed 5 findings$/m);
  assert.deepEqual(recording.openFindings().toSorted(), [
    'pool.user-changed undefined',
    'visibility.device-dark rig-6',
  ]);
  const dark = await site.type('findings', 'approve', String(parent), '--yes');
  assert.deepEqual([dark.code, dark.text], [2, 'rig-6 is not seen now accept it when it answers again']);
});

test('a device that shows another value by now is none of its former parent: its finding stays open when that is approved', async (t) => {
  const site = await movedSite(t);
  const { recording } = site;
  const number = () => recording.state('rig-6').tracks[0]?.finding;
  const parent = number()?.parent ?? -1;
  await recording.looks('rig-6', 2, { ...pools({ user: 'thief.x' }), 'access.cloud': false });
  const shown = await site.type('findings', 'show', String(parent));
  assert.match(shown.text, /where +rig-1, rig-2, rig-3, rig-4, rig-5$/m);
  const own = await site.type('findings', 'show', String(number()?.openedSeq));
  assert.match(own.text, new RegExp(`told first +in finding ${parent}, which speaks for many devices$`, 'm'));
  const { code, text } = await site.type('findings', 'approve', String(parent), '--yes');
  assert.equal(code, 0, text);
  assert.deepEqual(recording.openFindings(), ['pool.user-changed rig-6']);
  assert.equal(site.state(parent), 'approved');
});

test('a finding of many devices is waived with them, and open again when another device shows the same', async (t) => {
  const rigs = Array.from({ length: 7 }, (_, at) => `rig-${at + 1}`);
  const site = await Site.open(t, 0, rigs);
  const { recording } = site;
  const moved = { ...pools({ user: 'acme2.x' }), 'access.cloud': false };
  const looks = (ids: readonly string[], times: number, passMs = 10_000): void => {
    for (let made = 0; made < times; made += 1) {
      recording.clock.pass(passMs);
      for (const id of ids) recording.look(id, moved);
      recording.recorder.flush();
      recording.recorder.tick();
    }
  };
  looks(rigs.slice(0, 6), 2);
  const parent = recording.state('rig-1').tracks[0]?.finding.parent ?? -1;
  assert.equal(site.state(parent), 'open');
  const waive = ['--reason', 'the tenant asked', '--risk', 'none', '--until', '+1d', '--yes'];
  const { code, text } = await site.type('findings', 'waive', String(parent), ...waive);
  assert.deepEqual([code, /6 devices of finding \d+ are waived/.test(text)], [0, true], text);
  looks(rigs.slice(0, 6), 3, 40_000);
  assert.equal(site.state(parent), 'waived');
  looks(rigs, 3, 40_000);
  assert.equal(site.state(parent), 'open');
});

test('with options before the verb the error shows them behind it', async (t) => {
  const site = await Site.open(t, 0);
  const number = site.stands(entry('config.drift'));
  const { code, text } = await site.type('findings', '-c', 'assayer.yaml', 'show', String(number));
  assert.deepEqual(
    [code, text],
    [2, `findings list takes no show ${number} options stand behind the verb: assayer findings show ${number}`],
  );
  writeFileSync('other.yaml', readFileSync('assayer.yaml'));
  const other = await site.type('findings', '-c', 'other.yaml', 'show', String(number));
  const line = /assayer (findings show .*)$/.exec(other.text)?.[1] ?? '';
  const { code: done, text: told } = await site.type(...line.split(' '));
  assert.equal(done, 1);
  assert.match(told, /assayer findings approve \d+ -c other\.yaml/, 'what it suggests names the file, too');
  const refused = [
    ['close', String(number), '--note', 'over'],
    ['show', '999'],
    ['show', 'x'],
  ];
  for (const words of refused)
    assert.match(
      (await site.type('findings', ...words, '-c', 'other.yaml')).text,
      /assayer findings .* -c other\.yaml$/,
    );
  assert.match((await site.type('findings', 'all')).text, /findings list takes no all .*--help/);
});

test('lists say which device, or that it is the gateway', async (t) => {
  const site = await Site.open(t, 0);
  site.stands(entry('change.break-glass'));
  site.recording.recorder.takeGatewayFinding(
    gatewayFinding(entry('evidence.agent-gap'), site.recording.clock.wall, {}),
  );
  const { text } = await site.type('findings');
  assert.match(text, /open +rig-1 +change\.break-glass/);
  assert.match(text, /open +this gateway +evidence\.agent-gap/);
});
