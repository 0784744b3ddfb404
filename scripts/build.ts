/**
 * `npm run build`: the agent as one file per architecture, in dist/, with checksums and a bill of materials.
 * `--target x64` or `--target arm64` makes one. Nothing is left behind but the products.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, globSync, readFileSync, rmSync, statSync } from 'node:fs';
import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import pkgSea from '@yao-pkg/pkg/lib-es5/sea.js';
import { Command, Option } from 'commander';
import { type Arch, type BaseNode, baseNode, lockedNode } from './base-node.ts';
import { bundleAgent } from './bundle.ts';
import { RUNTIME_OPTIONS } from './runtime-options.ts';
import { writeSbom } from './sbom.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const ARCHS: readonly Arch[] = ['x64', 'arm64'];

/** What became of one architecture. */
export type Product =
  | { readonly kind: 'made'; readonly arch: Arch; readonly file: string }
  | { readonly kind: 'missing'; readonly arch: Arch; readonly reason: string };

export const binaryFile = (arch: Arch): string => join(dist, `assayer-linux-${arch}`);

/** Builds into a folder of its own and moves the products into dist/ when all are there; older products go. */
export const buildBinaries = async (archs: readonly Arch[]): Promise<readonly Product[]> => {
  await using workshop = await openWorkshop();
  return await buildIn(workshop.folder, archs);
};

const buildIn = async (folder: string, archs: readonly Arch[]): Promise<readonly Product[]> => {
  const made = join(folder, 'made');
  await mkdir(made);
  const bundle = await bundleAgent(folder);
  const products: Product[] = [];
  for (const arch of archs) products.push(await buildOne(arch, bundle, folder, made));
  if (products.every(({ kind }) => kind === 'missing')) return products;
  await writeSbom(join(made, 'assayer.cdx.json'), lockedNode('x64').version);
  await writeChecksums(made);
  await replaceProducts(made);
  return products;
};

/**
 * The folder of one build. Its name is always the same because Node writes the path of the bundle into the binary, and the
 * same sources should make the same bytes. What a killed build left there goes.
 */
const openWorkshop = async (): Promise<AsyncDisposable & { readonly folder: string }> => {
  const folder = join(dist, '.build');
  const owner = join(folder, 'pid');
  if (existsSync(owner) && isRunning(Number(readFileSync(owner, 'utf8')))) {
    throw new Error(`another build is under way here (process ${readFileSync(owner, 'utf8')}); let it end first`);
  }
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(owner, String(process.pid));
  const leave = () => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  };
  process.once('SIGINT', leave).once('SIGTERM', leave);
  return {
    folder,
    [Symbol.asyncDispose]: async () => {
      process.removeListener('SIGINT', leave).removeListener('SIGTERM', leave);
      await rm(folder, { recursive: true, force: true });
    },
  };
};

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const buildOne = async (arch: Arch, bundle: string, folder: string, made: string): Promise<Product> => {
  const own = join(folder, arch);
  await mkdir(own);
  let node: BaseNode;
  try {
    node = await baseNode(arch, own);
  } catch (error) {
    return { kind: 'missing', arch, reason: error instanceof Error ? error.message : String(error) };
  }
  const output = join(own, `assayer-linux-${arch}`);
  await withEnvironment(environmentFor(await seededHome(own, arch, node)), () =>
    pkgSea.default(bundle, {
      targets: [{ nodeRange: `node${node.version}`, platform: 'linux', arch, output }],
      seaConfig: seaConfigFor(arch),
    }),
  );
  await copyInPieces(output, join(made, `assayer-linux-${arch}`));
  return { kind: 'made', arch, file: binaryFile(arch) };
};

/**
 * pkg writes the whole file at once. The cache of files then holds it in large pieces, and as long as it does, some 25 MB more of
 * it are resident in whoever runs it than of one that was downloaded or copied.
 */
const copyInPieces = (from: string, to: string): Promise<void> =>
  pipeline(createReadStream(from), createWriteStream(to, { mode: 0o755 }));

/** Words of Node's configuration of a single executable; pkg's types lack the newer ones, and it hands all of them on. */
const seaConfigFor = (arch: Arch) => ({
  disableExperimentalSEAWarning: true,
  useSnapshot: false,
  // Compiled code in the blob saves a third of the start; V8 reads it on the kind of machine that made it only.
  useCodeCache: process.platform === 'linux' && process.arch === arch,
  execArgv: RUNTIME_OPTIONS,
  // Who sets NODE_OPTIONS does not choose how the agent runs.
  execArgvExtension: 'none',
});

/** A home folder whose pkg cache holds `node` as if pkg had fetched and verified it, so that pkg fetches nothing. */
const seededHome = async (folder: string, arch: Arch, { version, file }: BaseNode): Promise<string> => {
  const name = `node-v${version}-linux-${arch}`;
  const cache = join(folder, '.pkg-cache', 'sea');
  await mkdir(join(cache, name, 'bin'), { recursive: true });
  await symlink(file, join(cache, name, 'bin', 'node'));
  for (const mark of [`${name}/bin/node.ok`, `${name}.tar.gz`, `${name}.tar.gz.ok`])
    await writeFile(join(cache, mark), '');
  return folder;
};

type Environment = { readonly [name: string]: string | undefined };

/**
 * pkg looks for its cache below the home folder and knows no setting for it. The Node that it runs must not be told to
 * measure coverage or anything else but what the binary runs with: what it compiles goes into the binary.
 */
const environmentFor = (home: string): Environment => ({
  HOME: home,
  NODE_OPTIONS: RUNTIME_OPTIONS.join(' '),
  NODE_V8_COVERAGE: undefined,
});

const withEnvironment = async (environment: Environment, work: () => Promise<void>): Promise<void> => {
  const before = Object.fromEntries(Object.keys(environment).map((name) => [name, process.env[name]]));
  setEnvironment(environment);
  try {
    await work();
  } finally {
    setEnvironment(before);
  }
};

const setEnvironment = (environment: Environment): void => {
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
};

const writeChecksums = async (folder: string): Promise<void> => {
  const names = (await readdir(folder)).sort();
  const lines = await Promise.all(names.map(async (name) => `${await sha256(join(folder, name))}  ${name}\n`));
  await writeFile(join(folder, 'SHA256SUMS'), lines.join(''));
};

const sha256 = async (file: string): Promise<string> => {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
};

/** A product of an earlier build is removed: SHA256SUMS speaks of everything beside it. */
const replaceProducts = async (made: string): Promise<void> => {
  for (const name of ['SHA256SUMS', 'assayer.cdx.json', ...ARCHS.map((arch) => `assayer-linux-${arch}`)]) {
    await rm(join(dist, name), { force: true });
  }
  for (const name of await readdir(made)) await rename(join(made, name), join(dist, name));
};

/** Whether dist/ holds a binary that is younger than everything it is made of. */
export const isFresh = (arch: Arch): boolean => {
  if (!existsSync(binaryFile(arch))) return false;
  const madeMs = statSync(binaryFile(arch)).mtimeMs;
  const sources = globSync(
    ['agent/**/*.ts', 'shared/**/*.ts', 'package*.json', 'scripts/{base-node,build,bundle,sbom}.ts'],
    {
      cwd: root,
    },
  );
  return sources.every((file) => statSync(join(root, file)).mtimeMs < madeMs);
};

/** The architectures that the command line asks for. */
const chosen = (): readonly Arch[] => {
  const { target } = new Command('build')
    .description('make the binaries, their checksums and the SBOM in dist/')
    .addOption(new Option('--target <arch>', 'this one only').choices(ARCHS))
    .parse()
    .opts<{ target?: Arch }>();
  return target === undefined ? ARCHS : [target];
};

const tell = (product: Product): void => {
  if (product.kind === 'made') {
    process.stdout.write(`dist/assayer-linux-${product.arch}\n`);
    return;
  }
  const wanted = `node-linux-${product.arch}@${lockedNode(product.arch).version}`;
  process.stderr.write(
    `no binary for ${product.arch}: ${product.reason}\n  remedy: make this work here: npm pack ${wanted}\n`,
  );
  process.exitCode = 1;
};

if (import.meta.main) for (const product of await buildBinaries(chosen())) tell(product);
