import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Feed } from '../../agent/notify/feed.ts';
import { LogFeed } from '../../agent/record/feed.ts';
import { buildFinding } from '../../agent/record/statement.ts';
import { anyStatement, finding, openGateway, restart } from './gateway.ts';

test('transitions are the signed ones, in order, within the asked entries', (t) => {
  const { log, store } = openGateway(t);
  const feed: Feed = new LogFeed(log, store);
  const about = { device: 'rig-1', labels: { tenant: 'acme' } };
  log.transaction((tx) => {
    tx.append(buildFinding({ finding, about, openedSeq: tx.next(), evidence: [] }));
    tx.append(anyStatement());
    tx.append(buildFinding({ finding: { ...finding, state: 'resolved' }, about, openedSeq: 1, evidence: [] }));
  });
  const seen = (from: number, below: number) =>
    feed.transitions(from, below).map(({ seq, finding: { state, labels } }) => [seq, state, labels?.tenant]);
  assert.deepEqual(seen(0, 9), [
    [1, 'open', 'acme'],
    [3, 'resolved', 'acme'],
  ]);
  assert.deepEqual([seen(1, 3).length, seen(2, 3).length, seen(4, 4).length], [1, 0, 0]);
  assert.equal(feed.transitions(0, 9)[0]?.iat, store.entry(1)?.iat);
});

test('places, what was passed over, and what is known outlive a restart; so does the place of a target that is named no more, which is given once', (t) => {
  const { dir, log, store } = openGateway(t);
  const feed: Feed = new LogFeed(log, store);
  assert.equal(feed.place('pager'), undefined);
  const skipped = { count: 2, bySeverity: { high: 2 }, fromAt: 3, toAt: 4, ended: [7] };
  feed.keep('pager', { next: 1, skipped }, { begun: [7, 8, 8] });
  feed.keep('chat', { next: 1 }, { begun: [7] });
  feed.keep('pager', { next: 1, skipped }, { ended: [7, 9] });
  store[Symbol.dispose]();
  const again = restart(t, dir);
  const later: Feed = new LogFeed(again.log, again.store);
  assert.deepEqual(later.place('pager'), { next: 1, skipped });
  assert.deepEqual([later.knows('pager', 7), later.knows('pager', 8), later.knows('chat', 7)], [false, true, true]);
  later.keep('pager', { next: 2 });
  assert.deepEqual(later.place('pager'), { next: 2 });
  assert.deepEqual([later.named(['chat']), later.named(['chat'])], [['pager'], []]);
  assert.deepEqual([later.place('pager'), later.knows('pager', 8), later.knows('chat', 7)], [{ next: 2 }, true, true]);
  assert.deepEqual([later.named(['chat', 'pager']), later.named(['chat'])], [[], ['pager']]);
  const many = Array.from({ length: 64 }, (_, at) => `target-${at}`);
  for (const target of many) later.keep(target, { next: 1 });
  assert.equal(later.named(['chat']).length, many.length);
  assert.deepEqual([later.place('pager'), later.knows('pager', 8), later.knows('chat', 7)], [undefined, false, true]);
  assert.deepEqual([later.place('target-0'), later.named(['chat'])], [{ next: 1 }, []]);
  later.keep('chat', { next: 999 });
  assert.deepEqual(later.place('chat'), { next: again.log.size() }, 'a place beyond the end is one in another log');
});

test('in a log that replaces this one everything that is open is told again, under its new names', (t) => {
  const { log, store } = openGateway(t);
  const feed: Feed = new LogFeed(log, store);
  const skipped = { count: 1, bySeverity: { high: 1 }, fromAt: 3, toAt: 4, ended: [7] };
  feed.keep('pager', { next: 1, skipped }, { begun: [5] });
  feed.keep('chat', { next: 1 });
  store.transaction(() => store.retireLog(1));
  assert.deepEqual(feed.place('pager'), { next: 0, skipped: { ...skipped, ended: [] } });
  assert.deepEqual([feed.place('chat'), feed.knows('pager', 5)], [{ next: 0 }, false]);
});
