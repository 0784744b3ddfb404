import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { antminerStock } from '../../agent/drivers/antminer-stock.ts';
import { avalon } from '../../agent/drivers/avalon.ts';
import { axeos } from '../../agent/drivers/axeos.ts';
import { poolsOfSettings } from '../../agent/drivers/axeos-pools.ts';
import { namedIn } from '../../agent/drivers/damaged-names.ts';
import type { Driver } from '../../agent/drivers/driver.ts';
import { ebang } from '../../agent/drivers/ebang.ts';
import { iceriver } from '../../agent/drivers/iceriver.ts';
import { CGMINER_POOL, type PoolMembers, poolList } from '../../agent/drivers/pools.ts';
import { proto } from '../../agent/drivers/proto.ts';
import { asObject, at, firstOf, memberIn, place, text } from '../../agent/drivers/readers.ts';
import { vnish } from '../../agent/drivers/vnish.ts';
import { whatsminer } from '../../agent/drivers/whatsminer.ts';
import { DAMAGED, type JsonObject, type JsonValue, type NoReply, type Reply } from '../../agent/probe/capture.ts';
import { noReply, readReply } from '../../agent/probe/reply.ts';
import { type FactName, type PoolSlot, present, type Reading, unknown } from '../../shared/facts.ts';

const UNREADABLE = unknown('unreadable');

const repliesOf = (documents: { readonly [query: string]: JsonValue }) =>
  new Map(
    Object.entries(documents).map(([query, value]) => [
      query,
      { kind: 'reply', bytes: new Uint8Array(), value, repairs: [] } as const,
    ]),
  );

const read = (driver: Driver, fact: FactName, documents: { readonly [query: string]: JsonValue }) =>
  driver.facts[fact]?.read(repliesOf(documents));

/** Why a list is unknown; what its other rows tell is a matter of its own. */
const gapOf = (reading: Reading<unknown> | undefined): Reading<unknown> | undefined =>
  reading?.kind === 'unknown' ? unknown(reading.reason) : reading;

/** The object with another name for one of its members. */
const renamed = (object: JsonObject, name: string, other: string): JsonObject =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key === name ? other : key, value]));

// ---- what is left of a name ------------------------------------------------------------------------------------------

test('a flipped bit, or a byte that no name has, makes a member a damaged one and not one that is not sent', () => {
  for (const name of ['Uses', 'Tser', 'Us\u0001er', '\u202eUser', 'User\ufffd', '\ufffdser', 'user']) {
    assert.equal(namedIn({ [name]: 'acme' }, 'User'), DAMAGED, JSON.stringify(name));
  }
});

test('a space that came to a name or went from it, and letters in another case, make it a damaged one', () => {
  for (const name of [' User', 'User ', 'Us er', ' U s e r ', 'uSer', 'USER', 'user', '\u0001 USER\ufffd']) {
    assert.equal(namedIn({ [name]: 'acme' }, 'User'), DAMAGED, JSON.stringify(name));
  }
  for (const name of ['StratumURL', 'Stratum  URL', 'stratum url', 'STRATUMURL', ' Stratum URL']) {
    assert.equal(namedIn({ [name]: 'acme' }, 'Stratum URL'), DAMAGED, JSON.stringify(name));
  }
  for (const name of ['Stratum_URL', 'Stratum URL 2', 'Stratum', '@tratum URm']) {
    assert.equal(namedIn({ [name]: 'acme' }, 'Stratum URL'), undefined, JSON.stringify(name));
  }
});

test('a mark of the document that came into a name, or stands for one of its characters, makes it a damaged one', () => {
  for (const mark of '",:=[]{|}')
    for (const name of [`${mark}User`, `Us${mark}er`, `User${mark}`, `Us${mark}r`])
      assert.equal(namedIn({ [name]: 'acme' }, 'User'), DAMAGED, name);
  const pools = { stratumURL: 'a.example', stratumPort: 1, stratumUser: 'a', 'fallbackStratum{URL': 'b.example' };
  assert.deepEqual(read(axeos, 'pools', { info: pools }), UNREADABLE);
});

test('other names of a family are no damage: numbered ones, longer ones, and those that differ in more than a bit', () => {
  for (const name of ['Usor', 'Users', 'Use', 'Worker', '']) {
    assert.equal(namedIn({ [name]: 'acme' }, 'User'), undefined, JSON.stringify(name));
  }
  assert.equal(namedIn({ chain_rate2: 1 }, 'chain_rate3'), undefined);
  assert.equal(namedIn({ 'MHS 5s': 1, 'GHS 5s': 2 }, 'KHS 5s'), undefined);
});

test('a member that is there is read, whatever stands beside it', () => {
  assert.equal(namedIn({ fanSpeed: 4210, fanspeed: 60 }, 'fanspeed'), 60);
  assert.deepEqual(memberIn({ USER: 'acme' }, ['Uses', 'USER'], text), present('acme'));
  assert.deepEqual(memberIn({ user: 'acme' }, ['User', 'user'], text), present('acme'));
  assert.deepEqual(
    memberIn({ User: 'acme', user: 'other', ' User': 'third' }, ['User', 'user'], text),
    present('acme'),
  );
  assert.deepEqual(place(['/CGMiner', '/SGMiner'])({ SGMiner: '5.5' }), present('5.5'));
});

test('a damaged name is unreadable at every height of a place, and no other place stands in for it', () => {
  const first = at('version', '/VERSION/0/Type', text);
  assert.deepEqual(first.read(repliesOf({ version: { VERSION: [{ Typd: 'A' }] } })), UNREADABLE);
  assert.deepEqual(first.read(repliesOf({ version: { VERSHON: [{ Type: 'A' }] } })), UNREADABLE);
  const either = firstOf(first, at('version', '/VERSION/0/Miner', text));
  assert.deepEqual(either.read(repliesOf({ version: { VERSION: [{ Typd: 'A', Miner: 'B' }] } })), UNREADABLE);
  assert.deepEqual(either.read(repliesOf({ version: { VERSION: [{ Miner: 'B' }] } })), present('B'));
});

test('a pool row with a damaged name makes the list unknown: never a slot without its user, port or number', () => {
  const row: JsonObject = { POOL: 1, URL: 'stratum+tcp://pool.example:1', User: 'acme.a' };
  for (const name of Object.keys(row)) {
    const damaged = renamed(row, name, `${name.slice(0, -1)}\u0002`);
    assert.deepEqual(poolList(CGMINER_POOL)([damaged]), UNREADABLE, name);
  }
});

test('a pool row whose user took the name of another member is no row without a user', () => {
  const listOf = (document: string, members: PoolMembers) => {
    const reply = readReply(Buffer.from(document), { whole: true });
    assert.ok(reply.kind === 'reply');
    return poolList(members)(asObject(reply.value)?.POOLS ?? null);
  };
  const row = {
    POOL: 1,
    URL: 'stratum+tcp://pool.example:1',
    Priority: 0,
    'Stratum Active': true,
    Quota: 1,
    User: 'acme.a',
  };
  const document = JSON.stringify({ POOLS: [row] });
  assert.equal(listOf(document, CGMINER_POOL).kind, 'present');
  for (const name of Object.keys(row).filter((other) => other !== 'User'))
    assert.deepEqual(listOf(document.replace('"User"', `"${name}"`), CGMINER_POOL), UNREADABLE, name);
  const own = { url: 'pool.example', port: 1, user: 'acme.a', i: 0 };
  for (const name of ['i', 'url', 'port']) {
    const reply = readReply(Buffer.from(JSON.stringify({ pools: [own] }).replace('"user"', `"${name}"`)), {
      whole: true,
    });
    assert.ok(reply.kind === 'reply');
    assert.equal(poolsOfSettings(reply.value, undefined).kind, 'unknown', name);
  }
  assert.equal(poolsOfSettings({ pools: [own] }, undefined).kind, 'present');
});

test('the plain-text form with rows of two lists is unreadable: one of them lost its name', () => {
  const reply = (name: string) =>
    readReply(Buffer.from(`STATUS=S,Code=7|POOL=0,URL=a:1,User=x|${name}=1,URL=b:1,User=y|\0`), { whole: true });
  assert.equal(reply('POOL').kind, 'reply');
  const damaged = reply('PNOL');
  assert.equal(damaged.kind === 'no-reply' ? damaged.reason : damaged.kind, 'unreadable');
});

test('the plain-text form whose status lost its end is unreadable: the first row is in it', () => {
  const text = 'STATUS=S,Code=7<POOL=0,URL=a:1,User=x|POOL=1,URL=b:1,User=y|\0';
  const damaged = readReply(Buffer.from(text), { whole: true });
  assert.equal(damaged.kind === 'no-reply' ? damaged.reason : damaged.kind, 'unreadable');
});

test('in the plain-text form a row that lost a comma may have what it does not name', () => {
  const reply = readReply(Buffer.from('STATUS=S,Code=7|POOL=0,URL=a:1,Stale=0User=acme.a,Priority=0|\0'), {
    whole: true,
  });
  assert.ok(reply.kind === 'reply');
  assert.deepEqual(at('pools', '/POOLS', poolList(CGMINER_POOL)).read(new Map([['pools', reply]])), UNREADABLE);
});

/** So many members that nobody goes through them for each name, with some more. */
const huge = (more: JsonObject): JsonObject => ({
  ...Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`k${index}`, index])),
  ...more,
});

test('property: among thousands of names damage is found as among few', () => {
  const character = fc.oneof(
    fc.constantFrom(...'UseruS0123_  '),
    fc.constantFrom('\0', '\u0001', '\x7f', '\ufffd', 'é', '\udc80'),
  );
  const spelled = fc.string({ unit: character, minLength: 1, maxLength: 9 });
  const bits = fc.integer({ min: 0, max: 7 });
  const flipped = fc.tuple(spelled, fc.nat(), bits).map(([name, place, bit]) => {
    const at = place % name.length;
    return [name, name.slice(0, at) + String.fromCharCode(name.charCodeAt(at) ^ (1 << bit)) + name.slice(at + 1)];
  });
  const stretched = fc
    .tuple(spelled, fc.nat(), fc.string({ unit: character, minLength: 1, maxLength: 5 }))
    .map(([name, place, added]) => [
      name,
      name.slice(0, place % name.length) + added + name.slice(place % name.length),
    ]);
  const otherwise = spelled.chain((name) =>
    fc
      .constantFrom(name.toUpperCase(), name.toLowerCase(), name.replaceAll(' ', ''), `${name} `)
      .map((other) => [name, other]),
  );
  const pairs = fc.oneof(flipped, stretched, otherwise, fc.tuple(spelled, spelled));
  fc.assert(
    fc.property(pairs, ([name, other]) => {
      assert.equal(
        namedIn(huge({ [other as string]: 'acme' }), name as string),
        namedIn({ [other as string]: 'acme' }, name as string),
      );
    }),
    { numRuns: 300 },
  );
  for (const [name, other] of [
    ['User', 'Uses'],
    ['User', 'Us\u0001er'],
    ['User', '\ufffdser'],
    ['User', 'US ER'],
    ['User', 'US\u0001ER'],
  ] as const)
    assert.equal(namedIn(huge({ [other]: 'acme' }), name), DAMAGED);
  assert.equal(namedIn(huge({ Usor: 'acme' }), 'User'), undefined);
});

test('what a missing name costs among thousands does not grow with their number', () => {
  const looks = { count: 0 };
  const watched = new Proxy(huge({}), {
    getOwnPropertyDescriptor: (target, key) => {
      looks.count += 1;
      return Reflect.getOwnPropertyDescriptor(target, key);
    },
  });
  namedIn(watched, 'STATUS');
  const first = looks.count;
  for (const name of ['VERSION', 'SUMMARY', 'Description']) {
    looks.count = 0;
    assert.equal(namedIn(watched, name), undefined);
    assert.ok(looks.count <= 7 * name.length, `${looks.count} looks for ${name}`);
  }
  assert.ok(first >= 3000, 'the members were counted at all');
});

// ---- families that look for their members themselves ----------------------------------------------------------------

const INFO: JsonObject = {
  ASICModel: 'BM1370',
  stratumURL: 'north.pool.example',
  stratumPort: 3333,
  stratumUser: 'acme.a',
  stratumTLS: 1,
  fallbackStratumURL: 'south.pool.example',
  fallbackStratumPort: 3334,
  fallbackStratumUser: 'acme.a',
};

test('antminer-stock: a stored slot whose user has a space or other letters in its name is no slot without a user, and adds none', () => {
  const row = { url: 'stratum+tcp://pool.example:1', user: 'acme.a' };
  const pools = { STATUS: [{ STATUS: 'S' }], POOLS: [{ POOL: 0, URL: row.url, User: 'acme.a', Priority: 0 }] };
  const slots = (stored: JsonObject) => {
    const reading = read(antminerStock, 'pools', { conf: { pools: [stored] }, pools });
    return reading?.kind === 'unknown' ? reading.reason : reading;
  };
  assert.deepEqual(slots(row), present([{ slot: 0, url: row.url, user: row.user, priority: 0 }]));
  for (const name of [' user', 'us er', 'user ', 'USER', 'User']) {
    assert.equal(slots(renamed(row, 'user', name)), 'unreadable', name);
  }
  assert.equal(slots(renamed(row, 'url', 'URL')), 'unreadable');
});

test('whatsminer: a pool whose user has a space in its name is no pool without a user', () => {
  const row = { POOL: 1, URL: 'stratum+tcp://pool.example:1', User: 'acme.a' };
  const slots = (one: JsonObject) => read(whatsminer, 'pools', { pools: { STATUS: [{ STATUS: 'S' }], POOLS: [one] } });
  assert.equal(slots(row)?.kind, 'present');
  for (const name of [' User', 'U ser']) assert.deepEqual(slots(renamed(row, 'User', name)), UNREADABLE, name);
});

test('avalon: a key of a module text with a space in it, or beside it, is not one that is not sent', () => {
  const chip = (text: string) =>
    read(avalon, 'identity.chip_id', { version: { VERSION: [{}] }, stats: { STATS: [{ 'MM ID0': text }] } });
  const dna = '02a50000c0ffee05';
  assert.deepEqual(chip(`Ver[Q-1] DNA[0000000000000000] HDNA[${dna}]`), present(dna));
  for (const key of ['HDNA ', 'HD NA', 'HDNA\u0001', 'HD\u0001NA', 'hdna']) {
    assert.deepEqual(chip(`Ver[Q-1] DNA[0000000000000000] ${key}[${dna}]`), UNREADABLE, JSON.stringify(key));
  }
  assert.deepEqual(chip(`Ver[Q-1] DNA[0000000000000000(HDNA[${dna}] STATE[2]`), UNREADABLE, 'the bracket is damaged');
  for (const blank of ['!', '$', '(', '0', '`', ''])
    assert.deepEqual(chip(`Ver[Q-1] DNA[0000000000000000]${blank}HDNA[${dna}]`), present(dna), `a blank as ${blank}`);
});

test('axeos: the pools of info are unknown where one of their names is damaged', () => {
  for (const name of Object.keys(INFO).filter((key) => key !== 'ASICModel')) {
    const info = renamed(INFO, name, `${name.slice(0, 3)}\u0001${name.slice(3)}`);
    assert.deepEqual(gapOf(read(axeos, 'pools', { info })), UNREADABLE, name);
  }
  const stored: JsonObject = { id: 2, stratumURL: 'a.example', stratumPort: 1, stratumUser: 'acme.a' };
  for (const name of Object.keys(stored)) {
    const info = { ...INFO, pools: [renamed(stored, name, `${name}\ufffd`)] };
    assert.deepEqual(read(axeos, 'pools', { info }), UNREADABLE, name);
  }
  assert.deepEqual(read(axeos, 'pools', { info: { ...INFO, poolr: [stored] } }), UNREADABLE);
});

test('axeos: the settings of API v2 do not stand in for an info that is damaged', () => {
  const v2_settings = { pools: [{ url: 'other.example', port: 1, user: 'acme.b' }] };
  const info = renamed(INFO, 'stratumURL', 'strbtumURL');
  assert.deepEqual(read(axeos, 'pools', { info, v2_settings, v2_dashboard: {} }), UNREADABLE);
});

test('axeos: the build of partitions that are no list is unknown, of firmware without partitions absent', () => {
  const current = { label: 'ota_0', isCurrent: true, compileDate: 'Jul  1 2026', compileTime: '08:09:10' };
  const build = (info: JsonObject) => read(axeos, 'firmware.build', { info });
  assert.deepEqual(build({ partitions: [current] }), present('Jul  1 2026 08:09:10'));
  assert.deepEqual(build({ partitinns: [current] }), UNREADABLE);
  assert.deepEqual(build({ partitions: [renamed(current, 'compileTime', 'compileTile')] }), UNREADABLE);
  assert.deepEqual(build({}), { kind: 'absent' });
});

test('avalon: the versions of the modules are unknown where a module or its version has a damaged name', () => {
  const version = (row: JsonObject) =>
    read(avalon, 'firmware.version', { version: { VERSION: [{}] }, stats: { STATS: [row] } });
  const [first, second] = ['Ver[7411706-3162860] DNA[1]', 'Ver[7411611-2f00d10] DNA[2]'];
  assert.deepEqual(version({ 'MM ID1': first, 'MM ID2': second }), present('1706-3162860, 1611-2f00d10'));
  assert.deepEqual(version({ 'MM ID1': first, 'LM ID2': second }), UNREADABLE);
  assert.deepEqual(version({ 'MM ID1': first, 'MM ID2': second.replace('Ver', 'Wer') }), UNREADABLE);
});

test('ebang: a slot of which the form has a URL without a user, or a user without a URL, makes the pools unknown', () => {
  const form: JsonObject = { Mip1: 'a.example:1', Mwork1: 'acme.a', Mip2: 'b.example:1', Mwork2: 'acme.a' };
  const status = { status: 1, feedback: {} };
  const pools = (feedback: JsonObject) => read(ebang, 'pools', { stored: { status: 1, feedback }, status });
  assert.equal(pools(form)?.kind, 'present');
  for (const [name, other] of [
    ['Mip2', 'Mip0'],
    ['Mwork2', 'Mwork3'],
    ['Mip1', 'Nip1'],
    ['Mwork1', 'Mwork\u0001'],
  ] as const) {
    assert.deepEqual(gapOf(pools(renamed(form, name, other))), UNREADABLE, other);
  }
});

test('iceriver: a panel that lost the version of its program has an unknown one, whatever digit stands there', () => {
  const version = (data: JsonObject) => read(iceriver, 'firmware.version', { panel: { error: 0, data } });
  assert.deepEqual(version({ softver1: '5977449_ks3m_miner', softver2: 'x' }), present('5977449_ks3m_miner'));
  assert.deepEqual(version({ softver3: '5977449_ks3m_miner', softver2: 'x' }), UNREADABLE);
});

test('proto: a Stratum V2 pool whose authority has a damaged name is not one without authority', () => {
  const pool = {
    id: 0,
    priority: 0,
    url: 'stratum2+tcp://vault.pool.example:1',
    user: 'acme',
    v2_authority_pubkey: 'k',
  };
  const pools = (row: JsonObject) => read(proto, 'pools', { pools: { pools: [row] } });
  assert.equal(pools(pool)?.kind, 'present');
  assert.deepEqual(pools(renamed(pool, 'v2_authority_pubkey', 'v2_authority_pubkdy')), UNREADABLE);
});

test('vnish: the running pools do not stand in for stored ones of which a name is damaged', () => {
  const stored = { miner: { pools: [{ url: 'a.example:1', user: 'acme.a' }] } };
  const v1_summary = { miner: { pools: [{ url: 'b.example:1', user: 'acme.b', pool_type: 'UserPool' }] } };
  const pools = (v1_settings: JsonObject) =>
    vnish.facts.pools?.read(
      new Map<string, Reply | NoReply>([
        ...repliesOf({ v1_info: { fw_name: 'Vnish', fw_version: '1.2.6' }, v1_summary, v1_settings }),
        ['conf', noReply('unsupported', 'HTTP 404')],
        ['pools', noReply('unreachable', 'closed', { dark: true })],
      ]),
    );
  assert.equal(pools(stored)?.kind, 'present');
  assert.deepEqual(pools(renamed(stored, 'miner', 'mioer')), UNREADABLE);
  assert.deepEqual(pools({ miner: renamed(stored.miner, 'pools', 'poo\u0001ls') }), UNREADABLE);
});

test('where rows count from 0 or from 1 a number that becomes 0 makes the pools unknown, and shifts no other', () => {
  const rows = (name: string, numbers: readonly number[]) =>
    numbers.map((number) => ({
      [name]: number,
      URL: `p${number}.example:1`,
      addr: `p${number}.example:1`,
      user: 'a',
      User: 'a',
    }));
  const slotsIn = (reading: Reading<unknown> | undefined) =>
    reading?.kind === 'present' ? (reading.value as readonly PoolSlot[]).map(({ slot }) => slot) : gapOf(reading);
  const iceriverSlots = (numbers: readonly number[]) => {
    const document = { error: 0, data: { pools: rows('no', numbers) } };
    return slotsIn(read(iceriver, 'pools', { machine: document, panel: document }));
  };
  const whatsminerSlots = (numbers: readonly number[]) =>
    slotsIn(read(whatsminer, 'pools', { pools: { POOLS: rows('POOL', numbers) } }));
  for (const slots of [iceriverSlots, whatsminerSlots]) {
    assert.deepEqual(slots([1, 2, 3]), [0, 1, 2]);
    assert.deepEqual(slots([0, 1, 2]), [0, 1, 2]);
    assert.deepEqual(slots([1, 3]), [0, 2]);
    for (const numbers of [
      [1, 0, 3],
      [1, 2, 0],
      [0, 2, 3],
      [1, 1, 2],
    ])
      assert.deepEqual(slots(numbers), UNREADABLE);
  }
});
