import { type Blip, type DeviceState, orNone, type Track } from './device.ts';
import type { Finding } from './finding.ts';
import type { Ran } from './outcome.ts';
import type { Deviation, RuleEntry } from './rule.ts';
import {
  begin,
  complete,
  type Draft,
  type Moment,
  match,
  observe,
  type Step,
  sameName,
  stillRemembered,
  withBlip,
} from './track.ts';

/** Where the findings of a device stand after one look. */
export interface Advanced {
  readonly tracks: readonly Track[];
  readonly closed: readonly Track[];
  readonly blips: readonly Blip[];
  readonly statements: readonly Finding[];
  /** A confirmed finding began, ended or changed. */
  readonly confirmed: boolean;
  /** Ids of rules whose findings wait for a full look. */
  readonly waiting: readonly string[];
}

/** Makes a finding of what a rule found. */
export type Drafting = (ran: Ran, deviation: Deviation) => Draft;

/** Takes every finding one step on. Rules that did not run leave theirs as they are. */
export const advance = (
  state: Pick<DeviceState, 'tracks' | 'closed' | 'blips'>,
  outcomes: readonly Ran[],
  draftOf: Drafting,
  moment: Moment,
): Advanced => {
  const past = { closed: stillRemembered(state.closed, moment.nowMs), blips: state.blips };
  const steps = new Map<Track, Step>();
  const begun: Step[] = [];
  for (const ran of outcomes) {
    for (const track of state.tracks)
      if (track.finding.ruleId === ran.rule.id) steps.set(track, stepOf(track, ran, draftOf, past, moment));
    for (const deviation of ran.deviations)
      if (!state.tracks.some(({ finding }) => isAbout(finding, ran.rule, deviation)))
        begun.push(begin(ran.rule, deviation, draftOf(ran, deviation), past, moment));
  }
  return summary(state, past.closed, steps, begun, moment.nowMs);
};

const isAbout = (finding: Finding, rule: RuleEntry, { part }: Deviation): boolean =>
  finding.ruleId === rule.id && finding.part === part;

const stepOf = (
  track: Track,
  ran: Ran,
  draftOf: Drafting,
  past: Pick<Advanced, 'closed' | 'blips'>,
  moment: Moment,
): Step => {
  const found = ran.deviations.find((deviation) => isAbout(track.finding, ran.rule, deviation));
  const deviation = complete(track, found, ran.sees);
  if (deviation === 'unseen') return { track };
  if (deviation === undefined) return match(track, past, moment);
  return observe(ran.rule, deviation, draftOf(ran, deviation), track, past, moment);
};

const summary = (
  state: Pick<DeviceState, 'tracks' | 'closed' | 'blips'>,
  remembered: readonly Track[],
  steps: ReadonlyMap<Track, Step>,
  begun: readonly Step[],
  nowMs: number,
): Advanced => {
  const all = [...steps.values(), ...begun];
  const kept = state.tracks.flatMap((track) => {
    const step = steps.get(track);
    return step === undefined ? [track] : (step.track ?? []);
  });
  const tracks = [...kept, ...begun.flatMap(({ track }) => track ?? [])];
  const ended = all.flatMap((step) => step.ended ?? []);
  const opened = tracks.filter(({ finding }) => finding.state !== 'provisional');
  const closed = [
    ...remembered.filter(({ finding }) => ![...ended, ...opened].some((track) => sameName(track.finding, finding))),
    ...ended,
  ];
  // One coming may show in several slots: what goes away with this look went away once.
  const gone = new Set(all.flatMap(({ blip }) => blip ?? []));
  const blips = [...gone].reduce((known, key) => withBlip(known, key, nowMs), state.blips);
  return {
    tracks: same(state.tracks, tracks),
    closed: same(state.closed, closed),
    blips,
    statements: all.flatMap(({ statement }) => statement ?? []),
    confirmed: all.some((step) => step.confirmed === true),
    waiting: all.flatMap(({ waits, track }) => (waits === true && track !== undefined ? [track.finding.ruleId] : [])),
  };
};

/** The former list where nothing changed, so that an unchanged device stays the same object. */
const same = (before: readonly Track[], after: readonly Track[]): readonly Track[] =>
  orNone(before.length === after.length && before.every((track, index) => track === after[index]) ? before : after);
