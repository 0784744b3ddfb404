import assert from 'node:assert/strict';
import { type Driver, questionOf } from '../../agent/drivers/driver.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import type { LookKind } from '../../agent/normalise/observation.ts';
import type { NoReply, Reply } from '../../agent/probe/capture.ts';
import { noReply, readReply } from '../../agent/probe/reply.ts';
import { loadSpecimens, replyBytes, type Specimen } from '../specimens/specimen.ts';
import { ADDRESS, MINUTE, runningOn, Watch } from './watch.ts';

/** A specimen that lives on, minute by minute, as its driver reads it. */

/** What somebody changed at the device, as texts of whichever replies have them. */
export type Edits = readonly (readonly [from: string | RegExp, to: string])[];

export interface Shown {
  readonly edits?: Edits;
  /** Why a question gets no answer. */
  readonly closed?: (query: string) => NoReply | undefined;
}

export class SpecimenLife {
  readonly watch = new Watch();
  readonly #driver: Driver;
  readonly #specimen: Specimen;

  constructor(driver: Driver, name: string) {
    const specimen = loadSpecimens().find((one) => one.name === name);
    assert.ok(specimen !== undefined, name);
    this.#driver = driver;
    this.#specimen = specimen;
  }

  /** Looks at everything every third minute, and at the pools in between. */
  live(minutes: number, shown: Shown = {}): void {
    for (let minute = 0; minute < minutes; minute += 1) this.#look(minute % 3 === 0 ? 'full' : 'pools', shown);
  }

  /** It was learned like this, and nothing is told of it as long as nothing changes. */
  settle(shown: Shown = {}): Watch {
    this.live(10, shown);
    this.watch.clear();
    this.live(30, shown);
    assert.deepEqual(this.watch.said(), []);
    return this.watch;
  }

  #look(look: LookKind, shown: Shown): void {
    const asked = Object.entries(this.#driver.queries).filter(
      ([, { cadence }]) => look === 'full' || cadence === 'pools',
    );
    const replies = asked.map(([name, query]) => [name, this.#reply(name, questionOf(query), shown)] as const);
    const capture = { address: ADDRESS, observedAtMs: this.watch.nowMs, replies: new Map(replies) };
    this.watch.take({ kind: 'observed', observation: runningOn(normalise(this.#driver, capture, look)) });
    this.watch.nowMs += MINUTE;
  }

  #reply(name: string, question: string, { edits = [], closed }: Shown): Reply | NoReply {
    if (this.#specimen.device.replies[question]?.file === undefined) return noReply('unsupported', 'not served');
    const text = new TextDecoder().decode(replyBytes(this.#specimen, question));
    const edited = edits.reduce((told, [from, to]) => told.replaceAll(from, to), text);
    return closed?.(name) ?? readReply(Buffer.from(edited), { whole: true });
  }
}
