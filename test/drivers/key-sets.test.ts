import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Look } from '../../agent/appraise/verdict.ts';
import { type Driver, type Query, questionOf } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import type { LookKind } from '../../agent/normalise/observation.ts';
import type { JsonObject, JsonValue, NoReply, Reply } from '../../agent/probe/capture.ts';
import { documentIn } from '../../agent/probe/exchange.ts';
import { readFramed } from '../../agent/probe/framed.ts';
import { noReply, readReply } from '../../agent/probe/reply.ts';
import { ADDRESS, HOUR, MINUTE, Watch } from '../appraise/watch.ts';
import { loadSpecimens, replyBytes, type Specimen } from '../specimens/specimen.ts';
import { EXPECTATIONS } from './capture-expectations/all.ts';

/** `keys.<query>`: which members the replies of a device have (catalogue 5.2). */

interface Life {
  readonly specimen: Specimen;
  readonly driver: Driver;
}

const lives: readonly Life[] = loadSpecimens().flatMap((specimen) => {
  const { device } = specimen;
  const driver = 'family' in device ? DRIVERS.find(({ family }) => family === device.family) : undefined;
  return driver === undefined ? [] : [{ specimen, driver }];
});

const answer = (specimen: Specimen, query: Query): Reply | NoReply => {
  const question = questionOf(query);
  const bytes = replyBytes(specimen, question);
  if (bytes === undefined) return noReply('unsupported', 'no such question');
  if (query.kind === 'cgminer' || query.kind === 'grpc') return readReply(bytes, { whole: true });
  if (query.kind === 'framed') return readFramed(bytes);
  const status = specimen.device.replies[question]?.status ?? 200;
  const page = { kind: 'page', status, challenges: [], cookies: [], body: Buffer.from(bytes), whole: true } as const;
  return documentIn(page, query);
};

/** Something that happened to the answer to one question. */
type Happening = (name: string, reply: Reply | NoReply) => Reply | NoReply;

const nothing: Happening = (_, reply) => reply;

const lookAt = ({ specimen, driver }: Life, look: LookKind, nowMs: number, happening: Happening): Look => {
  const due = Object.entries(driver.queries).filter(([, query]) => look === 'full' || query.cadence === 'pools');
  const replies = new Map(due.map(([name, query]) => [name, happening(name, answer(specimen, query))]));
  return { kind: 'observed', observation: normalise(driver, { address: ADDRESS, observedAtMs: nowMs, replies }, look) };
};

const keySetsOf = (life: Life, happening: Happening = nothing): { readonly [name: string]: string } => {
  const look = lookAt(life, 'full', 0, happening);
  assert.equal(look.kind, 'observed');
  const parts = look.kind === 'observed' ? look.observation.facts['firmware.components'] : [];
  return Object.fromEntries(
    (parts ?? []).filter(({ name }) => name.startsWith('keys.')).map(({ name, value }) => [name, value]),
  );
};

/** Polls, full looks every quarter of an hour and early looks as wished. */
const live = (watch: Watch, life: Life, forMs: number, happening: Happening): void => {
  const endMs = watch.nowMs + forMs;
  for (let minute = 0; watch.nowMs < endMs; minute += 1) {
    const startMs = watch.nowMs;
    watch.take(lookAt(life, minute % 15 === 0 ? 'full' : 'pools', watch.nowMs, happening));
    while (watch.nextFullMs < startMs + MINUTE) {
      watch.nowMs = Math.max(watch.nowMs + 1000, watch.nextFullMs);
      watch.take(lookAt(life, 'full', watch.nowMs, happening));
    }
    watch.nowMs = startMs + MINUTE;
  }
};

/** What is said in the two hours after something happened to a device that was known before. */
const saidAfter = (life: Life, happening: Happening): Watch => {
  const watch = new Watch();
  live(watch, life, HOUR, nothing);
  watch.clear();
  live(watch, life, 2 * HOUR, happening);
  return watch;
};

const onlyTo =
  (query: string, change: (reply: Reply) => Reply | NoReply): Happening =>
  (name, reply) =>
    name === query && reply.kind === 'reply' ? change(reply) : reply;

const changed = (change: (value: JsonObject) => JsonObject) => (reply: Reply) => ({
  ...reply,
  // Every reply of a specimen with a key set is an object.
  value: change(reply.value as JsonObject),
});

const withMember = changed((value) => ({ ...value, extra: 1 }));

const queryOf = (name: string): string => name.slice('keys.'.length);

test('every family has a key set of a reply that identifies it', () => {
  const families = new Set(lives.filter((life) => Object.keys(keySetsOf(life)).length > 0).map((life) => life.driver));
  assert.deepEqual(
    DRIVERS.filter((driver) => !families.has(driver)).map(({ family }) => family),
    [],
  );
});

for (const life of lives) {
  const { name } = life.specimen;
  for (const part of Object.keys(keySetsOf(life))) {
    const query = queryOf(part);

    test(`firmware.fingerprint-changed: ${name}, one member more in ${query} is one low finding, reason keyset`, () => {
      const { statements } = saidAfter(life, onlyTo(query, withMember));
      assert.deepEqual(
        statements.map(({ ruleId, state, severity, reasons }) => [ruleId, state, severity, reasons]),
        [['firmware.fingerprint-changed', 'open', 'low', ['keyset']]],
      );
      assert.deepEqual(statements[0]?.before, [{ key: part, value: keySetsOf(life)[part] }]);
    });

    test(`firmware.fingerprint-changed: ${name}, a ${query} that is late, cut or refused is none`, () => {
      for (const reason of ['timeout', 'truncated', 'refused'] as const) {
        const lost = onlyTo(query, () => noReply(reason, 'test'));
        assert.equal(keySetsOf(life, lost)[part], undefined);
        assert.deepEqual(saidAfter(life, lost).opened('firmware.fingerprint-changed'), [], reason);
      }
    });
  }
}

describe('a key set is left out', () => {
  const errorOf = (code: number): JsonValue => ({ STATUS: [{ STATUS: 'E', When: 1, Code: code, Msg: 'x' }], id: 1 });

  for (const life of lives) {
    const parts = Object.keys(keySetsOf(life)).filter((part) => life.driver.queries[queryOf(part)]?.kind === 'cgminer');
    if (parts.length === 0) continue;
    test(`of ${life.specimen.name} where the device refuses or does not know the question`, () => {
      for (const part of parts) {
        for (const code of [14, 24, 45, 10, 23]) {
          const refused = onlyTo(queryOf(part), (reply) => ({ ...reply, value: errorOf(code) }));
          assert.equal(keySetsOf(life, refused)[part], undefined, `${part} ${code}`);
        }
        const doubtful = onlyTo(queryOf(part), (reply) => ({ ...reply, repairs: ['conflicting-key'] }));
        assert.equal(keySetsOf(life, doubtful)[part], undefined, part);
      }
    });
  }
});

describe('what comes and goes in the life of a device leaves its key sets as they are', () => {
  const lifeOf = (name: string): Life => {
    const life = lives.find(({ specimen }) => specimen.name === name);
    if (life === undefined) throw new Error(`no specimen ${name}`);
    return life;
  };

  const without = (...names: readonly string[]) =>
    changed((value) => Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name))));

  test('every list with nothing in it, of every specimen', () => {
    const emptied = (value: JsonValue): JsonValue => {
      if (Array.isArray(value)) return [];
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, emptied(member)]));
    };
    let kept = 0;
    for (const life of lives) {
      const before = keySetsOf(life);
      const after = keySetsOf(life, (_, reply) =>
        reply.kind === 'reply' ? { ...reply, value: emptied(reply.value) } : reply,
      );
      for (const [name, value] of Object.entries(after)) assert.equal(value, before[name], life.specimen.name);
      kept += Object.keys(after).length;
    }
    assert.ok(kept > 0);
  });

  const STATES: { readonly [state: string]: (reply: Reply) => Reply } = {
    'before the first block template': without(
      'blockHeight',
      'scriptsig',
      'networkDifficulty',
      'blockSignals',
      'coinbaseOutputs',
      'coinbaseValueTotalSatoshis',
      'coinbaseValueUserSatoshis',
    ),
    'before the chips are measured': without('hashrateMonitor'),
    'on a cable': without('wifiRSSI'),
    'with faults': changed((value) => ({ ...value, power_fault: 'VCORE', hardware_fault: 'fan' })),
    'with other rejected shares': changed((value) => ({
      ...value,
      sharesRejectedReasons: [
        { message: 'Stale', count: 1 },
        { message: 'Low', count: 2, more: 1 },
      ],
    })),
    'with another pool and another partition': changed((value) => ({
      ...value,
      pools: [...((value.pools as readonly JsonValue[] | undefined) ?? []), { id: 9, other: 1 }],
      partitions: [{ label: 'ota_1' }],
    })),
  };

  for (const [state, change] of Object.entries(STATES)) {
    test(`AxeOS 2.15 ${state}`, () => {
      const life = lifeOf('axeos/gamma-2.15');
      assert.deepEqual(keySetsOf(life, onlyTo('info', change)), keySetsOf(life));
    });
  }

  test('a NerdQAxe on two pools, whose list of them grew', () => {
    const life = lifeOf('axeos/nerdqaxe-v2');
    const dual = changed((value) => ({ ...value, stratum: { activePoolMode: 1, pools: [{}, {}], extra: {} } }));
    assert.deepEqual(keySetsOf(life, onlyTo('info', dual)), keySetsOf(life));
  });

  test('an Antminer with other boards, pools and warnings in the replies that list them', () => {
    const life = lifeOf('antminer-stock/s21');
    const busy: Happening = (name, reply) =>
      reply.kind === 'reply' && !['version', 'system'].includes(name) ? withMember(reply) : reply;
    assert.deepEqual(keySetsOf(life, busy), keySetsOf(life));
  });
});

describe('captures of one program in different states', () => {
  /** The key set of a capture, as it stands in its expectation; the captures are checked against it elsewhere. */
  const expected = (folder: string, part: string): string => {
    const { facts } = EXPECTATIONS.flatMap(({ captures }) => captures[folder] ?? [])[0] ?? {};
    const value = facts?.['firmware.components']?.find(({ name }) => name === part)?.value;
    assert.ok(value !== undefined, `${folder} has ${part}`);
    return value;
  };

  test('bmminer asleep and at work, of five machines and five years, has the same version members', () => {
    const folders = [
      's9-16.8.1.3-2017-11-17',
      's17pro-19.10.1.3-2019-08-20',
      's19-49.0.1.3-2020-12-11-sleep',
      's19pro-2020-06-01',
      's19pro-49.0.1.3-2022-12-06',
    ];
    assert.equal(new Set(folders.map((folder) => expected(`antminer-stock/${folder}`, 'keys.version'))).size, 1);
  });

  test('the cgminer of other Antminers has a set of its own, the same on all of them', () => {
    const folders = ['l3plus-2017-08-25', 's9k-13.10.1.3-2019-09-29', 't15-27.10.1.3-2019-12-13'];
    const sets = new Set(folders.map((folder) => expected(`antminer-stock/${folder}`, 'keys.version')));
    assert.equal(sets.size, 1);
    assert.ok(!sets.has(expected('antminer-stock/s19pro-2020-06-01', 'keys.version')));
  });
});
