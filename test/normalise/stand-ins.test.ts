import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Driver } from '../../agent/drivers/driver.ts';
import { questionOf } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import type { LookKind, Observation } from '../../agent/normalise/observation.ts';
import type { NoReply, Reply } from '../../agent/probe/capture.ts';
import { answeredIn } from '../../agent/probe/probe.ts';
import { readReply } from '../../agent/probe/reply.ts';
import { ADDRESS, MINUTE, runningOn, Watch } from '../appraise/watch.ts';
import { loadSpecimens, replyBytes } from '../specimens/specimen.ts';

/** Devices that refuse inside a document that arrived: every question has its answer, and one surface is closed all the same. */

interface Case {
  readonly specimen: string;
  /** What the surface that stands in spells otherwise, by the name of the query. */
  readonly otherwise: { readonly [query: string]: readonly (readonly [from: string, to: string])[] };
  /** The questions that are refused, and the document that says so. */
  readonly closed: readonly string[];
  readonly says: string;
  readonly reason: 'refused' | 'unreachable';
  /** Facts that another surface tells then. */
  readonly standIns: readonly string[];
  /** What would be found in what that one says, if it were taken for the other. */
  readonly rule?: string;
}

const CASES: readonly Case[] = [
  {
    specimen: 'iceriver/ks5l-session',
    otherwise: { panel: [['stratum+tcp://', '']] },
    closed: ['machine'],
    says: '{"error":7001,"data":"","message":"miner is offline"}',
    reason: 'unreachable',
    standIns: ['pools'],
    rule: 'pool.url-changed',
  },
  {
    specimen: 'iceriver/ks5l-session',
    otherwise: { panel: [['192.0.2.1fe80', '192.0.2.254fe80']] },
    closed: ['network'],
    says: '{"error":1004,"data":"","message":"not logged in"}',
    reason: 'refused',
    standIns: ['network.gateway', 'network.hostname', 'network.dns'],
    rule: 'config.network-changed',
  },
  {
    specimen: 'innosilicon/t3-web',
    otherwise: { type: [['"T3"', '"T3-43"']] },
    closed: ['overview'],
    says: '{"success":false,"token":"expired"}',
    reason: 'refused',
    standIns: ['identity.model'],
  },
];

const SPECIMENS = new Map(loadSpecimens().map((specimen) => [specimen.name, specimen]));

const driverOf = (family: string): Driver => DRIVERS.find((driver) => driver.family === family) as Driver;

const parse = (text: string): Reply | NoReply => readReply(new TextEncoder().encode(text), { whole: true });

/** What a program says to a question that it does not know. */
const UNKNOWN = '{"STATUS":[{"STATUS":"E","When":1,"Code":14,"Msg":"Invalid command","Description":""}],"id":1}';

/** One look at the specimen, of which everything it has arrives. */
const look = (one: Case, kind: LookKind, nowMs: number, isClosed: boolean) => {
  const specimen = SPECIMENS.get(one.specimen);
  assert.ok(specimen);
  const driver = driverOf(one.specimen.split('/')[0] ?? '');
  const asked = Object.entries(driver.queries).filter(([, { cadence }]) => kind === 'full' || cadence === 'pools');
  const replies = asked.flatMap(([query, question]): readonly (readonly [string, Reply | NoReply])[] => {
    if (isClosed && one.closed.includes(query)) return [[query, parse(one.says)]];
    if (specimen.device.replies[questionOf(question)] === undefined) return [[query, parse(UNKNOWN)]];
    let text = new TextDecoder().decode(replyBytes(specimen, questionOf(question)));
    for (const [from, to] of one.otherwise[query] ?? []) {
      assert.ok(text.includes(from), `${query} says ${from}`);
      text = text.replaceAll(from, to);
    }
    return [[query, parse(text)]];
  });
  const capture = { address: ADDRESS, observedAtMs: nowMs, replies: new Map(replies) };
  const observation: Observation = runningOn(normalise(driver, capture, kind));
  return { observation, answered: answeredIn(driver, capture) };
};

const live = (watch: Watch, one: Case, forMs: number, isClosed: boolean): void => {
  const endMs = watch.nowMs + forMs;
  for (let minute = 0; watch.nowMs < endMs; minute += 1) {
    const kind = minute % 3 === 0 || watch.nowMs >= watch.nextFullMs ? 'full' : 'pools';
    const { observation, answered } = look(one, kind, watch.nowMs, isClosed);
    watch.context = { ...watch.context, answered };
    watch.take({ kind: 'observed', observation });
    watch.nowMs += MINUTE;
  }
};

for (const one of CASES) {
  const { specimen, closed, reason, standIns, rule } = one;

  test(`${specimen}: ${closed.join()} ${reason} inside a document: what another surface says stands in`, () => {
    const { observation } = look(one, 'full', 0, true);
    for (const fact of standIns) assert.equal(new Map<string, string>(observation.standIns).get(fact), reason, fact);
    assert.equal(look(one, 'full', 0, false).observation.standIns.size, 0);
  });

  if (rule === undefined) continue;

  test(`${specimen}: ${closed.join()} ${reason} inside a document is no ${rule}`, () => {
    const watch = new Watch();
    live(watch, one, 10 * MINUTE, false);
    assert.ok(watch.state.attested?.reachable);
    watch.clear();
    live(watch, one, 60 * MINUTE, true);
    live(watch, one, 10 * MINUTE, false);
    assert.deepEqual(
      watch.said().filter((said) => !said.startsWith('visibility.')),
      [],
    );
  });
}
