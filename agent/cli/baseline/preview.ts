import { SEVERITIES } from '../../appraise/finding.ts';
import type { Untold } from '../../appraise/untold.ts';
import type { Difference } from '../../baseline/reference.ts';
import type { AdoptedDevice, EndedFinding } from '../../desk/adoption-preview.ts';
import type { Behind } from '../../desk/behind.ts';
import type { AcceptancePreview, OpenFinding, Shown } from '../../desk/preview.ts';
import { shownValue } from '../../normalise/shown.ts';
import { isoOf } from '../../terms/instant.ts';
import { type Io, printable } from '../io.ts';
import { counted, firstOf, namesText, shortened, table } from '../table.ts';

/** What a person is shown before accepting, as text that fits a terminal of 80 columns where the values do. */
export const previewText = (previews: readonly AcceptancePreview[], io: Io): string =>
  [
    differencesText(previews, io),
    sameText(previews),
    earlierText('Told when it was attested, and not now; it is accepted as it was then:', previews),
    untoldText('Not told now, so nobody accepts it; what the reference knew of it stays:', previews),
    behindText(previews),
    heldText(previews),
    findingsText(previews),
  ].join('');

/** What a person is shown before a reference comes into force: what it approves otherwise than before, and what that ends. */
export const adoptionText = (devices: readonly AdoptedDevice[], io: Io): string =>
  [
    differencesText(
      devices.map((one) => ({ ...one, untold: [] })),
      io,
      'approved by this',
    ),
    findingsText(devices),
  ].join('');

/** The findings that an adoption ended, a line each, worst first. */
export const endedText = (ended: readonly EndedFinding[]): string =>
  worstFirst(ended)
    .map((one) => `${printable(`  ${nameOfFinding(one)}`)}\n`)
    .join('');

/** The differences as a table. */
export const differencesText = (
  shown: readonly Pick<Shown, 'device' | 'differences' | 'untold'>[],
  io: Io,
  after = 'seen',
): string => {
  const rows = shown.flatMap(({ device, differences, untold }) =>
    differences.flatMap((difference) => rowsOf(difference, untold)).map((row) => [device, ...row].map(printable)),
  );
  return rows.length === 0 ? '' : table(io, ['device', 'fact', 'reference', after], rows);
};

const changeLine = (before: string | undefined, after: string | undefined): string =>
  `    ${before || 'nothing'} -> ${after || 'nothing'}`;

type Row = readonly [fact: string, before: string, after: string];

/** One row, but of lists only what differs in them: who has to compare two long texts by eye does not. */
const rowsOf = ({ fact, before, after }: Difference, untold: readonly Untold[]): readonly Row[] => {
  const earlier = untold.filter((one) => one.as_of !== undefined).map((one) => one.fact);
  const isEarlier = (what: string): boolean =>
    earlier.includes(fact) || (fact === 'pools' && what.endsWith(' user') && earlier.includes('pools.user'));
  const [was, is] = [partsOf(before), partsOf(after)];
  const names = new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])]);
  const rows: readonly Row[] =
    was === undefined && is === undefined
      ? [[fact, textOf(before), textOf(after)]]
      : [...names].flatMap((name) => partRows(`${fact} ${name}`, was?.get(name), is?.get(name)));
  return rows.map(([what, one, other]) => [
    what,
    one,
    isEarlier(what) ? `${other || 'nothing'} (not told now)` : other,
  ]);
};

/** One element of a list, by the names of its members. */
type Part = { readonly [member: string]: unknown };

/** The elements of a list of objects by what tells them apart; undefined for anything else. */
const partsOf = (value: unknown): ReadonlyMap<string, Part> | undefined => {
  if (!Array.isArray(value) || !value.every((part) => typeof part === 'object' && part !== null)) return undefined;
  return new Map((value as readonly Part[]).map((part, index) => nameOf(part, index)));
};

const nameOf = ({ name, key, slot, ...members }: Part, index: number): readonly [string, Part] => [
  slot === undefined ? shownValue(name ?? key ?? index) : `slot ${slot}`,
  members,
];

const partRows = (name: string, was: Part | undefined, is: Part | undefined): readonly Row[] => {
  if (was === undefined || is === undefined) return [[name, plainText(was), plainText(is)]];
  const members = Object.keys({ ...was, ...is }).filter((member) => textOf(was[member]) !== textOf(is[member]));
  return members.map((member) => [
    member === 'value' ? name : `${name} ${member}`,
    textOf(was[member]),
    textOf(is[member]),
  ]);
};

/** A value without the marks of JSON. */
const plainText = (value: unknown): string => {
  if (typeof value !== 'object' || value === null) return textOf(value);
  if (Array.isArray(value)) return value.map(plainText).join(', ');
  return Object.entries(value)
    .map(([member, part]) =>
      typeof part === 'string' || member === 'value' ? plainText(part) : `${member} ${plainText(part)}`,
    )
    .join(' ');
};

const textOf = (value: unknown): string => (value === undefined ? '' : value === null ? 'not set' : shownValue(value));

/** A device that says less than its reference shows no difference in what it says. */
const sameText = (previews: readonly AcceptancePreview[]): string => {
  // Of one that is refused it is said elsewhere why.
  const same = previews.filter(({ differences, refused }) => differences.length === 0 && refused === undefined);
  return [...Map.groupBy(same, sameWords)]
    .map(([words, alike]) => `${counted(alike.length, 'device')} without a difference${words}\n`)
    .join('');
};

const sameWords = (preview: AcceptancePreview): string =>
  `${tellsLess(preview) ? ' in what is told' : ''}: ${preview.approved ? 'approved before, and accepted once more' : 'the learned values become accepted'}`;

const tellsLess = ({ untold }: AcceptancePreview): boolean => untold.some(({ why }) => why !== 'never-told');

/** What documents hold is nobody's word at the gateway: a line for devices that are alike in this. */
const heldText = (previews: readonly AcceptancePreview[]): string => {
  const held = previews.filter((one) => one.left_to_documents !== undefined);
  const groups = Map.groupBy(held, ({ left_to_documents: facts = [] }) => facts.join(', '));
  const items = [...groups].map(([facts, alike]) => `  ${namesText(alike.map(({ device }) => device))}: ${facts}`);
  return section('As a signed document has it, and only as long as that is in force; not accepted:', items);
};

/** In the order in which a person should read them. */
const WHY: { readonly [Why in Untold['why']]: string } = {
  'left-out': 'left out',
  closed: 'its surface is closed',
  unread: 'not read',
  'never-told': 'never told',
};

/** What devices do not tell, and nobody accepts: a line for those that are alike in this. */
export const untoldText = (heading: string, shown: readonly Shown[]): string =>
  groupsText(heading, shown, (one) => one.as_of === undefined);

/** What devices told when they were attested, and do not tell now. */
export const earlierText = (heading: string, shown: readonly Shown[]): string =>
  groupsText(heading, shown, (one) => one.as_of !== undefined);

const BEHIND: { readonly [Why in Behind['why']]: string } = {
  refused: 'the log-in is refused',
  missing: 'no log-in is configured',
  closed: 'the surface is closed',
};

/** What lies behind a closed surface: a line for those that are alike in this. */
export const behindText = (shown: readonly Shown[]): string => {
  const texts = shown.flatMap(({ device, behind }) =>
    behind === undefined ? [] : [{ device, text: wordsOf(behind) }],
  );
  const groups = Map.groupBy(texts, ({ text }) => text);
  const items = [...groups].map(([text, alike]) => `  ${namesText(alike.map(({ device }) => device))}: ${text}`);
  return section('Behind a closed surface, so nobody saw it:', items);
};

/** Facts of one device that are named, and which of them first: where it works, which machine it is, and what it runs. */
const MOST_FACTS = 5;
const FIRST: readonly string[] = ['pools', 'identity.serial', 'identity.mac', 'firmware.version'];

const wordsOf = ({ why, facts, stand_ins: standIns }: Behind): string => {
  const all = [
    ...FIRST.filter((fact) => [...standIns, ...facts].some((one) => one === fact)),
    ...facts.filter((fact) => !FIRST.includes(fact)),
    ...standIns.filter((fact) => !FIRST.includes(fact)),
  ];
  const named = all.slice(0, MOST_FACTS).map((fact) => (standIns.some((one) => one === fact) ? stoodIn(fact) : fact));
  const more = all.length - named.length;
  return `${BEHIND[why]}: ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
};

const stoodIn = (fact: string): string =>
  fact === 'pools' ? 'pools as they are stored (those that run stand in)' : `${fact} (another surface stands in)`;

const groupsText = (heading: string, all: readonly Shown[], isMeant: (one: Untold) => boolean): string => {
  const shown = all
    .map(({ untold, ...one }) => ({ ...one, untold: untold.filter(isMeant) }))
    .filter(({ untold }) => untold.length > 0);
  const groups = Map.groupBy(shown, ({ untold }) => factsText(untold));
  const items = [...groups]
    .map(([text, alike]) => ({ text, names: alike.map(({ device }) => device), rank: Math.min(...alike.map(rankOf)) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ text, names }) => `  ${namesText(names)}: ${text}`);
  return section(heading, items);
};

const rankOf = ({ untold }: Shown): number => Math.min(...untold.map(({ why }) => Object.keys(WHY).indexOf(why)));

const factsText = (untold: readonly Untold[]): string => {
  const asOf = untold[0]?.as_of;
  const texts = Object.entries(WHY)
    .map(([why, words]) => ({ words, facts: untold.filter((one) => one.why === why).map(({ fact }) => fact) }))
    .filter(({ facts }) => facts.length > 0)
    .map(({ words, facts }) => `${words}: ${facts.join(', ')}`);
  // Those of a device are of one attestation.
  return [...texts, ...(asOf === undefined ? [] : [`as of ${isoOf(asOf)}`])].join('; ');
};

/** What ends and what does not, worst first. */
const findingsText = (previews: readonly Pick<AcceptancePreview, 'device' | 'findings'>[]): string => {
  const open = worstFirst(
    previews.flatMap(({ device, findings }) => findings.map((finding) => ({ device, ...finding }))),
  );
  const [ending, staying] = [open.filter(({ closes }) => closes), open.filter(({ closes }) => !closes)];
  return [
    section(`Closes ${counted(ending.length, 'open finding')} as approved:`, ending.map(findingItem)),
    section(`Does not close ${counted(staying.length, 'open finding')}:`, staying.map(findingItem)),
  ].join('');
};

const worstFirst = <One extends Pick<OpenFinding, 'severity'>>(findings: readonly One[]): readonly One[] =>
  findings.toSorted((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity));

const nameOfFinding = (found: EndedFinding): string => {
  const { number = '-', severity, device, finding, part } = found;
  return `${number} ${severity} ${device}: ${finding}${part === undefined ? '' : ` ${part}`}`;
};

const findingItem = (found: EndedFinding): string => {
  const { state, takes_two: takesTwo, left_out: leftOut, before, after } = found;
  const why = `${takesTwo ? ', takes two people' : ''}${leftOut === undefined ? '' : `, ${leftOut} not told now`}`;
  const more = `${state === 'open' ? '' : `, ${state}`}${why}`;
  const change = before === undefined && after === undefined ? [] : [changeLine(oneLine(before), oneLine(after))];
  return [`  ${nameOfFinding(found)}${more}`, ...change].map(printable).join('\n');
};

const oneLine = (value: unknown): string => shortened(plainText(value));

const section = (heading: string, items: readonly string[]): string =>
  items.length === 0 ? '' : `${[heading, ...firstOf(items, 'more; --json names all')].join('\n')}\n`;
