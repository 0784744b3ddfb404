import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');

interface Module {
  readonly file: string;
  /** Repository paths for our own modules, bare names for packages and `node:` modules. */
  readonly imports: readonly string[];
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^'"]*?from\s*'([^']+)'|import\(\s*'([^']+)'\s*\)|(?:^|\n)import\s*'([^']+)'/g;

const moduleOf = (file: string): Module => ({
  file,
  imports: [...readFileSync(join(root, file), 'utf8').matchAll(IMPORT)].map((match) => {
    const name = match[1] ?? match[2] ?? match[3] ?? '';
    return name.startsWith('.') ? normalize(join(dirname(file), name)) : name;
  }),
});

const modules = globSync(['agent/**/*.ts', 'shared/**/*.ts', 'test/**/*.ts', 'scripts/**/*.ts'], { cwd: root })
  .sort()
  .map(moduleOf);

const within = (folder: string): readonly Module[] => {
  const found = modules.filter(({ file }) => file.startsWith(folder));
  assert.ok(found.length > 0, `nothing to look at under ${folder}`);
  return found;
};

const importers = (name: string): readonly string[] => {
  const found = modules.filter(({ file, imports }) => file.startsWith('agent/') && imports.includes(name));
  assert.ok(found.length > 0, `nobody imports ${name}`);
  return found.map(({ file }) => file);
};

const offenders = (
  looked: readonly Module[],
  forbidden: (imported: string, file: string) => boolean,
): readonly string[] =>
  looked.flatMap(({ file, imports }) =>
    imports.filter((imported) => forbidden(imported, file)).map((imported) => `${file} imports ${imported}`),
  );

test('shared imports nothing from the agent', () => {
  assert.deepEqual(
    offenders(within('shared/'), (name) => name.startsWith('agent/')),
    [],
  );
});

test('shared needs nothing but zod and the cryptography of the platform', () => {
  const allowed = (name: string) => name.startsWith('shared/') || name === 'zod' || name === 'node:crypto';
  assert.deepEqual(
    offenders(within('shared/'), (name) => !allowed(name)),
    [],
  );
});

test('shared touches no clock, chance or process: time comes in as a number', () => {
  const ambient = /\bDate\.now\(|\bprocess\.|\bMath\.random\(|\bnew Date\(\)|\bset(?:Timeout|Interval)\(|\bconsole\./;
  assert.deepEqual(
    within('shared/')
      .map(({ file }) => file)
      .filter((file) => ambient.test(readFileSync(join(root, file), 'utf8'))),
    [],
  );
});

test('drivers import only their own folder, shared and the values that replies are read into, and no node: module', () => {
  const allowed = (name: string) => name.startsWith('agent/drivers/') || name.startsWith('shared/');
  const parser = new Set(['agent/probe/capture.ts', 'agent/probe/json.ts']);
  assert.deepEqual(
    offenders(within('agent/drivers/'), (name) => !allowed(name) && !parser.has(name)),
    [],
  );
});

test('node:sqlite has one importer for each store: that of the agent and that of a collector', () => {
  assert.deepEqual(importers('node:sqlite'), ['agent/collect/sqlite.ts', 'agent/record/store.ts']);
});

test('SQL is spoken by the tables of the store and by the stores of collectors, and nowhere else in the agent', () => {
  const speaks = within('agent/')
    .map(({ file }) => file)
    .filter((file) =>
      /\b(?:SELECT|INSERT INTO|DELETE FROM|CREATE TABLE)\b/.test(readFileSync(join(root, file), 'utf8')),
    );
  assert.deepEqual(
    speaks.filter((file) => !/^agent\/(?:collect\/|record\/(?:tables\/|schema\.ts$))/.test(file)),
    [],
  );
  assert.ok(speaks.includes('agent/record/tables/entries.ts'));
});

test('the PostgreSQL library has one importer, which is not loaded at start', () => {
  assert.deepEqual(importers('pg'), ['agent/collect/postgres.ts']);
  const source = readFileSync(join(root, 'agent/collect/postgres.ts'), 'utf8');
  assert.match(source, /import\('pg'\)/);
  assert.doesNotMatch(source, /\nimport (?!type )[^;]*'pg'/);
});

test('the agent does not know of collectors: only the collect verb imports them', () => {
  const asked = modules.filter(({ file }) => file.startsWith('agent/') && !file.startsWith('agent/collect/'));
  const importing = asked.filter(({ imports }) => imports.some((name) => name.startsWith('agent/collect/')));
  assert.ok(importing.length > 0);
  assert.deepEqual(
    importing.map(({ file }) => file).filter((file) => !file.startsWith('agent/cli/collect')),
    [],
  );
});

test('the MQTT library has one importer', () => {
  assert.deepEqual(importers('mqtt'), ['agent/publish/mqtt.ts']);
});

test('a broker, a database and a webhook are always verified: nothing of uplink, collector or notify can turn that off', () => {
  const files = [...within('agent/publish/'), ...within('agent/collect/'), ...within('agent/notify/')].map(
    ({ file }) => file,
  );
  const uses = files.filter((file) => /rejectUnauthorized/.test(readFileSync(join(root, file), 'utf8')));
  assert.deepEqual(uses, ['agent/publish/tls.ts', 'agent/collect/postgres.ts', 'agent/notify/webhook.ts']);
  for (const file of files) {
    const source = readFileSync(join(root, file), 'utf8');
    assert.doesNotMatch(source, /rejectUnauthorized: (?!true\b)|checkServerIdentity|NODE_TLS_REJECT/, file);
  }
});

test('the codecs of wallet addresses have one importer', () => {
  assert.deepEqual(importers('@scure/base'), ['agent/appraise/wallet.ts']);
});

test('the SSH library has one importer, which is not loaded at start', () => {
  assert.deepEqual(importers('ssh2'), ['agent/probe/ssh.ts']);
  const source = readFileSync(join(root, 'agent/probe/ssh.ts'), 'utf8');
  assert.match(source, /import\('ssh2'\)/);
  assert.doesNotMatch(source, /\nimport (?!type )[^;]*'ssh2'/);
});

test('the age library has one importer, which is not loaded at start', () => {
  assert.deepEqual(importers('age-encryption'), ['agent/platform/sealed-key.ts']);
  const source = readFileSync(join(root, 'agent/platform/sealed-key.ts'), 'utf8');
  assert.match(source, /import\('age-encryption'\)/);
  assert.doesNotMatch(source, /\nimport (?!type )[^;]*'age-encryption'/);
});

test('HTTP/2 has one importer, which loads it when a device is asked so', () => {
  assert.deepEqual(importers('node:http2'), ['agent/probe/grpc-call.ts']);
  const source = readFileSync(join(root, 'agent/probe/grpc-call.ts'), 'utf8');
  assert.match(source, /await import\('node:http2'\)/);
  assert.doesNotMatch(source, /\nimport (?!type )[^;]*'node:http2'/);
});

test('sockets to miners are opened in probe only', () => {
  const sockets = ['node:net', 'node:tls', 'node:http', 'node:http2', 'node:https', 'undici', 'node:dgram'];
  const opens = modules.filter(
    ({ file, imports }) => file.startsWith('agent/') && imports.some((name) => sockets.includes(name)),
  );
  const elsewhere = opens.map(({ file }) => file).filter((file) => !file.startsWith('agent/probe/'));
  // The control socket is a UNIX socket inside the state folder; the uplink, and its trial by doctor, talk to the broker; a
  // webhook is where the operator says. What tells networks of this machine apart compares addresses and opens nothing.
  assert.deepEqual(
    elsewhere.filter((file) => !/^agent\/(platform\/(control|vantage)|publish\/\w+|notify\/webhook)\.ts$/.test(file)),
    [],
  );
});

test('programs are started in two places: to ask the time service, and where the operator names one to be told of findings', () => {
  assert.deepEqual(importers('node:child_process'), ['agent/notify/command.ts', 'agent/platform/time-service.ts']);
});

test('publish and notify both read the log, and nothing of each other; neither can make an entry or see what is not signed', () => {
  const readers = [...within('agent/publish/'), ...within('agent/notify/')];
  const sibling = (file: string) => (file.startsWith('agent/publish/') ? 'agent/notify/' : 'agent/publish/');
  assert.deepEqual(
    offenders(readers, (name, file) => name.startsWith(sibling(file)) || name.startsWith('agent/record/')),
    [],
  );
});

test('the pure stages touch no clock, file, socket, process or store', () => {
  const world = /^node:(?!crypto$)/;
  const looked = [
    ...within('agent/normalise/'),
    ...within('agent/appraise/'),
    ...within('agent/baseline/'),
    ...within('agent/terms/'),
  ];
  assert.deepEqual(
    offenders(looked, (name) => world.test(name) || /^agent\/(record|publish|cli)\//.test(name)),
    [],
  );
  const ambient = /\bDate\.now\(|\bprocess\.|\bMath\.random\(|\bnew Date\(\)/;
  assert.deepEqual(
    looked.map(({ file }) => file).filter((file) => ambient.test(readFileSync(join(root, file), 'utf8'))),
    [],
  );
});

test('imports point down the pipeline: no stage reaches into a later one', () => {
  const order = [
    'agent/drivers/',
    'agent/probe/',
    'agent/normalise/',
    'agent/baseline/',
    'agent/appraise/',
    'agent/record/',
    'agent/publish/',
    'agent/notify/',
  ];
  const rank = (file: string) => order.findIndex((folder) => file.startsWith(folder));
  // The words of findings and rules are the catalogue, which a baseline may speak; drivers may use the parser's own values.
  const vocabulary = new Set([
    'agent/appraise/finding.ts',
    'agent/appraise/rule.ts',
    'agent/probe/capture.ts',
    'agent/probe/json.ts',
    'agent/appraise/device.ts',
  ]);
  const looked = modules.filter(({ file }) => rank(file) >= 0);
  assert.ok(looked.length > 20);
  assert.deepEqual(
    offenders(looked, (name, file) => rank(name) > rank(file) && !vocabulary.has(name)),
    [],
  );
});

test('verbs open the store of an agent in one place, which tells of a damaged end; doctor has a line of its own for that', () => {
  const opening = within('agent/cli/')
    .map(({ file }) => file)
    .filter((file) => /\bStore\.openReadOnly\(/.test(readFileSync(join(root, file), 'utf8')));
  assert.deepEqual(
    opening.filter((file) => !file.startsWith('agent/cli/doctor/')),
    ['agent/cli/look.ts'],
  );
});

test('only the run verb imports the daemon', () => {
  assert.deepEqual(importers('agent/daemon.ts'), ['agent/cli/run.ts']);
});

test('nothing in the product imports tests or scripts', () => {
  assert.deepEqual(
    offenders([...within('agent/'), ...within('shared/')], (name) => /^(test|scripts)\//.test(name)),
    [],
  );
});

test('no folder is called utils, helpers, types, common or constants', () => {
  const named = /(^|\/)(utils?|helpers?|types|common|constants)(\/|\.ts$)/;
  assert.deepEqual(
    modules.map(({ file }) => file).filter((file) => named.test(file)),
    [],
  );
});
