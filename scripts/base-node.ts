import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '..');
const execute = promisify(execFile);

export type Arch = 'x64' | 'arm64';

/** The Node that goes into the binary of one architecture. */
export interface BaseNode {
  readonly version: string;
  readonly file: string;
}

interface Locked {
  readonly version: string;
  readonly integrity: string;
}

/** What package-lock.json says of the npm package that is Node for Linux on `arch`. */
export const lockedNode = (arch: Arch): Locked => {
  // Written by npm.
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: { readonly [path: string]: Locked | undefined };
  };
  const locked = packages[`node_modules/${packageOf(arch)}`];
  if (locked === undefined) throw new Error(`package-lock.json has no ${packageOf(arch)}; run: npm install`);
  return locked;
};

/**
 * Finds Node for `arch`: the installed package where npm installed it, else the same version fetched with npm into
 * `folder` and held against the lock file. npm's own cache makes the second time independent of the network.
 */
export const baseNode = async (arch: Arch, folder: string): Promise<BaseNode> => {
  const locked = lockedNode(arch);
  return { version: locked.version, file: installed(arch, locked.version) ?? (await fetched(arch, locked, folder)) };
};

const packageOf = (arch: Arch): string => `node-linux-${arch}`;

const installed = (arch: Arch, version: string): string | undefined => {
  const folder = join(root, 'node_modules', packageOf(arch));
  const file = join(folder, 'bin', 'node');
  if (!existsSync(file)) return undefined;
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { readonly version: string };
  return manifest.version === version ? file : undefined;
};

const fetched = async (arch: Arch, { version, integrity }: Locked, folder: string): Promise<string> => {
  const wanted = `${packageOf(arch)}@${version}`;
  const archive = join(folder, await pack(wanted, folder));
  const actual = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (actual !== integrity) throw new Error(`${wanted} is not the package that package-lock.json names: ${actual}`);
  await execute('tar', ['--extract', '--gzip', '--file', archive, '--directory', folder, 'package/bin/node']);
  return join(folder, 'package', 'bin', 'node');
};

/** Has npm download a package into `folder`; its file name. Says what npm said when it cannot. */
const pack = async (wanted: string, folder: string): Promise<string> => {
  const options = ['--loglevel', 'error', '--prefer-offline', '--fetch-retries', '1', '--pack-destination', folder];
  try {
    const { stdout } = await execute('npm', ['pack', wanted, ...options], { cwd: root, timeout: FETCH_MS });
    return stdout.trim().split('\n').at(-1) ?? '';
  } catch (cause) {
    const said = (cause as { readonly stderr?: string }).stderr?.match(/^npm error (?!code|errno|syscall).+$/m)?.[0];
    throw new Error(`npm could not fetch ${wanted}: ${said ?? 'no answer in time'}`, { cause });
  }
};

const FETCH_MS = 300_000;
