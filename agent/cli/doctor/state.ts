import { accessSync, closeSync, constants, openSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseTrustedKeys, type TrustedKeys, VerificationError, verifyMessage } from '../../../shared/index.ts';
import { typed } from '../../appraise/advice.ts';
import { isStoreLost } from '../../appraise/rules/evidence-agent-gap.ts';
import { AgentError } from '../../platform/errors.ts';
import { type GatewayKey, loadKey } from '../../platform/keys.ts';
import { readHead } from '../../record/head.ts';
import { requireSameLog } from '../../record/log.ts';
import { keptDamaged } from '../../record/lost-end.ts';
import { Store } from '../../record/store.ts';
import { type Check, fail, ok, type Result, type Visit, warn } from './result.ts';

const MIB = 2 ** 20;
const LEAST_FREE = 64 * MIB;
const AMPLE_FREE = 1024 * MIB;

/** The folder of store and key: there, private, writable, with room to grow. Nothing is left in it. */
export const stateFolder: Check = {
  name: 'state folder',
  run: ({ config: { state_dir }, file }) => {
    const stats = statSync(state_dir, { throwIfNoEntry: false });
    if (stats?.isDirectory() !== true)
      return [fail(`${state_dir} is no folder`, `make it with the key: assayer init -c ${file}`)];
    return [...ownership(state_dir, stats), ...room(state_dir)];
  },
};

const ownership = (stateDir: string, { mode, uid }: { mode: number; uid: number }): readonly Result[] => {
  const own = process.getuid?.() ?? uid;
  const results: Result[] = [];
  if ((mode & 0o077) !== 0) {
    const bits = (mode & 0o777).toString(8).padStart(4, '0');
    const result = (mode & 0o022) === 0 ? warn : fail;
    results.push(result(`${stateDir} is open to others (mode ${bits})`, `chmod 700 ${stateDir}`));
  }
  if (uid !== own)
    results.push(
      warn(
        `${stateDir} belongs to user ${uid}, and this is user ${own}: what is said about permissions holds for the latter`,
        `sudo -u '#${uid}' assayer doctor`,
      ),
    );
  const obstacle = obstacleTo(stateDir);
  if (obstacle === 'read-only')
    results.push(fail(`${stateDir} is on a file system that is mounted read-only`, REMOUNT));
  if (obstacle === 'refused')
    results.push(fail(`${stateDir} may not be written by user ${own}`, `chown ${own} ${stateDir}`));
  if (obstacle === undefined) results.push(...trial(stateDir));
  return results.length > 0 ? results : [ok(`${stateDir} is private and writable`)];
};

/** Why it cannot be written; undefined where it can be. */
const obstacleTo = (path: string, mode = constants.W_OK | constants.X_OK): 'read-only' | 'refused' | undefined => {
  try {
    accessSync(path, mode);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS' ? 'read-only' : 'refused';
  }
};

/** Nobody may write there, whoever owns it. */
const REMOUNT =
  'dmesg says whether the system did that after an error; findmnt -T <state_dir> names it; then: mount -o remount,rw <it>';

/**
 * A file without a name (open(2), O_TMPFILE): nobody finds it in the folder, and it ends with its handle, also where this process is
 * killed. Node has no name for this bit of Linux.
 */
const NAMELESS = 0o20000000 | constants.O_DIRECTORY;

/** A file system that stopped after an error may go on saying that it can be written: a file is made to find out. */
const trial = (folder: string): readonly Result[] => {
  try {
    closeSync(openSync(folder, NAMELESS | constants.O_WRONLY, 0o600));
    return [];
  } catch (error) {
    // Anything else, such as a file system that knows no files without a name, says nothing about the disk.
    const refusal = REFUSALS[(error as NodeJS.ErrnoException).code ?? ''];
    if (refusal === undefined) return [];
    const [what, remedy] = refusal;
    return [fail(`${folder} takes no file: ${what}`, remedy(folder))];
  }
};

const repair = (folder: string): string =>
  `dmesg says what happened to the disk, findmnt -T ${folder} names it; a remount is refused after an error, so end the agent, then: umount <its target>, fsck <its source>, mount <its target>; where that is the root, restart the host`;

const makeRoom = (folder: string): string =>
  `df -i ${folder} and quota say what is used up: remove files there, or raise it`;

/** What a disk may answer to a new file that permissions and mount allow, and what to do. */
const REFUSALS: { readonly [code: string]: readonly [what: string, remedy: (folder: string) => string] } = {
  EROFS: ['its file system refuses every write, although it is mounted writable', repair],
  EIO: ['its disk fails', repair],
  ENOSPC: ['there is no room for another one', makeRoom],
  EDQUOT: ['its quota is used up', makeRoom],
};

const room = (folder: string): readonly Result[] => {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const text = `${Math.floor(free / MIB)} MiB free`;
  const remedy = `free space on the file system of ${folder}, or lower retention_days`;
  if (free < LEAST_FREE) return [fail(`${text}: the log will soon be refused`, remedy)];
  return [free < AMPLE_FREE ? warn(text, remedy) : ok(text)];
};

/** The signing key: private, whole, and the public half beside it the right one. */
export const signingKey: Check = {
  name: 'signing key',
  run: ({ config: { state_dir } }) => {
    const key = loadKey(state_dir);
    return [ok(`${key.kid}, Ed25519, mode 0600`), ...publicHalf(state_dir, key)];
  },
};

const publicHalf = (stateDir: string, { kid }: GatewayKey): readonly Result[] => {
  const file = join(stateDir, 'gateway.jwk.json');
  const remedy = `verifiers need the public half of gateway.key: openssl pkey -in ${join(stateDir, 'gateway.key')} -pubout`;
  try {
    const keys: TrustedKeys = parseTrustedKeys(JSON.parse(readFileSync(file, 'utf8')));
    return keys.has(kid) ? [] : [warn(`${file} is the public half of another key`, remedy)];
  } catch {
    return [warn(`${file} cannot be read`, remedy)];
  }
};

/** How many of the last entries are verified. */
const LAST = 256;

/** The store: of this gateway, writable, held by nobody else, its last entries whole, chained and signed. */
export const store: Check = {
  name: 'store',
  run: (visit) => {
    const { state_dir } = visit.config;
    try {
      using opened = Store.openReadOnly(state_dir);
      return [
        ...writable(opened.file),
        ...holder(visit),
        ...lost(opened, visit),
        ...damaged(opened, visit),
        ...entries(opened, visit),
      ];
    } catch (error) {
      if (error instanceof AgentError && error.code === 'store.absent')
        return [ok('none yet: the first start of the agent makes it')];
      // Of one that was never moved into its file nothing is left to open.
      const end = damagedNow(visit);
      if (end.length > 0) return end;
      throw error;
    }
  },
};

/** The agent needs to write it; looking at it, as here, does not. */
const writable = (file: string): readonly Result[] => {
  const obstacle = obstacleTo(file, constants.R_OK | constants.W_OK);
  if (obstacle === undefined) return [];
  const remedy = obstacle === 'read-only' ? REMOUNT : `make it writable for the user of the agent: chmod 600 ${file}`;
  return [fail(`${file} may not be written by this user`, remedy)];
};

const holder = ({ agent, config }: Visit): readonly Result[] =>
  agent instanceof AgentError && Store.isHeld(config.state_dir)
    ? [
        fail(
          'a process that does not answer holds the store',
          `find it with: fuser ${join(config.state_dir, 'assayer.lock')}; end it, or wait for it`,
        ),
      ]
    : [];

/** That an earlier store is gone, or its end, until a person closed the finding about that. */
const lost = (opened: Store, { file }: Visit): readonly Result[] =>
  opened
    .findings({ open: true, limit: Number.MAX_SAFE_INTEGER })
    .filter(({ finding }) => isStoreLost(finding))
    .map(({ finding: { openedSeq } }) =>
      warn(
        'an earlier store, or the end of it, was lost: what was open there is not known here, and devices that were learned there were learned anew',
        `find out who removed, damaged or replaced it, and look at the devices and at the collectors for what was open; then: ${typed(`findings close ${openedSeq} --note "<why>"`, { config: file })}`,
      ),
    );

/** That the end of the store is damaged, and what is kept of one that was, until a person removed it. */
const damaged = ({ file }: Store, visit: Visit): readonly Result[] => [
  ...keptDamaged(file).map((kept) =>
    warn(
      `the end of the store was damaged, and what stood there is lost here: ${kept} is what was left`,
      `look at the collectors for what was found last before it, check the disk (dmesg, smartctl), then: rm ${kept}`,
    ),
  ),
  ...damagedNow(visit),
];

const damagedNow = ({ config: { state_dir } }: Visit): readonly Result[] => {
  const now = Store.lostFrom(state_dir);
  if (now === undefined) return [];
  const remedy =
    'check the disk (dmesg, smartctl); the next start keeps the damaged file and begins another log: docs/backup.md';
  return [fail(now, remedy)];
};

const entries = (opened: Store, { config }: Visit): readonly Result[] => {
  const { signer, jwk } = loadKey(config.state_dir);
  const { last, seq } = readHead(opened);
  if (last === undefined) return [ok('no entry yet')];
  requireSameLog({ signer, store: opened }, last, `${config.operator}/${config.gateway}`);
  const keys = parseTrustedKeys(jwk);
  const held = opened.find({ newest: LAST });
  for (const { message, seq: at } of held) {
    const problem = problemOf(message, keys);
    if (problem !== undefined)
      return [fail(`entry ${at} does not verify: ${problem}`, 'keep the store for analysis and restore a backup')];
  }
  return [ok(`${seq} entries of ${last.log}; the last ${held.length} verify`)];
};

const problemOf = (message: Uint8Array, keys: TrustedKeys): string | undefined => {
  try {
    verifyMessage(message, { keys });
    return undefined;
  } catch (problem) {
    if (problem instanceof VerificationError) return `${problem.code}, ${problem.detail}`;
    throw problem;
  }
};
