import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { Observer, until } from '../publish/observer.ts';
import { heartbeat } from '../shared/collector/bench.ts';
import { cases, knownAnswers } from '../shared/vectors.ts';
import { start, stop, Writing } from '../shared/writing.ts';
import { EXAMPLE_PROGRAMS, ExampleProcess } from './example-process.ts';

const LOG_TOPIC = 'attest/v1/gw-test/log';

/** What steps 1 to 7 find in any message, whatever came before it and without its schema. */
const BY_ITSELF =
  /^refused (E_SIZE|E_ENCODING|E_ENVELOPE|E_HEADER|E_ALG|E_TYP|E_KEY_UNKNOWN|E_SIGNATURE|E_JSON|E_NONCANONICAL|E_PROFILE)$/;
const NUMBERS = 'numbers outside the data model';

/** A number that may not be there, or is not written as it may be: the page leaves open which of the two it is called. */
const sameCode = (code: unknown): unknown => (code === 'E_SCHEMA' ? 'E_NONCANONICAL' : code);

const refusals = cases
  .filter(({ keys }) => keys === undefined)
  .flatMap(({ title, messages }) => messages.map((message) => ({ title, ...message })))
  .filter(({ title, verdicts: [verdict = '', ...more] }) => {
    return more.length === 0 && (BY_ITSELF.test(verdict) || (title === NUMBERS && verdict === 'refused E_SCHEMA'));
  })
  .map(({ bytes, verdicts }) => ({ bytes, code: sameCode(verdicts[0]?.slice('refused '.length)) }));

for (const example of EXAMPLE_PROGRAMS) {
  suite(
    `cases for the collector in ${example.language}`,
    { skip: WITHOUT_MOSQUITTO || example.skip, timeout: 60_000 },
    () => {
      let folder = '';
      before(() => {
        folder = mkdtempSync(join(tmpdir(), 'assayer-trust-'));
        writeFileSync(join(folder, 'gateway.jwk.json'), JSON.stringify(knownAnswers.jwk));
      });
      after(() => rmSync(folder, { recursive: true, force: true }));

      const begin = async (broker: Mosquitto, observer: Observer): Promise<ExampleProcess> => {
        const words = [broker.url, '--id', 'collector-a', '--trust', join(folder, 'gateway.jwk.json')];
        const collector = new ExampleProcess(example, words);
        collector.start();
        await until('it asks who is there', () => observer.on('attest/v1/_fleet/rollcall/collector-a').length > 0);
        return collector;
      };

      test('the committed vectors that one message breaks bring the code of the specification', async (t) => {
        await using broker = await Mosquitto.start();
        await using observer = await Observer.connect(broker.url);
        await using collector = await begin(broker, observer);
        for (const { bytes } of refusals) await observer.publish(LOG_TOPIC, bytes, false);
        await collector.says('all are refused', () => collector.of('alarm').length >= refusals.length);
        assert.deepEqual(
          collector.of('alarm').map(({ code }) => sameCode(code)),
          refusals.map(({ code }) => code),
        );
        assert.ok(new Set(refusals.map(({ code }) => code)).size >= 8);
        assert.deepEqual(collector.of('stored'), []);
        t.diagnostic(`${refusals.length} messages, ${collector.alarms().join(' ')}`);
      });

      test('what a gateway no longer holds is lost, said, and passed over; a restart goes on from there', async () => {
        await using broker = await Mosquitto.start();
        await using observer = await Observer.connect(broker.url);
        await using collector = await begin(broker, observer);
        const log = new Writing();
        for (const content of [start(), stop, stop, stop, stop]) log.write(content);
        const beats = (size: number, first: number) => {
          const { topic, payload } = heartbeat(log, size, { first });
          return observer.publish(topic, Buffer.from(payload), false);
        };
        const sends = (seq: number) => observer.publish(LOG_TOPIC, log.messages[seq] ?? '', false);
        const acks = () => observer.on('attest/v1/gw-test/ack/collector-a').map(({ text }) => JSON.parse(text));

        await beats(5, 3);
        await collector.says('a loss', () => collector.of('lost').length === 1);
        assert.deepEqual(collector.of('lost')[0]?.missing, [0, 3]);
        assert.deepEqual(
          acks().filter(({ next }) => next > 0),
          [],
          'nothing is known of entry 2',
        );
        await sends(3);
        await sends(4);
        await until('an acknowledgement', () => acks().some(({ next, leaf }) => next === 5 && leaf === log.leaf(4)));
        assert.deepEqual(
          collector.stored().map(({ seq, status }) => [seq, status]),
          [
            [3, 'chained'],
            [4, 'chained'],
          ],
        );

        await collector.end();
        const before = acks().length;
        collector.start();
        await until('it greets', () => acks().length > before);
        assert.equal(acks().at(-1).next, 5);
        log.write(stop);
        await sends(2);
        await sends(5);
        await beats(6, 3);
        await until('the next', () => acks().some(({ next }) => next === 6));
        assert.deepEqual(collector.alarms(), []);
        assert.deepEqual(collector.of('agreed'), [], 'without the beginning there is no tree to compare');
        assert.equal(collector.err, '');
      });
    },
  );
}
