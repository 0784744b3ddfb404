import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Agent, settingsFor } from './agents.ts';
import { Mosquitto, WITHOUT_MOSQUITTO } from './mosquitto.ts';
import { Observer, until, upTo } from './observer.ts';

const LOG = 'attest/v1/gw-1/log';
const CONN = 'attest/v1/gw-1/conn';

suite('uplink to Mosquitto', { skip: WITHOUT_MOSQUITTO, timeout: 120_000 }, () => {
  test('a backlog of 10 000 entries made while the broker was away arrives complete and in order', async () => {
    await using broker = await Mosquitto.start(['allow_anonymous true', 'max_queued_messages 100000']);
    await broker.kill();
    // The pause between two connects lets the observer subscribe before the agent is back.
    const timing = { backoffBaseMs: 2_000, backoffCapMs: 2_000 };
    await using agent = new Agent(settingsFor(broker.url), { timing, random: () => 0.999 }).start();
    agent.outbox.appendMany(10_000);
    await until('a failed connect', () => agent.saw('uplink.network'));
    await broker.up();
    await using observer = await Observer.connect(broker.url);
    await until('10 000 entries', () => observer.on(LOG).length >= 10_000, 60_000);

    const seqs = observer.seqs(LOG);
    assert.deepEqual([...new Set(seqs)], upTo(10_000));
    assert.ok(agent.outbox.largestRead <= 32, 'no more than a window is in memory');
    await until('the cursor', () => agent.outbox.cursor() === 10_000);
  });
});
