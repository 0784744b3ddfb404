import { type Clues, clueName, type Driver, type Query, type Replies } from '../drivers/driver.ts';
import { place, scalarText } from '../drivers/readers.ts';
import type { JsonValue } from '../probe/capture.ts';
import type { DriverText, SignText } from './schema.ts';

/** How a family from outside is recognised: by plain comparisons of texts, whose cost grows with the text and no faster. */

type Recognise = DriverText['recognise'];

/** Every sign with its path below `recognise`. */
export const signsOf = ({
  all = [],
  any = [],
}: Recognise): readonly { readonly path: readonly PropertyKey[]; readonly sign: SignText }[] => [
  ...all.map((sign, index) => ({ path: ['all', index], sign })),
  ...any.map((sign, index) => ({ path: ['any', index], sign })),
];

/** Of a reply it may be enough that something stands there; of a page it is not. */
export const isSign = (sign: SignText): boolean => 'query' in sign || saysWords(sign);

const saysWords = ({ equals, begins, ends, contains }: SignText): boolean =>
  [equals, begins, ends, contains].some((words) => words !== undefined);

/** Whether a sign is there; undefined where nothing was asked that could show it. */
type Seen = boolean | undefined;

/** `likely` and no more: what a built-in driver is as sure of stays with it. */
const LIKELY = 2;

/** The parts of a driver that recognise its family. `queries` are those that the signs may name. */
export const recognition = (
  { all = [], any = [] }: Recognise,
  queries: { readonly [name: string]: Query },
): Required<Pick<Driver, 'recognise' | 'stillSpeaks' | 'proofs'>> => {
  const judge = (seen: (sign: SignText) => Seen, doubt: boolean): boolean =>
    all.every((sign) => seen(sign) ?? doubt) && (any.length === 0 || any.some((sign) => seen(sign) ?? doubt));
  return {
    recognise: (clues) => (judge((sign) => inClues(sign, clues, queries), false) ? LIKELY : 0),
    // A later look asks for no page, and what did not answer says nothing against the family.
    stillSpeaks: (replies) => judge((sign) => inReplies(sign, replies), true),
    proofs: [...new Set([...all, ...any].flatMap((sign) => ('query' in sign ? [sign.query] : [])))],
  };
};

const inClues = (sign: SignText, clues: Clues, queries: { readonly [name: string]: Query }): boolean => {
  if ('landing' in sign) return isSaid(sign, clues.web?.[sign.landing]);
  const query = queries[sign.query];
  const reply = query === undefined ? undefined : clues[query.kind]?.get(clueName(query));
  return reply !== undefined && stands(sign, reply);
};

const inReplies = (sign: SignText, replies: Replies): Seen => {
  if ('landing' in sign) return undefined;
  const reply = replies.get(sign.query);
  return reply?.kind === 'reply' ? stands(sign, reply.value) : undefined;
};

const stands = (sign: Extract<SignText, { query: string }>, reply: JsonValue): boolean => {
  const found = place(sign.at)(reply);
  if (found.kind !== 'present') return false;
  if (!saysWords(sign)) return found.value !== null;
  const text = scalarText(found.value);
  return text.kind === 'present' && isSaid(sign, text.value);
};

const isSaid = ({ ignore_case, ...words }: SignText, text: string | undefined): boolean => {
  if (text === undefined) return false;
  const plain = (one: string): string => (ignore_case ? one.toLowerCase() : one);
  const said = plain(text);
  const { equals, begins, ends, contains } = words;
  return (
    (equals === undefined || said === plain(equals)) &&
    (begins === undefined || said.startsWith(plain(begins))) &&
    (ends === undefined || said.endsWith(plain(ends))) &&
    (contains === undefined || said.includes(plain(contains)))
  );
};
