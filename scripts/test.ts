/**
 * `npm test`: installs the Debian packages that the tests need where it may, runs every test with coverage, lists what
 * was skipped with the command that would enable it, and ends with a summary line.
 * Arguments: files or globs to run instead of everything. `--no-coverage` for a quick run.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { glob, mkdir, readFile, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { pathToFileURL } from 'node:url';

const root = join(import.meta.dirname, '..');
const words = process.argv.slice(2);
const coverage = !words.includes('--no-coverage');
const patterns = words.filter((word) => !word.startsWith('--'));

const filesOf = async (globs: readonly string[]): Promise<string[]> => {
  const files = await Array.fromAsync(glob([...globs], { cwd: root }));
  return files.map((file) => join(root, file)).sort();
};

const files = await filesOf(patterns.length > 0 ? patterns : ['test/**/*.test.ts']);
if (files.length === 0) {
  process.stderr.write(`no test file matches ${patterns.join(' ')}\n`);
  process.exit(2);
}

spawnSync('bash', [join(root, 'scripts', 'install-test-packages.sh')], {
  stdio: ['ignore', process.stderr, process.stderr],
});

/** Takes the types out of all sources, once for every process of the run; gives what Node has to load first. */
const withoutTypes = async (folder: string): Promise<URL> => {
  for await (const file of glob('{agent,shared,scripts,test}/**/*.ts', { cwd: root })) {
    await mkdir(join(folder, dirname(file)), { recursive: true });
    await writeFile(join(folder, file), stripTypeScriptTypes(await readFile(join(root, file), 'utf8')));
  }
  const preload = pathToFileURL(join(root, 'scripts', 'without-types.mjs'));
  preload.searchParams.set('from', folder);
  return preload;
};

const sources = mkdtempSync(join(tmpdir(), 'assayer-sources-'));
process.on('exit', () => rmSync(sources, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
// What one process compiled is there for the next one.
process.env.NODE_COMPILE_CACHE = join(sources, 'compiled');
process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --import=${await withoutTypes(sources)}`.trim();

const count = { passed: 0, failed: 0, skipped: 0 };
const skips: string[] = [];
const stream = run({
  files,
  cwd: root,
  // Most tests wait, for a confirmation or a timer, while the processor is idle.
  concurrency: availableParallelism() + 2,
  ...(coverage ? { coverage: true, coverageIncludeGlobs: ['agent/**/*.ts', 'shared/**/*.ts'] } : {}),
});

stream.on('test:pass', (event) => {
  if (event.details.type === 'suite') return;
  if (event.skip === undefined) {
    count.passed += 1;
    return;
  }
  count.skipped += 1;
  skips.push(`${event.name}: ${typeof event.skip === 'string' ? event.skip : 'no reason given'}`);
});
stream.on('test:fail', (event) => {
  if (event.details.type !== 'suite') count.failed += 1;
});

for await (const chunk of stream.compose(spec)) process.stdout.write(chunk as string);

for (const skip of skips) process.stdout.write(`skipped: ${skip}\n`);
process.stdout.write(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
process.exitCode = count.failed > 0 || count.passed === 0 ? 1 : 0;
