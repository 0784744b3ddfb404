import type { Facts } from '../../shared/facts.ts';
import { comparedText, readCompared } from './compared.ts';

/**
 * The compared facts of one device as the agent keeps them in memory between looks: what differs from the text of another
 * device of its kind, since most of a fleet differs in serials and names only. Two are equal where their facts are. `''`: no
 * facts. Not for the store: another process has other templates.
 */
export type KeptFacts = string & { readonly kept: 'facts' };

/** Of a device that told nothing. The brand exists for the compiler only; every other value is made by `keepText`. */
export const NO_FACTS = '' as KeptFacts;

/** A text in pieces. The quotation mark is what JSON has most of, and no piece has one. */
const MARK = '"';

/** Texts that others are held against, in pieces. The number of a template is its place here; 0 is none. */
const templates: (readonly string[])[] = [[]];
const numbers = new Map<string, number>();

/** A fleet of more kinds than this keeps the others whole. */
const MOST_TEMPLATES = 512;
const LONGEST_TEMPLATE = 16_384;

/** The compared ones of these facts, to be kept. */
export const keepFacts = (facts: Facts): KeptFacts => keepText(comparedText(facts));

/** `text` as `comparedText` made it. */
export const keepText = (text: string): KeptFacts => {
  if (text === '') return NO_FACTS;
  const pieces = text.split(MARK);
  const number = templateFor(text, pieces);
  const template = templates[number] ?? [];
  const kept = [String(number)];
  for (const [at, piece] of pieces.entries()) if (piece !== template[at]) kept.push(String(at), piece);
  return (number === 0 ? `0${MARK}${text}` : kept.join(MARK)) as KeptFacts;
};

/** The text that `keepText` was given. */
export const keptText = (kept: KeptFacts): string => {
  if (kept.startsWith(`0${MARK}`)) return kept.slice(2);
  const [number, ...differences] = kept.split(MARK);
  const pieces = [...(templates[Number(number)] ?? [])];
  for (let at = 0; at < differences.length; at += 2) pieces[Number(differences[at])] = differences[at + 1] ?? '';
  return pieces.join(MARK);
};

/** The facts that were kept; none of `''` and of nothing. */
export const keptFacts = (kept: KeptFacts | undefined): Facts =>
  kept === undefined || kept === NO_FACTS ? {} : readCompared(keptText(kept));

/** The template for texts of as many pieces about this family and model; the first such text is it. */
const templateFor = (text: string, pieces: readonly string[]): number => {
  const kind = [pieces.length, pieceOf('family', pieces), pieceOf('identity.model', pieces)].join(MARK);
  const known = numbers.get(kind);
  if (known !== undefined) return known;
  if (templates.length > MOST_TEMPLATES || text.length > LONGEST_TEMPLATE) return 0;
  numbers.set(kind, templates.length);
  return templates.push(pieces) - 1;
};

/** The piece that stands where the text of this member does. */
const pieceOf = (member: string, pieces: readonly string[]): string => {
  const at = pieces.indexOf(member);
  return at === -1 ? '' : (pieces[at + 2] ?? '');
};
