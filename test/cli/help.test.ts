import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { command } from '../../agent/cli/program.ts';
import { VERSION } from '../../agent/platform/version.ts';
import { assayer, lines } from './assayer.ts';

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
  'findings list',
  'findings show',
  'findings ack',
  'findings approve',
  'findings waive',
  'findings close',
  'lint',
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
  'baseline show',
  'baseline diff',
  'baseline accept',
  'baseline export',
  'baseline create',
  'baseline sign',
  'baseline adopt',
  'baseline withdraw',
  'notify',
  'notify test',
  'plan',
  'plan create',
  'plan sign',
  'plan adopt',
  'plan list',
  'plan report',
  'plan close',
  'waiver',
  'waiver create',
  'waiver sign',
  'waiver adopt',
  'waiver list',
  'waiver close',
  'terms',
  'terms show',
  'keys',
  'keys new',
  'keys show',
  'keys admit',
  'keys list',
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

/** What people do about changes: approvers and operators type these seldom, and with much at stake. */
const CHANGE_CONTROL = VERBS.filter((verb) => /^(?:baseline|plan|waiver|terms|findings|keys|lint)\b/.test(verb));

/** Of verbs of two words the second ones. */
const SECOND = [...new Set(VERBS.flatMap((verb) => verb.split(' ').slice(1)))].join('|');

/** What `--help` prints, without a process for each. */
const helpOf = async (verb: string): Promise<string> => {
  let out = '';
  const io = {
    out: { write: (text: string) => (out += text) },
    err: { write: (text: string) => assert.fail(text) },
    input: process.stdin,
  };
  await assert.rejects(command([...verb.split(' '), '--help'], io), {
    code: 'commander.helpDisplayed',
  });
  return out;
};

test('the help of change control fits 80 columns and has lines to type, with options that there are', async () => {
  for (const verb of CHANGE_CONTROL) {
    const out = await helpOf(verb);
    assert.deepEqual(
      lines(out).filter((line) => line.length > 80),
      [],
      verb,
    );
    const isGroup = !verb.includes(' ') && verb !== 'lint';
    const [, typed = ''] = out.split(isGroup ? /^In order:\n/m : /^Examples?:\n/m);
    assert.notEqual(typed, '', `${verb} has no example`);
    if (isGroup) continue;
    assert.match(typed, new RegExp(`^ {2}assayer ${verb.replace(' list', '(?: list)?')}`), verb);
    for (const [option] of typed.matchAll(/--[a-z-]+/g))
      assert.match(out, new RegExp(`^ +(?:-\\w, )?${option}\\b`, 'm'), verb);
  }
});

test('the first week names the commands that take no configuration: of those on the page these, and no others', async () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'first-week.md'), 'utf8');
  const [, named = ''] = /^(.*) read no configuration/m.exec(page) ?? [];
  const takes = async (verb: string) =>
    /^ +-c, --config\b/m.test(await helpOf(verb === 'findings' ? 'findings list' : verb));
  const typed = VERBS.filter((verb) => new RegExp(`assayer ${verb}(?![a-z-]| (?:${SECOND}))`).test(page));
  assert.ok(typed.length > 15, typed.join());
  const without = [];
  for (const verb of typed) if (!(await takes(verb))) without.push(verb);
  assert.deepEqual([...named.matchAll(/`([a-z ]+)`/g)].map(([, verb]) => verb).sort(), without.sort());
});

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
