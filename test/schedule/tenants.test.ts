import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../agent/config/schema.ts';
import { Tenants } from '../../agent/schedule/tenants.ts';

const DAY = (day: number): string => `2026-12-0${day}T00:00:00Z`;
const at = (day: number, hour = 0): number => Date.parse(DAY(day)) + hour * 3_600_000;

const of = (tenants: { readonly [name: string]: Config['tenants'][string]['devices'] }): Tenants =>
  new Tenants({
    tenants: Object.fromEntries(Object.entries(tenants).map(([name, devices]) => [name, { devices }])),
  });

const RIG = { id: 'rig-1', address: '10.20.14.7', labels: { rack: 'r14', tenant: 'acme' } };

test('without entries the label says whose a device is', () => {
  const tenants = of({});
  assert.deepEqual(tenants.of(RIG, at(1)), { tenant: 'acme' });
  assert.equal(tenants.of({ ...RIG, labels: {} }, at(1)), undefined);
  assert.equal(tenants.labelsOf(RIG, at(1)), RIG.labels);
});

test('a device moves from one tenant to the other at the second that its entry says', () => {
  const tenants = of({ globex: [{ device: 'rig-1', from: DAY(3), until: DAY(5) }] });
  assert.equal(tenants.of(RIG, at(3) - 1)?.tenant, 'acme');
  assert.deepEqual(tenants.of(RIG, at(3)), { tenant: 'globex', fromMs: at(3), untilMs: at(5) });
  assert.equal(tenants.of(RIG, at(5) - 1)?.tenant, 'globex');
  assert.equal(tenants.of(RIG, at(5))?.tenant, 'acme');
  assert.deepEqual(tenants.labelsOf(RIG, at(4)), { rack: 'r14', tenant: 'globex' });
  assert.equal(tenants.labelsOf(RIG, at(4)), tenants.labelsOf(RIG, at(4)), 'one object for all devices of a place');
});

test('ranges and labels assign, and every member of an entry has to fit', () => {
  const tenants = of({ globex: [{ range: '10.20.14.0/28', labels: { rack: 'r14' } }] });
  assert.equal(tenants.of(RIG, at(1))?.tenant, 'globex');
  assert.equal(tenants.of({ ...RIG, address: '10.20.14.77' }, at(1))?.tenant, 'acme', 'it moved');
  assert.equal(tenants.of({ ...RIG, id: 'rig-3', labels: { rack: 'r15' } }, at(1)), undefined);
});

test('of two entries that fit the one that began last holds, and a device may be nobody’s', () => {
  const tenants = of({
    acme: [{ range: '10.20.14.0/24' }],
    globex: [{ labels: { rack: 'r14' }, from: DAY(2) }],
    initech: [{ device: 'rig-1', from: DAY(4), until: DAY(6) }],
  });
  const owners = [1, 2, 3, 4, 5, 6].map((day) => tenants.of({ ...RIG, labels: { rack: 'r14' } }, at(day))?.tenant);
  assert.deepEqual(owners, ['acme', 'globex', 'globex', 'initech', 'initech', 'globex']);
  assert.equal(tenants.of({ id: 'x', address: '10.20.15.1', labels: {} }, at(3)), undefined);
  assert.deepEqual(tenants.labelsOf({ id: 'x', address: '10.20.15.1', labels: {} }, at(3)), {});
});

test('the epoch changes where an entry begins or ends, and only there', () => {
  const tenants = of({ globex: [{ device: 'rig-1', from: DAY(3), until: DAY(5) }] });
  assert.deepEqual(
    [at(1), at(3) - 1, at(3), at(4), at(5), at(9)].map((nowMs) => tenants.epoch(nowMs)),
    [0, 0, 1, 1, 2, 2],
  );
  assert.equal(of({}).epoch(at(1)), 0);
});
