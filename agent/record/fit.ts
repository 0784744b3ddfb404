import { SIGNATURE_BYTES } from '../../shared/envelope.ts';
import { MAX_ITEMS, MAX_MESSAGE_BYTES, MEMBER_NAME } from '../../shared/model.ts';
import type { AttestationContent, FindingContent } from '../../shared/statement.ts';

/**
 * Whatever a device says, its statement fits into one message and into the data model (attestation.md §2): first the
 * longest lists are cut, then texts; what was touched is named.
 */

/** The common members of a statement take less than this. */
const COMMON_BYTES = 1024;
const MOST_BYTES = MAX_MESSAGE_BYTES - SIGNATURE_BYTES - COMMON_BYTES;

// Canonical JSON differs from this only in the order of members.
const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** How much of a value is kept: code points of each text, items of each list, members of each object. */
interface Room {
  readonly codePoints: number;
  readonly items: number;
}

const FULL: Room = { codePoints: 256, items: MAX_ITEMS };
const TIGHTER: readonly Room[] = [
  { codePoints: 64, items: 64 },
  { codePoints: 16, items: 16 },
  { codePoints: 8, items: 4 },
];

/** With the members around it a value of this depth keeps within the eight levels of a statement. */
const MOST_DEPTH = 4;

/** Digests of redaction are of use only as a whole. */
const isDigest = (name: string): boolean => name === '_sd' || name.endsWith('_pid');

/** A before- or after-value inside the data model: what has no form there (a fraction, a name of the device's own) becomes text. */
export const wireValue = (value: unknown, room: Room = FULL, depth = 1): unknown => {
  switch (typeof value) {
    case 'string':
      return shortText(value, room.codePoints);
    case 'number':
      return Number.isSafeInteger(value) ? value : String(value);
    case 'object':
      if (value === null) return null;
      if (depth > MOST_DEPTH || !hasPlainNames(value)) return shortText(JSON.stringify(value), room.codePoints);
      if (Array.isArray(value)) return value.slice(0, room.items).map((item) => wireValue(item, room, depth + 1));
      return Object.fromEntries(
        Object.entries(value)
          .filter(([, member]) => member !== undefined)
          .slice(0, room.items)
          .map(([name, member]) => [name, isDigest(name) ? member : wireValue(member, room, depth + 1)]),
      );
    default:
      return value;
  }
};

const hasPlainNames = (value: object): boolean =>
  Array.isArray(value) || Object.keys(value).every((name) => MEMBER_NAME.test(name));

/** At most so many code points, and no half of a surrogate pair. */
export const shortText = (text: string, codePoints: number): string => {
  if (text.length <= codePoints) return text.toWellFormed();
  return [...text.slice(0, codePoints * 2)].slice(0, codePoints).join('').toWellFormed();
};

/**
 * The value of a fact as it can be stated: normalised text is short and well formed and normalised numbers are integers
 * already; where one is not, `touched` is called and the number is left out, so that no reply can stop the log.
 */
export const claimValue = (value: unknown, touched: () => void): unknown => {
  switch (typeof value) {
    case 'string': {
      const text = shortText(value, FULL.codePoints);
      if (text !== value) touched();
      return text;
    }
    case 'number':
      if (Number.isSafeInteger(value)) return value;
      touched();
      return undefined;
    case 'object':
      if (value === null) return null;
      if (Array.isArray(value))
        return value.map((item) => claimValue(item, touched)).filter((item) => item !== undefined);
      return Object.fromEntries(
        Object.entries(value).flatMap(([name, member]) => {
          const stated = claimValue(member, touched);
          return stated === undefined ? [] : [[name, stated]];
        }),
      );
    default:
      return value;
  }
};

/** The attestation as it is, or with its claims, checks and texts cut until it fits. */
export const fitAttestation = (content: AttestationContent): AttestationContent => {
  const over = () => sizeOf(fitted) - MOST_BYTES;
  const touched = new Set(content.evidence.sanitized);
  let fitted = content;
  const apply = (change: (content: AttestationContent, touched: Set<string>) => AttestationContent) => {
    fitted = change(fitted, touched);
    if (touched.size > 0) fitted = { ...fitted, evidence: { ...fitted.evidence, sanitized: [...touched].sort() } };
  };
  if (hasLongList(content)) apply(cutLongLists);
  if (over() > 0) apply((whole, names) => cutClaims(whole, over(), names));
  if (over() > 0) apply(cutRepeatedChecks);
  for (const room of TIGHTER) {
    if (over() > 0) apply((whole, names) => shortenTexts(whole, room, names));
  }
  return fitted;
};

/** The finding as it is, or with its values cut until it fits; the reason `shortened` says so. */
export const fitFinding = (content: FindingContent): FindingContent => {
  let fitted = content;
  for (const room of TIGHTER) {
    if (sizeOf(fitted) > MOST_BYTES) fitted = shorter(content, room);
  }
  return fitted;
};

const shorter = (content: FindingContent, room: Room): FindingContent => {
  const { finding } = content;
  const reasons = [...(wireValue(finding.reasons ?? [], room) as string[]), 'shortened']; // a list of texts stays one
  return { ...content, finding: { ...withRoom(finding, ['before', 'after', 'last_seen'], room), reasons } };
};

/** An object with some of its values shortened. Their kind (text, list, object) stays, so does the type of the object. */
const withRoom = <T extends object>(object: T, names: readonly string[], room: Room): T =>
  Object.fromEntries(
    Object.entries(object).map(([name, value]) => [name, names.includes(name) ? wireValue(value, room) : value]),
  ) as T;

type Claims = { readonly [name: string]: unknown };

/** Lists of facts, by name of the fact. */
const listsOf = (claims: Claims): readonly { readonly fact: string; readonly items: readonly unknown[] }[] =>
  Object.entries(claims).flatMap(([group, value]) => {
    if (Array.isArray(value)) return [{ fact: group, items: value }];
    if (typeof value !== 'object' || value === null) return [];
    return listsOf(value as Claims).map(({ fact, items }) => ({ fact: `${group}.${fact}`, items }));
  });

const hasLongList = ({ evidence, appraisal }: AttestationContent): boolean =>
  appraisal.failed.length > MAX_ITEMS || listsOf(evidence.claims ?? {}).some(({ items }) => items.length > MAX_ITEMS);

const cutLongLists = (content: AttestationContent, touched: Set<string>): AttestationContent => {
  const lists = listsOf(content.evidence.claims ?? {}).filter(({ items }) => items.length > MAX_ITEMS);
  const lengths = new Map(lists.map(({ fact }) => [fact, MAX_ITEMS]));
  const cut = withLengths(content, lengths, touched);
  return cut.appraisal.failed.length > MAX_ITEMS ? cutRepeatedChecks(cut, touched) : cut;
};

/** Takes items from the end of whatever list is the longest, in bytes, until `excess` is gone. One item always stays. */
const cutClaims = (content: AttestationContent, excess: number, touched: Set<string>): AttestationContent => {
  const lists = listsOf(content.evidence.claims ?? {}).map(({ fact, items }) => {
    const sizes = items.map((item) => sizeOf(item) + 1);
    return { fact, sizes, bytes: sizes.reduce((sum, size) => sum + size, 0) };
  });
  const lengths = new Map<string, number>();
  // The names of what is touched take room themselves.
  let rest = excess + lists.reduce((sum, { fact }) => sum + fact.length + 3, '"sanitized":[],'.length);
  while (rest > 0) {
    const longest = lists.filter(({ sizes }) => sizes.length > 1).sort((a, b) => b.bytes - a.bytes)[0];
    if (longest === undefined) break;
    const size = longest.sizes.pop() ?? 0;
    longest.bytes -= size;
    rest -= size;
    lengths.set(longest.fact, longest.sizes.length);
  }
  return withLengths(content, lengths, touched);
};

const withLengths = (
  content: AttestationContent,
  lengths: ReadonlyMap<string, number>,
  touched: Set<string>,
): AttestationContent => {
  const { evidence } = content;
  if (evidence.claims === undefined || lengths.size === 0) return content;
  for (const fact of lengths.keys()) touched.add(fact);
  return { ...content, evidence: { ...evidence, claims: cutLists(evidence.claims, '', lengths) } };
};

const cutLists = (claims: Claims, prefix: string, lengths: ReadonlyMap<string, number>): Claims =>
  Object.fromEntries(
    Object.entries(claims).map(([name, value]) => {
      if (Array.isArray(value)) return [name, value.slice(0, lengths.get(`${prefix}${name}`) ?? value.length)];
      if (typeof value !== 'object' || value === null) return [name, value];
      return [name, cutLists(value as Claims, `${prefix}${name}.`, lengths)];
    }),
  );

/** Keeps the first of the failed checks with the same id and severity: what the appraisal follows from stays the same. */
const cutRepeatedChecks = (content: AttestationContent, touched: Set<string>): AttestationContent => {
  const { appraisal } = content;
  const seen = new Set<string>();
  const failed = appraisal.failed.filter(({ id, severity }) => {
    const isNew = !seen.has(`${id} ${severity}`);
    seen.add(`${id} ${severity}`);
    return isNew;
  });
  if (failed.length < appraisal.failed.length) touched.add('appraisal.failed');
  return { ...content, appraisal: { ...appraisal, failed } };
};

const shortenTexts = (content: AttestationContent, room: Room, touched: Set<string>): AttestationContent => {
  const { evidence, appraisal } = content;
  touched.add('claims').add('appraisal.failed');
  const failed = appraisal.failed.map((check) => withRoom(check, ['obs', 'ref', 'part'], room));
  const claims = evidence.claims === undefined ? {} : { claims: shortenClaims(evidence.claims, room) };
  return { ...content, evidence: { ...evidence, ...claims }, appraisal: { ...appraisal, failed } };
};

const shortenClaims = (claims: Claims, { codePoints }: Room): Claims =>
  wireValue(claims, { codePoints, items: MAX_ITEMS }, 0) as Claims; // names of facts are plain, so an object stays one
