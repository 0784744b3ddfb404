import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { RULES, ruleOf } from '../../agent/appraise/index.ts';
import type { RuleEntry } from '../../agent/appraise/rule.ts';
import { endingOf, isCoverable, takesTwo } from '../../agent/appraise/who-approves.ts';
import { buildProgram } from '../../agent/cli/program.ts';
import { acceptSeen, previewAcceptance } from '../../agent/desk/acceptance.ts';
import { reviewFinding } from '../../agent/desk/review.ts';
import { type ControlRequest, serveControl } from '../../agent/platform/control.ts';
import { AgentError } from '../../agent/platform/errors.ts';
import { Store } from '../../agent/record/store.ts';
import { readDraft, type TermsKind } from '../../agent/terms/draft.ts';
import { formatSignedTerms } from '../../shared/signed-terms.ts';
import { People } from '../record/approvers.ts';
import { Recording } from '../record/recording.ts';
import { configured } from './assayer.ts';

/** What `findings show` tells people to type, typed as it stands there: the finding ends, or the refusal is what was said. */

const PEOPLE = { 0: new People(), 1: new People('alice'), 2: new People('alice', 'bob') } as const;
type Count = keyof typeof PEOPLE;

/** A gateway with this many approvers, whose two devices were learned; `stands` puts a finding there. */
class Site {
  readonly recording: Recording;
  readonly #people: People;
  readonly #changes: ReturnType<Recording['changes']>;

  private constructor(t: TestContext, count: Count) {
    this.recording = new Recording(t, ['rig-1', 'rig-2'], { sinceMs: Date.now() });
    this.#people = PEOPLE[count];
    this.#changes = this.recording.changes(this.#people);
  }

  static async open(t: TestContext, count: Count): Promise<Site> {
    const site = new Site(t, count);
    const { recording } = site;
    await recording.learnAll();
    for (const id of recording.states.keys()) await recording.looks(id, 2, { 'access.cloud': false });
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
    const { recorder, orders, clock, states } = recording;
    clock.wall = Math.max(clock.wall, Date.now());
    const fleet = { state: (id: string) => states.get(id), states: () => [...states.values()] };
    switch (request.do) {
      case 'preview-accept':
        return previewAcceptance(fleet, request.devices, { seenOnly: request.seen_only === true });
      case 'accept': {
        const deps = { recorder, people: this.#changes.people(), standing: orders.standing, nowMs: clock.wall };
        return acceptSeen(fleet, { ...request, breakGlass: request.break_glass === true }, deps);
      }
      case 'review': {
        using store = Store.openReadOnly(recording.dir);
        const { opened_seq: seq, action, by, note } = request;
        const review = { action, by, ...(note === undefined ? {} : { note }) };
        return reviewFinding(seq, review, { states: fleet.states(), recorder, store });
      }
      case 'adopt': {
        const { document } = request;
        return 'doc' in document
          ? this.#changes.adopt({ kind: 'signed', ...document })
          : this.#changes.adopt({ kind: 'local', ...document });
      }
      default:
        throw new AgentError({ code: 'control.unknown', message: request.do, remedy: 'none' });
    }
  }

  /** A confirmed finding of this rule: about the device, or the gateway. Gives its number. */
  stands(rule: RuleEntry, about: { readonly reasons?: readonly string[]; readonly plan?: number } = {}): number {
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

  /** What a person types, and what is said. */
  async type(...words: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
    let text = '';
    const into = { write: (part: string) => (text += part) };
    process.exitCode = undefined;
    try {
      await buildProgram({ out: into, err: into, input: new PassThrough().end() }).parseAsync([...words], {
        from: 'user',
      });
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
    const draft = readDraft(readFileSync(file, 'utf8'), { kind, nowS: Math.floor(this.recording.clock.wall / 1000) });
    assert.ok(draft.kind === 'good', JSON.stringify(draft));
    writeFileSync('signed.json', formatSignedTerms(this.#people.sign(draft.terms, ...this.#people.names.values())));
    const { code, text } = await this.type(kind === 'reference' ? 'baseline' : kind, 'adopt', 'signed.json', '--yes');
    assert.equal(code, 0, text);
  }
}

const FINDINGS = RULES.filter(({ id }) => id !== 'baseline.learned' && id !== 'baseline.promoted');

/** Types what `show` says of the finding, and holds what comes of it against that. */
const follow = async (site: Site, number: number, rule: RuleEntry, count: Count): Promise<void> => {
  const { who, lines } = await site.advice(number);
  const [line = []] = lines;
  const approve = async (...words: readonly string[]) =>
    await site.type('findings', 'approve', String(number), '--by', 'carol', '--yes', ...words);
  const ending = endingOf(rule.id);
  if (ending.kind !== 'facts' && ending.kind !== 'device') {
    const { code, text } = await approve();
    assert.equal(code, 2, text);
    assert.ok(text.endsWith(who), `${text}\n${who}`);
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
    assert.match(text, /not accepted: .* two approvers have to sign, or that has to be planned/);
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
      if (endingOf(rule.id).kind === 'other') site.stands(entry('pool.user-changed'));
      const number = site.stands(rule, endingOf(rule.id).kind === 'other' ? { reasons: ['pool.user-changed'] } : {});
      assert.ok(number > 0, rule.id);
      await t.test(rule.id, async () => await follow(site, number, rule, count));
    }
  });

const entry = (id: string): RuleEntry => {
  const rule = ruleOf(id);
  assert.ok(rule !== undefined);
  return rule;
};
