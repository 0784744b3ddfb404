/**
 * The other end of the plain publisher: a persistent session, QoS 1, and a message is acknowledged to the broker only when it
 * was committed to SQLite. `plain-subscriber.ts <url> <file of its database>`
 */
import { DatabaseSync } from 'node:sqlite';
import mqtt from 'mqtt';

const TOPIC = 'plain/v1/gw-1/log';
const RETRY_MS = 500;

const [url = '', file = ''] = process.argv.slice(2);

/** A full disk at the start is waited for. */
const open = (): DatabaseSync => {
  const db = new DatabaseSync(file, { timeout: 1_000 });
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS entry (seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;`);
  return db;
};
const db = open();
const insert = db.prepare('INSERT OR IGNORE INTO entry (seq, bytes) VALUES (?, ?)');

const client = mqtt.connect(url, {
  clientId: 'plain-subscriber',
  protocolVersion: 5,
  clean: false,
  properties: { sessionExpiryInterval: 0xffff_ffff },
});
client.on('error', (problem) => process.stderr.write(`${problem}\n`));
client.on('connect', () => client.subscribe(TOPIC, { qos: 1 }));

/** PUBACK goes out when `done` is called. */
client.handleMessage = ({ payload }, done) => {
  const bytes = Buffer.from(payload);
  try {
    const { changes } = insert.run(JSON.parse(bytes.toString()).seq, bytes);
    process.stdout.write(changes === 1 ? 'stored\n' : 'duplicate\n');
    done();
  } catch (problem) {
    process.stderr.write(`${problem}\n`);
    setTimeout(() => client.handleMessage({ payload } as Parameters<typeof client.handleMessage>[0], done), RETRY_MS);
  }
};
