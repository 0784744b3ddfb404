import { writeSync } from 'node:fs';
import { systemClock } from '../../agent/platform/clock.ts';
import { loadKey } from '../../agent/platform/keys.ts';
import { Log } from '../../agent/record/log.ts';
import { buildReload } from '../../agent/record/session.ts';
import { Store } from '../../agent/record/store.ts';
import { START } from './gateway.ts';

/** Appends without end and says after each commit, in one write, the last `seq` that is durable. Ends by being killed. */
const [dir = ''] = process.argv.slice(2);
const store = Store.open(dir);
const log = Log.open({
  store,
  signer: loadKey(dir).signer,
  clock: systemClock(),
  clockState: () => ({ state: 'synced', src: 'ntp' }),
  operator: 'example.org',
  gateway: 'tx1-gw3',
  start: START,
});
for (let round = 0; ; round += 1) {
  const entries = log.transaction((tx) => {
    for (let row = 0; row <= round % 40; row += 1) for (const built of buildReload(START)) tx.append(built);
    tx.saveMeta('round', String(round));
  });
  writeSync(1, `${entries.at(-1)?.seq}\n`);
}
