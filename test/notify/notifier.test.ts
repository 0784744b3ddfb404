import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Notifier } from '../../agent/notify/notifier.ts';
import type { Target } from '../../agent/notify/target.ts';
import type { NotifyTiming } from '../../agent/notify/timing.ts';
import type { Level } from '../../agent/platform/events.ts';
import { notificationSchema } from '../../shared/notification.ts';
import { until } from '../publish/observer.ts';
import { MemoryFeed } from './memory-feed.ts';
import { accept, Receiver, refuse, SECRET } from './receiver.ts';

const folder = mkdtempSync(join(tmpdir(), 'assayer-notifier-'));
after(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, 'secret'), SECRET, { mode: 0o600 });

const FAST: NotifyTiming = { backoffBaseMs: 5, backoffCapMs: 40, gatherMs: 1, stopMs: 1000 };

const to = (url: string, changes: Partial<Target> = {}): Target => ({
  name: 'pager',
  least: 'medium',
  timeout_s: 5,
  max_age_s: 3600,
  webhook: { url, insecure: false, secret_file: join(folder, 'secret') },
  ...changes,
});

/** A notifier at a log in memory, with the events that it wrote, and a clock that can be set on. */
class Telling implements AsyncDisposable {
  readonly events: { readonly level: Level; readonly event: string; readonly [member: string]: unknown }[] = [];
  readonly feed: MemoryFeed;
  readonly notifier: Notifier;
  aheadMs = 0;

  constructor(targets: readonly Target[], feed = new MemoryFeed(), timing: Partial<NotifyTiming> = {}, from?: number) {
    this.feed = feed;
    this.notifier = new Notifier({
      targets,
      gateway: 'gw-1',
      feed,
      clock: { wallMs: () => Date.now() + this.aheadMs, monoMs: () => performance.now() },
      emit: (level, event, members = {}) => this.events.push({ ...members, level, event }),
      timing: { ...FAST, ...timing },
      ...(from === undefined ? {} : { from }),
    });
    this.notifier.start();
  }

  saw(event: string) {
    return this.events.filter((line) => line.event === event);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.notifier.stop();
  }
}

/** What came, as type and `seq`. */
const told = (receiver: Receiver): readonly string[] =>
  receiver.received.map(({ notification: { type, data } }) => `${type}${'seq' in data ? ` ${data.seq}` : ''}`);

suite('who is told of findings', { timeout: 60_000 }, () => {
  test('each transition at or above the least severity, in order, and the end of what was told, however harmless by then', async () => {
    await using receiver = await Receiver.start();
    await using telling = new Telling([to(receiver.url)]);
    const { feed } = telling;
    feed.append();
    const theft = feed.append({ severity: 'critical' });
    feed.append({ severity: 'low' });
    feed.append({ severity: 'high', opened_seq: theft, state: 'acknowledged' });
    feed.append({ severity: 'info', opened_seq: theft, state: 'acknowledged' });
    const blip = feed.append({ severity: 'critical', state: 'resolved' });
    feed.append({ severity: 'info', opened_seq: theft, state: 'approved' });
    feed.append({ severity: 'info', opened_seq: theft, state: 'approved' });
    const last = feed.append({ severity: 'medium', devices: ['rig-1', 'rig-2'], count: 2 });
    await until('the last one', () => feed.told.has(`pager ${last}`));
    assert.deepEqual(told(receiver), [
      `finding.open ${theft}`,
      'finding.acknowledged 3',
      'finding.acknowledged 4',
      `finding.resolved ${blip}`,
      'finding.approved 6',
      `finding.open ${last}`,
    ]);
    assert.deepEqual([...feed.told], [`pager ${last}`]);
    for (const { notification } of receiver.received) assert.ok(notificationSchema.safeParse(notification).success);
    const keys = receiver.received.map(({ notification: { data } }) => ('key' in data ? data.key : ''));
    assert.equal(new Set(keys).size, 3);
    assert.equal(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size, 6);
  });

  test('outcomes that were never confirmed are not told; ids and states choose', async () => {
    await using receiver = await Receiver.start();
    const feed = new MemoryFeed();
    const choosy = to(receiver.url, { ids: ['firmware.*', 'pool.url-changed'], states: ['open'], least: 'low' });
    await using _telling = new Telling([choosy], feed);
    feed.append({ id: 'pool.user-changed' });
    const url = feed.append({ id: 'pool.url-changed' });
    feed.append({ id: 'pool.url-changed', state: 'resolved', opened_seq: url });
    const { confirmed_at: _never, ...blip } = { id: 'firmware.rollback', confirmed_at: undefined };
    feed.append({ ...blip, state: 'resolved', confirmed_at: undefined } as never);
    feed.append({ id: 'firmware.rollback', severity: 'info' });
    const rollback = feed.append({ id: 'firmware.rollback', severity: 'low' });
    await until('the last one', () => receiver.received.length === 2);
    await delay(50);
    assert.deepEqual(told(receiver), [`finding.open ${url}`, `finding.open ${rollback}`]);
    assert.deepEqual([...feed.told], [`pager ${rollback}`], 'the end is known, though it is not told');
  });

  test('a new target begins at the present end of the log; a restart goes on where it was, and so does one that was taken out, which is told, and put back', async () => {
    await using receiver = await Receiver.start();
    const feed = new MemoryFeed();
    feed.append({});
    {
      await using telling = new Telling([to(receiver.url)], feed);
      assert.deepEqual(
        telling.saw('notify.target-new').map(({ target, from }) => [target, from]),
        [['pager', 1]],
      );
      feed.append({});
      await until('the news', () => receiver.received.length === 1);
    }
    feed.append({});
    {
      await using telling = new Telling([to(receiver.url)], feed);
      await until('what came meanwhile', () => receiver.received.length === 2);
      assert.deepEqual(telling.saw('notify.target-new'), []);
    }
    feed.append({});
    for (const gone of [['pager'], []]) {
      await using none = new Telling([], feed);
      assert.deepEqual(
        none.saw('notify.target-gone').map(({ level, target }) => [level, target]),
        gone.map((target) => ['warn', target]),
        'once',
      );
    }
    await using again = new Telling([to(receiver.url)], feed);
    feed.append({});
    await until('what it missed, and the news', () => receiver.received.length === 4);
    assert.deepEqual(told(receiver), ['finding.open 1', 'finding.open 2', 'finding.open 3', 'finding.open 4']);
    assert.deepEqual(
      again.events.filter(({ event }) => event.startsWith('notify.target')),
      [],
    );
  });

  test('a new target is told what is recorded of the edit that names it', async () => {
    await using receiver = await Receiver.start();
    const feed = new MemoryFeed();
    feed.append({});
    const from = feed.size();
    const edit = feed.append({ id: 'change.break-glass' });
    await using _telling = new Telling([to(receiver.url)], feed, {}, from);
    await until('the edit', () => receiver.received.length === 1);
    assert.deepEqual(told(receiver), [`finding.open ${edit}`]);
  });

  test('what a target that was out for long missed is counted in one delivery, what is younger follows', async () => {
    await using receiver = await Receiver.start();
    const feed = new MemoryFeed();
    await new Telling([to(receiver.url)], feed).notifier.stop();
    const longAgo = Math.floor(Date.now() / 1000) - 7200;
    for (let at = 0; at < 5; at += 1) feed.append({ severity: 'critical' }, longAgo);
    const young = feed.append({});
    await using _again = new Telling([to(receiver.url)], feed);
    await until('both', () => receiver.received.length === 2);
    assert.deepEqual(told(receiver), ['notify.skipped', `finding.open ${young}`]);
  });

  test('what fails is tried again with the same id until it succeeds; nothing overtakes it, and another target goes on', async () => {
    await using down = await Receiver.start();
    await using well = await Receiver.start();
    down.answer = refuse(503);
    await using telling = new Telling([to(down.url), to(well.url, { name: 'chat' })]);
    const { feed } = telling;
    feed.append({});
    feed.append({});
    await until('the other one has both', () => well.received.length === 2);
    await until('many attempts', () => down.received.length > 5);
    assert.deepEqual([...new Set(told(down))], ['finding.open 0']);
    assert.equal(new Set(down.received.map(({ headers }) => headers['webhook-id'])).size, 1);
    const [status] = telling.notifier.status();
    assert.equal(status?.state, 'failing');
    assert.match(status?.failure?.message ?? '', /answers 503/);
    down.answer = accept;
    await until('both', () => told(down).at(-1) === 'finding.open 1');
    await until('it says so', () => telling.saw('notify.goes-on').length === 1);
    assert.deepEqual(
      telling
        .saw('notify.failed')
        .map(({ level }) => level)
        .slice(0, 5),
      ['warn', 'debug', 'debug', 'error', 'debug'],
      'once as a warning, once for a person when the waits have reached their ceiling',
    );
    const [first, second] = [down, well].map(({ received }) => received[0]?.headers['webhook-id']);
    assert.notEqual(first, second, 'each target has names of its own');
    assert.doesNotMatch(JSON.stringify(telling.events), /s3cret|whsec/);
  });

  test('waits between attempts double up to the ceiling, and Retry-After is heeded up to it', async () => {
    await using receiver = await Receiver.start();
    receiver.answer = refuse(429);
    const slow = { backoffBaseMs: 5000, backoffCapMs: 900_000 };
    const waits: number[] = [];
    const feed = new MemoryFeed();
    for (const retryAfter of [undefined, '600', '86400']) {
      receiver.answer = refuse(429, retryAfter === undefined ? {} : { 'retry-after': retryAfter });
      feed.places.set('pager', { next: 0 });
      if (feed.size() === 0) feed.append({});
      await using telling = new Telling([to(receiver.url)], feed, slow);
      await until('a failure', () => telling.saw('notify.failed').length === 1);
      waits.push(Number(telling.saw('notify.failed')[0]?.again_in_s));
    }
    assert.ok((waits[0] ?? 0) >= 4 && (waits[0] ?? 9) <= 5, String(waits));
    assert.deepEqual(waits.slice(1), [600, 900]);
  });

  test('an agent that ends while it tells tells it again, with the same id; one that has told does not', async () => {
    await using receiver = await Receiver.start();
    const feed = new MemoryFeed();
    receiver.answer = () => {};
    const first = new Telling([to(receiver.url)], feed, { stopMs: 50 });
    feed.append({});
    await until('the attempt', () => receiver.received.length === 1);
    await first.notifier.stop();
    receiver.answer = accept;
    {
      await using _second = new Telling([to(receiver.url)], feed);
      await until('once more', () => receiver.received.length === 2);
    }
    await using _third = new Telling([to(receiver.url)], feed);
    await delay(50);
    assert.equal(receiver.received.length, 2);
    const [one, two] = receiver.received;
    assert.equal(one?.headers['webhook-id'], two?.headers['webhook-id']);
    assert.equal(one?.body, two?.body);
  });

  test('what waited too long is counted in one delivery, which comes first; what is younger is told one by one', async () => {
    await using receiver = await Receiver.start();
    receiver.answer = refuse(500);
    const feed = new MemoryFeed();
    await using telling = new Telling([to(receiver.url)], feed);
    const nowS = Math.floor(Date.now() / 1000);
    receiver.answer = accept;
    const known = feed.append({ severity: 'high' });
    await until('what is known', () => feed.told.size === 1);
    receiver.answer = refuse(500);
    feed.append({ severity: 'critical' }, nowS - 3);
    feed.append({ severity: 'low' }, nowS - 3);
    feed.append({ severity: 'high', opened_seq: known, state: 'resolved' }, nowS - 2);
    feed.append({ severity: 'critical' }, nowS - 1);
    await until('it fails', () => receiver.received.length > 3);
    telling.aheadMs = 3600_000;
    await until('the summary is tried', () => receiver.types.at(-1) === 'notify.skipped');
    // While it cannot be told what waits still grows older.
    feed.append({ severity: 'medium' }, nowS - 1);
    const young = feed.append({ severity: 'medium' }, nowS + 3600);
    await until('it is counted, too', () => (feed.places.get('pager')?.skipped?.count ?? 0) === 4);
    receiver.answer = accept;
    await until('the young one', () => told(receiver).at(-1) === `finding.open ${young}` && feed.told.size > 0);
    const { notification } = receiver.received.at(-2) as (typeof receiver.received)[0];
    assert.ok(notificationSchema.safeParse(notification).success);
    assert.ok(notification.type === 'notify.skipped');
    assert.deepEqual(notification.data.skipped, {
      count: 4,
      by_severity: { critical: 2, high: 1, medium: 1 },
      from_at: nowS - 3,
      to_at: nowS - 1,
      ended: [`example.org/gw-1/1/${known}`],
    });
    assert.match(notification.data.text, /^4 transitions of findings \(2 critical, 1 high, 1 medium\) from .*Z to .*Z/);
    assert.deepEqual([...feed.told], [`pager ${young}`]);
    assert.equal(telling.saw('notify.skipped').at(-1)?.count, 4);
    assert.equal(feed.places.get('pager')?.skipped, undefined);
  });

  test('a finding that ends while it is not told, and opens again, is another one to the target', async () => {
    await using receiver = await Receiver.start();
    const feed = new MemoryFeed();
    await using _telling = new Telling([to(receiver.url, { states: ['open'] })], feed);
    const flapping = feed.append({});
    await until('the first', () => receiver.received.length === 1);
    feed.append({ opened_seq: flapping, state: 'resolved' });
    feed.append({ opened_seq: flapping, severity: 'low' });
    feed.append({ opened_seq: flapping, severity: 'high' });
    await until('it is back', () => receiver.received.length === 2);
    await delay(50);
    assert.deepEqual(told(receiver), ['finding.open 0', 'finding.open 3']);
  });

  test('what was passed over is not forgotten over a restart', async () => {
    await using receiver = await Receiver.start();
    const feed = new MemoryFeed();
    feed.places.set('pager', { next: 0 });
    for (let count = 0; count < 2000; count += 1) feed.append({}, 1000 + count);
    receiver.answer = refuse(500);
    {
      await using _telling = new Telling([to(receiver.url)], feed);
      await until('it was counted', () => receiver.received.length > 0);
    }
    assert.equal(feed.places.get('pager')?.skipped?.count, 2000);
    assert.ok(feed.kept <= 5, `the disk was asked ${feed.kept} times`);
    receiver.answer = accept;
    await using _again = new Telling([to(receiver.url)], feed);
    await until('the summary', () => feed.places.get('pager')?.skipped === undefined);
    const { notification } = receiver.received.at(-1) as (typeof receiver.received)[0];
    assert.ok(notification.type === 'notify.skipped' && notification.data.skipped.count === 2000);
  });

  test('a store that refuses writes, or cannot be read for a while, stops nothing for good', async () => {
    await using receiver = await Receiver.start();
    await using telling = new Telling([to(receiver.url)]);
    const { feed } = telling;
    feed.refusing = true;
    feed.append({});
    feed.append({});
    await until('both', () => receiver.received.length === 2);
    feed.unreadable = true;
    feed.append({});
    await until('it says so', () =>
      telling.saw('notify.failed').some(({ message }) => message === 'could not be read'),
    );
    feed.unreadable = false;
    feed.refusing = false;
    await until('the third', () => receiver.received.length === 3);
    await until('its place', () => feed.places.get('pager')?.next === 3);
  });

  test('entries that are no concern of a target cost no delivery, and a long log does not hold the event loop', async () => {
    await using receiver = await Receiver.start();
    const feed = new MemoryFeed();
    feed.places.set('pager', { next: 0 });
    for (let count = 0; count < 20_000; count += 1) feed.append();
    feed.append({});
    let longest = 0;
    let before = performance.now();
    const watch = setInterval(() => {
      longest = Math.max(longest, performance.now() - before);
      before = performance.now();
    }, 1);
    await using _telling = new Telling([to(receiver.url)], feed);
    await until('the news', () => receiver.received.length === 1);
    clearInterval(watch);
    assert.ok(longest < 200, `${longest} ms`);
    await until('its place', () => feed.places.get('pager')?.next === 20_001);
  });
});
