import { isListed, isListedProxy, isListedRunning } from '../appraise/allow.ts';
import type { AllowList } from '../appraise/rule.ts';
import type { Templated } from '../appraise/template.ts';
import { uncomparedText } from '../appraise/where-held.ts';

/**
 * What is written down and does nothing, or does too much (catalogue §3, lint): lines of lists, plans and waivers that matched nothing,
 * and rules that make more than a quarter of all findings. Both teach people not to look.
 */

export interface Remark {
  readonly kind: 'unmatched' | 'noisy';
  /** A line of a list, a document, or a rule. */
  readonly what: 'line' | 'plan' | 'waiver' | 'reference' | 'rule';
  readonly name: string;
  readonly message: string;
  readonly remedy: string;
  /** Who can mend it: the author of a document, else whoever keeps the configuration. */
  readonly owner?: string;
}

// ---- lines of the lists of pools

/** A line of `pools.allow`, or of the list of a tenant. */
export interface Line {
  /** Where it stands in the configuration. */
  readonly name: string;
  /** Without one it is a line of the site. */
  readonly tenant?: string;
  readonly line: AllowList[number];
}

/** The pools that one attestation says a device was set to, and worked for. */
export interface Sighting {
  readonly device: Templated;
  readonly configured: readonly Pool[];
  readonly running: readonly Pool[];
}

interface Pool {
  readonly url: string;
  /** A user that is withheld is judged by the URL alone. */
  readonly user?: string | undefined;
  readonly proxy?: string | undefined;
}

/** Of these lines the ones that this device did not need. `tenants` are those with a list of their own: that of the site is not theirs. */
export const linesUnused = (
  lines: readonly Line[],
  tenants: ReadonlySet<string>,
  { device, configured, running }: Sighting,
): readonly Line[] => {
  const { tenant } = device.labels;
  const list = tenant !== undefined && tenants.has(tenant) ? tenant : undefined;
  return lines.filter(
    ({ line, tenant: whose }) =>
      whose !== list ||
      !(
        configured.some(({ url, user }) => isListed([line], url, user, device)) ||
        running.some(({ url, user }) => isListedRunning([line], url, user, device)) ||
        [...configured, ...running].some(({ proxy }) => proxy !== undefined && isListedProxy([line], proxy))
      ),
  );
};

export const unusedLine = ({ name, line: { url, user } }: Line, days: number): Remark => ({
  kind: 'unmatched',
  what: 'line',
  name,
  message: `${url}${user === undefined ? '' : ` ${user}`}: no device was set to it, or worked for it, in ${days} days`,
  remedy: 'remove it if nobody needs it: what is allowed without need is where a thief may point devices unseen',
});

// ---- documents

/** A document as far as it can have been for nothing. */
export interface Written {
  readonly kind: 'plan' | 'waiver' | 'reference';
  readonly name: string;
  readonly seq: number;
  readonly owner?: string;
  /** It covered a finding of a device; a reference, that it speaks of one. */
  readonly matched: boolean;
  /** Unix seconds: since when it could have matched something, and until when. */
  readonly sinceS: number;
  readonly untilS?: number;
  /** All that a plan expects, where no device is held to any of it without a document. */
  readonly uncompared?: readonly string[];
}

/** It is over, or has been there for so long, and matched nothing. */
export const isIdle = (
  { matched, sinceS, untilS = Number.POSITIVE_INFINITY }: Written,
  nowS: number,
  days: number,
): boolean => !matched && (untilS <= nowS || nowS - sinceS >= days * DAY_S);

const DAY_S = 86_400;

export const idleDocument = (
  { kind, name, owner, untilS, uncompared = [] }: Written,
  nowS: number,
  days: number,
): Remark => ({
  kind: 'unmatched',
  what: kind,
  name,
  message:
    kind === 'reference'
      ? `no device that is known is in its scope, and it is ${days} days old or more`
      : untilS !== undefined && untilS <= nowS
        ? 'it is over, and no finding was covered by it'
        : `it has covered no finding in ${days} days`,
  remedy:
    kind === 'reference'
      ? `compare its scope with the devices, or end it: assayer baseline withdraw ${name}`
      : `${uncompared.length > 0 ? uncompared.map(uncomparedText).join('; ') : 'compare its scope, ids and expected values with the devices'}${untilS !== undefined && untilS <= nowS ? '' : `, or end it: assayer ${kind} close ${name}`}`,
  ...(owner === undefined ? {} : { owner }),
});

// ---- noise

/** A finding as far as it can be one too many. */
export interface Counted {
  readonly rule: string;
  /** Its device; without one it is about the gateway, or about many. */
  readonly device?: string;
  readonly plan?: number | undefined;
  readonly waiver?: number | undefined;
}

/** So few findings are no noise, whatever their shares are. */
const LEAST_FINDINGS = 20;
const NOISY_SHARE = 0.25;

const isNoisy = (part: number, total: number): boolean => total >= LEAST_FINDINGS && part / total > NOISY_SHARE;

/** Rules, plans and waivers with more than a quarter of these findings. */
export const noisy = (findings: readonly Counted[], documents: readonly Written[], days: number): readonly Remark[] => [
  ...[...Map.groupBy(findings, ({ rule }) => rule)]
    .filter(([, own]) => isNoisy(own.length, findings.length))
    .map(([rule, own]): Remark => {
      const devices = new Set(own.flatMap(({ device }) => device ?? [])).size;
      return {
        kind: 'noisy',
        what: 'rule',
        name: rule,
        message: `${shareText(own.length, findings.length, days)}, on ${devices} device${devices === 1 ? '' : 's'}`,
        remedy:
          'mend the cause; what may vary gets a class of its own in a reference (docs/approvers.md), what is announced a plan; the last resort is a waiver',
      };
    }),
  ...documents
    .filter(({ kind }) => kind !== 'reference')
    .map((document) => ({
      document,
      own: findings.filter(({ plan, waiver }) => plan === document.seq || waiver === document.seq),
    }))
    .filter(({ own }) => isNoisy(own.length, findings.length))
    .map(
      ({ document: { kind, name, owner }, own }): Remark => ({
        kind: 'noisy',
        what: kind,
        name,
        message: `it covers ${shareText(own.length, findings.length, days)}`,
        remedy:
          'look whether all of these were meant: name fewer devices and findings, or say more closely what is expected',
        ...(owner === undefined ? {} : { owner }),
      }),
    ),
];

const shareText = (part: number, total: number, days: number): string =>
  `${part} of ${total} findings in ${days} days (${Math.round((100 * part) / total)} %)`;
