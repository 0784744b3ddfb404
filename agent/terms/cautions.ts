import { FACTS } from '../../shared/facts.ts';
import { looksTemplated, opennessOf, setByHolder } from '../../shared/open-values.ts';
import {
  type ExpectedValue,
  LONGEST_BLANKET_S,
  MOST_VERSIONS,
  mayBeBlanket,
  namesRule,
  type Plan,
  type ReferenceTerms,
  type Terms,
  type Waiver,
} from '../../shared/terms.ts';
import { COMPARISONS, RULES } from '../appraise/index.ts';
import { openTooLong } from '../appraise/plan-reach.ts';
import { wantsTwo } from '../appraise/promote.ts';
import { gravestOf, type RuleEntry } from '../appraise/rule.ts';
import { brokenAddressIn } from '../appraise/wallet.ts';
import { COMPARED_WHERE_HELD, changesByItself, uncomparedText } from '../appraise/where-held.ts';
import { isCoverable, notCoverable, uncoverableIds, wholeOf } from '../appraise/who-approves.ts';
import { durationText, isoOf } from './instant.ts';

/** What an approver should think twice about before signing: documents that cover more, or for longer, than they look. */

const DAY_S = 86_400;
/** Longer is rarely meant, s. */
const LONG_PLAN_S = 7 * DAY_S;
const LONG_WAIVER_S = 30 * DAY_S;
/** A list of more values than anybody reads one by one. */
const LONG_SET = 32;
/** Versions that should still be free after this one. */
const FREE_VERSIONS = 1000;

/** Two people have to sign what is left of a window, and somebody to hand it over, s. */
const HASTE_S = 3600;

/** A sentence each, the widest first; empty where nothing stands out. Without `nowS` the time of signing is no matter. */
export const cautionsOf = (terms: Terms, nowS?: number): readonly string[] => [
  ...(terms.kind === 'reference' ? [] : uncovered(terms.ids)),
  ...wholeGateway(terms),
  ...(terms.kind === 'reference'
    ? [
        ...payingNobody(terms.values),
        ...taken(terms.values),
        ...heldByNobody(terms.values),
        ...unseen(terms),
        ...unwatched(terms.values ?? []),
        ...uncompared(terms),
        ...unfollowing(terms),
        ...lastVersions(terms.version),
      ]
    : []),
  ...(terms.kind === 'plan'
    ? [
        ...payingNobody(terms.expected_after),
        ...taken(terms.expected_after),
        ...heldByNobody(terms.expected_after),
        ...longPlan(terms),
        ...openEnds(terms),
        ...unsaid(terms),
        ...unrelated(terms),
        ...uncompared(terms),
      ]
    : []),
  ...(terms.kind === 'waiver' ? [...longWaiver(terms), ...critical(terms.ids)] : []),
  ...(terms.kind === 'reference' ? [] : quieted(terms.ids)),
  ...(terms.kind === 'reference' || nowS === undefined ? [] : soonOver(terms, nowS)),
];

const uncovered = (ids: readonly string[]): readonly string[] =>
  uncoverableIds(ids).map((id) => `${notCoverable(id)}: gateways refuse it`);

const soonOver = (terms: Plan | Waiver, nowS: number): readonly string[] => {
  const left = (terms.kind === 'plan' ? terms.not_after_at : terms.expires_at) - nowS;
  if (left <= 0) return ['its time is over: no gateway takes it'];
  return left < HASTE_S && wantsTwo(terms)
    ? [
        `it ends in ${durationText(left)}: a gateway with two approvers takes it with both signatures, and not after that`,
      ]
    : [];
};

/** An approver has no log: what an attestation claims does not stand in the document. */
const unseen = ({ entries = [] }: ReferenceTerms): readonly string[] => {
  const whole = [...new Set(entries.filter(({ facts }) => facts === undefined).map(({ device }) => device))];
  if (whole.length === 0) return [];
  return [
    `it approves EVERY fact that ${listText(whole)} showed then, and ends every finding about one: also of pools, accounts and safety settings. If some facts only are meant, have the draft made with --fact: assayer baseline export <device> --fact <fact>`,
  ];
};

/** Most names in a sentence. */
const MOST_NAMES = 12;

const listText = (names: readonly string[]): string =>
  names.length > MOST_NAMES
    ? `${names.slice(0, MOST_NAMES).join(', ')} and ${names.length - MOST_NAMES} more`
    : names.join(', ');

/** Entries name their devices; a scope beside them names nothing more. */
const wholeGateway = (terms: Terms): readonly string[] => {
  if (terms.kind === 'reference' && terms.values === undefined) return [];
  const { logs, devices, models, firmware, labels = {} } = terms.scope ?? {};
  if ((devices ?? models ?? firmware) !== undefined || Object.keys(labels).length > 0) return [];
  const where = logs === undefined ? 'every gateway that takes it' : logs.join(', ');
  return [`it covers ALL devices of ${where}: name devices, labels, models or firmware under scope if fewer are meant`];
};

const longPlan = ({ not_before_at: from, not_after_at: to }: Plan): readonly string[] =>
  to - from > LONG_PLAN_S
    ? [`it lasts ${durationText(to - from)}: whoever changes the devices then in the way it says is not noticed`]
    : [];

const longWaiver = ({ iat, expires_at: until }: Waiver): readonly string[] =>
  until - iat > LONG_WAIVER_S ? [`it lasts ${durationText(until - iat)}: nobody is reminded before that`] : [];

/** Whoever signs says what it takes the place of. */
const unfollowing = ({ version, prev_sha256: before }: ReferenceTerms): readonly string[] =>
  version > 1 && before === undefined
    ? [
        `version ${version} does not name the one before (prev_sha256, which assayer terms show prints): a gateway where one is in force refuses it`,
      ]
    : [];

const lastVersions = (version: number): readonly string[] =>
  MOST_VERSIONS - version < FREE_VERSIONS
    ? [`version ${version} leaves ${MOST_VERSIONS - version} later versions of this name; is it the next one?`]
    : [];

// ---- what a plan allows, and a reference no longer compares

/** What may be left open over the limits of a plan without an after-state, and what is held to little. */
const openEnds = ({
  expected_after: expected = [],
  not_before_at: from,
  not_after_at: to,
  ids,
}: Plan): readonly string[] => {
  const open = expected.filter((item) => opennessOf(item) !== undefined);
  return [...anythingGoes(open, { from, to, ids }), ...heldToLittle(expected), ...endings(expected, to)];
};

/** What is not known beforehand takes all approvers who are asked for, for longer than a few hours. */
const unsaid = (plan: Plan): readonly string[] => {
  const id = openTooLong(plan);
  return id === undefined
    ? []
    : [
        `it covers ${id} for more than 4 h and does not say what is to be seen then: a gateway without approvers does not take it`,
      ];
};

/** A change of which the plan expects nothing is none that it announced. */
const unrelated = ({ ids, expected_after: expected = [] }: Plan): readonly string[] => {
  if (expected.length === 0) return [];
  const facts = new Set<string>(expected.map(({ fact }) => wholeOf(fact)));
  return COMPARISONS.filter(({ id, reads, compares = [] }) => {
    const inputs = [...reads, ...compares];
    return ids.includes(id) && !inputs.some((fact) => facts.has(fact));
  }).map(
    ({ id, reads, compares = [] }) =>
      `it names ${id} and expects nothing of what that looks at (${[...new Set([...reads, ...compares])].join(', ')}): such a change is none that it announced`,
  );
};

/** Values of facts that change by themselves: what a plan expects of them only a reference makes visible, and of most nothing does. */
const uncompared = (terms: Plan | ReferenceTerms): readonly string[] => {
  const items = (terms.kind === 'plan' ? terms.expected_after : terms.values) ?? [];
  const said = items.filter(({ fact, class: kind }) => kind !== 'volatile' && changesByItself(fact));
  const facts = new Set(said.map(({ fact }) => fact));
  return [...facts]
    .filter((fact) => terms.kind === 'plan' || !COMPARED_WHERE_HELD.has(fact))
    .map((fact) => uncomparedText(fact));
};

const anythingGoes = (
  open: readonly ExpectedValue[],
  { from, to, ids }: { readonly from: number; readonly to: number; readonly ids: Plan['ids'] },
): readonly string[] => {
  if (open.length === 0) return [];
  const facts = namesOf(open);
  const wholly = open.filter(isWhollyOpen);
  const never = quietRules(ids).filter(({ id }) => !mayBeBlanket(id));
  return [
    ...(wholly.length > 0
      ? [`it does not say what ${namesOf(wholly)} shall be afterwards: any value is taken as planned`]
      : []),
    ...(to - from > LONGEST_BLANKET_S
      ? [
          `it lasts ${durationText(to - from)}, and ${facts} may be anything: without expected_after 4 h would be the most`,
        ]
      : []),
    ...(never.length > 0
      ? [`it covers ${listOf(never)}, which a plan without expected_after never could, and leaves ${facts} open`]
      : []),
  ];
};

const unwatched = (values: readonly ExpectedValue[]): readonly string[] => {
  const open = values.filter((value) => isWhollyOpen(value) && isCompared(value.fact));
  return [
    ...(open.length === 0
      ? []
      : [`a change of ${namesOf(open)} is found on no device that it covers: any value is right${unlessListed(open)}`]),
    ...heldToLittle(values),
    ...endings(values),
  ];
};

/** Whoever mines as this says earns nothing, and nobody is told. */
const payingNobody = (values: readonly ExpectedValue[] = []): readonly string[] => {
  const broken = new Set(values.flatMap((item) => usersOf(item).flatMap((user) => brokenAddressIn(user) ?? [])));
  return [...broken].map(
    (wallet) => `${wallet} is no wallet address that can be paid: its checksum fails. Whatever is mined for it is lost`,
  );
};

/** A star or a field in braces that stands for itself fits no pool. */
const taken = (values: readonly ExpectedValue[] = []): readonly string[] => {
  const exact = values.filter(({ class: kind }) => kind === 'exact' || kind === 'set');
  const written = new Set(exact.flatMap((item) => textsOf(item.fact, item.value)).filter(looksTemplated));
  return [...written].map(
    (text) => `${text} is taken as it is written, and no pool is called so: write it with class: template`,
  );
};

/** Whoever has the machine in hand gives it the name of his account, and is found by nothing else. */
const heldByNobody = (values: readonly ExpectedValue[] = []): readonly string[] => {
  const templates = values.filter(({ class: kind, fact }) => kind === 'template' && fact === 'pools.user');
  const users = new Set(templates.flatMap(usersOf).filter((user) => setByHolder(user).length > 0));
  return [...users].map(
    (user) =>
      `the account of ${user} is made of ${setByHolder(user).join(', ')}, which whoever holds a machine can set: any account that fits it is right. Name the account, and write what the machine says of itself behind it`,
  );
};

/** All texts of a value that is about pools. */
const textsOf = (fact: string, value: unknown): readonly string[] => {
  if (fact !== 'pools' && !fact.startsWith('pools.')) return [];
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap((item) => textsOf(fact, item)) : [];
};

/** The pool users, or templates for them, that a value names. */
const usersOf = (item: ExpectedValue): readonly string[] => {
  switch (item.class) {
    case 'exact':
    case 'set':
    case 'template':
      return usersIn(item.fact, item.value);
    case 'schedule':
      return [...item.value.slots.map(({ value }) => value), item.value.otherwise].flatMap((value) =>
        usersIn(item.fact, value),
      );
    case 'band':
    case 'volatile':
      return [];
  }
};

/** Of a column of the pools each text is one, of their whole list a member of each slot. */
const usersIn = (fact: string, value: unknown): readonly string[] => {
  if (Array.isArray(value)) return value.flatMap((item) => usersIn(fact, item));
  if (fact === 'pools.user') return typeof value === 'string' ? [value] : [];
  if (fact !== 'pools' || typeof value !== 'object' || value === null) return [];
  const { user } = value as { readonly user?: unknown };
  return typeof user === 'string' ? [user] : [];
};

const isWhollyOpen = (item: ExpectedValue): boolean => opennessOf(item)?.wholly === true;

/** The operator's lists are no document of approvers. */
const unlessListed = (open: readonly ExpectedValue[]): string =>
  open.some(({ fact }) => fact.startsWith('pools')) ? ", but for the gateway's own lists of pools" : '';

/** Values that say something, and less than they look. */
const heldToLittle = (values: readonly ExpectedValue[]): readonly string[] =>
  values.flatMap((item) => {
    const openness = opennessOf(item);
    if (openness?.wholly === false) return [`${item.fact} is held to little: it may be ${openness.may}`];
    const count = item.class === 'set' ? item.value.length : 0;
    return count > LONG_SET ? [`${item.fact} is held to little: it may be any of ${count} values`] : [];
  });

/** An item that ends while its document lives leaves the fact to what holds without it. */
const endings = (values: readonly ExpectedValue[], until = Number.POSITIVE_INFINITY): readonly string[] =>
  [...Map.groupBy(values, ({ fact }) => fact)].flatMap(([fact, items]) => {
    const last = Math.max(...items.map(({ until_at: at = Number.POSITIVE_INFINITY }) => at));
    return last < until
      ? [`after ${isoOf(last)} this says nothing of ${fact}: what holds without it holds again then`]
      : [];
  });

/** What changes by itself is held to nothing without a document; a name of another version is carried. */
const isCompared = (fact: string): boolean =>
  fact.startsWith('pools.') || (Object.hasOwn(FACTS, fact) && !changesByItself(fact));

const namesOf = (items: readonly ExpectedValue[]): string => [...new Set(items.map(({ fact }) => fact))].join(', ');

// ---- what becomes quiet

/** The rules that the ids of a document name, and whose findings it can cover. */
export const quietRules = (ids: readonly string[]): readonly RuleEntry[] =>
  RULES.filter(({ id }) => isCoverable(id) && ids.some((pattern) => namesRule(pattern, id)));

/** What goes unheard under findings of these groups, which say that nothing else can be relied on. */
const GRAVE: { readonly [group: string]: string } = {
  identity: 'machines and boards that are exchanged for others alarm nobody',
  visibility: 'devices that fall silent, or change while nobody sees them, alarm nobody',
  'remote-control': 'devices that anybody may command alarm nobody',
  egress: 'devices that talk to strangers alarm nobody',
};

const quieted = (ids: readonly string[]): readonly string[] => {
  const groups = ids.filter((id) => id.endsWith('.*'));
  const grave = [...new Set(ids.map((id) => id.slice(0, id.indexOf('.'))))].filter((group) =>
    Object.hasOwn(GRAVE, group),
  );
  return [
    ...groups.map((group) => {
      const { length } = quietRules([group]);
      return `${group} stands for ${length} finding${length === 1 ? '' : 's'}, and for those that later versions add: name the ones you mean`;
    }),
    ...grave.map((group) => `it speaks of ${group}: ${GRAVE[group]}`),
  ];
};

const critical = (ids: readonly string[]): readonly string[] => {
  const rules = quietRules(ids).filter((rule) => gravestOf(rule) === 'critical');
  return rules.length === 0 ? [] : [`it tolerates what is critical: ${listOf(rules)}`];
};

const listOf = (rules: readonly RuleEntry[]): string => rules.map(({ id }) => id).join(', ');
