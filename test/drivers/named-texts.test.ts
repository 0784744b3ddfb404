import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Replies } from '../../agent/drivers/driver.ts';
import { components, keysOf, settings, settingsFrom } from '../../agent/drivers/named-texts.ts';
import { at, firstOf, scalarText } from '../../agent/drivers/readers.ts';
import { CONFLICT, type JsonValue, type NoReply, type Reply } from '../../agent/probe/capture.ts';
import { readReply } from '../../agent/probe/reply.ts';
import { ABSENT, present, standingIn, unknown } from '../../shared/facts.ts';

const reply = (value: JsonValue, repairs: readonly string[] = []): Reply => ({
  kind: 'reply',
  bytes: new Uint8Array(),
  value,
  repairs,
});
const lost = (reason: NoReply['reason']): NoReply => ({ kind: 'no-reply', reason, detail: '' });
const replies = (given: { readonly [query: string]: Reply | NoReply }): Replies => new Map(Object.entries(given));

const unreadable = unknown('unreadable');

describe('components', () => {
  const parts = components({ 'b.two': at('api', '/two', scalarText), 'a.one': at('web', '/one', scalarText) });

  test('are those that could be read today, sorted by name', () => {
    const found = parts.read(replies({ web: reply({ one: 1 }), api: reply({ two: 'x' }) }));
    assert.deepEqual(
      found,
      present([
        { name: 'a.one', value: '1' },
        { name: 'b.two', value: 'x' },
      ]),
    );
    const half = parts.read(replies({ web: lost('refused'), api: reply({ two: 'x' }) }));
    assert.deepEqual(half, present([{ name: 'b.two', value: 'x' }]));
    assert.deepEqual([...parts.queries].sort(), ['api', 'web']);
  });

  test('are unknown with the reason where none could be read', () => {
    assert.deepEqual(parts.read(replies({ web: lost('refused'), api: lost('timeout') })), unknown('refused'));
    assert.deepEqual(parts.read(replies({ web: lost('unsupported'), api: lost('timeout') })), unknown('timeout'));
    assert.deepEqual(parts.read(replies({ web: reply({}), api: reply({}) })), ABSENT);
  });
});

describe('texts that another place tells because theirs is closed', () => {
  const told = {
    one: firstOf(at('web', '/one', scalarText), at('api', '/uno', scalarText)),
    two: at('api', '/two', scalarText),
  };
  const closed = replies({ web: lost('refused'), api: reply({ uno: 'I', two: 'x' }) });

  test('are no parts: what is compared by name must not change its spelling', () => {
    assert.deepEqual(components(told).read(closed), present([{ name: 'two', value: 'x' }]));
    assert.deepEqual(components({ one: told.one }).read(closed), unknown('refused'));
    const open = replies({ web: reply({ one: 1 }), api: reply({ uno: 'I' }) });
    assert.deepEqual(components({ one: told.one }).read(open), present([{ name: 'one', value: '1' }]));
  });

  test('make settings stand in, of which none may look removed', () => {
    const all = [
      { key: 'one', value: 'I' },
      { key: 'two', value: 'x' },
    ];
    assert.deepEqual(settingsFrom(told).read(closed), standingIn(present(all), 'refused'));
  });
});

describe('settings', () => {
  test('of an object are its single values, sorted, and nothing whose name is that of a secret', () => {
    const value = {
      b: true,
      a: '1',
      list: [1],
      influxToken: 'x',
      'ssh-password': 'x',
      token_hash: 'x',
      empty: '',
      no: 1,
    };
    assert.deepEqual(
      settings((name) => name !== 'no')(value),
      present([
        { key: 'a', value: '1' },
        { key: 'b', value: 'true' },
      ]),
    );
    assert.deepEqual(settings(() => true)({ a: CONFLICT }), unreadable);
    for (const name of ['ra\u0001tio', '\u202eratio', 'rati\ufffd'])
      assert.deepEqual(settings((known) => known === 'mode' || known === 'ratio')({ [name]: 1, mode: 0 }), unreadable);
    assert.deepEqual(settings(() => true)([]), unreadable);
  });

  test('stay settings under a name that may be one of a secret, and show none', () => {
    const shown = (value: JsonValue) => {
      const found = settings(() => true)(value);
      return found.kind === 'present' && Object.fromEntries(found.value.map(({ key, value }) => [key, value]));
    };
    assert.deepEqual(
      shown({ admin_pw: 'hunter2', auth: 'none', pass_1: 'hunter2', login: 'admin:hunter2', credentials: '12345' }),
      { admin_pw: '***', auth: 'none', login: 'admin:***', credentials: '***' },
    );
    assert.deepEqual(shown({ pw: 3400, auth: 'hunter2', tokens: 4096, auth_mode: 'digest' }), {
      pw: '3400',
      auth: '***',
      tokens: '4096',
      auth_mode: 'digest',
    });
  });

  test('out of several replies are all unknown when one of these was lost', () => {
    const both = settingsFrom({ b: at('web', '/b', scalarText), a: at('api', '/a', scalarText) });
    const found = both.read(replies({ web: reply({ b: 1 }), api: reply({ a: 2 }) }));
    assert.deepEqual(
      found,
      present([
        { key: 'a', value: '2' },
        { key: 'b', value: '1' },
      ]),
    );
    assert.deepEqual(both.read(replies({ web: reply({ b: 1 }), api: lost('timeout') })), unknown('timeout'));
    assert.deepEqual(
      both.read(replies({ web: reply({ b: 1 }), api: lost('unsupported') })),
      present([{ key: 'b', value: '1' }]),
    );
  });
});

describe('the keys of a reply', () => {
  const keys = keysOf('q', ['', '/ROW/0'], new Set(['passing']));
  const read = (one: Reply | NoReply) => keys.read(replies({ q: one }));
  const VALUE = { b: 1, ROW: [{ y: { deep: 1 }, x: [{ not: 1 }] }, { second: 1 }] };

  test('are the sorted pointers of the members at the named places, as canonical JSON', () => {
    assert.deepEqual(read(reply(VALUE)), present('["/ROW","/ROW/0/x","/ROW/0/y","/b"]'));
  });

  test('do not depend on values, order, what comes and goes, or how many elements a list has', () => {
    const other = { passing: 1, ROW: [{ x: [], y: null }], b: 'two' };
    assert.deepEqual(read(reply(other)), read(reply(VALUE)));
  });

  test('differ by one member more or less at a named place', () => {
    const sets = [VALUE, { ...VALUE, c: 1 }, { ROW: VALUE.ROW }, { ...VALUE, ROW: [{ x: 1, y: 1, z: 1 }] }].map(
      (value) => JSON.stringify(read(reply(value))),
    );
    assert.equal(new Set(sets).size, 4);
  });

  test('are not read of what is no answer, or has another shape', () => {
    assert.deepEqual(read(lost('timeout')), unknown('timeout'));
    assert.deepEqual(read(reply({ STATUS: [{ STATUS: 'E', Code: 45 }] })), unknown('refused'));
    assert.deepEqual(read(reply({ STATUS: [{ STATUS: 'E', Code: 14 }] })), unknown('unsupported'));
    for (const ROW of [[], {}, [1], CONFLICT]) assert.deepEqual(read(reply({ b: 1, ROW })), unreadable);
  });

  test('are not read where it is not certain which members the device meant', () => {
    const damaged = ['{"b":1,"ROW":[{"x":1,"y":1,"y":2}]}', 'STATUS=S,Msg=a,b|ROW,x=1,y=2|\0'].map((text) =>
      readReply(new TextEncoder().encode(text), { whole: true }),
    );
    assert.ok(damaged.every(({ kind }) => kind === 'reply'));
    for (const one of damaged) assert.deepEqual(read(one), unreadable);
    assert.deepEqual(read(reply(VALUE, ['invalid-utf8'])), unreadable);
  });

  test('survive damage that leaves the members as they are', () => {
    const text = '{"ROW":[{"x":nan,"y":"a\nb",}{"second":1}],"b":1}"}';
    assert.deepEqual(read(readReply(new TextEncoder().encode(text), { whole: false })), read(reply(VALUE)));
  });

  test('tell names with slashes from deeper places', () => {
    const plain = read(reply({ 'ROW/0/x': 1, ROW: [{}] }));
    assert.notDeepEqual(plain, read(reply({ ROW: [{ x: 1 }] })));
    assert.deepEqual(plain, present('["/ROW","/ROW~10~1x"]'));
  });

  test('never throw, and a name without a canonical form does not hide the others', () => {
    assert.deepEqual(read(reply({ '\ud800': 1, ROW: [{}] })), present('["/ROW","/\ufffd"]'));
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (row, more) => {
        // What fast-check makes is JSON; its own type only has another name.
        const { kind } = read(reply({ ROW: [row as JsonValue], more: more as JsonValue }));
        assert.ok(kind === 'present' || kind === 'unknown');
      }),
      { numRuns: 200 },
    );
  });
});
