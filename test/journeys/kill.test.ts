import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { Observer, until } from '../publish/observer.ts';
import { Gateway, NO_ENDPOINT } from './agent.ts';
import { assertPolite, FAMILIES, fleetOf, rangeOf } from './fleets.ts';

const TOPIC = 'attest/v1/gw-1/log';
const KILLS = 12;
/** An agent needs a second to start; it is killed before, during and after. */
const LONGEST_MS = 4000;
/** Every third life begins to count when the agent runs, so that some are in the log however long a start takes. */
const SURELY_STARTED = 3;

suite('kill -9 in a loop', { skip: WITHOUT_MOSQUITTO, timeout: 180_000 }, () => {
  test('after any number of kills the log verifies and every entry that was published is in it, byte for byte', async (t) => {
    await using fleet = await fleetOf(FAMILIES, '127.71.0.1', { devices: 20 });
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    await using gateway = Gateway.create({
      devices: [rangeOf(fleet)],
      mqtt: { url: broker.url, spread_s: 0 },
      schedule: { pools: '* * * * * *', config: '* * * * * *', ...NO_ENDPOINT },
    });
    let thefts = 0;
    const thief = setInterval(() => {
      thefts += 1;
      fleet.device(thefts % 20).changePoolUser(0, `thief.${thefts}`);
    }, 150);

    const lives: number[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const lifeMs = Math.round(Math.random() * LONGEST_MS);
      lives.push(lifeMs);
      if (kill % SURELY_STARTED === 0) await gateway.up();
      else gateway.spawn();
      await delay(lifeMs);
      assert.deepEqual(await gateway.stop('SIGKILL'), { code: null, signal: 'SIGKILL' }, gateway.stderr);
    }
    t.diagnostic(`killed after ${lives.join(', ')} ms`);
    await gateway.up();
    await gateway.knows(20);
    await gateway.says('a theft is found', () => gateway.findings('pool.user-changed').length > 0);
    clearInterval(thief);
    await until('the backlog at the observer', () => new Set(observer.seqs(TOPIC)).size >= gateway.log.length);
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });

    assert.deepEqual(gateway.eventsOf('store.end-lost'), [], 'a kill damages nothing');
    const messages = await gateway.verified();
    await until('the last entry at the observer', () => observer.seqs(TOPIC).at(-1) === messages.length - 1);
    const published = observer.on(TOPIC);
    for (const { text } of published) assert.equal(text, messages[JSON.parse(text).seq]);
    const seqs = new Set(observer.seqs(TOPIC));
    assert.equal(seqs.size, messages.length, 'nothing in the log was never published');
    const findings = gateway.findings('pool.user-changed').length;
    const boots = Math.max(...gateway.log.map(({ bootcount }) => bootcount));
    assert.ok(boots > KILLS / SURELY_STARTED && boots <= KILLS + 1, `${boots} starts are in the log`);
    t.diagnostic(`${boots} starts, ${messages.length} entries, ${published.length} messages, ${findings} findings`);
    assertPolite(fleet);
  });
});

test('a first start that is killed as soon as it has left its mark lost no store', { timeout: 120_000 }, async () => {
  const marked = ({ stateDir }: Gateway): boolean => existsSync(join(stateDir, 'log.json'));
  for (let kill = 0; kill < 2; kill += 1) {
    await using gateway = Gateway.create({ devices: [{ host: '127.71.1.1' }], schedule: NO_ENDPOINT });
    gateway.spawn();
    while (!marked(gateway)) await delay(1);
    await gateway.stop('SIGKILL');
    await gateway.up();
    assert.deepEqual(gateway.findings('evidence.agent-gap'), []);
    assert.deepEqual(gateway.eventsOf('log.begun-anew'), []);
    await gateway.stop();
    await gateway.verified();
  }
});
