import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VERSION } from '../../agent/platform/version.ts';
import { assayer } from './assayer.ts';

const VERBS = [
  'init',
  'check-config',
  'doctor',
  'probe',
  'scan',
  'record',
  'driver',
  'driver test',
  'driver schema',
  'requests',
  'run',
  'status',
  'findings',
  'log',
  'verify',
  'collect',
  'collect logs',
  'collect devices',
  'collect findings',
  'collect gaps',
  'collect silence',
  'collect alarms',
  'baseline',
  'baseline accept',
  'notify',
  'notify test',
  'baseline new',
  'baseline sign',
  'plan',
  'plan create',
  'plan sign',
  'waiver',
  'waiver create',
  'waiver sign',
  'terms',
  'terms show',
  'keys',
  'keys new',
  'keys show',
  'keys passphrase',
] as const;

test('assayer without a verb shows all of them and ends with 2; --help ends with 0', async () => {
  const bare = await assayer([]);
  const help = await assayer(['--help']);
  assert.deepEqual([bare.code, help.code], [2, 0]);
  for (const verb of VERBS) assert.match(help.out, new RegExp(`^  ${verb.split(' ')[0]}\\b`, 'm'));
  assert.match(help.out, /ends with 0 when all is well, 1 when .* 2 when .* 3 when/s);
  assert.equal(bare.err, help.out);
});

for (const verb of VERBS) {
  test(`assayer ${verb} --help says what it does and what its options are`, async () => {
    const { code, out, err } = await assayer([...verb.split(' '), '--help']);
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, new RegExp(`^Usage: assayer ${verb} `));
    assert.match(out, /-h, --help/);
  });
}

test('assayer --version', async () => {
  assert.deepEqual(await assayer(['--version']), { code: 0, out: `${VERSION}\n`, err: '' });
});

test('a verb that is none is told, with the nearest one', async () => {
  const { code, err } = await assayer(['verfiy', 'x']);
  assert.equal(code, 2);
  assert.match(err, /unknown command 'verfiy'\n\(Did you mean verify\?\)/);
});

test('an option that is none is told, with the nearest one; so are a missing and a superfluous argument', async () => {
  const option = await assayer(['status', '--jsno']);
  assert.equal(option.code, 2);
  assert.match(option.err, /unknown option '--jsno'\n\(Did you mean --json\?\)/);
  const missing = await assayer(['probe']);
  assert.deepEqual([missing.code, missing.err.split('\n')[0]], [2, "error: missing required argument 'host[:port]'"]);
  const superfluous = await assayer(['status', 'all']);
  assert.equal(superfluous.code, 2);
  assert.match(superfluous.err, /too many arguments/);
});

test('a verb that needs a configuration says how to get one', async () => {
  for (const verb of ['run', 'status', 'findings', 'log', 'check-config', 'baseline accept --all']) {
    const { code, out, err } = await assayer([...verb.split(' '), '-c', '/does/not/exist.yaml']);
    assert.deepEqual([code, out], [2, ''], verb);
    assert.match(err, /cannot read .*\/does\/not\/exist\.yaml/, verb);
    assert.match(err, /remedy: name an existing file with -c, or make one: assayer init \[config\.unreadable\]/, verb);
  }
});
