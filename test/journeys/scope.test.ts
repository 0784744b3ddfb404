import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSignedTerms } from '../../shared/signed-terms.ts';
import type { ExpectedValue, Scope } from '../../shared/terms.ts';
import { People } from '../record/approvers.ts';
import { Gateway } from './agent.ts';
import { assertPolite, fleetOf } from './fleets.ts';

/** Documents for a version and for the one after it, at a real agent. */

const people = new People('alice', 'bob');

test('a reference for the new version that states it is in force for a WhatsMiner that was updated to it', {
  timeout: 120_000,
}, async () => {
  await using fleet = await fleetOf(['whatsminer/m50s-api2'], '127.104.61.1');
  await using gateway = Gateway.create({
    devices: [{ host: fleet.device(0).address, name: 'r1', ports: fleet.ports }],
  });
  for (const name of ['alice', 'bob']) gateway.write(`${name}.jwk.json`, JSON.stringify(people.jwk(name)));
  gateway.configure({ approvers: { alice: 'alice.jwk.json', bob: 'bob.jwk.json' } });
  const ok = async (verb: string, ...words: readonly string[]): Promise<string> => {
    const { code, out, err } = await gateway.assayer(verb, ...words);
    assert.equal(code, 0, `${verb}: ${err}`);
    return out;
  };
  const adopt = async (id: string, scope: Scope, values: readonly ExpectedValue[]): Promise<void> => {
    const terms = { kind: 'reference', ref_id: id, version: 1, scope, values } as never;
    await ok(
      'baseline adopt',
      gateway.write(`${id}.json`, formatSignedTerms(people.sign(terms, 'alice', 'bob'))),
      '--yes',
    );
  };
  const device = fleet.device(0);
  await gateway.up();
  await gateway.knows(1);
  await ok('baseline accept', '--all', '--yes');
  const claims = gateway.attestations('r1').at(-1)?.evidence.claims;
  const { version: former = '' } = claims?.firmware as { readonly version?: string };
  const newer = '20260401.12.REL';
  assert.match(former, /REL$/i);
  const free = ['firmware.build', 'firmware.components'].map((fact): ExpectedValue => ({ fact, class: 'volatile' }));
  const version = { fact: 'firmware.version', class: 'exact', value: newer } as const;
  await adopt('former', { firmware: [`whatsminer ${former}`] }, [
    { ...version, class: 'set', value: [former, newer] },
    ...free,
  ]);
  await adopt('newer', { firmware: [`whatsminer ${newer}`] }, [
    version,
    ...free,
    { fact: 'pools.user', class: 'exact', value: 'bcme.w' },
  ]);
  device.setFirmware({ version: newer });
  await gateway.says('the new version', () => JSON.stringify(gateway.attestations('r1').at(-1)).includes(newer));
  const isTold = (user: string) => (): boolean =>
    gateway.findings('pool.user-changed').some(({ finding }) => finding.after === user && finding.state === 'open');
  const [{ user: accepted = '' } = {}] = claims?.pools as readonly { readonly user?: string }[];
  // It shows nothing new: what it is held to is.
  await gateway.says('the account of the former version', isTold(accepted));
  for (const slot of (claims?.pools as readonly unknown[]).keys()) device.changePoolUser(slot, 'bcme.w');
  await gateway.says('the new account', () => JSON.stringify(gateway.attestations('r1').at(-1)).includes('bcme.w'));
  assert.match(await ok('baseline show', 'r1'), /^pools\.user .*newer/m);
  await gateway.says('a match', () => gateway.attestations('r1').at(-1)?.appraisal?.conformance === 'match');
  device.setFirmware({ version: former });
  await gateway.says('the account of the newer version', isTold('bcme.w'));
  device.changePoolUser(0, 'mallory.w');
  await gateway.says('a theft', () =>
    gateway.findings('pool.user-changed').some(({ finding }) => finding.after === 'mallory.w'),
  );
  assert.deepEqual(gateway.findings('firmware.version-changed'), []);
  assertPolite(fleet);
});
