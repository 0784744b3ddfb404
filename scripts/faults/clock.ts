import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { faketime } from './machine.ts';

/**
 * The wall clock of the processes of one side, set by libfaketime: what they ask of the C library, so Date, SQLite and OpenSSL
 * alike. The monotonic clock is left alone, as by a real `date --set`. A step shows within a second.
 */
export class Clock {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
    this.set(0);
  }

  /** For the processes that live by it; nothing where libfaketime is missing. */
  get env(): NodeJS.ProcessEnv {
    const library = faketime();
    if (library === undefined) return {};
    return {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
  }

  /** Removes what libfaketime leaves of a process that was killed. */
  forget(pid: number): void {
    for (const name of [`faketime_shm_${pid}`, `sem.faketime_sem_${pid}`]) rmSync(`/dev/shm/${name}`, { force: true });
  }

  /** So many seconds away from the truth. */
  set(offsetS: number): void {
    const next = `${this.#file}.next`;
    writeFileSync(next, `${offsetS < 0 ? '-' : '+'}${Math.abs(offsetS)}\n`);
    renameSync(next, this.#file);
  }
}
