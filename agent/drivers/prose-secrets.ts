import { closing, type Place } from './user-info.ts';

/**
 * Secrets that a sentence of a device tells: `password is hunter2`, `password hunter2 rejected`, `Authorization: Basic …`.
 * Only where it can be nothing else: `password is required` has none, and of `password is sunshine` nobody could tell.
 */

/** A word behind what may introduce a secret, without its quotes and the marks of the sentence. */
interface Word {
  readonly place: Place;
  readonly spelled: string;
  readonly isQuoted: boolean;
  /** How the sentence goes on. */
  readonly isJudged: boolean;
  readonly isLast: boolean;
}

const PASSWORD = '(?:pass(?:word|wd|phrase|code)|ps?wd|psk)';
const TOKEN = '(?:token|secret|jwt|cookie|api[-_ ]?key|session[-_ ]?id)';
/** What a parser calls a token is shorter: `invalid token 0x1f`. */
const SHORTEST_TOKEN = 8;
const BLANK = String.raw`[ \t]{1,4}`;

/** What introduces one, and how the word then shows that it is one. */
const FORMS: readonly (readonly [introduction: RegExp, isSecret: (word: Word) => boolean])[] = [
  [
    new RegExp(
      `(?:${PASSWORD}|${TOKEN})${BLANK}(?:(?:is|was)(?:${BLANK}(?:now|set${BLANK}to))?|(?:set|changed|reset)${BLANK}to|[-=]>)${BLANK}`,
      'gi',
    ),
    (word) => isQuotedSecret(word) || isMadeUpWord(word.spelled) || (word.isLast && /^\d{4,}$/.test(word.spelled)),
  ],
  [
    new RegExp(`(?:bad|wrong|invalid|incorrect)${BLANK}${PASSWORD}${BLANK}`, 'gi'),
    (word) => isQuotedSecret(word) || isMadeUpWord(word.spelled),
  ],
  [
    new RegExp(`(?:bad|wrong|invalid|incorrect|expired)${BLANK}${TOKEN}${BLANK}`, 'gi'),
    (word) => isMadeUpWord(word.spelled) && word.spelled.length >= SHORTEST_TOKEN,
  ],
  [
    new RegExp(`(?:${PASSWORD}|${TOKEN})${BLANK}`, 'gi'),
    (word) => word.isJudged && (isQuotedSecret(word) || isMadeUpWord(word.spelled) || /^\d{4,}$/.test(word.spelled)),
  ],
  [new RegExp(`bearer${BLANK}`, 'gi'), (word) => /^[\w.~+/=-]{8,}$/.test(word.spelled) && isMadeUpWord(word.spelled)],
  [
    new RegExp(
      String.raw`authorization(?:\\?["'])?[ \t]{0,2}[:=][ \t]{0,2}(?:\\?["'])?(?:apikey|basic|bearer|negotiate|ntlm|token)${BLANK}`,
      'gi',
    ),
    () => true,
  ],
  [/authorization[:=][ \t]{0,2}/gi, (word) => isMadeUpWord(word.spelled)],
];

/** Where a sentence tells a secret. */
export const secretsInProse = (text: string): readonly Place[] =>
  FORMS.flatMap(([introduction, isSecret]) => {
    const places: Place[] = [];
    for (const { 0: spelled, index } of text.matchAll(introduction)) {
      const start = index + spelled.length;
      if (start < (places.at(-1)?.[1] ?? 0)) continue;
      const word = wordAt(text, start);
      if (word !== undefined && isSecret(word)) places.push(word.place);
    }
    return places;
  });

const SPELLED = /(\\?["'])?([^\0- "']*)/y;
const END_OF_SENTENCE = /[ \t]*(?:$|[.,;:!?)])/y;
const VERDICT =
  /[ \t]{1,4}(?:(?:is|was|has|been|not)[ \t]{1,4}){0,2}(?:accepted|correct|denied|expired|failed|incorrect|invalid|refused|rejected|wrong)\b/iy;

const wordAt = (text: string, at: number): Word | undefined => {
  SPELLED.lastIndex = at;
  const [, quote, spelled = ''] = SPELLED.exec(text) ?? [];
  const start = at + (quote?.length ?? 0);
  let end = quote === undefined ? start + spelled.length : closing(text, quote, start);
  if (quote === undefined) while (end > start && '.,;:!?)\\'.includes(text[end - 1] as string)) end -= 1;
  if (end === start) return undefined;
  const behind = end + (quote?.length ?? 0);
  return {
    place: [start, end],
    spelled: text.slice(start, end),
    isQuoted: quote !== undefined,
    isJudged: isAt(VERDICT, text, behind),
    isLast: isAt(END_OF_SENTENCE, text, behind),
  };
};

const isAt = (pattern: RegExp, text: string, at: number): boolean => {
  pattern.lastIndex = at;
  return pattern.test(text);
};

const ORDINARY =
  /^(?:blank|changed|default|empty|expired|incorrect|invalid|missing|no|none|not|null|ok|required|set|too|unchanged|undefined|unset|valid|weak|wrong)\b/i;

const isQuotedSecret = ({ isQuoted, spelled }: Word): boolean => isQuoted && !ORDINARY.test(spelled);

/** An amount, a time, or the name of a method or an error, which also have letters and digits. */
const NAMED =
  /^(?:\d+(?:[.,]\d+)?-?(?:[a-z]{1,3}|%|bits?|bytes?|chars?|characters?|days?|digits?|hours?|minutes?)|(?:aes|base|code|e|err|error|http|level|md|rfc|sha|utf|v|wpa)[-_]?\d{1,4}(?:[-_./:]\S*)?|\d{1,4}[-:]\d\d[-:.]\S*)$/i;

/** Whether no word of a language is spelled so: letters and digits, or a mark within. */
export function isMadeUpWord(spelled: string): boolean {
  return /\d/.test(spelled) && /[a-z\x80-\uffff]/i.test(spelled) ? !NAMED.test(spelled) : /\w[#$%^&!]+\w/.test(spelled);
}
