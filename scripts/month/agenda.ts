import { AgentError } from '../../agent/platform/errors.ts';
import type { SimulatedDevice } from '../../test/simulator/device.ts';
import { Random } from '../fuzz/random.ts';
import type { Accepted } from './gateway.ts';
import type { Attack, Life, Planned, Scenario, Stall } from './scenario.ts';
import type { Machine, Site } from './site.ts';

const DAY_MS = 86_400_000;

/** Something that happens once, at some devices. */
export interface Happening {
  readonly kind: 'life' | 'planned' | 'attack';
  readonly event: Life | Planned | Attack;
  /** How often it happened before. */
  readonly turn: number;
  readonly atMs: number;
  /** When it is over, and everything as before where it is put back. */
  readonly untilMs: number;
  readonly machines: readonly Machine[];
  /** At how many of them somebody approved afterwards what they show. */
  approved: Accepted;
  /** When it began at each of them, and what appeared beside it. */
  readonly begun: Map<Machine, { readonly atMs: number; readonly device: SimulatedDevice }>;
}

/** A time at which the gateway does not look. */
export interface Absence {
  readonly stall: Stall;
  readonly atMs: number;
  readonly untilMs: number;
}

/** One thing to do at one time. */
export interface Deed {
  readonly atMs: number;
  readonly perform: () => Promise<void>;
}

/** Everything that will happen. */
export interface Agenda {
  readonly happenings: readonly Happening[];
  readonly absences: readonly Absence[];
  readonly deeds: readonly Deed[];
  /** How many that the scenario has are left out, because they would begin when the run is over. */
  readonly leftOut: number;
}

interface Times {
  readonly startMs: number;
  readonly endMs: number;
  /** A device is left alone for so long before and after anything that happens to it, so that each finding has one cause. */
  readonly apartMs: number;
}

/** Chooses times and devices, by the seed of the scenario and by nothing else. Throws `scenario.crowded`. */
export const agendaOf = (scenario: Scenario, site: Site, times: Times, ofDevices: number): Agenda => {
  const claims = new Map<Machine, { readonly fromMs: number; readonly untilMs: number }[]>();
  const replaced = new Map<Happening['event'], Set<Machine>>();
  const lists = [
    ...scenario.attacks.map((event) => ({ kind: 'attack' as const, event })),
    ...scenario.planned.map((event) => ({ kind: 'planned' as const, event })),
    ...scenario.life.map((event) => ({ kind: 'life' as const, event })),
  ];
  let leftOut = 0;
  const happenings = lists.flatMap(({ kind, event }, index) =>
    timesOf(event, scenario.seed, `${kind} ${index}`, times).flatMap((atMs, turn) => {
      if (atMs >= times.endMs) {
        leftOut += 1;
        return [];
      }
      const lastsMs = Math.max(...event.steps.map(({ after }) => after), event.put_back ?? 0) + event.over;
      const isLasting = kind === 'attack' && event.put_back === undefined;
      const untilMs = isLasting ? times.endMs : Math.min(times.endMs, atMs + lastsMs);
      const span = {
        fromMs: atMs - times.apartMs,
        untilMs: Math.max(untilMs, atMs + approvedAfter(event)) + times.apartMs,
      };
      const random = new Random(scenario.seed, kind, event.what, String(turn));
      const before = replaced.getOrInsertComputed(event, () => new Set());
      const machines = chosen(
        event,
        site,
        scenario.devices / ofDevices,
        random,
        (machine) =>
          !before.has(machine) &&
          (claims.get(machine) ?? []).every(({ fromMs, untilMs: until }) => until <= atMs || fromMs >= untilMs),
      );
      for (const machine of machines) {
        claims.getOrInsertComputed(machine, () => []).push(span);
        if (event.steps.some(isReplacing)) before.add(machine);
      }
      return [
        {
          kind,
          event,
          turn,
          atMs,
          untilMs,
          machines,
          approved: { accepted: 0, refused: 0 },
          begun: new Map(),
        } satisfies Happening,
      ];
    }),
  );
  const absences = scenario.gateway.flatMap((stall, index) =>
    timesOf(stall, scenario.seed, `gateway ${index}`, times)
      .filter((atMs) => atMs + stall.for < times.endMs)
      .map((atMs) => ({ stall, atMs, untilMs: atMs + stall.for })),
  );
  const deeds = happenings.flatMap((one) => deedsOf(one, site));
  return {
    happenings,
    absences: absences.toSorted((one, other) => one.atMs - other.atMs),
    deeds,
    leftOut,
  };
};

/** Until somebody approved what came of it, since it began: nothing else may happen before, or that is approved, too. */
const approvedAfter = (event: Happening['event']): number => {
  const plan = 'plan' in event ? event.plan : undefined;
  return plan?.approved_after === undefined ? 0 : plan.lasts - plan.opens_before + plan.approved_after;
};

const timesOf = (
  { day, days, at, times_a_day }: Pick<Life, 'day' | 'days' | 'at' | 'times_a_day'>,
  seed: number,
  name: string,
  { startMs }: Times,
): readonly number[] => {
  const random = new Random(seed, 'times', name);
  const minutes = (count: number) => random.below(count) * 60_000;
  if (day !== undefined) return [startMs + (day - 1) * DAY_MS + (at ?? minutes(24 * 60))];
  const [first, last] = days ?? [1, 1];
  const span = last - first + 1;
  const count = Math.round(span * times_a_day);
  return Array.from({ length: count }, (_, turn) => {
    const sliceMs = (span * DAY_MS) / count;
    const fromMs = startMs + (first - 1) * DAY_MS + turn * sliceMs;
    return at === undefined ? fromMs + minutes(sliceMs / 60_000) : fromMs - ((fromMs - startMs) % DAY_MS) + at;
  }).toSorted((one, other) => one - other);
};

/** What was replaced in a machine is not there to be replaced once more. */
const isReplacing = (step: Life['steps'][number]): boolean => step.do === 'replace';

const NEED_RANGE = new Set(['move', 'clone', 'join']);

const chosen = (
  { what, devices, of, steps }: Life,
  { machines }: Site,
  scale: number,
  random: Random,
  isFree: (machine: Machine) => boolean,
): readonly Machine[] => {
  const names = of === undefined ? undefined : [of].flat();
  const needsRange = steps.some((step) => NEED_RANGE.has(step.do));
  const possible = machines.filter(
    ({ group }) => (names?.includes(group.specimen.name) ?? true) && (!needsRange || group.as === 'range'),
  );
  const wanted =
    typeof devices === 'number'
      ? Math.max(1, Math.round(devices * scale))
      : Math.round((possible.length * Number(devices.slice(0, -1))) / 100);
  const free = possible.filter(isFree);
  // All of a share are meant where something happens to a whole hall: those that something else happens to are not.
  const most = typeof devices === 'number' ? wanted : Math.min(wanted, free.length);
  if (most === 0 || free.length < most) {
    throw new AgentError({
      code: 'scenario.crowded',
      message: `"${what}" needs ${wanted} of ${possible.length} devices, and only ${free.length} of them are left alone then`,
      remedy: 'give it another day, fewer devices or other specimens, or the site more devices',
    });
  }
  return Array.from({ length: most }, () => free.splice(random.below(free.length), 1)[0] as Machine);
};

/** The steps at each device, and that they are taken back. */
const deedsOf = (happening: Happening, site: Site): readonly Deed[] => {
  const { event, atMs, machines, begun } = happening;
  return machines.flatMap((machine, index) => {
    const beginsMs = atMs + Math.floor((event.over * index) / machines.length);
    const before: { configuration?: SimulatedDevice['configuration'] } = {};
    const steps = event.steps.map((step, turn) => ({
      atMs: beginsMs + step.after,
      perform: async () => {
        if (turn === 0) before.configuration = machine.device.configuration;
        await site.perform(step, machine);
        if (turn === 0) begun.set(machine, { atMs: beginsMs, device: site.guestOf(machine.device) ?? machine.device });
      },
    }));
    const back = {
      atMs: beginsMs + (event.put_back ?? 0),
      perform: async () => {
        if (before.configuration !== undefined) await site.putBack(machine, before.configuration);
      },
    };
    return event.put_back === undefined ? steps : [...steps, back];
  });
};
