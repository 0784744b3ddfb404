import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { type Ours, type OwnEnd, Service } from './service.ts';

/** Copies that are kept to be put back. */
const MOST_COPIES = 4;
const ALL_PAGES = 1_000_000;

export interface CollectorOptions extends Ours {
  /** Whom it trusts, and with which key it cosigns. */
  readonly keyFile: string;
  readonly cosignFile: string;
}

/** `assayer collect`, as it is delivered, with SQLite; beside it the plain subscriber, which shares its fate. */
export class Collector {
  readonly #state: string;
  readonly #plainFile: string;
  readonly #copies: string;
  readonly #collect: Service;
  readonly #plain: Service;
  /** Messages by what they were worth, as it told. */
  readonly told: { [status: string]: number } = {};
  plainDuplicates = 0;
  #copied: number[] = [];
  #copying: Promise<void> = Promise.resolve();

  constructor(options: CollectorOptions, tell: (end: OwnEnd) => void) {
    const { folder, program, url, protocol, disk, clock, keyFile, cosignFile } = options;
    this.#state = join(disk.folder, 'state');
    const plain = join(disk.folder, 'plain');
    this.#copies = join(folder, 'copies');
    for (const each of [this.#state, plain, this.#copies]) mkdirSync(each, { mode: 0o700 });
    this.#plainFile = join(plain, 'plain.db');
    const common = { clock, tell, excuse: () => (disk.isFull ? 'its disk is full' : undefined) };
    const words = ['--id', 'collector-a', '--trust', keyFile, '--cosign', cosignFile, '--state', this.#state];
    this.#collect = new Service({
      ...common,
      name: 'collector',
      command: [...program, 'collect', url, '--protocol', protocol, '--insecure', '--json', ...words],
      logFile: join(folder, 'collector.log'),
      hear: (line) => this.#hear(line),
    });
    this.#plain = new Service({
      ...common,
      name: 'plain subscriber',
      command: [process.execPath, join(import.meta.dirname, 'plain-subscriber.ts'), url, this.#plainFile],
      logFile: join(folder, 'plain-subscriber.log'),
      hear: (line) => {
        if (line === 'duplicate') this.plainDuplicates += 1;
      },
    });
  }

  start(): void {
    this.#collect.start();
    this.#plain.start();
  }

  async kill(): Promise<void> {
    await Promise.all([this.#collect.kill(), this.#plain.kill()]);
  }

  stop(): Promise<string> {
    return this.#collect.stop();
  }

  /** Sets copies of both databases aside, as `sqlite3 .backup` does while they are written. */
  copy(): Promise<void> {
    this.#copying = this.#copying.then(() => this.#copyNow());
    return this.#copying;
  }

  /** Puts copies back in place of everything; `draw` chooses among them, 0 is the oldest. Neither process may run. */
  async putBack(draw: number): Promise<void> {
    await this.#copying;
    const chosen = this.#copied[Math.floor(draw * this.#copied.length)];
    if (chosen === undefined) throw new Error('there is no copy to put back');
    for (const [file, name] of this.#files) {
      const folder = join(file, '..');
      for (const each of readdirSync(folder)) rmSync(join(folder, each));
      copyFileSync(join(this.#copies, `${chosen}.${name}`), file);
    }
  }

  /** How far its only log is; undefined while that cannot be read. */
  size(): number | undefined {
    return counted(() => this.database(), 'SELECT coalesce(sum(size), 0) AS size FROM log');
  }

  /** Messages that the plain subscriber has; undefined while that cannot be read. */
  plainSize(): number | undefined {
    return counted(() => this.plainDatabase(), 'SELECT count(*) AS size FROM entry');
  }

  /** Reads its database as it is. */
  database(): DatabaseSync {
    return new DatabaseSync(this.#database, { readOnly: true, timeout: 5_000 });
  }

  plainDatabase(): DatabaseSync {
    return new DatabaseSync(this.#plainFile, { readOnly: true, timeout: 5_000 });
  }

  get #database(): string {
    return join(this.#state, 'collector.db');
  }

  get #files(): readonly (readonly [string, string])[] {
    return [
      [this.#database, 'collector.db'],
      [this.#plainFile, 'plain.db'],
    ];
  }

  #hear(line: string): void {
    // Written by the collector with --json. A line that a SIGKILL cut off is none.
    const said = parsed(line) as { readonly event?: string; readonly status?: string; readonly kind?: string };
    const name = said.event === 'message' ? said.status : said.event;
    if (name !== undefined) this.told[name] = (this.told[name] ?? 0) + 1;
  }

  async #copyNow(): Promise<void> {
    const number = (this.#copied.at(-1) ?? 0) + 1;
    try {
      for (const [file, name] of this.#files) {
        if (!existsSync(file)) return;
        using db = new DatabaseSync(file, { readOnly: true, timeout: 1_000 });
        await backup(db, join(this.#copies, `${number}.${name}`), { rate: ALL_PAGES });
      }
    } catch {
      // It is being killed or written just now; the next copy may come through.
      return;
    }
    this.#copied.push(number);
    const old = this.#copied.length > MOST_COPIES ? this.#copied.shift() : undefined;
    if (old !== undefined) for (const [, name] of this.#files) rmSync(join(this.#copies, `${old}.${name}`));
  }
}

/** A number of a database that may be missing, half written or put back just now. */
const counted = (open: () => DatabaseSync, sql: string): number | undefined => {
  try {
    using db = open();
    return Number(db.prepare(sql).get()?.size);
  } catch {
    return undefined;
  }
};

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
};
