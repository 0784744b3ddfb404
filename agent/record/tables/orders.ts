import { made, type Sql } from './sql.ts';

/** Documents of approvers that are in force, by the entry that adopted them. */
export const ordersTable = (sql: Sql) => ({
  /** Keeps a document that entry `seq` adopted, in place of what was kept of it before. */
  saveOrder(seq: number, order: string): void {
    sql.run('INSERT INTO orders (seq, text) VALUES (?, ?) ON CONFLICT DO UPDATE SET text = excluded.text', seq, order);
  },

  /** The document is no longer in force; its entry stays. */
  removeOrder(seq: number): void {
    sql.run('DELETE FROM orders WHERE seq = ?', seq);
  },

  /** What `read` makes of each document in force, in the order in which they were adopted. */
  orders<T>(read: (order: string) => T): readonly T[] {
    return sql.all(({ text: order }) => made(read, order), 'SELECT text FROM orders ORDER BY seq');
  },
});
