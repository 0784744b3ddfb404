import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MINUTE, POOLS, pools, showing, Watch } from './watch.ts';

const BROKEN = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh';
const LIST = [{ url: 'stratum+tcp://*.pool.example:3333', user: 'acme.*' }, { url: 'backup.example' }];

test('pool.user-changed: a wallet whose checksum fails is named as such', () => {
  const watch = Watch.known();
  watch.live(3 * MINUTE, showing(pools({ user: `${BROKEN}.rig0417` })));
  const [finding] = watch.opened('pool.user-changed');
  assert.equal(finding?.severity, 'critical');
  assert.deepEqual(finding?.reasons, ['account', 'invalid-address']);
});

test('pool.user-changed: a worker that the list names by a template is low, another one medium', () => {
  const severityOf = (user: string) => {
    const allow = [{ url: 'stratum+tcp://*.pool.example:3333', user: 'acme.{serial}' }];
    const watch = Watch.known({ allow });
    watch.live(3 * MINUTE, showing(pools({ user })));
    return watch.opened('pool.user-changed')[0]?.severity;
  };
  assert.equal(severityOf('acme.JYZZ12345678'), 'low');
  assert.equal(severityOf('acme.JYZZ12345679'), 'medium');
});

test('pool.user-changed: a factory reset is told by the user of the maker', () => {
  const watch = Watch.known();
  watch.live(3 * MINUTE, showing(pools({ url: 'stratum+tcp://solo.antpool.com:3333', user: 'antminer_1' })));
  assert.deepEqual(watch.opened('pool.user-changed')[0]?.reasons, ['account', 'factory-default']);
});

test('pool.outside-allowlist: a template of the list is filled by labels and identity of the device', () => {
  const found = (user: string) => {
    const watch = new Watch({ allow: [{ url: '*', user: '{account}.{rack}-{serial}' }] });
    watch.state = { ...watch.state, labels: { rack: 'r14' } };
    watch.live(3 * MINUTE, showing(pools({ user }, { user }, { user })));
    return watch.opened('pool.outside-allowlist').length;
  };
  assert.equal(found('acme.r14-JYZZ12345678'), 0);
  assert.equal(found('acme.r15-JYZZ12345678'), 3);
  assert.equal(found('acme.r14-JYZZ99999999'), 3);
});

test('pool.outside-allowlist: looks at the pools alone know the identity from the look before', () => {
  const user = 'acme.JYZZ12345678';
  const watch = new Watch({ allow: [{ url: '*', user: 'acme.{serial}' }] });
  watch.live(MINUTE, showing(pools({ user }, { user }, { user })));
  watch.clear();
  watch.see('pools', pools({ user: 'acme.JYZZ12345670' }, { user }, { user }));
  assert.ok(watch.state.tracks.some(({ finding }) => finding.ruleId === 'pool.outside-allowlist'));
});

test('pool.outside-allowlist: a new device may work for the default of its maker for half an hour', () => {
  const fresh = showing(pools({ url: 'stratum+tcp://solo.antpool.com:3333', user: 'antminer_1' }));
  const watch = new Watch({ allow: LIST });
  watch.live(29 * MINUTE, fresh);
  assert.deepEqual(watch.said(), []);
  watch.live(5 * MINUTE, fresh);
  const [finding] = watch.opened('pool.outside-allowlist');
  assert.deepEqual(finding?.reasons, ['not-listed', 'factory-default']);
  const old = Watch.known({ allow: LIST });
  old.live(40 * MINUTE, showing({}));
  old.clear();
  old.live(3 * MINUTE, fresh);
  assert.equal(old.opened('pool.outside-allowlist').length, 1);
});

test('pool.outside-allowlist: a configured device within that half an hour is none, and a wrong wallet says so', () => {
  const configured = new Watch({ allow: LIST });
  configured.live(10 * MINUTE, showing(pools({ url: 'stratum+tcp://solo.antpool.com:3333', user: 'antminer_1' })));
  configured.live(60 * MINUTE, showing({}));
  assert.deepEqual(configured.opened('pool.outside-allowlist'), []);
  const broken = new Watch({ allow: LIST });
  broken.live(2 * MINUTE, showing(pools({ user: BROKEN })));
  assert.deepEqual(broken.opened('pool.outside-allowlist')[0]?.reasons, ['not-listed', 'invalid-address']);
});

test('pool.slot-added: a slot that a template of the list covers is high, not critical', () => {
  const watch = Watch.known({ allow: [...LIST, { url: 'fee.example', user: 'fee.{serial}' }] });
  const slot = { slot: 3, url: 'stratum+tcp://fee.example:3333', priority: 3, active: false };
  watch.live(3 * MINUTE, showing({ pools: [...POOLS, { ...slot, user: 'fee.JYZZ12345678' }] }));
  assert.equal(watch.opened('pool.slot-added')[0]?.severity, 'high');
});

test('pool.failover-active: the cause is named where the site falls over', () => {
  const watch = Watch.known({ primaryIsDown: () => true });
  watch.live(3 * MINUTE, showing(pools({ active: false }, { active: true })));
  assert.deepEqual(watch.opened('pool.failover-active')[0]?.reasons, ['primary-down']);
});

test('visibility.changed-while-dark: what the lists of the operator said before is no change', () => {
  const context = { firmware: { approved: [], advisories: [{ id: 'X', family: '*', version: '*' }] }, allow: [] };
  const watch = Watch.known(context);
  watch.live(20 * MINUTE, () => undefined);
  watch.clear();
  watch.live(30 * MINUTE, showing({}));
  assert.ok(!watch.said().some((said) => said.startsWith('visibility.changed-while-dark')), watch.said().join(', '));
});

test('pool.outside-allowlist: another order or spelling of the list states nothing anew, least of all another nearest line', () => {
  const lines = [{ url: 'a.pool.test:1' }, { url: 'b.pool.test:1' }];
  const respelled = [{ url: 'B.Pool.Test.:1/' }, { url: 'A.pool.test:01' }, { url: 'b.pool.test:1' }];
  const [slot] = POOLS;
  const shown = showing({ pools: [{ ...slot, url: 'c.pool.test:1' }] });
  const watch = new Watch({ allow: lines, policy: 'one' }).live(3 * MINUTE, shown);
  const stated = watch.statements.length;
  assert.deepEqual(
    watch.opened('pool.outside-allowlist').map(({ after }) => (after as { nearest?: unknown }).nearest),
    [lines[0]],
  );
  for (const allow of [lines.toReversed(), respelled]) {
    watch.context = { ...watch.context, allow, policy: JSON.stringify(allow) };
    watch.live(10 * MINUTE, shown);
    assert.equal(watch.statements.length, stated);
  }
});
