import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DeviceState, newDevice } from '../../agent/appraise/device.ts';
import { keepFacts } from '../../agent/baseline/kept.ts';
import { lastBegun, staleness } from '../../agent/record/incarnation.ts';
import { Log } from '../../agent/record/log.ts';
import { restate, restatement } from '../../agent/record/restate.ts';
import { buildBaselineAccepted, buildBaselineLearned } from '../../agent/record/statement.ts';
import { parseTrustedKeys } from '../../shared/keys.ts';
import { LogVerifier } from '../../shared/log-verifier.ts';
import { verifyTerms } from '../../shared/signed-terms.ts';
import type { BaselineStatement, Statement } from '../../shared/statement.ts';
import { People } from './approvers.ts';
import { anyStatement, logOptions, openGateway, START } from './gateway.ts';

const FACTS = { family: 'cgminer', 'firmware.version': '1' } as const;

/** A device whose reference is that of these `baseline` entries. */
const known = (id: string, seqs: readonly number[]): DeviceState => ({
  ...newDevice({ id, position: 'host', address: '10.0.0.1', labels: {} }),
  reference: {
    entries: seqs.map((seq, at) => ({ seq, approval: at === 0 ? 'none' : 'local' })),
    facts: keepFacts(FACTS),
  },
  attested: { seq: 1, atMs: 1, reachable: false, facts: keepFacts(FACTS) },
});

const named = (log: readonly Statement[]) =>
  log
    .filter((one): one is BaselineStatement => one.kind === 'baseline')
    .map(({ seq, baseline }) => ({ seq, baseline }));

test('§4: a new incarnation says again what is in force, in entries that fit, and cites the former log', (t) => {
  const { log, store, dir, clock, jwk } = openGateway(t);
  const ids = Array.from({ length: 800 }, (_none, at) => `device-with-a-rather-long-name-that-fills-a-message-${at}`);
  log.transaction((tx) => {
    for (const built of buildBaselineLearned(ids.slice(0, 200).map((device) => ({ device, seq: 0 })))) tx.append(built);
    tx.append(buildBaselineAccepted([{ device: ids[0] ?? '', seq: 0 }], { by: 'alice' }));
  });
  const learned = store.newestOf('baseline', 10).toSorted((one, other) => one - other);
  const accepted = learned.at(-1) ?? 0;
  const pagesOf = new Map<string, number>(
    learned.flatMap((seq) => {
      const { baseline } = JSON.parse(Buffer.from(store.entry(seq)?.message ?? []).toString());
      return baseline.devices.map(({ device }: { device: string }) => [device, seq] as const);
    }),
  );
  const states = ids.map((id, at): DeviceState => {
    if (at === 0) return known(id, [learned[0] ?? 0, accepted]);
    if (at < 150) return known(id, [pagesOf.get(id) ?? 0]);
    // Its values are not in force any more; or it learned them just now.
    if (at < 200) return { ...known(id, []) };
    const state = known(id, []);
    return { ...state, reference: { entries: [], facts: keepFacts(FACTS), unrecorded: [{ seq: 7, facts: 'all' }] } };
  });

  const pages = restatement(store, states, log.origin);
  const options = {
    former: lastBegun(dir)?.origin,
    replaces: { end: { ...log.end(), size: 900 }, why: 'an older copy' },
  };
  clock.pass(5_000);
  const next = Log.read({ ...logOptions(store, dir, clock), ...options });
  let carried: readonly DeviceState[] = [];
  next.begin(START, (tx) => {
    carried = restate(tx, { pages, states, orders: [], isWithheld: () => false }).states;
  });
  assert.notEqual(next.origin, log.origin);
  const entries = store.entriesFrom(0, 100);
  const written = entries.map(({ message }) => JSON.parse(Buffer.from(message).toString()) as Statement);
  assert.deepEqual(
    written.slice(0, 2).map((one) => one.kind === 'session' && one.session.event),
    ['start', 'rollback'],
  );
  const items = named(written).flatMap(({ seq, baseline }) =>
    'devices' in baseline ? baseline.devices.map((item) => ({ ...item, in: seq, approval: baseline.approval })) : [],
  );
  assert.ok(items.every(({ log: of }) => of === log.origin));
  assert.deepEqual(
    new Set(items.filter(({ approval }) => approval === 'none').map(({ device }) => device)),
    new Set([...ids.slice(0, 150), ...ids.slice(200)]),
  );
  assert.deepEqual(
    items.filter(({ approval }) => approval === 'local').map(({ device }) => device),
    [ids[0]],
  );
  assert.ok(named(written).length > 4, 'they did not fit into one');
  for (const { id, reference, attested, referenceChanged } of carried) {
    const own = items.filter(({ device }) => device === id).map((item) => item.in);
    assert.deepEqual(
      reference?.entries.map(({ seq }) => seq),
      own,
    );
    assert.equal(reference?.unrecorded, undefined);
    assert.deepEqual([attested?.seq, attested?.reachable, referenceChanged], [undefined, true, true]);
  }
  const verifier = new LogVerifier({ keys: parseTrustedKeys(jwk), start: 'zero' });
  const verdicts = entries.flatMap(({ message }) => verifier.accept(message, { nowMs: clock.wall }));
  assert.ok(verdicts.every(({ status }) => status === 'chained'));
  next.transaction((tx) => void tx.append(anyStatement()));
  const end = next.end();
  assert.deepEqual(Log.read(logOptions(store, dir, clock)).end(), end, 'it is continued');
});

test('a new incarnation that cannot be written leaves the former log as it was', (t) => {
  const { log, store, dir, clock } = openGateway(t);
  log.transaction((tx) => void tx.append(anyStatement()));
  store.saveCursor('collector/a', 2);
  const end = log.end();
  const replaces = { end: { ...end, size: 9 }, why: 'an older copy' };
  const next = Log.read({ ...logOptions(store, dir, clock), replaces });
  const failed = () =>
    next.begin(START, () => {
      throw new Error('power cut');
    });
  assert.throws(failed, /power cut/);
  assert.deepEqual([store.size(), store.cursor('collector/a'), store.entriesFrom(0, 9).length], [2, 2, 2]);
  assert.deepEqual(Log.read(logOptions(store, dir, clock)).end(), end);
  next.begin(START);
  assert.deepEqual([next.size(), store.size(), store.cursor('collector/a')], [2, 2, 0]);
  assert.equal(Log.read(logOptions(store, dir, clock)).origin, next.origin);
});

test('a log is stale where more of it was signed, or a later one was begun; an empty store is not', () => {
  const end = (incarnation: number, size: number) => ({ log: `example.org/gw/${incarnation}`, size, root: 'r' });
  const log = { origin: 'example.org/gw/5', size: 10 };
  const why = (...beside: [ReturnType<typeof end> | undefined, string | undefined]) =>
    staleness(log, { head: beside[0], begun: beside[1] });
  assert.equal(why(undefined, undefined), undefined);
  assert.equal(why(end(5, 10), 'example.org/gw/5'), undefined);
  assert.deepEqual(why(end(5, 11), 'example.org/gw/5')?.signed, end(5, 11));
  assert.deepEqual(why(end(7, 3), 'example.org/gw/7')?.signed, end(7, 3));
  assert.ok(why(end(6, 3), 'example.org/gw/7') !== undefined);
  assert.equal(why(end(6, 3), 'example.org/gw/7')?.signed, undefined);
  assert.equal(why(end(3, 99), 'example.org/gw/4'), undefined);
  assert.equal(staleness({ ...log, size: 0 }, { head: end(5, 11), begun: undefined }), undefined);
});

test('documents in force are stated again with their signatures; devices and findings name them by their new entries', (t) => {
  const { log, store, dir, clock, jwk } = openGateway(t);
  const people = new People('alice', 'bob');
  const terms = {
    kind: 'plan',
    plan_id: 'summer',
    type: 'change',
    scope: {},
    ids: ['firmware.*'],
    author: 'alice',
  } as const;
  const signed = people.sign({ ...terms, not_before_at: 1_795_339_000, not_after_at: 1_795_340_000 }, 'alice', 'bob');
  const { terms: read, sha256 } = verifyTerms(signed, { keys: people.keys });
  const order = { terms: read, sha256, ...signed, by: ['alice', 'bob'], adoptedAt: 1_795_339_200, seq: 17 };
  const finding = {
    ruleId: 'firmware.version-changed',
    state: 'open',
    severity: 'info',
    severityBase: 'medium',
    basis: 'self-reported',
    ruleVersion: 1,
    firstObservedAt: 1_795_339_100,
    surfaces: [],
    openedSeq: 20,
    plan: 17,
  } as const;
  const state = { ...known('rig-1', []), tracks: [{ finding, clear: 0, changesMs: [] }] };
  const replaces = { end: { ...log.end(), size: 900 }, why: 'an older copy' };
  clock.pass(5_000);
  const next = Log.read({ ...logOptions(store, dir, clock), replaces });
  let carried: ReturnType<typeof restate> = { states: [], orders: [] };
  next.begin(START, (tx) => {
    carried = restate(tx, { pages: [], states: [state], orders: [order], isWithheld: () => false });
  });
  const entries = store.entriesFrom(0, 100);
  const written = entries.map(({ message }) => JSON.parse(Buffer.from(message).toString()) as Statement);
  const said = written.find((one) => one.kind === 'change');
  assert.ok(said?.kind === 'change');
  assert.deepEqual([said.change.action, said.change.doc, said.change.sigs], ['adopted', signed.doc, signed.sigs]);
  assert.deepEqual([carried.orders[0]?.seq, carried.states[0]?.tracks[0]?.finding.plan], [said.seq, said.seq]);
  assert.deepEqual(
    store.orders((text) => JSON.parse(text).seq),
    [said.seq],
  );
  const verifier = new LogVerifier({ keys: new Map([...parseTrustedKeys(jwk), ...people.keys]), start: 'zero' });
  const verdicts = entries.flatMap(({ message }) => verifier.accept(message, { nowMs: clock.wall }));
  assert.ok(verdicts.every(({ status }) => status === 'chained'));
});
