import type { JsonObject, NoReply, Reply } from './capture.ts';
import { noReply } from './reply.ts';

/**
 * The table with two columns under a heading of an HTML page, as LuCI writes it:
 * `<fieldset …><legend>HEADING</legend><table …><tr><td …>NAME</td><td …>VALUE</td></tr>…</table></fieldset>`. A parser of
 * HTML mends what is damaged and finds something in every page; here a page that is in any way another one is unreadable.
 */

/** What a page has beside its text; anything in it may look like a table. */
const ASIDE = [
  ['<!--', '-->'],
  ['<script', '</script>'],
  ['<style', '</style>'],
  ['<textarea', '</textarea>'],
] as const;

const MOST_ROWS = 64;

const ROW = /\s*<tr><td(?: [a-z]+="[^"<>]*")*>([^<]{1,64})<\/td><td(?: [a-z]+="[^"<>]*")*>([^<]{0,512})<\/td><\/tr>/y;

const NAME = /^[A-Za-z]+(?: [A-Za-z0-9]+)*$/;

/** Neither controls nor marks that change how a text is seen, nor an entity, which no value that is known has. */
const VALUE = /^[^\p{Cc}\p{Cf}\ufffd&>]*$/u;

/** Reads the rows under `heading` as members of one object, or says why the page cannot be read. */
export const readTable = (bytes: Uint8Array, heading: string): Reply | NoReply => {
  const page = textOf(bytes);
  if (page === undefined) return unreadable('a page that is no UTF-8', bytes);
  const text = withoutAsides(page);
  if (text === undefined) return unreadable('a page with a part that does not end', bytes);
  if (/<input\b[^<>]*\btype="?password\b/i.test(text))
    return noReply('refused', 'a page that asks for a log-in', { bytes });
  if (!/^\s*<!doctype html>/i.test(text)) return unreadable('no page of HTML', bytes);
  if (!/<\/html>\s*$/i.test(text)) return noReply('truncated', 'a page without its end', { bytes });
  const rows = rowsUnder(heading, text);
  if (rows === undefined) return unreadable(`a page without the known table "${heading}"`, bytes);
  return { kind: 'reply', bytes, value: rows, repairs: [] };
};

const unreadable = (detail: string, bytes: Uint8Array): NoReply => noReply('unreadable', detail, { bytes });

const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
};

/** The page without comments, scripts, styles and entry fields; undefined where one of these has no end. */
const withoutAsides = (page: string): string | undefined => {
  const lower = page.toLowerCase();
  // Lower case of some letters is longer: then places are not the same.
  if (lower.length !== page.length) return undefined;
  const next = ASIDE.map(([open]) => lower.indexOf(open));
  const kept: string[] = [];
  for (let at = 0; ; ) {
    let first = -1;
    for (const [index, [open]] of ASIDE.entries()) {
      const found = next[index] as number;
      if (found !== -1 && found < at) next[index] = lower.indexOf(open, at);
      const place = next[index] as number;
      if (place !== -1 && (first === -1 || place < (next[first] as number))) first = index;
    }
    const start = next[first];
    if (start === undefined) return kept.join('') + page.slice(at);
    const [open, close] = ASIDE[first] as (typeof ASIDE)[number];
    const end = lower.indexOf(close, start + open.length);
    if (end === -1) return undefined;
    kept.push(page.slice(at, start));
    at = end + close.length;
  }
};

/** Undefined where there is not exactly this one table, or a name stands twice. */
const rowsUnder = (heading: string, text: string): JsonObject | undefined => {
  const [, after, ...others] = text.split(`<legend>${heading}</legend>`);
  if (after === undefined || others.length > 0) return undefined;
  const table = /^\s*<table(?: [a-z]+="[^"<>]*")*>/.exec(after)?.[0];
  if (table === undefined) return undefined;
  const rows = new Map<string, string>();
  let at = table.length;
  for (;;) {
    ROW.lastIndex = at;
    const [row, name = '', value = ''] = ROW.exec(after) ?? [];
    if (row === undefined) break;
    if (rows.has(name) || rows.size === MOST_ROWS || !NAME.test(name) || !VALUE.test(value)) return undefined;
    rows.set(name, value);
    at += row.length;
  }
  return rows.size > 0 && /^\s*<\/table>\s*<\/fieldset>/.test(after.slice(at)) ? Object.fromEntries(rows) : undefined;
};
