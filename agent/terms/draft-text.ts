import { stringify } from 'yaml';
import type { ExpectedValue, Plan, ReferenceTerms, Scope, Waiver } from '../../shared/terms.ts';
import { isoOf } from './instant.ts';

/** Drafts as people get them to fill in: what was said on the command line, and comments for the rest. */

type Blank<T> = { readonly [Name in keyof T]?: T[Name] | undefined };

/** Parts with an empty line between them. */
const text = (...parts: readonly string[]): string => `${parts.join('\n\n')}\n`;

const lines = (...all: readonly string[]): string => all.join('\n');

export const referenceDraft = ({ ref_id, scope, values }: Blank<ReferenceTerms>): string =>
  text(
    lines(
      '# Reference values: what the devices in its scope shall show. Sign it with: assayer baseline sign <this file> --key <key>',
      '# What each member means, and every class with an example: docs/approvers.md',
    ),
    lines(
      member('ref_id', ref_id),
      'version: 1                      # one more for each later document of this name',
      '# prev_sha256: …                # of the version before, needed in a later one: `assayer terms show` prints it',
      '# change_ref: OPS-1             # where the reason stands',
    ),
    scopeText(scope),
    expectedText('values', 'What the devices shall show.', values),
  );

export const planDraft = (plan: Blank<Plan>): string =>
  text(
    lines(
      '# A planned change: what it names does not alarm in its window. Sign it with: assayer plan sign <this file> --key <key>',
      '# What each member means: docs/approvers.md',
    ),
    lines(
      member('plan_id', plan.plan_id),
      `type: ${plan.type ?? 'change'}                    # change, or curtailment`,
    ),
    scopeText(plan.scope),
    lines(
      idsText(plan.ids),
      '# Where firmware.version-changed, or another change of firmware, is among them, the reboot is covered with it.',
    ),
    lines(
      expectedText('expected_after', 'What the devices show afterwards.', plan.expected_after),
      ...(plan.expected_after?.some((item) => item.class === 'volatile') === true
        ? [
            '# volatile: not known beforehand, any value is taken as planned. Where the maker tells it, write it down: class exact, and the value.',
          ]
        : []),
      '# Without expected_after, or with one that leaves a fact open, a plan lasts at most four hours, and covers no change of users, identity, safety or remote control.',
    ),
    lines(
      '# Date, time and zone: 2026-12-01T14:00:00Z. A change is taken as planned five minutes earlier and later, too. A plan ends within 90 days.',
      instantText('not_before_at', plan.not_before_at),
      instantText('not_after_at', plan.not_after_at),
    ),
    signersText(plan),
    lines(
      '# Of a plan of type curtailment, the order behind it:',
      '# dispatch: { dispatcher: grid operator, reference: "17", power_kw: 2500 }',
    ),
  );

export const waiverDraft = (waiver: Blank<Waiver>): string =>
  text(
    lines(
      '# A waiver: findings that are known and tolerated for a while. Sign it with: assayer waiver sign <this file> --key <key>',
      '# What each member means: docs/approvers.md',
    ),
    member('waiver_id', waiver.waiver_id),
    scopeText(waiver.scope),
    idsText(waiver.ids),
    lines(
      '# Why it cannot be mended now, and what may happen meanwhile.',
      member('reason', waiver.reason),
      member('risk', waiver.risk),
    ),
    lines('# At most 90 days from the signature: 2026-12-01T14:00:00Z', instantText('expires_at', waiver.expires_at)),
    signersText(waiver),
  );

/** A member on one line or several, or its bare name for a person to fill in. */
const member = (name: string, value: unknown): string =>
  value === undefined
    ? `${name}:`
    : stringify(
        { [name]: value },
        { lineWidth: 0, defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' },
      ).trimEnd();

const instantText = (name: string, seconds: number | undefined): string =>
  seconds === undefined ? `${name}:` : `${name}: ${isoOf(seconds)}`;

const scopeText = (scope: Scope | undefined): string =>
  lines(
    '# Whom it covers: every member that is there has to fit. {} is every device of every gateway that takes it.',
    member('scope', scope),
    '#   logs: [example.org/tx1-gw3]               # these gateways only',
    '#   devices: [tx1-b2-r14-07]',
    '#   labels: { site: tx1, tenant: acme }',
    '#   models: [Antminer S21]',
    '#   firmware: [antminer-stock, axeos 2.9.0]   # family, or family and version',
  );

const idsText = (ids: readonly string[] | undefined): string =>
  lines('# Findings by their ids, docs/findings.md; config.* stands for a group.', member('ids', ids));

const expectedText = (
  name: 'values' | 'expected_after',
  meaning: string,
  values: readonly ExpectedValue[] | undefined,
): string =>
  lines(
    `# ${meaning} Several items of one fact are alternatives.`,
    values === undefined && name === 'expected_after' ? '# expected_after:' : member(name, values),
    '#   - { fact: firmware.version, class: exact, value: "2.9.1" }',
    '#   - { fact: pools.url, class: set, value: ["stratum+tcp://a.pool.example:3333", "stratum+tcp://b.pool.example:3333"] }',
    '#   - { fact: config.power_limit_w, class: band, value: { min: 3000, max: 3600 } }',
  );

const signersText = ({ author, approvers, ticket }: Blank<Pick<Plan, 'author' | 'approvers' | 'ticket'>>): string =>
  lines(
    member('author', author),
    approvers === undefined
      ? '# approvers: [alice, bob]      # who is to sign; the signatures tell who did'
      : member('approvers', approvers),
    ticket === undefined ? '# ticket: OPS-1' : member('ticket', ticket),
  );
