import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { PoolSlot } from '../../shared/facts.ts';
import { formatSignedTerms } from '../../shared/signed-terms.ts';
import { People } from '../record/approvers.ts';
import { Gateway } from './agent.ts';
import { fleetOf } from './fleets.ts';

/** Lists of pools that tell some of their columns, signed or planned, at a real agent. */

const people = new People('alice', 'bob');
const AXEOS = 'axeos/gamma-2.15';
const now = (): number => Math.floor(Date.now() / 1000);

const ok = async (gateway: Gateway, verb: string, ...words: readonly string[]): Promise<string> => {
  const { code, out, err } = await gateway.assayer(verb, ...words);
  assert.equal(code, 0, `${verb}: ${err}`);
  return out;
};

const poolsOf = (gateway: Gateway): readonly PoolSlot[] =>
  gateway.attestations('r1').at(-1)?.evidence.claims?.pools as readonly PoolSlot[];

const listOf = (gateway: Gateway, members: readonly (keyof PoolSlot)[], changes: Partial<PoolSlot> = {}) => ({
  fact: 'pools',
  class: 'exact' as const,
  value: poolsOf(gateway).map((slot) =>
    Object.fromEntries(
      Object.entries({ ...slot, ...changes }).filter(([name]) => members.includes(name as keyof PoolSlot)),
    ),
  ),
});

const gatewayOf = async (address: string, approvers: boolean): Promise<Gateway> => {
  const gateway = Gateway.create({ devices: [{ host: address, name: 'r1' }] });
  if (approvers) {
    for (const name of ['alice', 'bob']) gateway.write(`${name}.jwk.json`, JSON.stringify(people.jwk(name)));
    gateway.configure({ approvers: { alice: 'alice.jwk.json', bob: 'bob.jwk.json' } });
  }
  return gateway;
};

const adopt = async (gateway: Gateway, id: string, scope: object, values: readonly object[]): Promise<void> => {
  const terms = { kind: 'reference', ref_id: id, version: 1, scope, values } as never;
  const file = gateway.write(`${id}.signed.json`, formatSignedTerms(people.sign(terms, 'alice', 'bob')));
  await ok(gateway, 'baseline adopt', file, '--yes');
};

suite('lists of pools with columns left out', { concurrency: 2 }, () => {
  test('a theft under a signed list that tells no priority is in the log, the agent goes on and starts again', {
    timeout: 120_000,
  }, async () => {
    await using fleet = await fleetOf([AXEOS], '127.103.61.1');
    await using gateway = await gatewayOf(fleet.device(0).address, true);
    gateway.configure({ devices: [{ host: fleet.device(0).address, name: 'r1', ports: fleet.ports }] });
    await gateway.up();
    await gateway.knows(1);
    await ok(gateway, 'baseline accept', '--all', '--yes');
    await adopt(gateway, 'dev', { devices: ['r1'] }, [listOf(gateway, ['slot', 'url', 'user'])]);
    assert.match(await ok(gateway, 'baseline diff'), /^no difference\n$/);
    for (const slot of poolsOf(gateway).keys()) fleet.device(0).changePoolUser(slot, 'thief.x');
    await gateway.says('the theft', () => gateway.findings('pool.user-changed').length >= poolsOf(gateway).length);
    assert.deepEqual(gateway.findings('pool.priority-changed'), []);
    const { out } = await gateway.assayer('baseline diff');
    assert.match(out, /pools slot 0 user/);
    assert.doesNotMatch(out, /tls|priority|quota/);
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    await gateway.up();
    await gateway.event('agent.started', { after: 1 });
    assert.equal(gateway.ended, undefined);
  });

  test('a wider reference for the users leaves those of a nearer list, in findings, status, diff and show', {
    timeout: 120_000,
  }, async () => {
    await using fleet = await fleetOf([AXEOS], '127.103.62.1');
    await using gateway = await gatewayOf(fleet.device(0).address, true);
    gateway.configure({
      devices: [{ host: fleet.device(0).address, name: 'r1', ports: fleet.ports, labels: { site: 'tx1' } }],
    });
    await gateway.up();
    await gateway.knows(1);
    await ok(gateway, 'baseline accept', '--all', '--yes');
    await adopt(gateway, 'dev', { devices: ['r1'] }, [listOf(gateway, ['slot', 'url', 'user', 'priority'])]);
    await adopt(gateway, 'site', { labels: { site: 'tx1' } }, [
      { fact: 'pools.user', class: 'template', value: ['acme.*', 'partner.*'] },
    ]);
    const shown = await ok(gateway, 'baseline show', 'r1');
    assert.match(shown, /^pools .*device: dev/m);
    assert.doesNotMatch(shown, /pools\.user/);
    fleet.device(0).changePoolUser(0, 'partner.x');
    await gateway.says('the other account', () => gateway.findings('pool.user-changed').length > 0);
    await gateway.says('it is attested', () => gateway.attestations().at(-1)?.appraisal.conformance === 'deviation');
    assert.match((await gateway.assayer('baseline diff')).out, /pools slot 0 user +acme\S* +partner\.x/);
  });

  test('a device that did what a planned list without priorities says is as planned', {
    timeout: 120_000,
  }, async () => {
    await using fleet = await fleetOf([AXEOS], '127.103.63.1');
    await using gateway = await gatewayOf(fleet.device(0).address, false);
    gateway.configure({ devices: [{ host: fleet.device(0).address, name: 'r1', ports: fleet.ports }] });
    await gateway.up();
    await gateway.knows(1);
    await ok(gateway, 'baseline accept', '--all', '--yes');
    const terms = {
      plan_id: 'move',
      type: 'change',
      scope: { devices: ['r1'] },
      ids: ['pool.user-changed'],
      expected_after: [listOf(gateway, ['slot', 'url', 'user'], { user: 'acme.other' })],
      not_before_at: new Date((now() - 60) * 1000).toISOString(),
      not_after_at: new Date((now() + 3600) * 1000).toISOString(),
      author: 'alice',
    };
    await ok(gateway, 'plan adopt', gateway.write('move.yaml', JSON.stringify(terms)), '--yes', '--by', 'alice');
    const slots = poolsOf(gateway);
    for (const slot of slots.keys()) fleet.device(0).changePoolUser(slot, 'acme.other');
    await gateway.says('the planned change', () => gateway.findings('pool.user-changed').length >= slots.length);
    await gateway.says('it is attested', () => poolsOf(gateway).every(({ user }) => user === 'acme.other'));
    assert.match((await gateway.assayer('plan report', 'move')).out, / 1 {2}as planned\n/);
  });
});
