import assert from 'node:assert/strict';
import { test } from 'node:test';
import { relabelled, tenantLeft } from '../../agent/appraise/tenancy.ts';
import { HOUR, MINUTE, pools, showing, T0, Watch } from './watch.ts';

const ACME = { tenant: 'acme', allow: [{ url: '*', user: 'acme.*' }] };
const GLOBEX = { tenant: 'globex', fromMs: T0 + HOUR, allow: [{ url: '*', user: 'globex.*' }] };

const of = (tenancy: typeof ACME | typeof GLOBEX): Watch => {
  const watch = new Watch({ tenancy, allow: tenancy.allow });
  watch.state = { ...watch.state, labels: { tenant: tenancy.tenant } };
  return watch;
};

const all = (change: object) => pools(change, change, change);

test('tenant.hash-destination-breach: a device that works for another account is critical within 120 s', () => {
  const watch = of(ACME);
  watch.live(5 * MINUTE, showing({}));
  assert.deepEqual(watch.said(), []);
  const changedMs = watch.nowMs;
  watch.live(3 * MINUTE, showing(pools({ user: 'mallory.x' })));
  const [finding] = watch.opened('tenant.hash-destination-breach');
  assert.equal(finding?.severity, 'critical');
  assert.equal(finding?.part, 'acme slot 0');
  assert.deepEqual(finding?.after, {
    url: 'stratum+tcp://eu.pool.example:3333',
    user: 'mallory.x',
    tenant: 'acme',
    nearest: ACME.allow[0],
  });
  assert.ok((finding?.confirmedAt ?? 0) * 1000 - changedMs <= 120_000);
});

test('tenant.hash-destination-breach: an address that ends like a host of the tenant is none of its pools', () => {
  const watch = of({ tenant: 'acme', allow: [{ url: '*.example:3333', user: 'acme.*' }] });
  watch.live(3 * MINUTE, showing(pools({ url: 'stratum+tcp://203.0.113.66 .pool.example:3333' })));
  assert.deepEqual(watch.opened('tenant.hash-destination-breach')[0]?.reasons, ['malformed-host']);
});

test('tenant.hash-destination-breach: a slot that is not in use, a device of nobody, a tenant without a list: none', () => {
  const idle = of(ACME);
  idle.live(10 * MINUTE, showing(pools({}, { user: 'mallory.x' })));
  assert.deepEqual(idle.opened('tenant.hash-destination-breach'), []);
  const nobody = new Watch();
  nobody.live(10 * MINUTE, showing(pools({ user: 'mallory.x' })));
  assert.deepEqual(nobody.opened('tenant.hash-destination-breach'), []);
  const listless = new Watch({ tenancy: { tenant: 'acme' } });
  listless.live(10 * MINUTE, showing(pools({ user: 'mallory.x' })));
  assert.deepEqual(listless.opened('tenant.hash-destination-breach'), []);
});

test('tenant.hash-destination-breach: where no slot says that it is in use, the first one counts; what runs beside them counts', () => {
  const untold = of(ACME);
  untold.live(
    3 * MINUTE,
    showing(pools({ user: 'mallory.x', active: undefined }, { active: undefined }, { active: undefined })),
  );
  assert.equal(untold.opened('tenant.hash-destination-breach')[0]?.part, 'acme slot 0');
  const running = of(ACME);
  running.live(
    3 * MINUTE,
    showing({ live_pools: [{ url: 'stratum+tcp://x.example:1', user: 'mallory.x', active: true }] }),
  );
  assert.equal(running.opened('tenant.hash-destination-breach')[0]?.part, 'acme live 0');
  const fee = of(ACME);
  const pool = { url: 'stratum+tcp://fee.example:1', user: 'fee' };
  fee.live(20 * MINUTE, showing({ fee_pools: [pool], live_pools: [{ ...pool, active: true }] }));
  assert.deepEqual(fee.opened('tenant.hash-destination-breach'), []);
});

test('tenant.hash-destination-breach: the wrong account before the move is a breach for the old tenant only', () => {
  const watch = of(ACME);
  watch.live(HOUR, showing(all({ user: 'globex.rig' })));
  assert.deepEqual(
    watch.opened('tenant.hash-destination-breach').map(({ part }) => part),
    ['acme slot 0'],
  );
  const { state, statements } = tenantLeft(watch.state, watch.nowMs);
  assert.deepEqual(
    statements.map(({ ruleId, part, state: as, reasons }) => [ruleId, part, as, reasons]),
    [
      ...[0, 1, 2].map((slot) => [
        'pool.outside-allowlist',
        `slot ${slot}`,
        'resolved',
        ['not-listed', 'assignment-ended'],
      ]),
      ['tenant.hash-destination-breach', 'acme slot 0', 'resolved', ['assignment-ended']],
    ],
  );
  assert.equal(state.labels.tenant, 'acme');
  watch.state = relabelled(state, { tenant: 'globex' });
  watch.context = { tenancy: GLOBEX, allow: GLOBEX.allow, policy: 'b' };
  watch.clear();
  watch.live(HOUR, showing(all({ user: 'globex.rig' })));
  assert.deepEqual(watch.opened('tenant.hash-destination-breach'), []);
  assert.equal(watch.attestations[0]?.trigger, 'change', 'the labels are attested');
  assert.equal(watch.attestations.length, 1);
});

test('tenant.hash-destination-breach: after the move the old account is one for the new tenant, with since when', () => {
  const watch = of(GLOBEX);
  watch.live(3 * MINUTE, showing({}));
  const [finding] = watch.opened('tenant.hash-destination-breach');
  assert.equal(finding?.part, 'globex slot 0');
  assert.equal((finding?.after as { assigned_from?: string }).assigned_from, new Date(GLOBEX.fromMs).toISOString());
});

test('a device with an open breach keeps the labels of its tenant until that has ended', () => {
  const watch = of(ACME);
  watch.live(3 * MINUTE, showing(pools({ user: 'mallory.x' })));
  assert.equal(relabelled(watch.state, { tenant: 'globex' }).labels.tenant, 'acme');
  assert.equal(relabelled(watch.state, { tenant: 'acme', rack: 'r1' }).labels.rack, 'r1');
});
