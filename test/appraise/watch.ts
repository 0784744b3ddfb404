import {
  type DeviceState,
  newDevice,
  withAttestation,
  withLearned,
  withStatement,
} from '../../agent/appraise/device.ts';
import { appraise } from '../../agent/appraise/engine.ts';
import type { Checks, Finding, Trigger } from '../../agent/appraise/finding.ts';
import type { Look, LookContext, Verdict } from '../../agent/appraise/verdict.ts';
import { NOTHING_STANDING } from '../../agent/baseline/standing.ts';
import { POLLED } from '../../agent/normalise/facts.ts';
import type { LookKind, Observation } from '../../agent/normalise/observation.ts';
import type { FactName, Facts } from '../../shared/facts.ts';

/** One device watched over simulated time: polls, early looks and records what the engine says, as the agent would. */

export const T0 = Date.UTC(2026, 10, 22, 12, 0, 0);
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

export type Gaps = {
  readonly [Name in FactName]?: 'absent' | 'timeout' | 'truncated' | 'refused' | 'unreachable' | 'unreadable';
};

/** What the device would answer now; undefined when it does not. */
export interface Answer {
  readonly facts: Facts;
  readonly gaps?: Gaps;
  readonly address?: string;
  readonly noPools?: true;
}

export const ADDRESS = '10.20.14.7';

/** An unremarkable machine. Its counters follow the clock. */
export const honest = (nowMs: number, changes: Facts = {}): Facts => ({
  family: 'antminer-stock',
  'identity.make': 'bitmain',
  'identity.model': 'Antminer S21',
  'identity.serial': 'JYZZ12345678',
  'identity.mac': '02:1a:2b:3c:4d:5e',
  'identity.control_board': 'CB00240915331207',
  'identity.hashboards': ['HB1002003001', 'HB1002003002', 'HB1002003003'],
  'identity.psu': 'PSU2024091500417',
  'firmware.name': 'stock',
  'firmware.version': '2026.03.1',
  'firmware.build': 'Thu Mar 12 10:00:00 CST 2026',
  'firmware.components': [
    { name: 'compile_time', value: 'Thu Mar 12 10:00:00 CST 2026' },
    { name: 'keys.summary', value: 'a1' },
    { name: 'web.index', value: 'b2' },
  ],
  pools: POOLS,
  'config.mode': 'normal',
  'config.power_limit_w': 3500,
  'config.fan_min_pct': 20,
  'config.other': [
    { key: 'led', value: 'on' },
    { key: 'log_level', value: '3' },
  ],
  'network.hostname': 'miner-417',
  'network.dhcp': true,
  'network.gateway': '10.20.14.1',
  'network.dns': ['10.20.0.53'],
  'access.ssh': false,
  'access.web_auth': true,
  'telemetry.elapsed_s': Math.floor((nowMs - T0) / 1000) + 86_400,
  'telemetry.hashrate_hs': 200_430_000_000_000,
  ...changes,
});

export const POOLS = [
  { slot: 0, url: 'stratum+tcp://eu.pool.example:3333', user: 'acme.rig0417', priority: 0, active: true },
  { slot: 1, url: 'stratum+tcp://us.pool.example:3333', user: 'acme.rig0417', priority: 1, active: false },
  { slot: 2, url: 'stratum+tcp://backup.example:3333', user: 'acme.rig0417', priority: 2, active: false },
] as const;

/** The pools with some of them changed. */
export const pools = (...changes: readonly object[]): Facts => ({
  pools: POOLS.map((pool, index) => ({ ...pool, ...changes[index] })),
});

/** A device that shows these changes from now on. */
export const showing =
  (changes: Facts) =>
  (nowMs: number): Answer => ({ facts: honest(nowMs, changes) });

/** What the `pools` queries of a driver tell. */
const AT_POOLS = new Set(['family', 'pools', ...POLLED]);

const within = (look: LookKind, entries: readonly (readonly [string, unknown])[]) =>
  entries.filter(([name]) => look === 'full' || AT_POOLS.has(name));

export const observationOf = (
  look: LookKind,
  nowMs: number,
  { facts, gaps = {}, address = ADDRESS, noPools }: Answer,
): Observation => {
  const missing = new Map(within(look, Object.entries(gaps)) as [FactName, 'timeout'][]);
  const told = within(look, Object.entries(facts)).filter(([name]) => !missing.has(name as FactName));
  return {
    family: facts.family ?? 'antminer-stock',
    address,
    look,
    observedAtMs: nowMs,
    facts: Object.fromEntries(told) as Facts,
    gaps: missing,
    standIns: new Map(),
    ...(noPools === undefined ? {} : { noPools }),
    sanitized: [],
  };
};

/** A machine that started anew at these times, and shows these changes. */
export const rebooting =
  (bootsMs: readonly number[], changes: (nowMs: number) => Facts = () => ({})) =>
  (nowMs: number): Answer => {
    const bootMs = bootsMs.filter((atMs) => atMs <= nowMs).at(-1);
    const elapsed = bootMs === undefined ? 86_400 + (nowMs - T0) / SECOND : (nowMs - bootMs) / SECOND;
    return { facts: honest(nowMs, { 'telemetry.elapsed_s': Math.floor(elapsed), ...changes(nowMs) }) };
  };

const COUNTERS = ['telemetry.elapsed_s', 'telemetry.uptime_s'] as const;

/** A look that is made of the same replies over and over, with counters that run: otherwise it is that of a machine that hangs. */
export const runningOn = (observation: Observation): Observation => {
  const { facts, observedAtMs } = observation;
  const passed = Math.floor((observedAtMs - T0) / SECOND);
  const counted = COUNTERS.filter((name) => facts[name] !== undefined);
  const advanced = Object.fromEntries(counted.map((name) => [name, (facts[name] ?? 0) + passed]));
  const { 'telemetry.accepted': accepted } = facts;
  const shares = accepted === undefined ? {} : { 'telemetry.accepted': accepted + Math.floor(passed / 10) };
  return { ...observation, facts: { ...facts, ...advanced, ...shares } };
};

/** A generator that gives the same numbers at every run. */
export const numbers = (seed: number) => () => {
  seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32;
  return seed / 2 ** 32;
};

export class Watch {
  nowMs = T0;
  state: DeviceState;
  readonly statements: Finding[] = [];
  readonly attestations: {
    readonly trigger: Trigger;
    readonly checks: Checks;
    readonly atMs: number;
    readonly verdict: Verdict;
  }[] = [];
  looks = 0;
  /** The round that follows of what the engine wished. */
  nextFullMs = T0;
  #seq = 0;
  readonly #random = numbers(7);
  context: Partial<LookContext>;

  constructor(context: Partial<LookContext> = {}, position: 'host' | 'range' = 'host') {
    this.context = context;
    this.state = newDevice({ id: 'rig', position, address: ADDRESS, labels: { site: 'tx1' } });
  }

  /** What a look at this moment may know. */
  contextNow(): LookContext {
    return {
      nowMs: this.nowMs,
      confirmS: 10,
      pollIntervalMs: MINUTE,
      inFirstPass: true,
      amongCommissioned: false,
      surfaces: (fact) => [fact.startsWith('pools') ? '4028 pools' : 'web'],
      standing: NOTHING_STANDING,
      policy: 'a',
      random: this.#random,
      ...this.context,
    };
  }

  /** One look, recorded. */
  take(look: Look): Verdict {
    const verdict = appraise(this.state, look, this.contextNow());
    this.looks += 1;
    this.state = verdict.state;
    if (verdict.attest !== undefined && verdict.checks !== undefined) {
      this.attestations.push({ trigger: verdict.attest, checks: verdict.checks, atMs: this.nowMs, verdict });
      this.state = withAttestation(this.state, this.#seq++);
    }
    for (const finding of verdict.transitions) {
      this.statements.push(finding);
      this.state = withStatement(this.state, finding, { openedSeq: this.#seq++ });
    }
    if (verdict.learn !== undefined) this.state = withLearned(this.state, this.#seq++);
    this.nextFullMs = verdict.next?.atMs ?? Number.POSITIVE_INFINITY;
    return verdict;
  }

  see(look: LookKind, facts: Facts = {}, gaps: Gaps = {}): Verdict {
    return this.take({
      kind: 'observed',
      observation: observationOf(look, this.nowMs, { facts: honest(this.nowMs, facts), gaps }),
    });
  }

  /** Polls once a minute, all surfaces every quarter of an hour, early looks as wished, until the time is over. */
  live(forMs: number, answer: (nowMs: number) => Answer | undefined): this {
    const endMs = this.nowMs + forMs;
    let pollMs = this.nowMs;
    let fullMs = this.nowMs;
    while (this.nowMs < endMs) {
      const full = this.nowMs >= fullMs || this.nowMs >= this.nextFullMs;
      const due = full || this.nowMs >= pollMs;
      if (due) {
        if (this.nowMs >= pollMs) pollMs += MINUTE;
        if (this.nowMs >= fullMs) fullMs += 15 * MINUTE;
        const told = answer(this.nowMs);
        this.take(
          told === undefined
            ? { kind: 'unreachable', atMs: this.nowMs, reason: 'timeout' }
            : { kind: 'observed', observation: observationOf(full ? 'full' : 'pools', this.nowMs, told) },
        );
      }
      this.nowMs = Math.min(endMs, Math.max(this.nowMs + SECOND, Math.min(pollMs, fullMs, this.nextFullMs)));
    }
    return this;
  }

  /** A device that was learned and watched for a while. */
  static known(context: Partial<LookContext> = {}): Watch {
    const watch = new Watch(context);
    watch.live(5 * MINUTE, (nowMs) => ({ facts: honest(nowMs) }));
    watch.clear();
    return watch;
  }

  /** The same after a person accepted it. */
  static commissioned(context: Partial<LookContext> = {}): Watch {
    const watch = Watch.known(context);
    const { reference } = watch.state;
    if (reference === undefined) throw new Error('nothing was learned');
    watch.state = { ...watch.state, reference: { ...reference, entries: [{ seq: 1, approval: 'local' }] } };
    return watch;
  }

  clear(): void {
    this.statements.length = 0;
    this.attestations.length = 0;
  }

  /** `id state` of every statement, in order. */
  said(): readonly string[] {
    return this.statements.map(({ ruleId, state }) => `${ruleId} ${state}`);
  }

  opened(id: string): readonly Finding[] {
    return this.statements.filter(({ ruleId, state }) => ruleId === id && state === 'open');
  }
}
