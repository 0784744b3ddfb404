import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CONFLICT, type JsonValue } from '../../agent/probe/capture.ts';
import { MAX_DEPTH, oddNumbersIn, type Parsed, parseReply, parseSpelled, visitReply } from '../../agent/probe/json.ts';
import { DocumentProblem, JsonReader, MOST_VALUES } from '../../agent/probe/json-reader.ts';

const parse = (text: string | Buffer): Parsed => parseReply(Buffer.from(text as string));

const valueIn = (text: string | Buffer): JsonValue => {
  const parsed = parse(text);
  assert.equal(parsed.kind, 'parsed', `${text}: ${JSON.stringify(parsed)}`);
  return (parsed as Extract<Parsed, { kind: 'parsed' }>).value;
};

const repairsOf = (text: string | Buffer): readonly string[] => {
  const parsed = parse(text);
  assert.equal(parsed.kind, 'parsed', `${text}: ${JSON.stringify(parsed)}`);
  return (parsed as Extract<Parsed, { kind: 'parsed' }>).repairs;
};

test('a flawless reply needs no repair, with or without NULs and white space behind it', () => {
  for (const tail of ['', '\0', '\n\0\0 ']) {
    assert.deepEqual(parse(`{"a":[1,-2.5e3,true,false,null,"\\u00e9"]}${tail}`), {
      kind: 'parsed',
      value: { a: [1, -2500, true, false, null, 'é'] },
      repairs: [],
    });
  }
});

test('each damage seen in the field has a repair of its own name', () => {
  const damages: readonly [string, JsonValue, readonly string[]][] = [
    ['{"STATS":[{"a":1}{"b":2}]}', { STATS: [{ a: 1 }, { b: 2 }] }, ['missing-comma']],
    ['{"STATS":[{"a":1} \n {"b":2}]}', { STATS: [{ a: 1 }, { b: 2 }] }, ['missing-comma']],
    ['{"a":"1"\n  "b":"2"}', { a: '1', b: '2' }, ['missing-comma']],
    ['{"P":[,{"a":1}]}', { P: [{ a: 1 }] }, ['stray-comma']],
    ['{"a":1,}', { a: 1 }, ['stray-comma']],
    ['[1,2,]', [1, 2], ['stray-comma']],
    ['{"a":nan,"b":-nan,"c":inf,"d":-Infinity,"e":NaN}', { a: null, b: null, c: null, d: null, e: null }, ['bare-nan']],
    ['{"Type":"Antminer S9\nV1.3.58"}', { Type: 'Antminer S9\nV1.3.58' }, ['control-character']],
    ['{"fw":"\\\'2020.22.REL\\\'"}', { fw: "'2020.22.REL'" }, ['bad-escape']],
    ['{"user":"ACME\\worker"}', { user: 'ACME\\worker' }, ['bad-escape']],
    ['{"a":1}"}', { a: 1 }, ['trailing-bytes']],
    ['{"a":1}"\0', { a: 1 }, ['trailing-bytes']],
    ['pageCallback({"a":1, });', { a: 1 }, ['stray-comma', 'script-callback']],
    ['pageCallback({"a":1})\n', { a: 1 }, ['script-callback']],
    ['{"a":1,"a":1}', { a: 1 }, ['duplicate-key']],
    ['{"a":{"x":[1]},"a":{"x":[1]}}', { a: { x: [1] } }, ['duplicate-key']],
    ['\ufeff{"a":1}', { a: 1 }, ['byte-order-mark']],
  ];
  for (const [text, value, repairs] of damages) {
    assert.deepEqual(valueIn(text), value, text);
    assert.deepEqual(repairsOf(text), repairs, text);
  }
});

test('what stands behind a document was a part of it, unless real devices send it there', () => {
  const damaged = [
    '{"a":1},"b":2}',
    '{"a":1}}',
    '[[1],2]]',
    '{"a":1}{"b":2}',
    '{"a":1}\0{"b":2}',
    '{"a":1}""',
    '{"a":1}"}}',
    '{"a":1}}"}',
    '{"a":1});',
    'pageCallback({"a":1}});',
    'pageCallback({"a":1});otherCallback({"b":2});',
  ];
  for (const text of damaged) {
    assert.equal(parse(text).kind, 'unreadable', text);
    assert.equal(visitReply(Buffer.from(text), { member: () => {}, text: () => {} }), undefined, text);
  }
});

test('one member with two values is a conflict, and nothing else is touched', () => {
  const value = valueIn('{"a":1,"b":{"url":"x","url":"y","url":"x"},"c":3}') as {
    a: number;
    b: { url: unknown };
    c: number;
  };
  assert.deepEqual([value.a, value.c], [1, 3]);
  assert.equal(value.b.url, CONFLICT);
  assert.deepEqual(repairsOf('{"a":1,"a":2}'), ['conflicting-key']);
});

test('two spellings of one name are one name', () => {
  assert.deepEqual(repairsOf('{"url":1,"\\u0075rl":2}'), ['conflicting-key']);
  assert.deepEqual(repairsOf('{"url" \t:1,"url"\n:2}'), ['conflicting-key']);
});

test('what looks like damage inside a text is text', () => {
  const texts = ['binance nan inf', '}{', '[,{', ',}', '{"a":1,"a":2}', '\\u006ean', 'a":"b', "it's \\ {", '//[nan]'];
  for (const text of texts) {
    const json = JSON.stringify({ url: text, rows: [{ [text]: text }] });
    assert.deepEqual(parse(json), { kind: 'parsed', value: JSON.parse(json), repairs: [] });
    // The same inside a reply that does need a repair.
    const damaged = json.replace(/\]\}$/, '{"n":nan}]}');
    assert.deepEqual(valueIn(damaged), { url: text, rows: [{ [text]: text }, { n: null }] });
  }
});

test('what was never seen in the field is not guessed at', () => {
  const unknown = [
    '{a:1}',
    "{'a':1}",
    '[1,,2]',
    '{"a" 1}',
    '{"a":1 "b":2}',
    '[1 2]',
    '{"a":01}',
    '{"a":+1}',
    '{"a":0x1f}',
    '{"a":.5}',
    '{"a":tru}',
    '{"a":nano}',
    '["a""b"]',
    '{"a":1;}',
    '[1}',
  ];
  for (const text of unknown) assert.equal(parse(text).kind, 'unreadable', text);
});

test('a lone scalar, a page and nothing at all are no documents', () => {
  assert.equal(parse('42').kind, 'unreadable');
  assert.equal(parse('"text"').kind, 'unreadable');
  assert.equal(parse('<html>').kind, 'unreadable');
  assert.equal(parse('').kind, 'truncated');
  assert.equal(parse('\0\n').kind, 'truncated');
});

test('invalid UTF-8 is recorded, and each of its bytes reads otherwise; a mark that was sent is no damage', () => {
  const holding = (...bytes: readonly number[]) =>
    parse(Buffer.from([...Buffer.from('{"a":"é'), ...bytes, 0x22, 0x7d]));
  assert.deepEqual(holding(0xff), { kind: 'parsed', value: { a: 'é\udcff' }, repairs: ['invalid-utf8'] });
  for (const [bytes, read] of [
    [[0xfe], '\udcfe'],
    [[0xc3, 0x41], '\udcc3A'],
    [[0xe2, 0x82], '\udce2\udc82'],
    [[0xed, 0xa0, 0x80], '\udced\udca0\udc80'],
    [[0xf0, 0x9f, 0x91, 0xb7, 0x80], '👷\udc80'],
  ] as const)
    assert.deepEqual(holding(...bytes), { kind: 'parsed', value: { a: `é${read}` }, repairs: ['invalid-utf8'] });
  assert.deepEqual(repairsOf('{"a":"\ufffd"}'), []);
});

test('deep nesting is refused without using up the stack, in every form', () => {
  const nested = (depth: number, open: string, close: string) => open.repeat(depth) + close.repeat(depth);
  assert.equal(parse(nested(MAX_DEPTH, '[', ']')).kind, 'parsed');
  assert.equal(parse(nested(MAX_DEPTH + 1, '[', ']')).kind, 'unreadable');
  assert.equal(parse(nested(200_000, '[', ']')).kind, 'unreadable');
  assert.equal(parse('[nan,'.repeat(200_000)).kind, 'unreadable');
  assert.equal(parse('{"a":'.repeat(100_000)).kind, 'unreadable');
  assert.equal(parseReply(Buffer.from('[[1]]'), { maxDepth: 1 }).kind, 'unreadable');
});

/** Replies with so many values each, in all: one object, one list, rows, damaged, and the plain-text form. */
const SIZED: { readonly [form: string]: (values: number) => string } = {
  members: (values) => `{${Array.from({ length: values - 1 }, (_, index) => `"k${index}":1`).join(',')}}`,
  elements: (values) => `[${Array.from({ length: values - 1 }, () => 1).join(',')}]`,
  rows: (values) =>
    `[${values % 2 === 0 ? '1,' : ''}${Array.from({ length: (values - 1) >> 1 }, () => '{"a":1}').join(',')}]`,
  damaged: (values) => `{"n":nan,${Array.from({ length: values - 2 }, (_, index) => `"k${index}":1`).join(',')}}`,
  text: (values) => `A,${Array.from({ length: values - 1 }, (_, index) => `k${index}=1`).join(',')}|\0`,
};

test('a reply of more values than are read of one is oversized, in every form', () => {
  for (const [form, sized] of Object.entries(SIZED)) {
    assert.equal(parse(sized(MOST_VALUES)).kind, 'parsed', form);
    assert.deepEqual(parse(sized(MOST_VALUES + 1)), {
      kind: 'oversized',
      detail: `more than ${MOST_VALUES} values`,
    });
    assert.equal(
      visitReply(Buffer.from(sized(MOST_VALUES + 1)), { member: () => {}, text: () => {} }),
      undefined,
      form,
    );
  }
});

test('an oversized reply costs what one at the bound does: nothing behind the first value too many is read', (t) => {
  const { mock } = t.mock.method(JSON, 'parse');
  for (const form of ['members', 'elements', 'damaged'] as const) {
    const text = SIZED[form]?.(90_000) as string;
    assert.equal(parse(text).kind, 'oversized');
    const reader = new JsonReader(text, MAX_DEPTH);
    assert.throws(() => reader.read(), DocumentProblem);
    const most = SIZED[form]?.(MOST_VALUES + 2).length as number;
    assert.ok(reader.end <= most, `${form}: ${reader.end} of ${text.length} characters, at most ${most}`);
  }
  assert.equal(mock.callCount(), 0, 'what makes all values at once was not asked');
});

test('commas and brackets inside texts are no values', () => {
  const text = JSON.stringify({ log: ',[{'.repeat(MOST_VALUES), more: [1, 2] });
  assert.deepEqual(parse(text), { kind: 'parsed', value: JSON.parse(text), repairs: [] });
});

test('a name with an escape is that name, whatever names were read before it', () => {
  // JSON.parse of V8 14.6 answers {"nan":0,"\\"":1} to the second of these.
  for (const text of ['{"nan":0,"\\\\\\"":1}', '{"nan":0,"\\":":1}', '{"nan":0,"\\"7":1}', '{"nan":0,"\\u0001":1}']) {
    assert.equal(JSON.stringify(valueIn(text)), text);
    assert.equal(JSON.stringify(valueIn(`[${text},${text}]`)), `[${text},${text}]`);
  }
});

test('__proto__ is a name like any other', () => {
  for (const text of ['{"__proto__":{"admin":true}}', '{"__proto__":{"admin":true},"n":nan}']) {
    const value = valueIn(text) as { admin?: boolean };
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
    assert.equal(value.admin, undefined);
    assert.ok(Object.hasOwn(value, '__proto__'));
  }
  assert.deepEqual(repairsOf('{"__proto__":1,"__proto__":2}'), ['conflicting-key']);
});

test('an integer beyond the safe range is not a safe integer afterwards', () => {
  const { best } = valueIn('{"best":18446744073709551615}') as { best: number };
  assert.equal(Number.isSafeInteger(best), false);
});

test('the plain-text form becomes the shape of the JSON form', () => {
  const text =
    'STATUS=S,When=1,Code=7,Msg=2 Pool(s)|POOL=0,URL=stratum+tcp://a:1,User=x\\,y\\=z\\|\\\\,Status=Alive|POOL=1,URL=b,User=,Status=Dead|\0';
  assert.deepEqual(parse(text), {
    kind: 'parsed',
    value: {
      STATUS: [{ STATUS: 'S', When: '1', Code: '7', Msg: '2 Pool(s)' }],
      POOLS: [
        { POOL: '0', URL: 'stratum+tcp://a:1', User: 'x,y=z|\\', Status: 'Alive' },
        { POOL: '1', URL: 'b', User: '', Status: 'Dead' },
      ],
    },
    repairs: ['plain-text'],
  });
});

test('in the plain-text form a comma between the brackets of a name belongs to the value', () => {
  const text =
    'STATUS=S,Code=70|STATS=0,MM ID0=Ver[1-2] SYSTEMSTATU[Work: In Work, Hash Board: 3 ] Fan1[900],Elapsed=5|\0';
  assert.deepEqual((valueIn(text) as { STATS: unknown }).STATS, [
    { STATS: '0', 'MM ID0': 'Ver[1-2] SYSTEMSTATU[Work: In Work, Hash Board: 3 ] Fan1[900]', Elapsed: '5' },
  ]);
  assert.deepEqual((valueIn('STATUS=S,A=x[1,B=2|VERSION,C=3|\0') as { STATUS: unknown }).STATUS, [
    { STATUS: 'S', A: 'x[1', B: '2' },
  ]);
});

test('in the plain-text form a value with a mark that nobody escaped is believed by no reader', () => {
  const whole = 'STATUS=S,Code=7|POOL=0,URL=a,User=x,Status=Alive|\0';
  for (const [mark, damage] of [
    [',Status', '-Status'],
    ['Status=', 'Status-'],
    [',Status', 'Status'],
  ] as const) {
    const damaged = whole.replace(mark, damage);
    const { POOLS } = valueIn(damaged) as { POOLS: JsonValue };
    assert.deepEqual(POOLS, [{ POOL: '0', URL: 'a', User: CONFLICT }], damaged);
    assert.deepEqual(repairsOf(damaged), ['plain-text', 'unescaped-mark']);
  }
});

test('the plain-text form needs its NUL, unless the transport knows that nothing is missing', () => {
  const text = 'STATUS=S,Code=7|POOL=0,URL=a|';
  assert.equal(parse(`${text}\0`).kind, 'parsed');
  assert.equal(parse(text).kind, 'truncated');
  assert.equal(parse(`${text.slice(0, -1)}\0`).kind, 'truncated');
  assert.equal(parseReply(Buffer.from(text), { whole: true }).kind, 'parsed');
});

// ---- properties ------------------------------------------------------------------------------------------------------

const RUNS = { numRuns: 300 };

/** Documents as miners send them: objects, with texts that contain every mark a repair looks for. */
const nasty = fc.oneof(
  fc.string(),
  fc.string({ unit: fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', ' ', 'n', 'a', 'u', "'", '\u0001', 'é') }),
  fc.constantFrom('nan', '}{', '":', 'inf', '__proto__'),
);
const scalar = fc.oneof(nasty, fc.integer(), fc.boolean(), fc.constant(null));
const document = fc.dictionary(
  nasty.filter((name) => name !== '__proto__'),
  fc.oneof(
    scalar,
    fc.array(
      fc.dictionary(
        nasty.filter((name) => name !== '__proto__'),
        scalar,
        { noNullPrototype: true },
      ),
    ),
  ),
  { noNullPrototype: true },
);

test('property: strict JSON is read as it was written, without a repair', () => {
  fc.assert(
    fc.property(document, fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
      const json = JSON.stringify(value, null, indent);
      assert.deepEqual(parse(json), { kind: 'parsed', value, repairs: [] });
    }),
    RUNS,
  );
});

test('property: a repair never changes a text, whatever else is damaged around it', () => {
  fc.assert(
    fc.property(fc.array(document, { minLength: 2, maxLength: 4 }), (rows) => {
      const damaged = `{"rows":[,${rows.map((row) => JSON.stringify(row)).join('')},],"n":-nan,}"}`;
      assert.deepEqual(valueIn(damaged), { rows, n: null });
    }),
    RUNS,
  );
});

test('property: a document cut off anywhere is truncated', () => {
  fc.assert(
    fc.property(document, fc.nat(), (value, at) => {
      const json = JSON.stringify({ ...value, last: [{ nan: true }] }).replace('true', 'nan');
      assert.equal(parse(json.slice(0, at % json.length)).kind, 'truncated');
    }),
    RUNS,
  );
});

test('property: in the plain-text form a bracket counts only where it closes in its own section', () => {
  const value = fc.string({ unit: fc.constantFrom('a', '[', ']', 'a[,q=]') });
  fc.assert(
    fc.property(fc.array(value, { minLength: 1 }), (values) => {
      const sections = values.map((text, at) => `POOL=${at},URL=${text},z=1|`);
      assert.deepEqual(
        (valueIn(`STATUS=S,Code=7|${sections.join('')}\0`) as { POOLS: unknown }).POOLS,
        values.map((text, at) => ({ POOL: `${at}`, URL: text, z: '1' })),
      );
    }),
    RUNS,
  );
});

test('property: no bytes make it throw', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        nasty.map((text) => Buffer.from(`{"a":${text}`)),
      ),
      (bytes) => {
        assert.ok(['parsed', 'truncated', 'unreadable'].includes(parseReply(bytes).kind));
      },
    ),
    RUNS,
  );
});

// ---- how numbers are spelled -----------------------------------------------------------------------------------------

const ODD = [
  '4.10',
  '1e999',
  '12345678901234567890',
  '-0',
  '1.0',
  '2025.10',
  '1E3',
  '0.0000001',
  '9007199254740993',
  '6.50',
];
const PLAIN = ['0', '-7', '4.1', '2025', '1234567.5', '0.001', '1.7976931348623157e+308', '123456789012345'];

test('numbers that are not spelled as here are found, whatever texts beside them look like', () => {
  for (const number of ODD)
    assert.deepEqual([...oddNumbersIn(Buffer.from(`{"a":${number}}`))], [Number(number) + 0], number);
  for (const number of PLAIN) assert.deepEqual([...oddNumbersIn(Buffer.from(`{"a":[1,${number}]}`))], [], number);
});

test('a document read with its spellings is the same but for those numbers, which are the texts that were written', () => {
  const scalar = fc.oneof(
    fc.constantFrom(...ODD).map((number) => ({ written: number, plain: Number(number), spelled: number as JsonValue })),
    fc.constantFrom(...PLAIN).map((number) => ({ written: number, plain: Number(number), spelled: Number(number) })),
    fc
      .oneof(fc.string(), fc.constantFrom('a,4.10,b', '[1.0', ':1e999', '", 4.10', '\\', 'x: 6.50', '1.0'))
      .map((text) => ({ written: JSON.stringify(text), plain: text, spelled: text })),
  );
  const members = fc.uniqueArray(fc.tuple(fc.string(), scalar), { maxLength: 8, selector: ([name]) => name });
  fc.assert(
    fc.property(members, fc.constantFrom('', '\0', ' \n'), (list, tail) => {
      const written = list.map(([name, { written }]) => `${JSON.stringify(name)}: ${written}`).join(',');
      const bytes = Buffer.from(`{"m":{${written}},"l":[${list.map(([, { written }]) => written).join(',')}]}${tail}`);
      const like = (which: 'plain' | 'spelled') => ({
        m: Object.fromEntries(list.map(([name, value]) => [name, value[which]])),
        l: list.map(([, value]) => value[which]),
      });
      assert.deepEqual(parseSpelled(bytes), like('spelled'));
      assert.deepEqual(valueIn(bytes), like('plain'));
    }),
    { numRuns: 500 },
  );
});

test('a damaged document keeps its spellings, and what is none has none', () => {
  assert.deepEqual(parseSpelled(Buffer.from('{"a":4.10,"b":[{"c":1.0}{"d":nan}],}"')), {
    a: '4.10',
    b: [{ c: '1.0' }, { d: null }],
  });
  for (const text of ['STATUS=S,When=1|VERSION,CGMiner=4.10|', '{"a":4.1', 'none', '']) {
    assert.equal(parseSpelled(Buffer.from(text)), undefined, text);
  }
});

test('a status that lost the mark at its end is no reply of its own, with the name of the list behind its last word', () => {
  const text = 'STATUS=S,When=1,Code=22,Msg=v,Description=bfgminer 5.5.0~VERSION,BFGMiner=5.5.0,API=3.3|';
  assert.equal(parseReply(Buffer.from(text), { whole: true }).kind, 'unreadable');
});
