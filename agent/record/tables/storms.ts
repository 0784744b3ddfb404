import { integer, made, type Sql, text } from './sql.ts';

/** A storm as it is kept: what the record stage writes of it without its members, by its number. */
export interface KeptStorm<T> {
  readonly id: number;
  readonly key: string;
  readonly storm: T;
}

/** Present storms, and their members a row each: these are as many as devices, and few of them change at a time. */
export const stormsTables = (sql: Sql) => ({
  /** Keeps a storm in place of what was kept of it before; its members stay. */
  saveStorm({ id, key, storm }: KeptStorm<string>): void {
    sql.run(
      `INSERT INTO storms (id, key, storm) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET key = excluded.key, storm = excluded.storm`,
      id,
      key,
      storm,
    );
  },

  /** Forgets a storm and its members. */
  removeStorm(id: number): void {
    sql.run('DELETE FROM storms WHERE id = ?', id);
    sql.run('DELETE FROM storm_members WHERE storm = ?', id);
  },

  saveMember(storm: number, name: string, member: string): void {
    sql.run(
      `INSERT INTO storm_members (storm, name, member) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET member = excluded.member`,
      storm,
      name,
      member,
    );
  },

  removeMember(storm: number, name: string): void {
    sql.run('DELETE FROM storm_members WHERE storm = ? AND name = ?', storm, name);
  },

  /** What `read` makes of each storm. */
  storms<T>(read: (storm: string) => T): readonly KeptStorm<T>[] {
    return sql.all(
      ({ id, key, storm }) => ({ id: integer(id), key: text(key), storm: made(read, storm) }),
      'SELECT id, key, storm FROM storms ORDER BY id',
    );
  },

  /** What `read` makes of each member of a storm, with its name. */
  members<T>(storm: number, read: (member: string) => T): readonly (readonly [string, T])[] {
    return sql.all(
      ({ name, member }) => [text(name), made(read, member)] as const,
      'SELECT name, member FROM storm_members WHERE storm = ?',
      storm,
    );
  },
});
