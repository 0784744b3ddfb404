import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Need } from './kinds.ts';

/** What cannot be done on this machine, and why, with the remedy. */
export type Missing = { readonly [need in Need]?: string };

const PACKAGES = 'bash scripts/install-test-packages.sh';

/** Why it failed; undefined where it did not. */
export const tried = (command: readonly string[]): string | undefined => {
  const [program = '', ...words] = command;
  const { status, error, stderr } = spawnSync(program, words, { encoding: 'utf8' });
  if (status === 0) return undefined;
  return error?.message ?? (stderr.trim().split('\n').at(-1) || `${program} ends with ${status}`);
};

/** Carries it out. Throws where that fails. */
export const done = (command: readonly string[]): void => {
  const problem = tried(command);
  if (problem !== undefined) throw new Error(`${command.join(' ')}: ${problem}`);
};

/**
 * The words before a command that give it namespaces of its own: network, mounts and processes. What is made in them is gone
 * with the last process, and the processes with the first, however that one ends. Where this user may not, why.
 */
export const namespaces = (): { readonly words: readonly string[] } | { readonly problem: string } => {
  const own = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const words = ['unshare', ...(process.getuid?.() === 0 ? [] : ['--map-root-user']), ...own];
  const problem = tried([...words, 'true']);
  return problem === undefined ? { words } : { problem: `needs namespaces (root on Linux): ${problem}` };
};

/** libfaketime of Debian, in the variant for programs with threads. */
const FAKETIME = ['x86_64-linux-gnu', 'aarch64-linux-gnu']
  .map((folder) => `/usr/lib/${folder}/faketime/libfaketimeMT.so.1`)
  .find((path) => existsSync(path));

/** The library that sets the wall clock of a process; undefined where it is not installed. */
export const faketime = (): string | undefined => FAKETIME;

/** What is missing, from inside the namespaces, or, with the reason, without any. */
export const lookAround = (withoutNamespaces?: string): Missing => {
  const clocks = FAKETIME === undefined ? `libfaketime is missing: ${PACKAGES}` : undefined;
  const network = withoutNamespaces ?? missingNetwork();
  const mounts = withoutNamespaces ?? tried(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', '/mnt']);
  if (mounts === undefined) done(['umount', '/mnt']);
  const netem = network ?? missingQueue('netem', 'delay', '1ms');
  const tbf = network ?? missingQueue('tbf', 'rate', '1mbit', 'burst', '16kb', 'limit', '16kb');
  return {
    ...(clocks === undefined ? {} : { clocks }),
    ...(network === undefined ? {} : { network }),
    ...(mounts === undefined ? {} : { mounts }),
    ...(netem === undefined ? {} : { netem }),
    ...(tbf === undefined ? {} : { tbf }),
  };
};

const missingNetwork = (): string | undefined => {
  if (tried(['ip', '-V']) !== undefined) return `iproute2 is missing: ${PACKAGES}`;
  const problem = tried(['ip', 'link', 'add', 'probe0', 'type', 'veth', 'peer', 'name', 'probe1']);
  if (problem === undefined) done(['ip', 'link', 'del', 'probe0']);
  return problem === undefined ? undefined : `cannot make a link: ${problem}`;
};

const missingQueue = (name: string, ...words: readonly string[]): string | undefined => {
  const problem = tried(['tc', 'qdisc', 'add', 'dev', 'lo', 'root', name, ...words]);
  if (problem === undefined) done(['tc', 'qdisc', 'del', 'dev', 'lo', 'root']);
  return problem === undefined ? undefined : `the kernel has no ${name} (module sch_${name}): ${problem}`;
};
