import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseConfig } from '../../agent/config/load.ts';
import { createKey } from '../../agent/platform/keys.ts';
import { jwkOf, thumbprint } from '../../shared/keys.ts';
import { formatVkey, NOTE_TYPE } from '../../shared/note.ts';

/** Whose keys a gateway takes as those of approvers and witnesses: what no verifier takes, and what lies on it, are none. */

const newKey = (): KeyObject => generateKeyPairSync('ed25519').privateKey;

const pem = (key: KeyObject): string => key.export({ format: 'pem', type: 'pkcs8' }).toString();

/** A folder of configuration with the state folder of a gateway in it, and the public keys of files that are written into it. */
const site = (t: TestContext) => {
  const dir = mkdtempSync(join(tmpdir(), 'assayer-approvers-'));
  t.after(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, 'state', 'below'), { recursive: true, mode: 0o700 });
  createKey(join(dir, 'state'));
  const write = (name: string, content: object | string): void =>
    writeFileSync(join(dir, name), typeof content === 'string' ? content : JSON.stringify(content));
  const parse = (approvers: object, more = '') =>
    parseConfig(
      `gateway: gw-1\noperator: example.org\nstate_dir: state\ndevices: [{ host: 10.0.0.1 }]\napprovers: ${JSON.stringify(approvers)}\n${more}`,
      dir,
    );
  /** Path and message of each problem, with its remedy. */
  const problems = (approvers: object, more = ''): readonly string[] => {
    const parsed = parse(approvers, more);
    return parsed.kind === 'good'
      ? []
      : parsed.problems.map(({ line, path, message, remedy }) => `${line} ${path}: ${message} | ${remedy}`);
  };
  return { dir, write, parse, problems };
};

test('the file of an approver says that its key is one: without a role it is a gateway’s, and no verifier takes what it signs', (t) => {
  const { dir, write, parse, problems } = site(t);
  const jwk = jwkOf(newKey());
  write('alice.jwk.json', { ...jwk, role: 'approver' });
  write('record.json', { keys: [{ kid: thumbprint(jwk), jwk, role: 'approver' }] });
  for (const file of ['alice.jwk.json', 'record.json']) {
    const parsed = parse({ alice: file });
    assert.ok(parsed.kind === 'good', file);
    assert.equal(parsed.approvers.keys.get(thumbprint(jwk))?.role, 'approver');
  }
  write('bare.json', jwk);
  write('gateway.json', { ...jwk, role: 'gateway' });
  for (const file of ['bare.json', 'gateway.json']) {
    const [problem = '', ...others] = problems({ alice: file });
    assert.deepEqual(others, []);
    assert.ok(problem.startsWith(`5 approvers.alice: ${join(dir, file)}: `), problem);
    assert.match(problem, /a gateway's.*no role.*write "role":"approver" into.*assayer keys new --role approver/, file);
  }
  for (const role of ['authority', 'collector']) {
    write('other.json', { ...jwk, role });
    assert.match(
      problems({ alice: 'other.json' }).join(),
      new RegExp(`other.json: its key is an? ${role}.s, .*assayer keys new --role approver`),
    );
  }
});

test('a file that is no public key of an approver is told what it is', (t) => {
  const { write, problems } = site(t);
  write('alice.key', '-----BEGIN AGE ENCRYPTED FILE-----\n');
  write('alice.pem', pem(newKey()));
  for (const file of ['alice.key', 'alice.pem'])
    assert.match(
      problems({ alice: file }).join(),
      /is no public key; a private one does not belong on a gateway.*take it away/,
    );
  const jwk = jwkOf(newKey());
  write('capital.json', { ...jwk, role: 'Approver' });
  assert.match(problems({ alice: 'capital.json' }).join(), /not a file of keys: role: .*expected one of .*"approver"/);
  write('list.json', [jwk, { ...jwk, x: 1 }]);
  assert.match(problems({ alice: 'list.json' }).join(), /not a file of keys: 1\.x: /);
  write('text.json', '"alice"');
  assert.match(problems({ alice: 'text.json' }).join(), /not a file of keys/);
});

test('a key that lies on the gateway is nobody’s who approves, whatever its public file says', (t) => {
  const { dir, write, problems } = site(t);
  const own = JSON.parse(readFileSync(join(dir, 'state', 'gateway.jwk.json'), 'utf8'));
  write('gate.json', { kty: own.kty, crv: own.crv, x: own.x, role: 'approver', name: 'gate' });
  const [plain, below, jwk] = [newKey(), newKey(), newKey()];
  write('state/bob.pem', pem(plain));
  write('state/below/carol.key', `assayer key: {"role":"approver"}\n${pem(below)}`);
  write('state/dave.json', jwk.export({ format: 'jwk' }));
  const named = { bob: plain, carol: below, dave: jwk };
  for (const [name, key] of Object.entries(named)) write(`${name}.json`, { ...jwkOf(key), role: 'approver' });
  const found = problems({ gate: 'gate.json', bob: 'bob.json', carol: 'carol.json', dave: 'dave.json' });
  const at = (name: string): string => found.find((one) => one.startsWith(`5 approvers.${name}: `)) ?? '';
  assert.match(at('gate'), /gate\.json: .*that of this gateway itself.*assayer keys new/);
  assert.match(at('bob'), /bob\.json: .*lies in .*state\/bob\.pem.*assayer keys new/);
  assert.match(at('carol'), /lies in .*state\/below\/carol\.key/);
  assert.match(at('dave'), /lies in .*state\/dave\.json/);
  assert.equal(found.length, 4);
  rmSync(join(dir, 'state', 'gateway.key'));
  assert.match(
    problems({ gate: 'gate.json' }).join(),
    /that of this gateway itself/,
    'also where only the public half is there',
  );
  symlinkSync('loop', join(dir, 'state', 'loop'));
  write('state/huge', `${'x'.repeat(20_000)}${pem(newKey())}`);
  write('erin.json', { ...jwkOf(newKey()), role: 'approver' });
  assert.deepEqual(problems({ erin: 'erin.json' }), []);
});

test('one key is one approver, one witness, and never both, nor that of the gateway', (t) => {
  const { dir, write, problems } = site(t);
  const [alice, collector] = [newKey(), newKey()].map(jwkOf) as [ReturnType<typeof jwkOf>, ReturnType<typeof jwkOf>];
  const own = JSON.parse(readFileSync(join(dir, 'state', 'gateway.jwk.json'), 'utf8'));
  write('alice.json', { ...alice, role: 'approver' });
  write('again.json', { ...alice, role: 'approver', name: 'carol' });
  assert.match(
    problems({ alice: 'alice.json', carol: 'again.json' }).join(),
    /^5 approvers\.carol: carol has the key of alice/,
  );
  const vkey = (name: string, jwk: typeof alice): string => formatVkey(name, NOTE_TYPE.cosignature, jwk);
  const witnessed = (...witnesses: readonly string[]): readonly string[] =>
    problems({ alice: 'alice.json' }, `mqtt: { url: "mqtt://127.0.0.1", witnesses: ${JSON.stringify(witnesses)} }\n`);
  assert.deepEqual(witnessed(vkey('col-a', collector)), []);
  assert.match(
    witnessed(vkey('col-a', collector), vkey('col-b', { kty: own.kty, crv: own.crv, x: own.x })).join(),
    /^6 mqtt\.witnesses\[1\]: col-b .*that of this gateway itself/,
  );
  assert.match(witnessed(vkey('col-a', alice)).join(), /^6 mqtt\.witnesses\[0\]: col-a .*that of approver alice/);
  assert.match(
    witnessed(vkey('col-a', collector), vkey('col-b', collector)).join(),
    /mqtt\.witnesses\[1\]: col-b .*that of col-a, too/,
  );
});
