import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ackSchema, signMessage, type Typ } from '../../shared/index.ts';
import { Authority } from '../publish/certificates.ts';
import { Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { Observer, until } from '../publish/observer.ts';
import { heartbeat, keyOf } from '../shared/collector/bench.ts';
import { cases, gateway, knownAnswers } from '../shared/vectors.ts';
import { start as started, stop, Writing } from '../shared/writing.ts';
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

      const start = (words: readonly string[]): ExampleProcess => {
        const all = [
          ...words,
          '--id',
          'collector-a',
          '--trust',
          `example.org/gw-test=${join(folder, 'gateway.jwk.json')}`,
        ];
        const collector = new ExampleProcess(example, all);
        collector.start();
        return collector;
      };

      const begin = async (broker: Mosquitto, observer: Observer): Promise<ExampleProcess> => {
        const collector = start([broker.url]);
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
        for (const content of [started(), stop, stop, stop, stop]) log.write(content);
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

      test('nothing that comes ends it, from whomever, even under the trusted key', async () => {
        await using broker = await Mosquitto.start();
        await using observer = await Observer.connect(broker.url);
        await using collector = await begin(broker, observer);
        const log = new Writing();
        const odd = (members: object, typ: Typ = 'miner-att+jwt'): Buffer =>
          signMessage({ ...started(), ...log.next, ...members }, typ, gateway);
        const deep = '['.repeat(15_000);
        const garbage = [
          ...['x', '{', 'null', '{}', '"', '\ufeff{}', deep, `{"a":${deep}`, 'y'.repeat(200_000)].map((text) =>
            Buffer.from(text),
          ),
          Buffer.of(0xff, 0x00, 0x7b),
          ...['{"data":null}', '{"data":{"entries":5}}', '{"data":{"entries":[1,null,{},"{}","\\ud800"]}}'].map(
            (text) => Buffer.from(text),
          ),
          ...[
            { seq: 'x' },
            { seq: -1 },
            { seq: null },
            { log: 5 },
            { log: 'a/b/c/d' },
            { log: 'example.org/gw-other/1' },
            { eat_profile: 1 },
          ].map((members) => odd(members)),
          ...[
            { kind: 'checkpoint' },
            { size: 4, first: 0, root: 5 },
            { size: -1, first: 'x' },
            { size: 2 ** 53 - 1, first: 0, root: 'x', mono_ms: 5 },
          ].map((members) => odd(members, 'miner-cp+jwt')),
          // A place that a later entry does not fit on.
          odd({ seq: 1, prev: 7, kind: 9 }),
        ];
        for (const payload of garbage) {
          for (const area of ['log', 'cp', 'rsp/collector-a'])
            await observer.publish(`attest/v1/gw-test/${area}`, payload, false);
        }
        // Whoever has the key of one gateway speaks for no other.
        await observer.publish('attest/v1/gw-other/log', odd({ log: 'example.org/gw-other/1' }), false);
        await observer.publish(LOG_TOPIC, log.write(started()), false);
        await collector.says('it goes on', () => collector.alarms().includes('E_CHAIN'));
        assert.deepEqual(
          collector.stored().map(({ seq, status }) => [seq, status]),
          [
            [0, 'chained'],
            [1, 'E_CHAIN'],
          ],
        );
        assert.ok(collector.of('alarm').length > garbage.length);
        assert.ok(['E_TOPIC', 'E_KEY_SCOPE'].every((code) => collector.alarms().includes(code)));
        assert.equal(collector.err, '');
        assert.equal(await collector.end('SIGTERM'), 0);
      });

      test('whoever has the key may name any number of logs: they cut off nothing, and without that key they count no more', async () => {
        await using broker = await Mosquitto.start();
        await using observer = await Observer.connect(broker.url);
        await using collector = await begin(broker, observer);
        const ACK = 'attest/v1/gw-test/ack/collector-a';
        const acks = () => observer.on(ACK).map(({ text }) => JSON.parse(text));
        const isAcked = (log: string, next: number) => () => acks().some((ack) => ack.log === log && ack.next === next);
        const own = new Writing('example.org/gw-test/1000');
        await observer.publish(LOG_TOPIC, own.write(started()), false);
        await until('an acknowledgement', isAcked(own.next.log, 1));

        // Checkpoints alone, whatever they say is gone, make no log that counts.
        for (let at = 1; at <= 600; at += 1) {
          const other = new Writing(`example.org/gw-test/${2000 + at}`);
          other.write(started());
          const { topic, payload } = heartbeat(other, 1, { first: 1 });
          await observer.publish(topic, Buffer.from(payload), false);
        }
        await observer.publish(LOG_TOPIC, own.write(stop), false);
        await until('the log goes on', isAcked(own.next.log, 2));
        assert.deepEqual(collector.alarms(), []);

        // Entries do, as many as there may be of one gateway.
        const stolen = Array.from({ length: 300 }, (_none, at) => new Writing(`example.org/gw-test/${3000 + at}`));
        for (const each of stolen) await observer.publish(LOG_TOPIC, each.write(started()), false);
        await collector.says('too many', () => collector.of('alarm').length === 300 - 255);
        assert.deepEqual(collector.alarms(), ['E_INCARNATION']);
        assert.equal(collector.stored().length, 2 + 255);
        const newest = stolen[254]?.next.log ?? '';
        await until('the newest is acknowledged', isAcked(newest, 1));

        // The gateway gets another key: what the former one signed stands as it is, and the new log is the newest.
        const renewed = keyOf(7);
        const file = join(folder, 'renewed.jwk.json');
        writeFileSync(file, JSON.stringify(renewed.jwk));
        const greetings = () => observer.on('attest/v1/_fleet/rollcall/collector-a').length;
        const greeted = greetings();
        await collector.restart([broker.url, '--id', 'collector-a', '--trust', `example.org/gw-test=${file}`]);
        await until('it is there again', () => greetings() > greeted);
        const next = new Writing('example.org/gw-test/1500');
        next.signer = renewed;
        await observer.publish(LOG_TOPIC, next.write(started()), false);
        await until('the new log is acknowledged', isAcked(next.next.log, 1));
        const heard = acks().length;
        await observer.publish(LOG_TOPIC, next.write(stop), false);
        await until('it goes on', isAcked(next.next.log, 2));
        assert.deepEqual(
          [
            ...new Set(
              acks()
                .slice(heard)
                .map(({ log }) => log),
            ),
          ],
          [next.next.log],
        );
        assert.equal(collector.err, '');
      });

      test('a gateway that came hears how far its newest log is here, also where it names a former one; the same session is no news', async () => {
        await using broker = await Mosquitto.start();
        await using observer = await Observer.connect(broker.url);
        await using collector = await begin(broker, observer);
        const acks = () => observer.on('attest/v1/gw-test/ack/collector-a').map(({ text }) => JSON.parse(text));
        const [former, own] = [new Writing('example.org/gw-test/1000'), new Writing('example.org/gw-test/2000')];
        for (const each of [former.write(started()), own.write(started())])
          await observer.publish(LOG_TOPIC, each, false);
        await until('an acknowledgement', () => acks().some(({ log }) => log === own.next.log));
        const comes = (session: string) =>
          observer.publish(
            'attest/v1/gw-test/conn',
            JSON.stringify({ state: 'online', log: former.next.log, size: 1, at: 1, session }),
            false,
          );
        for (const session of ['seed.1', 'seed.2']) {
          const before = acks().length;
          await comes(session);
          await until(`an answer to ${session}`, () => acks().length > before);
          assert.deepEqual([acks().at(-1).log, acks().at(-1).next], [own.next.log, 1]);
        }
        const before = acks().length;
        await comes('seed.2');
        // Whatever it would make of that comes before this answer.
        await observer.publish(LOG_TOPIC, own.write(stop), false);
        await until('another acknowledgement', () => acks().some(({ next }) => next === 2));
        assert.equal(acks().length, before + 1);
        assert.equal(collector.err, '');
      });

      test('a gateway that doubts what it hears is shown the last entry of its newest log, once, and no other one', async () => {
        await using broker = await Mosquitto.start();
        await using observer = await Observer.connect(broker.url);
        await using collector = await begin(broker, observer);
        const acks = () => observer.on('attest/v1/gw-test/ack/collector-a').map(({ text }) => JSON.parse(text));
        const [former, own] = [new Writing('example.org/gw-test/1000'), new Writing('example.org/gw-test/2000')];
        for (const each of [former.write(started()), own.write(started()), own.write(stop)])
          await observer.publish(LOG_TOPIC, each, false);
        await until('an acknowledgement', () => acks().some(({ log, next }) => log === own.next.log && next === 2));
        const say = (contradicted_by: unknown) =>
          observer.publish(
            'attest/v1/gw-test/conn',
            JSON.stringify({ state: 'online', log: former.next.log, size: 1, at: 1, contradicted_by }),
            false,
          );
        for (const other of [undefined, null, 5, 'collector-a', {}, [], [['collector-a']], ['collector-b']])
          await say(other);
        await observer.publish('attest/v1/gw-test/conn', 'null', false);
        await say(['collector-b', 'collector-a']);
        await until('it is shown', () => acks().some(({ head }) => head !== undefined));
        // A message of the former log is answered by the newest one; nobody asked to see anything then.
        const before = acks().length;
        await observer.publish(LOG_TOPIC, former.messages[0] ?? '', false);
        await until('another acknowledgement', () => acks().length > before);
        const heads = acks().filter(({ head }) => head !== undefined);
        assert.deepEqual(
          heads.map(({ log, next, head }) => [log, next, head]),
          [[own.next.log, 2, own.messages[1]?.toString()]],
        );
        for (const ack of acks()) ackSchema.parse(ack);
        assert.equal(acks().at(-1).log, own.next.log);
        assert.equal(collector.err, '');
      });

      test('over TLS 1.3 both sides show a certificate, and a broker under another name is not spoken to', async () => {
        const authority = new Authority(folder);
        const serve = (san: string): Promise<Mosquitto> => {
          const { cert, key } = authority.issue('broker', san);
          const files = [`cafile ${authority.ca}`, `certfile ${cert}`, `keyfile ${key}`];
          const mutual = ['require_certificate true', 'use_identity_as_username true', 'use_username_as_clientid true'];
          return Mosquitto.start([...files, ...mutual, 'tls_version tlsv1.3']);
        };
        const words = ({ port }: Mosquitto): readonly string[] => {
          const { cert, key } = authority.issue('collector-a', 'DNS:collector-a');
          return [`mqtts://127.0.0.1:${port}`, '--ca', authority.ca, '--cert', cert, '--key', key];
        };
        await using right = await serve('IP:127.0.0.1');
        const { cert, key } = authority.issue('gw-test', 'DNS:gw-test');
        const files = { ca: readFileSync(authority.ca), cert: readFileSync(cert), key: readFileSync(key) };
        await using near = await Observer.connect(`mqtts://127.0.0.1:${right.port}`, {
          clientId: 'gw-test',
          ...files,
        });
        await using collector = start(words(right));
        await until('it asks', () => near.on('attest/v1/_fleet/rollcall/collector-a').length > 0);
        const log = new Writing();
        await near.publish(LOG_TOPIC, log.write(started()), false);
        await until('an acknowledgement', () =>
          near.on('attest/v1/gw-test/ack/collector-a').some(({ text }) => JSON.parse(text).next === 1),
        );
        assert.deepEqual(collector.alarms(), []);

        await using wrong = await serve('IP:127.0.0.9');
        await using refusing = start(words(wrong));
        await until('it came', () => wrong.log.includes('OpenSSL Error'));
        await delay(1_000);
        assert.doesNotMatch(wrong.log, /New client connected|collector-a/);
        assert.deepEqual(refusing.lines, []);
      });
    },
  );
}
