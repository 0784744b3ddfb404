import { SEVERITIES, type Severity } from '../../agent/appraise/finding.ts';
import { ruleOf } from '../../agent/appraise/index.ts';
import type { AttestationStatement, FindingStatement, Statement } from '../../shared/statement.ts';
import { namesRule } from '../../shared/terms.ts';
import type { SimulatedDevice } from '../../test/simulator/device.ts';
import type { Agenda, Happening } from './agenda.ts';
import type { Accepted } from './gateway.ts';
import type { SimulatedNetwork } from './network.ts';
import type { Attack, Planned } from './scenario.ts';
import type { Machine } from './site.ts';

type Finding = FindingStatement['finding'];

/** What happened, against which the log is held. */
export interface Truth {
  readonly agenda: Agenda;
  readonly network: SimulatedNetwork;
  readonly pollMs: number;
  /** How long after its end something may still be spoken of. */
  readonly apartMs: number;
  readonly days: number;
  readonly devices: number;
}

/** One attack and what came of it. */
export interface AttackFate {
  readonly what: string;
  readonly at: string;
  readonly devices: number;
  readonly found: number;
  /** Ids by which it was found, the first at each device. */
  readonly by: readonly string[];
  /** From its beginning at a device to the statement about that device, in polls. */
  readonly polls: readonly number[];
  /** No rule of this agent has any of the ids. */
  readonly no_rule?: readonly string[];
}

/** A finding of `medium` or above that nobody caused. */
export interface Alarm {
  readonly id: string;
  readonly severity: Severity;
  readonly device: string;
  readonly address?: string;
  readonly at: string;
  readonly seq: number;
  readonly showed: string;
  /** What happened to the device at that time, and does not excuse it. */
  readonly during?: string;
}

/** What came of a planned change. */
export interface PlannedFate {
  readonly what: string;
  readonly plan: string;
  readonly devices: number;
  /** Devices with a finding that the plan covers, by id. */
  readonly covered: { readonly [id: string]: number };
  /** Devices with one of `medium` or above for all that, by id. */
  readonly uncovered: { readonly [id: string]: number };
  /** Devices at which somebody approved afterwards what they show, and those where it was refused. */
  readonly approved: Accepted;
}

export interface LowNoise {
  readonly id: string;
  readonly count: number;
  readonly per_device_week: number;
  /** The most that one device had in one week. */
  readonly worst_device_week: number;
}

/** What the log says, held against what happened. */
export interface Verdict {
  readonly attacks: readonly AttackFate[];
  readonly planned: readonly PlannedFate[];
  readonly falseAlarms: readonly Alarm[];
  readonly low: readonly LowNoise[];
  readonly storms: { readonly parents: number; readonly devices: number; readonly statements: number };
  readonly published: { readonly [kind: string]: number };
  readonly looks: { readonly pools: number; readonly full: number; readonly ok: number };
}

const WEEK_MS = 7 * 86_400_000;
const isAsGrave = (severity: Severity, least: Severity): boolean =>
  SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(least);
const isAlarm = (severity: Severity): boolean => isAsGrave(severity, 'medium');

/** One statement that a finding about one device is open. */
interface Raised {
  readonly finding: Finding;
  readonly seq: number;
  readonly atMs: number;
  /** Absent for a finding of the gateway itself. */
  readonly device?: string;
}

/** The parent of a storm, over its life. */
interface Parent {
  readonly id: string;
  readonly atMs: number;
  readonly devices: Set<string>;
  count: number;
  statements: number;
}

/** Devices that said the same so long before a storm had a parent belong to it. */
const BEFORE_PARENT_MS = 600_000;

/** Reads the log once and holds it against the truth. */
export class Judge {
  readonly #truth: Truth;
  readonly #addresses = new Map<string, { readonly address: string; readonly device: SimulatedDevice | undefined }>();
  readonly #found = new Map<Happening, Map<Machine, { readonly polls: number; readonly id: string }>>();
  readonly #covered: Tally = new Map();
  readonly #uncovered: Tally = new Map();
  readonly #alarms: Alarm[] = [];
  readonly #low = new Map<string, Map<string, number>>();
  readonly #said = new Set<string>();
  readonly #parents = new Map<number, Parent>();
  /** When findings of single devices were said to be open, by id and device. */
  readonly #own = new Map<string, number[]>();
  readonly #published = new Map<string, number>();
  readonly #looks = { pools: 0, full: 0, ok: 0 };

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  /** Takes the next entry of the log. */
  take(statement: Statement): void {
    this.#count(statement.kind);
    switch (statement.kind) {
      case 'attestation':
        this.#count('mirror dev');
        this.#learnAddress(statement);
        return;
      case 'coverage':
        this.#countLooks(statement.coverage.polls);
        return;
      case 'finding':
        this.#finding(statement);
        return;
      default:
        return;
    }
  }

  #count(kind: string): void {
    this.#published.set(kind, (this.#published.get(kind) ?? 0) + 1);
  }

  #countLooks(polls: { readonly [kind: string]: { readonly due: number; readonly ok: number } }): void {
    this.#looks.pools += polls.pools?.due ?? 0;
    this.#looks.full += polls.config?.due ?? 0;
    this.#looks.ok += (polls.pools?.ok ?? 0) + (polls.config?.ok ?? 0);
  }

  /** Which machine has an id: the one that answered where the id was seen first. */
  #learnAddress({ subject, evidence, iat }: AttestationStatement): void {
    const { address } = evidence;
    if (address === undefined || this.#addresses.has(subject.device)) return;
    this.#addresses.set(subject.device, { address, device: this.#truth.network.deviceAt(address, iat * 1000) });
  }

  #finding({ finding, seq, iat }: FindingStatement): void {
    if (finding.confirmed_at === undefined) return;
    this.#count('mirror finding');
    this.#noteStorm(finding, iat * 1000);
    const isOpen = finding.state === 'open' || finding.id === 'evidence.agent-gap';
    if (!isOpen) return;
    const about = finding.device === undefined ? (finding.devices ?? []) : [finding.device];
    if (about.length === 0) this.#raise({ finding, seq, atMs: iat * 1000 });
    for (const device of about) this.#raise({ finding, seq, atMs: iat * 1000, device });
  }

  #noteStorm({ id, state, devices, count = 0, opened_seq: opened, device }: Finding, atMs: number): void {
    if (device !== undefined && state === 'open') this.#own.getOrInsertComputed(`${id} ${device}`, () => []).push(atMs);
    if (devices === undefined || devices.length === 0) return;
    const parent = this.#parents.getOrInsertComputed(opened, () => ({
      id,
      atMs,
      devices: new Set(),
      count: 0,
      statements: 0,
    }));
    for (const one of devices) parent.devices.add(one);
    parent.count = Math.max(parent.count, count, parent.devices.size);
    parent.statements += 1;
  }

  /** Once for each device of each finding, and again where it weighs more than before. */
  #raise(raised: Raised): void {
    const { finding, device = '' } = raised;
    const name = `${finding.opened_seq} ${device} ${finding.severity}`;
    if (this.#said.has(name)) return;
    this.#said.add(name);
    if (finding.plan !== undefined) this.#coveredBy(raised);
    if (!isAlarm(finding.severity)) this.#quietRaised(raised);
    if (isAlarm(finding.severity)) this.#alarmRaised(raised);
  }

  #quietRaised(raised: Raised): void {
    const { finding, atMs, device = '' } = raised;
    const causes = this.#causes(raised);
    const attack = attackAmong(causes, finding.id);
    if (attack !== undefined) this.#attackFound(attack, raised);
    if (finding.severity !== 'low' || causes.some(({ happening }) => happening.kind === 'attack')) return;
    const weeks = this.#low.getOrInsertComputed(finding.id, () => new Map());
    const week = `${device} ${Math.floor(atMs / WEEK_MS)}`;
    weeks.set(week, (weeks.get(week) ?? 0) + 1);
  }

  #alarmRaised(raised: Raised): void {
    const { finding, atMs } = raised;
    if (raised.device === undefined && this.#isAbsence(finding, atMs)) return;
    const causes = this.#causes(raised);
    const attack = attackAmong(causes, finding.id);
    if (attack !== undefined) {
      this.#attackFound(attack, raised);
      return;
    }
    const plan = plannedAmong(causes, finding.id);
    if (plan === undefined) this.#falseAlarm(raised, causes[0]?.happening);
    else count(this.#uncovered, plan, raised);
  }

  #isAbsence({ id }: Finding, atMs: number): boolean {
    const { agenda, pollMs } = this.#truth;
    return (
      id === 'evidence.agent-gap' && agenda.absences.some(({ untilMs }) => atMs >= untilMs && atMs - untilMs <= pollMs)
    );
  }

  /** What happens, or happened a little before, to the device of a finding. */
  #causes({ device, atMs }: Raised): readonly Cause[] {
    if (device === undefined) return [];
    const machine = this.#addresses.get(device)?.device;
    const { agenda, apartMs } = this.#truth;
    return agenda.happenings.flatMap((happening) => {
      const isOver = atMs > happening.untilMs + apartMs;
      const hit = [...happening.begun].find(([one, begun]) => {
        if (begun.atMs > atMs) return false;
        // What appeared and went again is missed for as long as anybody remembers it.
        const isGuest = begun.device !== one.device && begun.device === machine;
        return isGuest || (!isOver && one.device === machine);
      });
      return hit === undefined ? [] : [{ happening, machine: hit[0] }];
    });
  }

  #attackFound({ happening, machine }: Cause, { finding, atMs }: Raised): void {
    const { finds, at_least: least } = happening.event as Attack;
    if (!finds.includes(finding.id) || !isAsGrave(finding.severity, least)) return;
    const found = this.#found.getOrInsertComputed(happening, () => new Map());
    const begunMs = happening.begun.get(machine)?.atMs ?? happening.atMs;
    if (found.has(machine)) return;
    found.set(machine, { polls: Math.max(1, Math.ceil((atMs - begunMs) / this.#truth.pollMs)), id: finding.id });
  }

  #coveredBy(raised: Raised): void {
    const plan = plannedAmong(this.#causes(raised), raised.finding.id);
    if (plan !== undefined) count(this.#covered, plan, raised);
  }

  #falseAlarm({ finding, seq, atMs, device = 'the gateway' }: Raised, during: Happening | undefined): void {
    const { id, severity, before, after, reasons, part } = finding;
    const address = this.#addresses.get(device)?.address;
    this.#alarms.push({
      id,
      severity,
      device,
      ...(address === undefined ? {} : { address }),
      at: timeText(atMs),
      seq,
      showed: JSON.stringify({ part, before, after, reasons }),
      ...(during === undefined ? {} : { during: during.event.what }),
    });
  }

  verdict(): Verdict {
    const { agenda, devices, days } = this.#truth;
    return {
      attacks: agenda.happenings.filter(({ kind }) => kind === 'attack').map((one) => this.#fateOf(one)),
      planned: agenda.happenings.filter(({ kind }) => kind === 'planned').map((one) => this.#plannedFate(one)),
      falseAlarms: this.#alarms,
      low: [...this.#low].map(([id, weeks]) => {
        const count = [...weeks.values()].reduce((sum, one) => sum + one, 0);
        return {
          id,
          count,
          per_device_week: count / ((devices * days) / 7),
          worst_device_week: Math.max(...weeks.values()),
        };
      }),
      storms: this.#storms(),
      published: Object.fromEntries(this.#published),
      looks: this.#looks,
    };
  }

  #fateOf(happening: Happening): AttackFate {
    const { what, finds } = happening.event as Attack;
    const found = [...(this.#found.get(happening)?.values() ?? [])];
    return {
      what,
      at: timeText(happening.atMs),
      devices: happening.machines.length,
      found: found.length,
      by: [...new Set(found.map(({ id }) => id))],
      polls: found.map(({ polls }) => polls),
      ...(finds.some((id) => ruleOf(id) !== undefined) ? {} : { no_rule: finds }),
    };
  }

  #plannedFate(happening: Happening): PlannedFate {
    const { what, plan } = happening.event as Planned;
    return {
      what,
      plan: plan.id,
      devices: happening.machines.length,
      covered: counted(this.#covered, happening),
      uncovered: counted(this.#uncovered, happening),
      approved: happening.approved,
    };
  }

  /** How many devices parents spoke for, and in how many statements; the first few of a storm had statements of their own. */
  #storms(): Verdict['storms'] {
    const parents = [...this.#parents.values()];
    const own = parents.flatMap(({ id, atMs, devices }) =>
      [...devices].filter((device) =>
        this.#own.get(`${id} ${device}`)?.some((saidMs) => saidMs <= atMs && atMs - saidMs < BEFORE_PARENT_MS),
      ),
    );
    return {
      parents: parents.length,
      devices: parents.reduce((sum, { count }) => sum + count, 0),
      statements: parents.reduce((sum, { statements }) => sum + statements, 0) + own.length,
    };
  }
}

/** Devices by what happened to them, and id. */
type Tally = Map<Happening, Map<string, Set<string>>>;

const count = (tally: Tally, happening: Happening, { finding, device = '' }: Raised): void => {
  const ids = tally.getOrInsertComputed(happening, () => new Map());
  ids.getOrInsertComputed(finding.id, () => new Set()).add(device);
};

const counted = (tally: Tally, happening: Happening): { readonly [id: string]: number } =>
  Object.fromEntries([...(tally.get(happening) ?? [])].map(([id, devices]) => [id, devices.size]));

const plannedAmong = (causes: readonly { readonly happening: Happening }[], id: string): Happening | undefined =>
  causes.find(
    ({ happening: { kind, event } }) =>
      kind === 'planned' && (event as Planned).plan.ids.some((one) => namesRule(one, id)),
  )?.happening;

/** What happens to a device, and to which machine. */
interface Cause {
  readonly happening: Happening;
  readonly machine: Machine;
}

/** The attack that a finding with this id may be of. The lists of the agenda hold events of the kind that each happening names. */
const attackAmong = (causes: readonly Cause[], id: string): Cause | undefined =>
  causes.find(({ happening }) => happening.kind === 'attack' && speaksOf(happening.event as Attack, id));

const speaksOf = ({ finds, also }: Attack, id: string): boolean => finds.includes(id) || also.includes(id);

/** A time as people write it, UTC. */
export const timeText = (atMs: number): string => new Date(atMs).toISOString().slice(0, 16).replace('T', ' ');
