/**
 * `npm run package:collector`: shared/ as the npm package `assayer-collector`, in dist/collector: plain ESM JavaScript,
 * declarations, the page that explains it. `--out <folder>` puts it elsewhere. Nothing is published.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..');

interface Manifest {
  readonly version: string;
  readonly license: string;
  readonly dependencies: { readonly zod: string };
}

/** Writes the package into a folder, which is emptied first. */
export const packageCollector = (out: string): void => {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  compile(out);
  for (const file of globSync('**/*.d.ts', { cwd: out })) rewriteDeclaration(join(out, file));
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifestOf(readManifest()), undefined, 2)}\n`);
  cpSync(join(root, 'docs', 'collector-library.md'), join(out, 'README.md'));
  cpSync(join(root, 'LICENSE'), join(out, 'LICENSE'));
};

const compile = (out: string): void => {
  const tsc = join(root, 'node_modules', '.bin', 'tsc');
  const words = ['-p', join(root, 'tsconfig.collector.json'), '--outDir', out];
  const { status } = spawnSync(tsc, words, { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error('shared/ does not compile');
};

/** The compiler rewrites the names of imported files in what runs, but not in what declares. */
const rewriteDeclaration = (file: string): void => {
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replaceAll(/((?:from |import\()['"]\.[^'"]*)\.ts(['"])/g, '$1.js$2'));
};

const readManifest = (): Manifest => JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const entry = (name: string) => ({ types: `./${name}.d.ts`, default: `./${name}.js` });

const manifestOf = ({ version, license, dependencies }: Manifest): object => ({
  name: 'assayer-collector',
  version,
  description: 'Verify, order, store and acknowledge the attestations of assayer gateways',
  keywords: ['attestation', 'mqtt', 'collector', 'merkle', 'mining'],
  license,
  type: 'module',
  sideEffects: false,
  engines: { node: '>=20.12' },
  exports: {
    '.': entry('index'),
    './store-contract': entry('collector/store-contract'),
    './package.json': './package.json',
  },
  files: ['**/*.js', '**/*.d.ts'],
  dependencies: { zod: `^${dependencies.zod}` },
  // The declarations speak of Buffer and KeyObject; whoever has no TypeScript needs none of it.
  peerDependencies: { '@types/node': '>=20' },
  peerDependenciesMeta: { '@types/node': { optional: true } },
});

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: 'string', default: join(root, 'dist', 'collector') } } });
  packageCollector(resolve(values.out));
  process.stdout.write(`${resolve(values.out)}\n`);
}
