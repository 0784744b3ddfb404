import type { ClockState } from '../../../shared/statement.ts';
import type { Finding } from '../finding.ts';
import { gatewayFinding } from '../gateway-finding.ts';
import type { RuleEntry } from '../rule.ts';

/** The wall clock of the gateway was set, or nobody sets it (catalogue 5.9). It speaks of the gateway, not of a device. */
export const evidenceClockUntrusted: RuleEntry = {
  id: 'evidence.clock-untrusted',
  title: 'Clock not to be trusted',
  meaning:
    'The clock of the gateway jumped by more than two seconds, or no time service has kept it for ten minutes: instants in its statements may be wrong, their order is not.',
  benign: ['a machine that slept', 'a gateway without a time service', 'time servers that cannot be reached'],
  severity: 'medium',
  basis: 'gateway-observed',
  confirm: 'C1',
  approval: 'A0',
  version: 1,
};

/** Both clocks at one instant, and what the time service of the host says. */
export interface ClockSample {
  readonly wallMs: number;
  readonly monoMs: number;
  readonly state: ClockState['state'];
}

/** What is remembered between two samples. */
export interface ClockWatch {
  readonly last?: ClockSample;
  /** On the clock that never falls: since when no time service keeps the clock, and when it jumped last. */
  readonly strayMonoMs?: number;
  readonly jumpedMonoMs?: number;
  readonly open?: Finding;
}

/** A machine that started just now is given the time that a time service takes; a jump is spoken of for as long. */
const HOLD_MS = 10 * 60_000;

/** Moves the watch on, with what is to be stated now. Where it could not be stated, the former watch sees the same again. */
export const watchClock = (
  { last, strayMonoMs, jumpedMonoMs, open }: ClockWatch,
  sample: ClockSample,
): { readonly watch: ClockWatch; readonly statement?: Finding } => {
  const { wallMs, monoMs, state } = sample;
  const stepMs = last === undefined ? 0 : wallMs - last.wallMs - (monoMs - last.monoMs);
  const jumps = Math.abs(stepMs) * 1000 > 2_000_000 + (monoMs - (last?.monoMs ?? monoMs));
  const stray = state === 'synced' ? undefined : (strayMonoMs ?? monoMs);
  const jumped = jumps ? monoMs : jumpedMonoMs;
  const next: ClockWatch = {
    last: sample,
    ...(stray === undefined ? {} : { strayMonoMs: stray }),
    ...(jumped === undefined ? {} : { jumpedMonoMs: jumped }),
  };
  const isStray = stray !== undefined && monoMs - stray >= HOLD_MS;
  const statement = jumps
    ? opened(sample, open, { reasons: ['stepped'], after: { step_ms: stepMs } })
    : isStray && open === undefined
      ? opened(sample, open, { reasons: ['unsynced'], after: { state } })
      : isOver(open, stray, jumped, monoMs)
        ? { ...open, state: 'resolved' as const, resolvedAt: Math.floor(wallMs / 1000) }
        : undefined;
  if (statement === undefined) return { watch: { ...next, ...(open === undefined ? {} : { open }) } };
  return { watch: statement.state === 'resolved' ? next : { ...next, open: statement }, statement };
};

/** Whether it says that the clock jumped, and by how much. */
export const isStep = (finding: Finding): finding is Finding & { readonly after: { readonly step_ms: number } } => {
  const { after } = finding;
  return finding.state === 'open' && after !== null && typeof after === 'object' && 'step_ms' in after;
};

/** The clock is kept again, and did not jump for a while. */
const isOver = (
  open: Finding | undefined,
  strayMonoMs: number | undefined,
  jumpedMonoMs: number | undefined,
  monoMs: number,
): open is Finding =>
  open !== undefined && strayMonoMs === undefined && (jumpedMonoMs === undefined || monoMs - jumpedMonoMs >= HOLD_MS);

const opened = (
  { wallMs }: ClockSample,
  open: Finding | undefined,
  shown: Pick<Finding, 'reasons' | 'after'>,
): Finding => {
  const finding = gatewayFinding(evidenceClockUntrusted, wallMs, shown);
  return {
    ...finding,
    firstObservedAt: open?.firstObservedAt ?? finding.firstObservedAt,
    ...(open?.openedSeq === undefined ? {} : { openedSeq: open.openedSeq }),
  };
};
