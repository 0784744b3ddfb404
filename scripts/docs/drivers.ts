import { type Auth, type Clues, clueName, type Driver, type Query, questionOf } from '../../agent/drivers/driver.ts';
import { requestText } from '../../agent/probe/allow.ts';
import { IDENTIFICATION } from '../../agent/probe/identify.ts';
import { readReply } from '../../agent/probe/reply.ts';
import { FACTS, type FactName } from '../../shared/facts.ts';
import { realmOf, replyBytes, type Specimen } from '../../test/specimens/specimen.ts';
import { code, generatedFrom, markdownTable, page } from './markdown.ts';

/** `docs/drivers.md`: which fact is read from which family, and for each family what is asked and what is odd. */
export const driversPage = (drivers: readonly Driver[], specimens: readonly Specimen[]): string =>
  page(
    generatedFrom('agent/drivers/ and test/specimens/'),
    '# Drivers',
    INTRODUCTION,
    '## Facts by family',
    factsTable(drivers),
    '## Recognition',
    RECOGNITION,
    IDENTIFICATION.map((query) => `- ${question(query)}`).join('\n'),
    ...drivers.flatMap((driver) => section(driver, specimens)),
  );

const INTRODUCTION = [
  'One driver for each firmware family. A driver names its questions from closed kinds only: a command of the CGMiner API,',
  'a GET of a fixed path, a POST that is listed word for word because its firmware answers reads to nothing else, and a read of',
  'WhatsMiner API 3. What is on no list here cannot be sent to a miner.',
].join('\n');

const RECOGNITION = [
  'A device is recognised without a log-in, from the answers to these questions, asked one after the other until one',
  'driver is certain. Where two drivers are equally sure the device is `ambiguous` and is not read.',
].join('\n');

/** Facts that are made of others, not read. */
const DERIVED: ReadonlySet<string> = new Set(['family', 'firmware.fingerprint']);

const factsTable = (drivers: readonly Driver[]): string =>
  [
    '`P`: read at every poll. `F`: read at a full look. Empty: this family has no place to read it from.',
    '',
    markdownTable(
      ['Fact', ...drivers.map(({ family }) => family), 'Meaning'],
      (Object.keys(FACTS) as FactName[])
        // Object.keys gives text; the keys are those of the table.
        .filter((fact) => !DERIVED.has(fact))
        .map((fact) => [code(fact), ...drivers.map((driver) => readWhen(driver, fact)), FACTS[fact].meaning]),
    ),
  ].join('\n');

const readWhen = ({ facts, queries }: Driver, fact: FactName): string => {
  const source = facts[fact];
  if (source === undefined) return '';
  return source.queries.every((name) => queries[name]?.cadence === 'pools') ? 'P' : 'F';
};

const question = (query: Query): string => {
  const otherwise = query.kind === 'cgminer' ? query.otherwise : undefined;
  return `${code(requestText(query))}${otherwise === undefined ? '' : `, else ${question(otherwise)}`}`;
};

const section = (driver: Driver, specimens: readonly Specimen[]): readonly string[] => {
  const own = specimens.filter(({ device }) => 'family' in device && device.family === driver.family);
  return [
    `## ${code(driver.family)}`,
    `${driver.title}. Source: ${driver.source}.`,
    recognitionOf(driver, own),
    markdownTable(
      ['Question', 'Asked', 'Log-in', 'Facts from it'],
      Object.entries(driver.queries).map(queryRow(driver)),
    ),
    driver.secrets === undefined
      ? ''
      : `Masked beside the common names of secrets: ${driver.secrets.map(code).join(', ')}.`,
    (driver.quirks ?? []).map((quirk) => `- ${quirk}`).join('\n'),
    `Specimens: ${own.map(({ name, device }) => `${code(name)} (${device.model})`).join(', ')}.`,
  ];
};

const queryRow =
  (driver: Driver) =>
  ([name, query]: [string, Query]): readonly string[] => [
    question(query),
    query.cadence === 'pools' ? 'every poll' : 'full look',
    query.kind === 'http' ? loginOf(query.auth) : '',
    Object.entries(driver.facts)
      .filter(([, source]) => source.queries.includes(name))
      .map(([fact]) => code(fact))
      .join(', '),
  ];

const loginOf = (auth: Auth): string => {
  if (auth === 'none') return '';
  if (typeof auth === 'string') return auth;
  return auth.kind === 'key' ? `key in ${code(auth.header)}` : 'session';
};

const SURENESS = ['no', 'possible', 'likely', 'certain'] as const;

/** How sure the driver is from one answer alone, at best, over its specimens. */
const recognitionOf = (driver: Driver, specimens: readonly Specimen[]): string => {
  const known = IDENTIFICATION.map((query) => {
    const levels = specimens.map((specimen) => driver.recognise(cluesOf(query, specimen)));
    return { query, level: Math.max(0, ...levels) as 0 | 1 | 2 | 3 };
  }).filter(({ level }) => level > 0);
  const best = known.sort((a, b) => b.level - a.level);
  return `Recognised from one answer alone: ${best.map(({ query, level }) => `${question(query)} (${SURENESS[level]})`).join(', ')}.`;
};

/** What identification would know of a specimen that answered this question only. */
const cluesOf = (query: Query, specimen: Specimen): Clues => {
  const name = clueName(query);
  const bytes = replyBytes(specimen, questionOf(query));
  const empty: Clues = { cgminer: new Map(), http: new Map() };
  if (bytes === undefined) return empty;
  if (name === '/') return { ...empty, web: pageOf(specimen, bytes) };
  const reply = readReply(bytes, { whole: true });
  return reply.kind === 'reply' ? { ...empty, [query.kind]: new Map([[name, reply.value]]) } : empty;
};

const pageOf = ({ device }: Specimen, bytes: Uint8Array): NonNullable<Clues['web']> => {
  const realm = realmOf(device);
  const needsLogin = device.replies['http:/']?.auth === true && device.auth !== undefined;
  return needsLogin
    ? { status: 401, body: '', ...(realm === undefined ? {} : { realm }) }
    : { status: 200, body: new TextDecoder().decode(bytes) };
};
