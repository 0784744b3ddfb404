import { AgentError } from '../platform/errors.ts';

/** What an operator of a collector can do about its store. */
const FAILURES: readonly { readonly code: string; readonly remedy: string }[] = [
  {
    code: 'store.read-only',
    remedy:
      'give the state folder to the user of the collector: chown -R <user> <folder>; where its file system is mounted read-only (findmnt -T <folder>), dmesg says why: mount -o remount,rw',
  },
  { code: 'store.locked', remedy: 'end the program that holds the file; a collector that runs goes on by itself' },
  { code: 'store.io', remedy: 'check the disk: dmesg, df, smartctl' },
  {
    code: 'store.full',
    remedy:
      'free space where the store is; a collector that runs goes on by itself, gateways keep what was not acknowledged',
  },
  {
    code: 'store.unreadable',
    remedy: 'check that the state folder exists, and look as the user of the collector, whose it is',
  },
  {
    code: 'store.corrupt',
    remedy: 'keep the file for analysis and restore a backup: gateways send again what came after it',
  },
  {
    code: 'store.tables',
    remedy:
      'restore a backup of the store, or remove what is left of it and start the collector: it begins with an empty one, gateways send again what they still hold',
  },
  {
    code: 'store.replaced',
    remedy:
      'start the collector again: it goes on with the file that is there, or with an empty one, and gateways send again what came after it',
  },
  {
    code: 'store.unreachable',
    remedy: 'start PostgreSQL, or mend the way to it; a collector that runs goes on by itself',
  },
  {
    code: 'store.denied',
    remedy: 'give the role of the collector the right to log in and to create a schema in that database',
  },
];

export const storeError = (code: string, message: string, cause: unknown): AgentError =>
  new AgentError({ code, message, remedy: FAILURES.find((each) => each.code === code)?.remedy ?? '', cause });

const BY_WAITING: ReadonlySet<string> = new Set([
  'store.read-only',
  'store.locked',
  'store.io',
  'store.full',
  'store.unreachable',
  'store.denied',
]);

/** True for a failure of the store that may end without a restart of the collector. */
export const mendsByWaiting = (problem: unknown): problem is AgentError =>
  problem instanceof AgentError && BY_WAITING.has(problem.code);
