import { setTimeout as delay } from 'node:timers/promises';
import { summaryOf } from '../../agent/cli/log.ts';
import { AgentError } from '../../agent/platform/errors.ts';
import type { Statement } from '../../shared/index.ts';
import { findingLine, type Summary } from './event.ts';
import { Ended, type Hall, type Opened } from './hall.ts';
import { Ledger } from './ledger.ts';
import { MINERS } from './miners.ts';
import type { Reporter } from './reporter.ts';
import { Story } from './story.ts';

/** How the demo is played. */
export interface Play {
  readonly hall: Hall;
  readonly reporter: Reporter;
  readonly sinceStartS: () => number;
  /** Aborted when somebody wants the demo to end. */
  readonly stopping: AbortSignal;
  /** End when every attack was found, or after so many seconds; without it only `stopping` ends the demo. */
  readonly onceWithinS?: number;
  readonly oneAddress: boolean;
}

const DRAW_MS = 250;

/** Plays the demo from the first process to the last; nothing of it is left when it resolves. */
export const playDemo = async (play: Play): Promise<Summary> => {
  const { hall, reporter } = play;
  const acts: Acts = { over: new AbortController() };
  let trouble: string | undefined;
  try {
    await perform(play, acts);
  } catch (error) {
    if (!(error instanceof Ended || error instanceof AgentError)) throw error;
    trouble = error.message;
  } finally {
    clearInterval(acts.drawing);
    acts.over.abort();
    await hall.close();
  }
  drawNow(play, acts);
  const summary = summarise(play, acts, trouble);
  reporter.tell(summary);
  return summary;
};

/** What there is, as far as the demo has come. */
interface Acts {
  opened?: Opened;
  story?: Story;
  drawing?: NodeJS.Timeout;
  readonly over: AbortController;
}

/** Resolves when the demo is over, rejects with `Ended` where a process of it ended by itself. */
const perform = async (play: Play, acts: Acts): Promise<void> => {
  const { hall, reporter, stopping } = play;
  const opened = await hall.open({ oneAddress: play.oneAddress, tell: (statement) => tellEntry(reporter, statement) });
  const story = new Story(opened.collector.ledger);
  Object.assign(acts, { opened, story });
  const agent = hall.startAgent(opened.gateway);
  tellBegin(reporter, opened, [opened.fleet.pid, agent.pid]);
  acts.drawing = setInterval(() => drawNow(play, acts), DRAW_MS);
  const attacks = story.play(opened.fleet, AbortSignal.any([stopping, acts.over.signal]), ({ attack }) =>
    reporter.tell({ event: 'attack', attack: attack.name, device: attack.miner, says: attack.says }),
  );
  await Promise.race([
    aborted(stopping),
    hall.watch(),
    attacks.then(() => untilOver(play, story)),
    ...(play.onceWithinS === undefined ? [] : [delay(play.onceWithinS * 1000, undefined, { ref: false })]),
  ]);
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

const LOOK_MS = 50;

/** With `onceWithinS`: resolves when every attack was found. */
const untilOver = async ({ onceWithinS, stopping }: Play, story: Story): Promise<void> => {
  const isOver = (): boolean => onceWithinS !== undefined && story.missing().length === 0;
  while (!stopping.aborted && !isOver()) await delay(LOOK_MS, undefined, { ref: false });
};

const tellBegin = (reporter: Reporter, { broker, gateway }: Opened, pids: readonly (number | undefined)[]): void =>
  reporter.tell({
    event: 'begin',
    broker: broker.url,
    public_key: gateway.publicKey,
    config: gateway.config,
    attach: [
      `mosquitto_sub -h 127.0.0.1 -p ${broker.port} -t 'attest/v1/+/log' -v -W 30 | \\`,
      `npm run -s assayer -- verify - --key ${gateway.publicKey}`,
    ],
    miners: MINERS.length,
    pids: pids.filter((pid) => pid !== undefined),
  });

const tellEntry = (reporter: Reporter, statement: Statement): void => {
  const { seq, kind } = statement;
  if (kind === 'finding') reporter.tell({ event: 'finding', seq, ...findingLine(statement.finding) });
  else reporter.tell({ event: 'entry', seq, kind, says: summaryOf(statement) });
};

const drawNow = ({ reporter, sinceStartS }: Play, { opened, story }: Acts): void => {
  if (opened === undefined || story === undefined) return;
  const { collector, broker, gateway } = opened;
  reporter.draw({
    broker: broker.url,
    publicKey: gateway.publicKey,
    sinceStartS: sinceStartS(),
    nowMs: Date.now(),
    miners: MINERS.length,
    ledger: collector.ledger,
    presence: collector.presence,
    root: collector.end()?.root,
    struck: story.struck,
    caught: story.caught(),
  });
};

const summarise = (play: Play, { opened, story }: Acts, trouble: string | undefined): Summary => {
  const ledger = opened?.collector.ledger ?? new Ledger();
  const end = opened?.collector.end();
  const reason = trouble ?? whyNot(play, ledger, story);
  return {
    event: 'summary',
    ok: reason === undefined,
    ...(reason === undefined ? {} : { reason }),
    seconds: Math.round(play.sinceStartS()),
    devices: ledger.devices.size,
    entries: ledger.entries,
    mirrors: ledger.mirrors,
    refused: ledger.refused,
    waiting: ledger.waiting,
    problems: ledger.problems,
    ...(end === undefined ? {} : { log: end.log }),
    ...(end?.root === undefined ? {} : { root: end.root }),
    caught: (story?.caught() ?? []).map(({ finding, seconds }) => ({
      ...findingLine(finding),
      since_change_s: Number(seconds.toFixed(3)),
    })),
  };
};

/** The first thing that must not be, in words. */
const whyNot = ({ onceWithinS, stopping }: Play, ledger: Ledger, story: Story | undefined): string | undefined => {
  if (ledger.refused > 0) return `${ledger.refused} messages did not verify`;
  if (ledger.waiting > 0) return `${ledger.waiting} messages came above a gap in the log`;
  if (onceWithinS === undefined) return undefined;
  const [missing] = story?.missing() ?? [];
  if (missing === undefined) return ledger.stopped ? undefined : 'the last entry of the agent did not arrive';
  const when = stopping.aborted ? 'before the demo was stopped' : `within ${onceWithinS} s`;
  return `no verified finding ${missing.rule} of ${missing.miner} ${when}`;
};
