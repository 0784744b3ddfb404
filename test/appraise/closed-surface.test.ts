import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accept } from '../../agent/appraise/accept.ts';
import { newDevice } from '../../agent/appraise/device.ts';
import { withFormer } from '../../agent/appraise/former.ts';
import { runComparisons } from '../../agent/appraise/outcome.ts';
import { rebuilt, withSignedEntry } from '../../agent/appraise/promote.ts';
import type { Answered } from '../../agent/appraise/rules/visibility-coverage-reduced.ts';
import { ruleContextOf } from '../../agent/appraise/run-rules.ts';
import { comparable } from '../../agent/appraise/stand-ins.ts';
import { keepFacts, keptFacts } from '../../agent/baseline/kept.ts';
import { holderOf } from '../../agent/baseline/reference.ts';
import { NOTHING_STANDING, type Standing, standingOf } from '../../agent/baseline/standing.ts';
import { antminerStock } from '../../agent/drivers/antminer-stock.ts';
import { braiins } from '../../agent/drivers/braiins.ts';
import { type Query, questionOf } from '../../agent/drivers/driver.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import type { LookKind, Observation } from '../../agent/normalise/observation.ts';
import type { NoReply, Reply } from '../../agent/probe/capture.ts';
import { documentIn } from '../../agent/probe/exchange.ts';
import { answeredIn } from '../../agent/probe/probe.ts';
import { noReply, readReply } from '../../agent/probe/reply.ts';
import type { FactName } from '../../shared/facts.ts';
import type { Waiver } from '../../shared/terms.ts';
import { loadSpecimens, replyBytes, type Specimen } from '../specimens/specimen.ts';
import { SpecimenLife } from './specimen-life.ts';
import { ADDRESS, MINUTE, runningOn, Watch } from './watch.ts';

/** A machine whose web interface and port 4028 spell the same things differently, as S19 builds do. */

const s21 = loadSpecimens().find(({ name }) => name === 'antminer-stock/s21') as Specimen;

/** What a person changed at the machine, as texts of its replies by the name of the query. */
type Edits = { readonly [query: string]: readonly (readonly [from: string, to: string])[] };

const S19: Edits = {
  version: [['uart_trans.1.3', '49.0.1.3']],
  conf: [['stratum+tcp://', '']],
};

type Closing = 'refused' | 'unreachable' | NoReply;

/** What comes of a page with this status and text. */
const paged = (status: number, text: string): NoReply => {
  const body = Buffer.from(text);
  const document = documentIn({ kind: 'page', status, challenges: [], cookies: [], body, whole: true });
  assert.ok(document.kind === 'no-reply', text);
  return document;
};

/** A web interface of which only what it answers is broken. */
const BROKEN = [
  paged(301, ''),
  paged(502, 'Bad Gateway'),
  paged(503, ''),
  paged(200, '<!doctype html><title>Hello</title>'),
];

/** Replies that did not arrive, or not whole. */
const LOST = (['timeout', 'truncated', 'unreadable'] as const).map((reason) => noReply(reason, 'lost'));

const isWeb = (query: string): boolean => antminerStock.queries[query]?.kind === 'http';

const replyTo = (query: string, edits: Edits): Reply | NoReply => {
  const asked = antminerStock.queries[query];
  const question = asked === undefined ? '' : questionOf(asked);
  let text = new TextDecoder().decode(replyBytes(s21, question));
  for (const [from, to] of [...(S19[query] ?? []), ...(edits[query] ?? [])]) {
    assert.ok(text.includes(from), `${query} says ${from}`);
    text = text.replaceAll(from, to);
  }
  return readReply(new TextEncoder().encode(text), { whole: true });
};

const observe = (
  look: LookKind,
  nowMs: number,
  { closed, edits = {} }: { readonly closed?: (query: string) => Closing | undefined; readonly edits?: Edits },
): { readonly observation: Observation; readonly answered: Answered } => {
  const asked = Object.entries(antminerStock.queries).filter(
    ([, { cadence }]) => look === 'full' || cadence === 'pools',
  );
  const replies = asked.map(([query]) => {
    const reason = closed?.(query);
    if (reason === undefined) return [query, replyTo(query, edits)] as const;
    return [query, typeof reason === 'string' ? noReply(reason, 'closed') : reason] as const;
  });
  const capture = { address: ADDRESS, observedAtMs: nowMs, replies: new Map(replies) };
  return {
    observation: runningOn(normalise(antminerStock, capture, look)),
    answered: answeredIn(antminerStock, capture),
  };
};

type State = Parameters<typeof observe>[2];

const web =
  (reason: Closing) =>
  (query: string): Closing | undefined =>
    isWeb(query) ? reason : undefined;

/** Looks at the machine as the schedule would. */
const live = (watch: Watch, forMs: number, state: State): void => {
  const endMs = watch.nowMs + forMs;
  for (let minute = 0; watch.nowMs < endMs; minute += 1) {
    const look = minute % 3 === 0 || watch.nowMs >= watch.nextFullMs ? 'full' : 'pools';
    const { observation, answered } = observe(look, watch.nowMs, state);
    watch.context = { ...watch.context, answered };
    watch.take({ kind: 'observed', observation });
    watch.nowMs += MINUTE;
  }
};

const known = (state: State = {}): Watch => {
  const watch = new Watch();
  live(watch, 10 * MINUTE, state);
  assert.equal(watch.attestations.length, 1);
  watch.clear();
  return watch;
};

const isSettled = (watch: Watch, state: State): boolean => {
  const before = watch.state;
  live(watch, 3 * MINUTE, state);
  return watch.state === before;
};

const CLOSED = 'visibility.coverage-reduced';

/** What was said beside that the surface is closed, which is found as soon as that lasts. */
const saidBeside = (watch: Watch): readonly string[] => watch.said().filter((said) => !said.startsWith(CLOSED));

const version = (value: string) => [{ key: 'version', value }];

const checks = (watch: Watch, state: State) => {
  const { observation, answered } = observe('full', watch.nowMs, state);
  watch.context = { ...watch.context, answered, refreshDueMs: 0 };
  return watch.take({ kind: 'observed', observation });
};

for (const reason of ['refused', 'unreachable'] as const) {
  test(`a web interface that is ${reason} changes nothing while port 4028 is open, whatever that spells otherwise`, () => {
    const watch = known();
    live(watch, 60 * MINUTE, { closed: web(reason) });
    assert.deepEqual(watch.said(), [`${CLOSED} open`]);
    assert.equal(watch.attestations.length, 1);
    assert.ok(isSettled(watch, { closed: web(reason) }));
    const notRun = new Map(checks(watch, { closed: web(reason) }).checks?.notRun.map(({ id, reason }) => [id, reason]));
    for (const id of ['pool.url-changed', 'pool.user-changed', 'firmware.version-changed', 'config.network-changed'])
      assert.equal(notRun.get(id), reason, id);
    assert.ok(watch.state.attested?.missing?.includes('pools'));
    assert.equal(keptFacts(watch.state.attested?.facts)['firmware.version'], 'FR-1.9(250304-S21)');
    live(watch, 10 * MINUTE, {});
    assert.deepEqual(saidBeside(watch), []);
  });
}

test('one document that alone is refused leaves the facts it holds unread', () => {
  const watch = known();
  const state: State = {
    closed: (query) => (query === 'network' ? 'refused' : undefined),
    edits: { system: [['"hostname":"Antminer"', '"hostname":"live-name"']] },
  };
  live(watch, 30 * MINUTE, state);
  assert.deepEqual(watch.said(), [`${CLOSED} open`]);
  live(watch, 10 * MINUTE, {});
  assert.deepEqual(saidBeside(watch), []);
});

test('a finding neither ends nor grows while the surface that showed it is closed', () => {
  const watch = known();
  const stolen: Edits = {
    conf: [['acme.b2r14s07', 'thief.x']],
    pools: [['acme.b2r14s07', 'thief.x']],
  };
  live(watch, 10 * MINUTE, { edits: stolen });
  const said = watch.said();
  assert.ok(said.every((statement) => statement === 'pool.user-changed open') && said.length === 3, said.join());
  live(watch, 30 * MINUTE, { closed: web('refused') });
  assert.deepEqual(saidBeside(watch), said);
  live(watch, 10 * MINUTE, {});
  assert.equal(watch.said().filter((statement) => statement === 'pool.user-changed resolved').length, 3);
});

test('a change behind the closed surface is found when it opens, also where it is the value that stood in', () => {
  const watch = known();
  live(watch, 20 * MINUTE, { closed: web('refused') });
  assert.ok(isSettled(watch, { closed: web('refused') }));
  live(watch, 10 * MINUTE, { edits: { system: [['FR-1.9(250304-S21)', '49.0.1.3']] } });
  const [found] = watch.opened('firmware.version-changed');
  assert.deepEqual([found?.before, found?.after], [version('FR-1.9(250304-S21)'), version('49.0.1.3')]);
});

test('a device without a log-in goes on being seen once approvers signed what it showed, where that is withdrawn, and where it left and is back', () => {
  const closed = web('refused');
  const signed = ({ state }: Watch) => withSignedEntry(state, 900, keptFacts(state.attested?.facts));
  const claimed = ({ state }: Watch) => ({
    entry: { seq: 0, approval: 'none' as const },
    claims: keptFacts(state.attested?.facts),
    absent: [],
  });
  const back = (state: Watch['state']) => {
    const { id, position, address, labels } = state;
    return withFormer(newDevice({ id, position, address, labels }), state, NOTHING_STANDING);
  };
  const ways: readonly ((watch: Watch) => Watch['state'])[] = [
    signed,
    (watch) => rebuilt(signed(watch), [claimed(watch)]),
    (watch) => back(signed(watch)),
  ];
  for (const way of ways) {
    const watch = known({ closed });
    watch.state = way(watch);
    live(watch, 30 * MINUTE, { closed });
    assert.deepEqual(saidBeside(watch), []);
    assert.equal(watch.state.attested?.missing, undefined);
    assert.equal(watch.state.reference?.carried, undefined, 'all of it is in an entry');
    live(watch, 10 * MINUTE, { closed, edits: { pools: [['acme.b2r14s07', 'thief.x']] } });
    assert.equal(watch.opened('pool.user-changed').length, 3);
  }
});

test('a device without a log-in is compared by what port 4028 says, as ever', () => {
  const closed = web('refused');
  const watch = known({ closed });
  assert.ok(keptFacts(watch.state.reference?.facts).pools);
  assert.deepEqual(watch.state.reference?.standIns, watch.state.attested?.standIns);
  assert.ok(isSettled(watch, { closed }));
  live(watch, 10 * MINUTE, { closed, edits: { pools: [['acme.b2r14s07', 'thief.x']] } });
  assert.equal(watch.opened('pool.user-changed').length, 3);
  const restarted = JSON.parse(JSON.stringify(watch.state)) as Watch['state'];
  const { observation } = observe('full', watch.nowMs, { closed });
  assert.equal(comparable(restarted, observation), observation);
});

/** A device that a person accepted while its web interface was closed. */
const acceptedClosed = (facts?: readonly FactName[]): Watch => {
  const closed = web('refused');
  const watch = known({ closed });
  watch.state = accept(watch.state, { by: 'ann', nowMs: watch.nowMs, seq: 99, ...(facts && { facts }) }).state;
  live(watch, 10 * MINUTE, { closed });
  watch.clear();
  return watch;
};

const approvalOf = ({ state }: Watch, fact: FactName) => holderOf(state.reference?.entries ?? [], fact)?.approval;

const OWN = 'FR-1.9(250304-S21)';
const ABOUT_FIRMWARE = /^firmware\./;

for (const facts of [undefined, ['firmware.version', 'identity.model']] as const)
  test(`a log-in tells the version of an accepted device in other words: that is no change, and learned (${facts ?? 'whole'})`, () => {
    const watch = acceptedClosed(facts);
    assert.equal(approvalOf(watch, 'firmware.version'), 'local');
    live(watch, 30 * MINUTE, {});
    assert.deepEqual(
      watch.said().filter((said) => ABOUT_FIRMWARE.test(said)),
      [],
    );
    assert.equal(keptFacts(watch.state.attested?.facts)['firmware.version'], OWN);
    assert.equal(keptFacts(watch.state.reference?.facts)['firmware.version'], OWN);
    // The acceptance holds these facts for a verifier, who knows nothing of places.
    assert.equal(approvalOf(watch, 'firmware.version'), 'local');
    assert.equal(approvalOf(watch, 'identity.model'), 'local');
    assert.ok(isSettled(watch, {}));
  });

test('braiins: the log-in of the REST API tells the version in other words than port 4028', () => {
  const life = new SpecimenLife(braiins, 'braiins/s19jpro-26.04');
  const needsLogin = (query: string): boolean => {
    const { kind, ...asked } = braiins.queries[query] as Query;
    return kind === 'http' && 'auth' in asked && asked.auth !== 'none';
  };
  const watch = life.settle({ closed: (query) => (needsLogin(query) ? noReply('refused', 'no log-in') : undefined) });
  const versionIn = (known: Watch['state']['reference']) => keptFacts(known?.facts)['firmware.version'];
  assert.equal(versionIn(watch.state.reference), 'boser-buildroot 0.1.0-77e0aa19');
  life.live(30);
  assert.deepEqual(watch.said(), []);
  assert.equal(versionIn(watch.state.reference), '2026-04-14-0-77e0aa19-26.04-plus');
});

test('what a log-in told is held against from then on, whatever port 4028 says', () => {
  const watch = acceptedClosed();
  live(watch, 30 * MINUTE, {});
  live(watch, 30 * MINUTE, { closed: web('refused') });
  watch.clear();
  live(watch, 10 * MINUTE, { edits: { system: [[OWN, 'FR-2.0(260101-S21)']] } });
  const [found] = watch.opened('firmware.version-changed');
  assert.deepEqual([found?.severity, found?.before], ['high', version(OWN)]);
});

test('another version that came with the log-in is found where port 4028 tells it', () => {
  const watch = acceptedClosed();
  live(watch, 10 * MINUTE, { edits: { version: [['49.0.1.3', '50.0.1.3']], system: [[OWN, 'FR-2.0(260101-S21)']] } });
  const [found] = watch.opened('firmware.version-changed');
  assert.deepEqual(
    [found?.severity, found?.before, found?.after],
    ['high', version('49.0.1.3'), version('FR-2.0(260101-S21)')],
  );
  assert.equal(approvalOf(watch, 'firmware.version'), 'local');
});

test('a log-in with which port 4028 begins to refuse its version leaves nothing alike to compare: the other words are found', () => {
  const watch = acceptedClosed();
  live(watch, 10 * MINUTE, { closed: (query) => (query === 'version' ? 'refused' : undefined) });
  assert.equal(watch.opened('firmware.version-changed').length, 1);
});

test('a version that both surfaces tell alike is held against at its own place once that opened', () => {
  const system: Edits['system'] = [[OWN, '49.0.1.3']];
  const watch = acceptedClosed();
  live(watch, 2 * MINUTE, { edits: { system } });
  live(watch, 10 * MINUTE, { edits: { system: [[OWN, 'FR-2.0(260101-S21)']] } });
  assert.deepEqual(watch.opened('firmware.version-changed')[0]?.before, version('49.0.1.3'));
});

test('a device that was accepted with its log-in is held against that, whatever port 4028 tells meanwhile', () => {
  const watch = known();
  watch.state = accept(watch.state, { by: 'ann', nowMs: watch.nowMs, seq: 99 }).state;
  live(watch, 30 * MINUTE, {});
  live(watch, 30 * MINUTE, { closed: web('refused') });
  live(watch, 10 * MINUTE, { edits: { system: [[OWN, 'FR-2.0(260101-S21)']] } });
  const [found] = watch.opened('firmware.version-changed');
  assert.deepEqual([found?.severity, found?.before], ['high', version(OWN)]);
});

const scopedBy = (version: string): Standing =>
  standingOf({
    references: [],
    plans: [],
    waivers: [
      {
        seq: 50,
        terms: {
          kind: 'waiver',
          waiver_id: 'w',
          ids: ['config.drift'],
          expires_at: 4_000_000_000,
          scope: { firmware: [`antminer-stock ${version}`] },
        } as unknown as Waiver,
        sha256: 'w',
        by: ['ann'],
        adoptedAt: 0,
      },
    ],
  });

test('a device enters or leaves the scope of a document by no word of its own: there the other words are found', () => {
  const watch = acceptedClosed();
  watch.context = { ...watch.context, standing: scopedBy(OWN) };
  live(watch, 10 * MINUTE, {});
  assert.equal(watch.opened('firmware.version-changed').length, 1);
});

test('what approvers signed is replaced by no word of the device', () => {
  const watch = acceptedClosed();
  const { reference } = watch.state;
  assert.ok(reference);
  const entries = reference.entries.map((entry) => ({ ...entry, approval: 'signed' as const }));
  watch.state = { ...watch.state, reference: { ...reference, entries } };
  live(watch, 10 * MINUTE, {});
  assert.equal(watch.opened('firmware.version-changed').length, 1);
});

test('what stands in is compared as another firmware where the family became another one', () => {
  const watch = known();
  const facts = keepFacts({ ...keptFacts(watch.state.reference?.facts), family: 'whatsminer' });
  const other = { reference: { entries: [], facts }, attested: { atMs: 0, reachable: true, facts } };
  const { observation } = observe('full', watch.nowMs, { closed: web('refused') });
  assert.equal(comparable(other, observation), observation);
});

test('a pool that is set at run time only is a slot more, with the stored one as it was', () => {
  const watch = known();
  const edits: Edits = { pools: [['eu.pool.example:3333', 'thief.example:3333']] };
  live(watch, 10 * MINUTE, { edits });
  assert.deepEqual(watch.said(), ['pool.slot-added open']);
  const { part, after } = watch.statements[0] ?? {};
  assert.deepEqual(
    [part, after],
    ['slot 3', { url: 'stratum+tcp://thief.example:3333', user: 'acme.b2r14s07', priority: 0, active: true }],
  );
  live(watch, 10 * MINUTE, {});
  assert.deepEqual(watch.said().slice(1), ['pool.slot-added resolved']);
});

test('another account at the pool that is set at run time only is a slot more', () => {
  const watch = known();
  live(watch, 10 * MINUTE, { edits: { pools: [['acme.b2r14s07', 'thief.x']] } });
  assert.deepEqual(
    watch.said(),
    Array.from({ length: 3 }, () => 'pool.slot-added open'),
  );
  assert.deepEqual(watch.statements[0]?.after, {
    url: 'stratum+tcp://eu.pool.example:3333',
    user: 'thief.x',
    priority: 0,
    active: true,
  });
});

test('a pool that no line of the list covers is found where the stored configuration is closed, too', () => {
  const watch = known();
  watch.context = { ...watch.context, allow: [{ url: '*.pool.example' }] };
  live(watch, 10 * MINUTE, { closed: web('refused') });
  assert.deepEqual(saidBeside(watch), []);
  const edits: Edits = { pools: [['eu.pool.example:3333', 'thief.example:3333']] };
  live(watch, 10 * MINUTE, { closed: web('refused'), edits });
  assert.deepEqual(saidBeside(watch), ['pool.slot-added open', 'pool.outside-allowlist open']);
});

const THEFT: Edits = {
  pools: [
    ['eu.pool.example:3333', 'thief.example:3333'],
    ['acme.b2r14s07', 'thief.x'],
  ],
};

for (const closing of ['refused', 'unreachable', ...BROKEN, ...LOST] as const) {
  const name = typeof closing === 'string' ? closing : `${closing.reason}, ${closing.detail}`;
  const closed = web(closing);

  test(`a pool that only runs is found while the stored configuration is not to be had (${name})`, () => {
    const watch = known();
    live(watch, 10 * MINUTE, { closed });
    assert.deepEqual(saidBeside(watch), []);
    live(watch, 10 * MINUTE, { closed, edits: THEFT });
    const said = saidBeside(watch);
    assert.ok(said.length === 3 && said.every((one) => one === 'pool.slot-added open'), said.join());
    const [found] = watch.opened('pool.slot-added');
    assert.deepEqual(
      [found?.part, found?.after],
      ['slot 3', { url: 'stratum+tcp://thief.example:3333', user: 'thief.x', priority: 0, active: true }],
    );
    // What is stored nobody read: it is not attested.
    assert.ok(watch.state.attested?.missing?.includes('pools'));
    assert.equal(keptFacts(watch.state.attested?.facts).pools?.length, 3);
    live(watch, 10 * MINUTE, { closed });
    assert.deepEqual(saidBeside(watch), said, 'that it runs no more says nothing of what is stored');
    live(watch, 10 * MINUTE, {});
    const ended = saidBeside(watch).slice(3);
    assert.ok(ended.length === 3 && ended.every((one) => one === 'pool.slot-added resolved'), ended.join());
  });

  test(`a web interface that is broken now and then changes nothing (${name})`, () => {
    const watch = known();
    let looks = 0;
    const isBroken = (query: string): Closing | undefined => {
      if (query === 'conf') looks += 1;
      return looks % 3 === 0 ? closed(query) : undefined;
    };
    live(watch, 90 * MINUTE, { closed: isBroken });
    assert.ok(looks > 60);
    assert.deepEqual(saidBeside(watch), []);
  });

  test(`a theft that is found goes on being the same finding while the web interface comes and goes (${name})`, () => {
    const watch = known();
    live(watch, 10 * MINUTE, { closed, edits: THEFT });
    for (let turn = 0; turn < 3; turn += 1) {
      live(watch, 5 * MINUTE, { edits: THEFT });
      live(watch, 5 * MINUTE, { closed, edits: THEFT });
    }
    assert.deepEqual(
      saidBeside(watch),
      Array.from({ length: 3 }, () => 'pool.slot-added open'),
    );
  });
}

test('a broken web interface leaves what port 4028 tells of the machine, and a first look learns it', () => {
  for (const closing of BROKEN) {
    const { facts, gaps, standIns } = observe('full', 0, { closed: web(closing) }).observation;
    assert.deepEqual(
      [facts['identity.model'], facts['identity.make'], facts.pools?.length, standIns.get('pools')],
      ['Antminer S21', 'Bitmain', 3, 'elsewhere'],
      closing.detail,
    );
    assert.equal(gaps.get('identity.mac'), 'unreadable');
  }
});

test('a plan for the pools covers what runs as planned, also where the stored configuration is not to be had', () => {
  const watch = known();
  const { observation } = observe('full', watch.nowMs, { closed: web('refused'), edits: THEFT });
  const { toldPools = [] } = comparable(watch.state, observation);
  assert.equal(toldPools.length, 3);
  const approved = keptFacts(watch.state.reference?.facts);
  const context = ruleContextOf(watch.state, ADDRESS, {}, undefined, { nowMs: watch.nowMs });
  const gaps = new Map([['pools', 'refused']] as const);
  const added = runComparisons({}, gaps, approved, context, toldPools).find(
    ({ rule }) => rule.id === 'pool.slot-added',
  );
  assert.ok(added?.kind === 'ran');
  assert.equal(added.deviations.length, 3);
  assert.deepEqual(added.against?.({ pools: toldPools }), []);
});

test('visibility.coverage-reduced: port 4028 closed while the web answers is medium after ten minutes, and ends when it opens', () => {
  const watch = known();
  const closed = (query: string): Closing | undefined => (isWeb(query) ? undefined : 'unreachable');
  live(watch, 9 * MINUTE, { closed });
  assert.deepEqual(watch.said(), []);
  live(watch, 30 * MINUTE, { closed });
  assert.deepEqual(watch.said(), ['visibility.coverage-reduced open']);
  const [finding] = watch.statements;
  assert.deepEqual([finding?.severity, finding?.basis], ['medium', 'gateway-observed']);
  assert.ok((finding?.after as { closed: readonly string[] }).closed.includes('pools'));
  const { readable } = finding?.before as { readable: readonly string[] };
  assert.ok(readable.length > 0 && readable.every((fact) => watch.state.attested?.missing?.includes(fact as 'pools')));
  live(watch, 30 * MINUTE, {});
  assert.equal(watch.said().at(-1), 'visibility.coverage-reduced resolved');
});

test('visibility.coverage-reduced: accepted with the device it is over, and does not come again while it stays closed', () => {
  const watch = known();
  const closed = web('refused');
  live(watch, 40 * MINUTE, { closed });
  assert.deepEqual(watch.opened('visibility.coverage-reduced').length, 1);
  const { state, transitions } = accept(watch.state, { by: 'ann', nowMs: watch.nowMs, seq: 99 });
  assert.deepEqual(
    transitions.map(({ ruleId, state: now }) => `${ruleId} ${now}`),
    ['visibility.coverage-reduced approved'],
  );
  watch.state = state;
  watch.clear();
  live(watch, 60 * MINUTE, { closed });
  assert.deepEqual(watch.opened('visibility.coverage-reduced'), []);
});

test('visibility.coverage-reduced: what was closed from the start, and a reply that was late, are none', () => {
  const watch = known({ closed: web('refused') });
  live(watch, 60 * MINUTE, { closed: web('refused') });
  assert.deepEqual(watch.said(), []);
});
