import { FACTS, type FactName } from '../../shared/facts.ts';
import {
  cgminer,
  cgminerCheck,
  type Driver,
  framed,
  type GrpcQuery,
  httpGet,
  httpPost,
  type Query,
  type Source,
} from '../drivers/driver.ts';
import { secretNames } from '../normalise/mask.ts';
import { refusalOf } from '../probe/allow.ts';
import { READING } from '../probe/reading.ts';
import { actingWord, isReadingCommand } from './acting-names.ts';
import { factSource, queriesOfFact } from './facts.ts';
import { type Flaw, type Report, reportNoQuery } from './flaw.ts';
import type { DriverText, QueryText } from './schema.ts';
import { isSign, recognition, signsOf } from './signs.ts';

/** At most so many queries may be asked at every poll. */
const MOST_POLLED = 2;

/** And at a full look: every one is a connection, or a page. */
const MOST_QUERIES = 32;

/**
 * The driver that a checked file describes, made by the functions that make the built-in ones; or everything that is wrong
 * with it. What it could send has passed the allow-list, and the stricter words for names from outside.
 */
export const compileDriver = (text: DriverText, builtIn: readonly Driver[]): Driver | readonly Flaw[] => {
  const flaws: Flaw[] = [];
  const report: Report = (path, message, remedy) => void flaws.push({ path, message, remedy });
  if (builtIn.some(({ family }) => family === text.family)) {
    report(
      ['family'],
      `the family "${text.family}" exists already`,
      'choose an id that `assayer requests` does not show',
    );
  }
  const queries = compileQueries(text, report);
  const facts = compileFacts(text, report);
  checkSigns(text, report);
  checkUse(text, report);
  if (flaws.length > 0) return flaws;
  const { recognise, stillSpeaks, proofs } = recognition(text.recognise, queries);
  return {
    family: text.family,
    title: text.title,
    source: text.source,
    outside: true,
    recognise,
    stillSpeaks,
    proofs,
    queries,
    facts,
    secrets: text.secrets,
    quirks: text.quirks,
    close: text.close,
    unverified: text.unverified,
    ...(text.default_pool_port === undefined ? {} : { defaultPoolPort: text.default_pool_port }),
    ...(text.pause_ms === undefined ? {} : { pauseMs: text.pause_ms }),
  };
};

// ---- what is asked ---------------------------------------------------------------------------------------------------

const compileQueries = ({ queries }: DriverText, report: Report): { readonly [name: string]: Query } => {
  const compiled: { [name: string]: Query } = {};
  for (const [name, text] of Object.entries(queries)) {
    const query = queryOf(text);
    const path = ['queries', name, keyOf(text)];
    const why = whyNot(query);
    if (why === undefined) compiled[name] = query;
    else report(path, why.message, why.remedy);
  }
  const beyond = Object.keys(queries)[MOST_QUERIES];
  if (beyond !== undefined)
    report(['queries', beyond], `more than ${MOST_QUERIES} queries`, 'leave out what tells least of the device');
  const polled = Object.entries(queries).filter(([, { cadence }]) => cadence === 'pools');
  const [, , third] = polled;
  if (third !== undefined) {
    const remedy = 'let `pools` and one more be asked at every poll; cadence: config asks the others at a full look';
    report(['queries', third[0], 'cadence'], `more than ${MOST_POLLED} queries are asked at every poll`, remedy);
  }
  return compiled;
};

const keyOf = (text: QueryText): string =>
  ['cgminer', 'check', 'get', 'post', 'framed'].find((key) => key in text) ?? 'get';

/** What a driver file can ask. No call of gRPC: it needs the log-in of its family. */
type Asked = Exclude<Query, GrpcQuery>;

const queryOf = (text: QueryText): Asked => {
  const { cadence } = text;
  const asked = { cadence, ...(text.port === undefined ? {} : { port: text.port }) };
  if ('cgminer' in text) return cgminer(text.cgminer, { ...asked, key: text.key });
  if ('check' in text) return cgminerCheck(text.check, asked);
  if ('get' in text) return httpGet(text.get, { ...asked, auth: text.auth });
  if ('post' in text) return httpPost(text.post, text.body, { ...asked, auth: text.auth });
  return framed(text.framed, { ...asked, ...(text.param === undefined ? {} : { param: text.param }) });
};

/** Why a question may not come from outside. */
const whyNot = (query: Asked): Omit<Flaw, 'path'> | undefined => {
  if (query.kind === 'http' && query.method === 'POST') return whyNotPost(query.path, query.body ?? '', query);
  const remedy = REMEDY[query.kind];
  const name = query.kind === 'http' ? query.path : query.command;
  // What stands on the second list was read by somebody; `check` carries nothing out.
  const isKnown =
    query.kind === 'http' ? READING.has(`GET ${name}`) : query.kind === 'cgminer' && query.about !== undefined;
  const word = isKnown ? undefined : actingWord(name);
  if (word !== undefined)
    return { message: `may not be sent: ${JSON.stringify(name)} says "${word}", which could act`, remedy };
  const refused = refusalOf(query);
  if (refused !== undefined) return { message: refused, remedy };
  if (isKnown || query.kind !== 'cgminer' || isReadingCommand(name)) return undefined;
  return { message: `may not be sent: ${JSON.stringify(name)} is none of the commands that only read`, remedy };
};

const whyNotPost = (path: string, body: string, query: Query): Omit<Flaw, 'path'> | undefined => {
  if (READING.has(`POST ${path} ${body}`)) {
    const refused = refusalOf(query);
    return refused === undefined ? undefined : { message: refused, remedy: 'choose another auth' };
  }
  return {
    message: `may not be sent: POST ${path} is not on the list of this program`,
    remedy: `only these are: ${[...READING].filter((request) => request.startsWith('POST ')).join('; ')}`,
  };
};

const REMEDY: { readonly [Kind in Asked['kind']]: string } = {
  cgminer:
    'a command that only reads, in lower case: version, summary, pools, devs, stats and the others of docs/write-a-driver.md',
  http: 'a plain path that only reads: letters, digits, dots, dashes and slashes, without a query string',
  framed: 'a command that begins with get. and only reads, e.g. get.device.info',
};

// ---- where the facts stand -------------------------------------------------------------------------------------------

const compileFacts = (text: DriverText, report: Report): Driver['facts'] => {
  const compiled: { [name: string]: Source<unknown> } = {};
  for (const [name, fact] of Object.entries(text.facts)) {
    if (fact === undefined) continue;
    const source = factSource(name as FactName, fact, {
      isQuery: (query) => Object.hasOwn(text.queries, query),
      queries: Object.keys(text.queries),
      secrets: secretNames(text),
      report: (path, message, remedy) => report(['facts', name, ...path], message, remedy),
    });
    if (source !== undefined) compiled[name] = source;
  }
  // `factSource` gives a source whose reader has the kind that the table of facts has for this name.
  return compiled as Driver['facts'];
};

/** Pools are what every poll is about, and nothing is asked that nobody reads. */
const checkUse = (text: DriverText, report: Report): void => {
  const { pools } = text.facts;
  if (pools === undefined) {
    report(
      ['facts', 'pools'],
      `missing: ${FACTS.pools.meaning}`,
      'say where the pools stand: they are what is attested',
    );
  }
  for (const query of pools === undefined ? [] : queriesOfFact(pools)) {
    if (text.queries[query] === undefined || text.queries[query].cadence === 'pools') continue;
    const message = 'the pools are read from it, and it is asked at a full look only';
    report(['queries', query], message, 'add to it: cadence: pools');
  }
  const read = new Set([
    ...Object.values(text.facts).flatMap((fact) => (fact === undefined ? [] : queriesOfFact(fact))),
    ...signsOf(text.recognise).flatMap(({ sign }) => ('query' in sign ? [sign.query] : [])),
  ]);
  for (const name of Object.keys(text.queries)) {
    if (!read.has(name)) report(['queries', name], 'no fact and no sign reads it', 'remove it, or read a fact from it');
  }
};

const checkSigns = (text: DriverText, report: Report): void => {
  const signs = signsOf(text.recognise);
  if (signs.length === 0) report(['recognise'], 'it has no sign', 'give it signs under `all`, `any` or both');
  for (const { path, sign } of signs) {
    const at = ['recognise', ...path];
    if (!isSign(sign)) {
      report(at, 'it does not say what the text must be', 'add equals, begins, ends or contains');
    } else if ('query' in sign) {
      const query = text.queries[sign.query];
      if (query === undefined)
        reportNoQuery(sign.query, Object.keys(text.queries), (path, ...words) => report([...at, ...path], ...words));
      else if ('auth' in query && query.auth !== 'none' && query.auth !== 'basic-if-asked')
        report([...at, 'query'], 'a device is recognised without a log-in', 'name a query with auth: none');
    }
  }
};
