import {
  type Auth,
  type Clues,
  clueName,
  type Driver,
  PORTS,
  type Query,
  questionOf,
} from '../../agent/drivers/driver.ts';
import { requestText } from '../../agent/probe/allow.ts';
import { IDENTIFICATION } from '../../agent/probe/identify.ts';
import { readReply } from '../../agent/probe/reply.ts';
import { FACTS, type FactName } from '../../shared/facts.ts';
import type { Identified } from '../../test/simulator/identifications.ts';
import { realmOf, replyBytes, type Specimen } from '../../test/specimens/specimen.ts';
import { code, generatedFrom, markdownTable, page } from './markdown.ts';

/** `docs/drivers.md`: the families, and which fact is read from which of them. */
export const driversPage = (drivers: readonly Driver[], identifications: readonly Identified[]): string =>
  page(
    generatedFrom('agent/drivers/'),
    '# Drivers',
    INTRODUCTION,
    '## Families',
    markdownTable(
      ['Family', 'Of', 'Ports', 'Log-in', 'Facts'],
      drivers.map((driver) => [
        `[${code(driver.family)}](drivers/${driver.family}.md)`,
        driver.title,
        portsOf(driver),
        loginsOf(driver),
        String(Object.keys(driver.facts).length),
      ]),
    ),
    '## Facts by family',
    FACTS_INTRODUCTION,
    markdownTable(
      ['Fact', 'At every poll', 'At a full look', 'Meaning'],
      stated().map((fact) => [
        code(fact),
        readersOf(drivers, fact, 'P'),
        readersOf(drivers, fact, 'F'),
        FACTS[fact].meaning,
      ]),
    ),
    '## Recognition',
    RECOGNITION,
    IDENTIFICATION.map((query) => `- ${question(query)}`).join('\n'),
    '## What recognition costs',
    COST,
    markdownTable(
      ['Family', 'Connections', 'Refused attempts', 'Specimens'],
      drivers.map(({ family }) => costRow(family, identifications)),
    ),
  );

const COST = [
  'Measured with the simulator on the specimens of each family, on a device of which nothing is known yet. A connection',
  'carries one question to the CGMiner API, or all questions to a web interface that keeps it open. At an address where a',
  'port is closed the attempt is refused and not repeated. A plain cgminer is told from what other makers built of it only by',
  'what all four of its replies do not say. The result is kept: later looks ask as the family, and ask anew only when a',
  'reply is more like another one.',
].join('\n');

const costRow = (family: string, identifications: readonly Identified[]): readonly string[] => {
  const own = identifications.filter((one) => one.family === family);
  return [
    code(family),
    range(own.map(({ connections }) => connections)),
    range(own.map(({ refused }) => refused)),
    String(own.length),
  ];
};

const range = (counts: readonly number[]): string => {
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? String(least) : `${least} to ${most}`;
};

const INTRODUCTION = [
  'One driver for each firmware family. A driver names its questions from closed kinds only: a command of the CGMiner API,',
  'a GET of a fixed path, a POST that is listed word for word because its firmware answers reads to nothing else, a read of',
  'WhatsMiner API 3, and a call of gRPC with an empty message. What is on no list cannot be sent to a miner; [requests.md](requests.md) has all of it.',
].join('\n');

const FACTS_INTRODUCTION = [
  'A family that is not named beside a fact has no place to read it from. A `?` stands behind a family whose documents leave',
  'the place unverified: no reply of a device showed it yet.',
  '',
  '`firmware.components` of every family also has what the device shows to anybody without a log-in, read at times of its own',
  '(`schedule.web`, `.tls`, `.ssh`): `asset.<path>`, SHA-256 (b64u) of a static page; `tls.key`, SHA-256 (b64u) of the public key of the',
  'TLS server as its certificate has it (SubjectPublicKeyInfo); `ssh.host-key`, type and SHA-256 of the host key as OpenSSH prints',
  'it; `ssh.software`, what the SSH server calls itself. A device that shows none of them has none.',
].join('\n');

const RECOGNITION = [
  'A device is recognised without a log-in, from the answers to these questions, asked one after the other until one',
  'driver is certain; where one is only likely its own proof is asked as well. Where two drivers are equally sure and have the',
  'same proof behind Digest, that is asked with the log-in that is configured for both; a log-in of the maker is never tried. Else the device',
  'is `ambiguous` and is not read. Families of [driver files](write-a-driver.md) come last, where no driver here is at least likely.',
  '',
  'Where no driver is certain, a question whose answer broke off or came damaged is asked once more. If one stays without a whole answer, late ones',
  'too, the device is `ambiguous`: it may be one that this answer would tell. What it was known as it stays; one that was never known is not',
  'watched (`device.unrecognised`), and asked again. So is one of which nothing is known, where it speaks the CGMiner API or its landing page breaks off. An HTTP status',
  '408, 429 or 5xx but 501, and a landing page without a body, are no whole answer. A port to which no connection can be made at all is not',
  'waited for. Where for ten minutes, in five identifications or more, only web pages were lost and one family is left, the agent takes it for',
  'that one.',
].join('\n');

/** The table of facts leaves out what follows from the rest. */
const DERIVED: ReadonlySet<string> = new Set(['family', 'firmware.fingerprint']);

const stated = (): readonly FactName[] =>
  // Object.keys gives text; the keys are those of the table.
  (Object.keys(FACTS) as FactName[]).filter((fact) => !DERIVED.has(fact));

const portsOf = ({ queries }: Driver): string =>
  [...new Set(Object.values<Query>(queries).map(({ port }) => PORTS[port]))].sort((a, b) => a - b).join(', ');

const loginsOf = ({ queries }: Driver): string =>
  [...new Set(Object.values<Query>(queries).map(loginOf))].filter((login) => login !== '').join(', ');

/** `P`: read at every poll, `F`: at a full look. */
const readWhen = ({ facts, queries }: Driver, fact: FactName): 'P' | 'F' | undefined => {
  const source = facts[fact];
  if (source === undefined) return undefined;
  return source.queries.every((name) => queries[name]?.cadence === 'pools') ? 'P' : 'F';
};

const readersOf = (drivers: readonly Driver[], fact: FactName, when: 'P' | 'F'): string =>
  drivers
    .filter((driver) => readWhen(driver, fact) === when)
    .map(({ family, unverified = [] }) => `${family}${unverified.includes(fact) ? ' ?' : ''}`)
    .join(', ');

const question = (query: Query): string => {
  const otherwise = query.kind === 'cgminer' ? query.otherwise : undefined;
  return `${code(requestText(query))}${otherwise === undefined ? '' : `, else ${question(otherwise)}`}`;
};

/** `docs/drivers/<family>.md`: how a family is recognised, what is asked, which facts it gives, what is odd, what to close. */
export const familyPage = (driver: Driver, specimens: readonly Specimen[]): string => {
  const own = specimens.filter(({ device }) => 'family' in device && device.family === driver.family);
  return page(
    generatedFrom('agent/drivers/ and test/specimens/'),
    `# ${code(driver.family)}`,
    `${driver.title}. Source: ${driver.source}.`,
    '## How it is recognised',
    recognitionOf(driver, own),
    '## What is asked',
    markdownTable(
      ['Question', 'Asked', 'Log-in', 'Facts from it'],
      Object.entries(driver.queries).map(queryRow(driver)),
    ),
    driver.assets === undefined
      ? ''
      : `Static pages whose digests are components of the firmware, asked for without a log-in: ${driver.assets.map(question).join(', ')}.`,
    driver.secrets === undefined
      ? ''
      : `Masked beside the common names of secrets: ${driver.secrets.map(code).join(', ')}.`,
    '## Facts',
    markdownTable(
      ['Fact', 'Read', 'Meaning'],
      stated().map((fact) => [code(fact), factCell(driver, fact), FACTS[fact].meaning]),
    ),
    (driver.quirks ?? []).length === 0 ? '' : `## Quirks\n\n${bullets(driver.quirks ?? [])}`,
    (driver.close ?? []).length === 0 ? '' : `## What to close\n\n${bullets(driver.close ?? [])}`,
    `Specimens: ${own.map(({ name, device }) => `${code(name)} (${device.model})`).join(', ')}.`,
  );
};

const bullets = (sentences: readonly string[]): string => sentences.map((sentence) => `- ${sentence}`).join('\n');

const factCell = (driver: Driver, fact: FactName): string => {
  const when = readWhen(driver, fact);
  if (when === undefined) return '';
  const unverified = driver.unverified?.includes(fact) ? ', unverified' : '';
  return `${when === 'P' ? 'every poll' : 'full look'}${unverified}`;
};

const queryRow =
  (driver: Driver) =>
  ([name, query]: [string, Query]): readonly string[] => [
    question(query),
    query.cadence === 'pools' ? 'every poll' : 'full look',
    loginOf(query),
    Object.entries(driver.facts)
      .filter(([, source]) => source.queries.includes(name))
      .map(([fact]) => code(fact))
      .join(', '),
  ];

const loginOf = (query: Query): string => {
  if (query.kind === 'http') return inWords(query.auth);
  return query.kind === 'grpc' && query.auth !== 'none' ? 'session of gRPC' : '';
};

const inWords = (auth: Auth): string => {
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
  const alone = best.map(({ query, level }) => `${question(query)} (${SURENESS[level]})`).join(', ');
  const [open = [], inside = []] = [false, true].map((isInside) =>
    (driver.proofs ?? [])
      .flatMap((name) => driver.queries[name] ?? [])
      .filter((query) => (query.kind === 'http' && query.auth === 'digest') === isInside)
      .map(question),
  );
  return [
    alone === '' ? '' : `From one answer alone: ${alone}.`,
    open.length === 0 ? '' : `Where it is only likely, settled by ${open.join(', ')}.`,
    inside.length === 0
      ? ''
      : `Where nothing open settles it, by ${inside.join(', ')} with the log-in that is configured.`,
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');
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
