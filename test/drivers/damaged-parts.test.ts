import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { antminerStock } from '../../agent/drivers/antminer-stock.ts';
import { avalon } from '../../agent/drivers/avalon.ts';
import { axeos } from '../../agent/drivers/axeos.ts';
import { numberedIn } from '../../agent/drivers/damaged-names.ts';
import type { Driver } from '../../agent/drivers/driver.ts';
import { luxos } from '../../agent/drivers/luxos.ts';
import { proto } from '../../agent/drivers/proto.ts';
import { above, inOrder, listed, sum } from '../../agent/drivers/rows.ts';
import { sealminer } from '../../agent/drivers/sealminer.ts';
import { vnish } from '../../agent/drivers/vnish.ts';
import { whatsminer } from '../../agent/drivers/whatsminer.ts';
import { DAMAGED, type NoReply, type Reply } from '../../agent/probe/capture.ts';
import { readReply } from '../../agent/probe/reply.ts';
import {
  ABSENT,
  type FactName,
  type FirmwareComponent,
  type PoolSlot,
  present,
  type Reading,
  unknown,
} from '../../shared/facts.ts';

/** One part of a list is damaged: the rest is never told as the whole. */

const UNREADABLE = unknown('unreadable');

const read = (driver: Driver, fact: FactName, documents: { readonly [query: string]: string }): Reading<unknown> => {
  const replies = Object.entries(documents).map(([query, document]): [string, Reply | NoReply] => [
    query,
    readReply(Buffer.from(document), { whole: true }),
  ]);
  const reading = driver.facts[fact]?.read(new Map(replies));
  assert.ok(reading !== undefined);
  return reading;
};

const componentsOf = (driver: Driver, documents: { readonly [query: string]: string }): ReadonlyMap<string, string> => {
  const reading = read(driver, 'firmware.components', documents);
  assert.ok(reading.kind === 'present');
  return new Map((reading.value as readonly FirmwareComponent[]).map(({ name, value }) => [name, value]));
};

describe('a list of readings', () => {
  test('is unknown with one that is, and has the others without one that is absent', () => {
    assert.deepEqual(listed([present('a'), UNREADABLE]), UNREADABLE);
    assert.deepEqual(sum([present(1), unknown('unreadable'), present(2)]), UNREADABLE);
    assert.deepEqual(sum([present(1), ABSENT, present(2)]), present(3));
    assert.deepEqual(above(0, [present(0), present(2), UNREADABLE]), [present(2), UNREADABLE]);
  });

  test('has no order where a number of its rows cannot be read', () => {
    const rows = [{ n: 2 }, { n: 1 }];
    assert.deepEqual(
      inOrder(rows, ({ n }) => present(n as number)),
      present([{ n: 1 }, { n: 2 }]),
    );
    assert.deepEqual(
      inOrder(rows, ({ n }) => (n === 1 ? UNREADABLE : present(2))),
      UNREADABLE,
    );
  });
});

describe('members that are named by a number', () => {
  const numbers = (names: readonly string[]) =>
    numberedIn(Object.fromEntries(names.map((name) => [name, name])), 'chain_sn#').map(({ value }) => value);

  test('stand in the order of their numbers', () => {
    const names = ['chain_sn10', 'chain_sn2', 'other', 'chain_sn1', 'chain_sn', 'chain_acn1'];
    assert.deepEqual(numbers(names), ['chain_sn1', 'chain_sn2', 'chain_sn10']);
  });

  test('are not all where only the name of one is damaged: a flipped bit, a space, another case, or a byte that no name has', () => {
    for (const name of [
      'chain_so2',
      'chain_sn\u00b2',
      'chain_snr',
      'ch\u0001ain_sn2',
      'chain_sn2\ufffd',
      'Chain_sn2',
      'chain_sn 2',
      ' chain_sn12',
      'CHAIN_SN2',
      'Chain_SN 1\u0001 2',
    ]) {
      assert.ok(numbers(['chain_sn1', name]).includes(DAMAGED as unknown as string), JSON.stringify(name));
    }
  });
});

describe('hashboards', () => {
  const boards = (...rows: readonly string[]) => `{"STATUS":[{"STATUS":"S"}],"DEVS":[${rows.join(',')}]}`;
  const board = (slot: number, serial = `"PCB SN":"B${slot}"`) => `{"ASC":${slot},"Slot":${slot},${serial}}`;

  test('of WhatsMiner are unknown where one has two serials, or a name or slot that cannot be read', () => {
    const serials = (row: string) =>
      read(whatsminer, 'identity.hashboards', { edevs: boards(board(0), row, board(2)) });
    assert.deepEqual(serials(board(1)), present(['B0', 'B1', 'B2']));
    assert.deepEqual(serials(board(1, '"PCB SN":"A","PCB SN":"B"')), UNREADABLE);
    assert.deepEqual(serials(board(1, '"PCB SO":"B1"')), UNREADABLE);
    assert.deepEqual(serials('{"Slot":1,"Slot":7,"PCB SN":"B1"}'), UNREADABLE);
  });

  test('of LuxOS are unknown where one has two serials or two places', () => {
    const serials = (row: string) =>
      read(luxos, 'identity.hashboards', { devs: boards(row, '{"ID":0,"SerialNumber":"L0"}') });
    assert.deepEqual(serials('{"ID":1,"SerialNumber":"L1"}'), present(['L0', 'L1']));
    assert.deepEqual(serials('{"ID":1,"SerialNumber":"L1","SerialNumber":"L7"}'), UNREADABLE);
    assert.deepEqual(serials('{"ID":1,"ID":7,"SerialNumber":"L1"}'), UNREADABLE);
  });

  test('of Proto are unknown where one has two serials or two slots', () => {
    const serials = (row: string) =>
      read(proto, 'identity.hashboards', {
        hardware: `{"hardware-info":{"hashboards-info":[${row},{"slot":1,"hb_sn":"P1"}]}}`,
      });
    assert.deepEqual(serials('{"slot":2,"hb_sn":"P2"}'), present(['P1', 'P2']));
    assert.deepEqual(serials('{"slot":2,"hb_sn":"P2","hb_sn":"P7"}'), UNREADABLE);
    assert.deepEqual(serials('{"slot":2,"slot":0,"hb_sn":"P2"}'), UNREADABLE);
  });

  test('of VNish, stock firmware and SealMiner are unknown where one has two serials or a damaged name', () => {
    const factory = (row: string) =>
      read(vnish, 'identity.hashboards', { v1_summary: '{}', v1_factory: `{"chains":[{"serial":"V0"},${row}]}` });
    assert.deepEqual(factory('{"serial":"V1"}'), present(['V0', 'V1']));
    assert.deepEqual(factory('{"serial":"V1","serial":"V7"}'), UNREADABLE);
    assert.deepEqual(factory('null'), UNREADABLE);
    const stats = (members: string) => `{"STATUS":[{"STATUS":"S"}],"STATS":[{"ID":0,${members}}]}`;
    const seal = (members: string) => read(sealminer, 'identity.hashboards', { stats: stats(members) });
    assert.deepEqual(seal('"0 SN":"S0","1 SN":"S1"'), present(['S0', 'S1']));
    assert.deepEqual(seal('"0 SN":"S0","1 SO":"S1"'), UNREADABLE);
    const stock = (members: string) => read(antminerStock, 'identity.hashboards', { stats: stats(members) });
    assert.deepEqual(stock('"chain_sn1":"A1","chain_sn2":"A2"'), present(['A1', 'A2']));
    assert.deepEqual(stock('"chain_sn1":"A1","chain_so2":"A2"'), UNREADABLE);
  });

  test('of Avalon are unknown where a module has two numbers, or lost its own', () => {
    const dna = (n: number) => `DNA[013000a74100000${n}]`;
    const modules = (second: string) =>
      read(avalon, 'identity.hashboards', {
        stats: `{"STATUS":[{"STATUS":"S"}],"STATS":[{"ID":"AV70","MM ID1":"Ver[741] ${dna(1)}","MM ID2":"Ver[741] ${second}"}]}`,
      });
    assert.deepEqual(modules(dna(2)), present(['013000a741000001', '013000a741000002']));
    assert.deepEqual(modules(`${dna(2)} ${dna(3)}`), UNREADABLE);
    assert.deepEqual(modules('Elapsed[7]'), UNREADABLE);
    assert.deepEqual(modules('DNC[013000a741000002]'), UNREADABLE);
    const flipped = `{"STATUS":[{"STATUS":"S"}],"STATS":[{"ID":"AV70","MM ID0":"Ver[741] ${dna(1)}","MM ID2":"Ver[741] ${dna(2)}"}]}`;
    assert.deepEqual(read(avalon, 'identity.hashboards', { stats: flipped }), UNREADABLE);
  });
});

describe('components of firmware', () => {
  test('of a Proto hashboard are left out where one of their texts cannot be read', () => {
    const parts = (about: string) =>
      componentsOf(proto, {
        system: '{"system-info":{"os":{"version":"1"}}}',
        hardware: `{"hardware-info":{"hashboards-info":[{"slot":1,"firmware":{${about}}}]}}`,
      }).get('hashboard.1.firmware');
    assert.equal(parts('"version":"2.1","git_hash":"g1"'), '2.1 g1');
    assert.equal(parts('"version":"2.1","version":"2.2","git_hash":"g1"'), undefined);
    assert.equal(parts('"versioo":"2.1","git_hash":"g1"'), undefined);
  });

  test('of an AxeOS partition are left out where one of their texts cannot be read', () => {
    const parts = (told: string) =>
      componentsOf(axeos, {
        info: `{"ASICModel":"BM1370","version":"2.15","partitions":[{"label":"ota_0",${told},"compileDate":"Dec 1 2025"}]}`,
      }).get('partition.ota_0');
    assert.equal(parts('"version":"2.14"'), '2.14 Dec 1 2025');
    assert.equal(parts('"version":"2.14","version":"2.13"'), undefined);
    assert.equal(parts('"versioo":"2.14"'), undefined);
  });

  test('the build of AxeOS is unknown where a partition is none: it may be the running one', () => {
    const build = (other: string) =>
      read(axeos, 'firmware.build', {
        info: `{"ASICModel":"BM1370","partitions":[{"isCurrent":true,"compileDate":"Dec 1"},${other}]}`,
      });
    assert.deepEqual(build('{"isCurrent":false}'), present('Dec 1'));
    assert.deepEqual(build('"junk"'), UNREADABLE);
  });
});

describe('the maker of an AxeOS board', () => {
  const make = (members: string) => read(axeos, 'identity.make', { info: `{"ASICModel":"BM1370"${members}}` });

  test('is told by its firmware', () => {
    assert.deepEqual(make(''), present('Bitaxe'));
    assert.deepEqual(make(',"deviceModel":"NerdQAxe++"'), present('NerdAxe'));
    assert.deepEqual(make(',"minerModel":"LV08"'), present('Lucky Miner'));
  });

  test('is unknown where that member stands twice or under a damaged name', () => {
    assert.deepEqual(make(',"deviceModel":"NerdQAxe++","deviceModel":"Gamma"'), UNREADABLE);
    assert.deepEqual(make(',"deviceModem":"NerdQAxe++"'), UNREADABLE);
    assert.deepEqual(make(',"minerModel":"LV08","minerModel":"LV07"'), UNREADABLE);
    assert.deepEqual(make(',"minerModem":"LV08"'), UNREADABLE);
  });
});

describe('the pools of AxeOS', () => {
  const pool = (id: number) => `{"id":${id},"stratumURL":"p${id}.example","stratumPort":3333,"stratumUser":"acme"}`;
  const stored = (members: string, rows = `${pool(0)},${pool(1)}`) =>
    read(axeos, 'pools', { info: `{"ASICModel":"BM1370",${members},"pools":[${rows}]}` });
  const flat = (members: string) =>
    read(axeos, 'pools', { info: `{"ASICModel":"BM1370","stratumURL":"a.example","stratumUser":"acme"${members}}` });
  const parts = (reading: Reading<unknown>, part: string) => {
    assert.ok(reading.kind === 'present');
    return (reading.value as readonly { readonly [part: string]: unknown }[]).map((slot) => slot[part]);
  };
  const RANKS = '"primaryPoolIndex":1,"secondaryPoolIndex":0';

  test('are unknown where a row is no object: without it a slot would look removed', () => {
    assert.deepEqual(parts(stored(RANKS), 'priority'), [1, 0]);
    for (const row of ['null', '"junk"', '7']) {
      assert.deepEqual(stored(RANKS, `${pool(0)},${row}`), UNREADABLE, row);
      const settings = `{"pools":[{"url":"a.example","user":"acme"},${row}]}`;
      const elsewhere = { kind: 'no-reply', reason: 'unsupported', detail: '' } as const;
      const replies = new Map<string, Reply | NoReply>([
        ['info', elsewhere],
        ['v2_settings', readReply(Buffer.from(settings), { whole: true })],
        ['v2_dashboard', elsewhere],
      ]);
      assert.equal(axeos.facts.pools?.read(replies).kind, 'unknown', row);
    }
  });

  test('are unknown where which is tried first stands there twice or under a damaged name', () => {
    assert.deepEqual(stored('"primaryPoolIndex":1,"primaryPoolIndex":0,"secondaryPoolIndex":0'), UNREADABLE);
    assert.deepEqual(stored('"primaryPoolIndez":1,"secondaryPoolIndex":0'), UNREADABLE);
  });

  test('say which is active only where the device said it legibly', () => {
    assert.deepEqual(parts(flat(',"fallbackStratumURL":"b.example"'), 'active'), [true, false]);
    assert.deepEqual(parts(flat(',"fallbackStratumURL":"b.example","isUsingFallbackStratum":1'), 'active'), [
      false,
      true,
    ]);
    for (const twice of ['"isUsingFallbackStratum":1,"isUsingFallbackStratum":0', '"isUsingFallbackStratul":1']) {
      assert.deepEqual(
        parts(flat(`,"fallbackStratumURL":"b.example",${twice}`), 'active'),
        [undefined, undefined],
        twice,
      );
      assert.deepEqual(parts(stored(`${RANKS},${twice}`), 'active'), [undefined, undefined], twice);
    }
    assert.deepEqual(parts(stored(`${RANKS},"isUsingFallbackStratum":0`), 'active'), [false, true]);
  });
});

test('the pools of VNish are unknown where the list that says which is tried first cannot be read', () => {
  const stored = '{"miner":{"pools":[{"url":"a.example:1","user":"acme"},{"url":"b.example:1","user":"acme"}]}}';
  const pool = (host: string, more = '') => `{"url":"${host}.example:1","user":"acme","pool_type":"UserPool"${more}}`;
  const pools = (rows: string) =>
    read(vnish, 'pools', { v1_settings: stored, v1_summary: `{"miner":{"pools":[${rows}]}}` });
  const ranked = pools(`${pool('b')},${pool('a')}`);
  assert.ok(ranked.kind === 'present');
  assert.deepEqual(
    (ranked.value as readonly PoolSlot[]).map(({ priority }) => priority),
    [1, 0],
  );
  for (const more of [',"url":"c.example:1"', ',"pool_type":"DevFee"']) {
    const reading = pools(`${pool('b')},${pool('a', more)}`);
    assert.deepEqual([reading.kind, reading.kind === 'unknown' && reading.reason], ['unknown', 'unreadable']);
  }
});

test('a list that is asked in full looks only does not say which pool of stock firmware is tried first', () => {
  const conf = '{"pools":[{"url":"a.example:1","user":"acme"},{"url":"b.example:1","user":"acme"}]}';
  const row = (url: string, priority: number) =>
    `{"url":"${url}","user":"acme","status":"Alive","priority":${priority}}`;
  const listed = `{"STATUS":{"STATUS":"S"},"POOLS":[${row('a.example:1', 1)},${row('b.example:1', 0)}]}`;
  const reading = read(antminerStock, 'pools', { conf, web_pools: listed });
  assert.ok(reading.kind === 'present');
  assert.deepEqual(
    (reading.value as readonly PoolSlot[]).map(({ priority, status }) => [priority, status]),
    [
      [0, 'Alive'],
      [1, 'Alive'],
    ],
  );
});
