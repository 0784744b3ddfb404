import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import type { LookKind } from '../../agent/normalise/observation.ts';
import type { NoReply, Reply } from '../../agent/probe/capture.ts';
import { noReply } from '../../agent/probe/reply.ts';
import { loadSubjects, type Subject } from '../../scripts/fuzz/subjects.ts';

/** What a device works for is a slot, too, by which it is held against its reference, whichever of its documents says so. */

const CLOSED = noReply('unreachable', 'closed');
const NOT_ASKED = noReply('unsupported', 'not asked');

/** Some text of one answer is another one. */
interface Theft {
  readonly query: string;
  readonly from: string;
  readonly to: string;
}

interface Case {
  readonly subject: Subject;
  readonly look: LookKind;
  /** The kind of question that this gateway cannot ask. */
  readonly closed?: 'cgminer' | 'http';
}

const factsOf = ({ subject: { driver, answers }, look, closed }: Case, theft?: Theft) => {
  const replies = new Map<string, Reply | NoReply>();
  for (const [name, query] of Object.entries(driver.queries)) {
    if (look === 'pools' && query.cadence !== 'pools') continue;
    const answer = answers.get(name);
    if (answer === undefined || query.unless?.(replies) === true) replies.set(name, NOT_ASKED);
    else if (query.kind === closed) replies.set(name, CLOSED);
    else if (theft?.query !== name) replies.set(name, answer.read(answer.bytes));
    else {
      const text = Buffer.from(answer.bytes).toString('latin1').replaceAll(theft.from, theft.to);
      replies.set(name, answer.read(Buffer.from(text, 'latin1')));
    }
  }
  return normalise(driver, { address: '192.0.2.1', observedAtMs: 0, replies }, look).facts;
};

const rows = (pools: readonly { readonly url: string; readonly user?: string }[] = []) =>
  pools.map(({ url, user = '' }) => `${url} ${user}`);

const hostIn = (url: string): string => url.replace(/^[^/]*:\/\//, '').replace(/[:/].*$/s, '');

const theftsOf = (one: Case): readonly Theft[] => {
  const live = factsOf(one).live_pools ?? [];
  const told = new Set(live.flatMap(({ url, user }) => [hostIn(url), ...(user === undefined ? [] : [user])]));
  return [...one.subject.answers.keys()].flatMap((query) =>
    [...told].map((from) => ({ query, from, to: 'thief.example' })),
  );
};

/** AxeOS tells its connections in full looks only, of which the others know nothing; asicseer hides the pool in use. */
const WITHOUT = new Set(['asicseer', 'axeos']);

describe('the pool that a device works for', () => {
  const subjects = loadSubjects({ withCaptures: false });
  for (const { family, facts } of DRIVERS) {
    if (facts.live_pools === undefined || WITHOUT.has(family)) continue;
    test(`is a slot of ${family}, whichever document tells it`, () => {
      const own = subjects.filter(({ driver }) => driver.family === family);
      const cases = own.flatMap((subject): readonly Case[] =>
        (['full', 'pools'] as const).flatMap((look) => [
          { subject, look },
          { subject, look, closed: 'cgminer' },
          { subject, look, closed: 'http' },
        ]),
      );
      let seen = 0;
      for (const one of cases) {
        for (const theft of theftsOf(one)) {
          const { pools, live_pools } = factsOf(one, theft);
          const stolen = rows(live_pools).filter((row) => row.includes(theft.to));
          if (stolen.length === 0 || pools === undefined) continue;
          seen += 1;
          const shown = rows(pools).some((row) => row.includes(theft.to));
          assert.ok(shown, `${one.subject.name} ${one.look} ${one.closed ?? ''} ${JSON.stringify(theft)}`);
        }
      }
      assert.ok(seen > 0, 'no theft shows');
    });
  }
});
