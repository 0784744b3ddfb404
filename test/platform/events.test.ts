import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonEvents, type Level } from '../../agent/platform/events.ts';

const written = (least: Level, write: (emit: ReturnType<typeof jsonEvents>) => void): readonly string[] => {
  const lines: string[] = [];
  write(jsonEvents({ write: (line) => lines.push(line) }, least, () => 1_795_339_200_000));
  return lines;
};

test('an event is one line of JSON with its time, whatever foreign text it quotes', () => {
  const [line, ...others] = written('info', (emit) => emit('warn', 'probe.failed', { detail: 'a\nb \u001b[31m "c"' }));
  assert.equal(others.length, 0);
  assert.equal(line?.indexOf('\n'), line === undefined ? -1 : line.length - 1);
  assert.ok(!line?.includes('\u001b'));
  assert.deepEqual(JSON.parse(line ?? ''), {
    at: '2026-11-22T09:20:00.000Z',
    level: 'warn',
    event: 'probe.failed',
    detail: 'a\nb \u001b[31m "c"',
  });
});

test('what moves a cursor or turns the direction of writing is spelled out, and is read as it was', () => {
  const detail = '\u009b31m\u202e\u007f\u2028\u{e0041}é';
  const [line = ''] = written('info', (emit) => emit('warn', 'probe.failed', { detail }));
  assert.match(line, /^[\x20-\x7eé]+\n$/);
  assert.equal(JSON.parse(line).detail, detail);
});

test('only events from the least level upwards are written', () => {
  const all: readonly Level[] = ['debug', 'info', 'warn', 'error'];
  const levels = (least: Level) =>
    written(least, (emit) => {
      for (const level of all) emit(level, 'a.b');
    }).map((line) => JSON.parse(line).level);
  assert.deepEqual(levels('debug'), all);
  assert.deepEqual(levels('warn'), ['warn', 'error']);
  assert.deepEqual(levels('error'), ['error']);
});
