import { Agent, settingsFor } from './agents.ts';

/** An agent in a process of its own, for tests that kill it: broker URL, bootseed, number of entries; prints its events. */
const [url = '', bootseed = 'bG9uZQ', entries = '0'] = process.argv.slice(2);
const agent = new Agent(settingsFor(url), {
  bootseed,
  timing: { willDelayS: 1 },
  print: (line) => process.stdout.write(`${JSON.stringify(line)}\n`),
});
agent.outbox.appendMany(Number(entries));
agent.start();
process.once('SIGTERM', () => void agent.uplink.stop());
