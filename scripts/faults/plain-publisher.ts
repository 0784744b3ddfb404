/**
 * What stands beside the agent for comparison: a careful publisher that trusts PUBACK. It sends the entries of the same log, in
 * order, with MQTT.js and QoS 1, and notes on disk how far the broker acknowledged them; from there it goes on after a restart, so
 * that nothing is lost in its own memory. `plain-publisher.ts <url> <state_dir of the agent> <file of its cursor>`
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import mqtt from 'mqtt';
import { Store } from '../../agent/record/store.ts';

const TOPIC = 'plain/v1/gw-1/log';
const WINDOW = 32;
const POLL_MS = 200;

const [url = '', stateDir = '', cursorFile = ''] = process.argv.slice(2);

const savedCursor = (): number => {
  try {
    return Number(readFileSync(cursorFile, 'utf8'));
  } catch {
    return 0;
  }
};

/** On a full disk the old one stays, and what follows it is sent again. */
const save = (cursor: number): void => {
  try {
    writeFileSync(`${cursorFile}.next`, String(cursor), { flush: true });
    renameSync(`${cursorFile}.next`, cursorFile);
  } catch (problem) {
    process.stderr.write(`${problem}\n`);
  }
};

/** The next entries of the log; none while its store cannot be read. */
const entriesFrom = (seq: number) => {
  try {
    using store = Store.openReadOnly(stateDir);
    return store.entriesFrom(seq, WINDOW);
  } catch {
    return [];
  }
};

const client = mqtt.connect(url, { clientId: 'plain-publisher', protocolVersion: 5, clean: false });
client.on('error', (problem) => process.stderr.write(`${problem}\n`));

for (let cursor = savedCursor(); ; ) {
  const entries = entriesFrom(cursor);
  if (entries.length === 0) await delay(POLL_MS);
  // What waits for its acknowledgement while the connection is lost is sent again by the library.
  await Promise.all(entries.map(({ message }) => client.publishAsync(TOPIC, Buffer.from(message), { qos: 1 })));
  cursor += entries.length;
  if (entries.length > 0) save(cursor);
}
