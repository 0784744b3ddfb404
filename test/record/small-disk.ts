/**
 * A file system of its own for a test that fills one, or that takes the right to write away: a tmpfs, which needs the
 * right to mount.
 *
 * @module
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const mount = (...words: readonly string[]) => spawnSync('mount', words, { encoding: 'utf8' });

const unmount = (dir: string): void => {
  spawnSync('umount', ['-l', dir]);
};

/** For `node:test`: why tests with a file system of their own cannot run here; false where they can. */
export const WITHOUT_MOUNT: string | false = (() => {
  const dir = mkdtempSync(join(tmpdir(), 'assayer-mount-'));
  const made = mount('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir);
  if (made.status === 0) unmount(dir);
  rmdirSync(dir);
  return made.status === 0
    ? false
    : `needs the right to mount a tmpfs, sudo npm test: ${made.error?.message ?? made.stderr.trim()}`;
})();

/** Mounts a file system of `size` at an empty folder, which has to exist; what is returned takes it away. */
export const mountSmall = (dir: string, size = '1m'): (() => void) => {
  const made = mount('-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', dir);
  assert.equal(made.status, 0, made.stderr);
  return () => unmount(dir);
};

/** A new folder with a small file system, for one test. */
export const smallDisk = (t: { after(ends: () => void): void }, size?: string): string => {
  const dir = mkdtempSync(join(tmpdir(), 'assayer-disk-'));
  const takeAway = mountSmall(dir, size);
  t.after(() => {
    takeAway();
    rmdirSync(dir);
  });
  return dir;
};

/** Mounts it anew with other options, such as `ro` or `size=64m`. */
export const remount = (dir: string, options: string): void => {
  const made = mount('-o', `remount,${options}`, dir);
  assert.equal(made.status, 0, made.stderr);
};
