import { type CgminerQuery, type Driver, type HttpQuery, type Query, questionOf } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import type { NoReply, Reply } from '../../agent/probe/capture.ts';
import { documentIn } from '../../agent/probe/exchange.ts';
import { readFramed } from '../../agent/probe/framed.ts';
import { readAnswer } from '../../agent/probe/grpc.ts';
import { frameOf, messageIn } from '../../agent/probe/grpc-call.ts';
import type { Answer as Told } from '../../agent/probe/identify.ts';
import { noReply, readReply } from '../../agent/probe/reply.ts';
import { EXPECTATIONS } from '../../test/drivers/capture-expectations/all.ts';
import type { CaptureExpectation } from '../../test/drivers/capture-expectations/expectation.ts';
import { hasCaptures, readBytes } from '../../test/drivers/captured.ts';
import { encoded } from '../../test/simulator/protobuf.ts';
import { knowsBy, loadSpecimens, realmOf, replyBytes, type Specimen } from '../../test/specimens/specimen.ts';

/** The bytes that answer one question, and how the agent reads them. */
export interface Answer {
  readonly bytes: Uint8Array;
  readonly read: (bytes: Uint8Array) => Reply | NoReply;
}

/** The bytes that answer a question of identification, and how the agent reads them. */
export interface Clue {
  readonly bytes: Uint8Array;
  readonly read: (bytes: Uint8Array) => Told;
}

/** A device that was looked at: a specimen, or a folder of captures. */
export interface Subject {
  readonly name: string;
  readonly driver: Driver;
  /** What the look gave, by query. */
  readonly replies: ReadonlyMap<string, Reply | NoReply>;
  /** The answers that can be damaged, by query. */
  readonly answers: ReadonlyMap<string, Answer>;
  /** What it answers who does not know its family, or why it does not. */
  readonly clueTo: (query: Query) => Clue | NoReply;
}

const asPage = (query: HttpQuery, status: number) => (bytes: Uint8Array) =>
  documentIn({ kind: 'page', status, challenges: [], cookies: [], body: Buffer.from(bytes), whole: true }, query);

const reading = (query: Query, status: number): Answer['read'] => {
  switch (query.kind) {
    case 'cgminer':
      return (bytes) => readReply(bytes, { whole: false });
    case 'http':
      return asPage(query, status);
    case 'framed':
      return readFramed;
    case 'grpc':
      return (bytes) => {
        const message = messageIn(Buffer.from(bytes));
        return message === undefined ? noReply('unreadable', 'no message') : readAnswer(message, query.answer);
      };
  }
};

const subjectOf = ({ name, driver, answers, clueTo }: Omit<Subject, 'replies'>, missing: NoReply): Subject => ({
  name,
  driver,
  answers,
  clueTo,
  replies: new Map(
    Object.keys(driver.queries).map((query) => {
      const answer = answers.get(query);
      return [query, answer === undefined ? missing : answer.read(answer.bytes)];
    }),
  ),
});

// ---- specimens -------------------------------------------------------------------------------------------------------

const INVALID_COMMAND = Buffer.from('{"STATUS":[{"STATUS":"E","When":1,"Code":14,"Msg":"Invalid command"}],"id":1}');
const ENDINGS = { nul: '\0', newline: '\n', none: '' } as const;

const known = (specimen: Specimen, query: CgminerQuery): Uint8Array | undefined =>
  knowsBy(specimen.device, query.command, query.key) ? replyBytes(specimen, questionOf(query)) : undefined;

const overTcp = (specimen: Specimen, query: CgminerQuery): Answer | undefined => {
  const { replies, cgminer } = specimen.device;
  const port = questionOf(query).replace(/:.*/s, ':');
  if (!Object.keys(replies).some((question) => question.startsWith(port))) return undefined;
  const unlisted = cgminer.unanswered === undefined ? undefined : specimen.files.get(cgminer.unanswered);
  const document =
    known(specimen, query) ??
    (query.otherwise === undefined ? undefined : known(specimen, query.otherwise)) ??
    unlisted ??
    INVALID_COMMAND;
  const bytes = Buffer.concat([document, Buffer.from(ENDINGS[cgminer.ending])]);
  const read = reading(query, 200);
  return { bytes, read };
};

const answerIn = (specimen: Specimen, query: Query): Answer | undefined => {
  if (query.kind === 'cgminer') return overTcp(specimen, query);
  const bytes = replyBytes(specimen, questionOf(query));
  if (query.kind === 'grpc' && bytes !== undefined)
    return { bytes: frameOf(encoded(query.method, bytes)), read: reading(query, 200) };
  const status = specimen.device.replies[questionOf(query)]?.status ?? 200;
  return bytes === undefined ? undefined : { bytes, read: reading(query, status) };
};

const answersIn = (driver: Driver, find: (name: string, query: Query) => Answer | undefined) =>
  new Map(
    Object.entries(driver.queries).flatMap(([name, query]) => {
      const answer = find(name, query);
      return answer === undefined || answer.bytes.length === 0 ? [] : [[name, answer] as const];
    }),
  );

const CLOSED = noReply('unreachable', 'ECONNREFUSED', { dark: true });
const OTHER_PROTOCOL = noReply('unreachable', 'a web server answers at this port', {
  dark: true,
  bytes: Buffer.from('HTTP/1.1 400 Bad Request'),
});
const UNKNOWN = noReply('unsupported', 'HTTP 404');

/** The interface of a question, as the questions of a specimen begin. */
const interfaceIn = (query: Query): string => questionOf(query).replace(/:.*/s, ':');

const landingPage = (specimen: Specimen): Clue => {
  const listed = specimen.device.replies['http:/'];
  const status = listed === undefined ? 404 : listed.auth ? 401 : listed.status;
  const realm = listed?.auth ? realmOf(specimen.device) : undefined;
  const challenges = realm === undefined ? [] : [{ scheme: 'digest', parameters: new Map([['realm', realm]]) }];
  const location = listed?.headers.Location;
  const page = { kind: 'page', status, challenges, cookies: [], whole: true } as const;
  const body = listed?.auth ? undefined : replyBytes(specimen, 'http:/');
  return {
    bytes: body ?? new Uint8Array(),
    read: (bytes) => ({ ...page, body: Buffer.from(bytes), ...(location === undefined ? {} : { location }) }),
  };
};

const clueOf =
  (specimen: Specimen): Subject['clueTo'] =>
  (query) => {
    const questions = Object.keys(specimen.device.replies);
    const listens = (start: string): boolean => questions.some((question) => question.startsWith(start));
    if (!listens(interfaceIn(query)))
      return query.kind === 'cgminer' && listens(`http@${query.port}:`) ? OTHER_PROTOCOL : CLOSED;
    if (questionOf(query) === 'http:/') return landingPage(specimen);
    if (specimen.device.replies[questionOf(query)]?.auth) return noReply('refused', 'HTTP 401');
    return answerIn(specimen, query) ?? UNKNOWN;
  };

const specimens = (): readonly Subject[] =>
  loadSpecimens().flatMap((specimen) => {
    const { device } = specimen;
    const driver = 'family' in device ? DRIVERS.find(({ family }) => family === device.family) : undefined;
    if (driver === undefined) return [];
    const answers = answersIn(driver, (_, query) => answerIn(specimen, query));
    const subject = { name: specimen.name, driver, answers, clueTo: clueOf(specimen) };
    return [subjectOf(subject, noReply('unsupported', 'no such question'))];
  });

// ---- captures --------------------------------------------------------------------------------------------------------

/** What a file may lack of a reply as it came. */
const LOST_ENDINGS = ['', '\0', '|\0'];

const captured = (query: Query, file: Uint8Array): Answer => {
  const read = reading(query, 200);
  const endings = LOST_ENDINGS.map((ending) => Buffer.concat([file, Buffer.from(ending)]));
  const bytes = query.kind === 'cgminer' ? endings.find((ended) => read(ended).kind === 'reply') : file;
  return { bytes: bytes ?? file, read };
};

const fileOf = ({ files }: CaptureExpectation, query: string): string | undefined =>
  Object.entries(files).find(([, file]) => 'query' in file && file.query === query)?.[0];

/** Of a question without a file the device knows nothing, where it answers others at that interface. */
const clueAmong =
  ({ queries }: Driver, answers: ReadonlyMap<string, Answer>): Subject['clueTo'] =>
  (query) => {
    const asked = [...answers].flatMap(([name, answer]) => {
      const own = queries[name];
      return own === undefined ? [] : [{ own, answer }];
    });
    const same = asked.find(({ own }) => questionOf(own) === questionOf(query));
    if (same !== undefined) return same.answer;
    if (!asked.some(({ own }) => interfaceIn(own) === interfaceIn(query))) return CLOSED;
    return query.kind === 'cgminer' ? { bytes: INVALID_COMMAND, read: reading(query, 200) } : UNKNOWN;
  };

const captures = (): readonly Subject[] =>
  EXPECTATIONS.flatMap(({ family, captures: folders }) => {
    const driver = DRIVERS.find((one) => one.family === family);
    if (driver === undefined) return [];
    return Object.entries(folders).map(([folder, expected]) => {
      const answers = answersIn(driver, (name, query) => {
        const file = fileOf(expected, name);
        return file === undefined ? undefined : captured(query, readBytes(folder, file));
      });
      const subject = { name: folder, driver, answers, clueTo: clueAmong(driver, answers) };
      return subjectOf(subject, noReply('unreachable', 'no file', { dark: true }));
    });
  });

/** Every specimen of a driver and, where they are at hand and wanted, every capture that has an expectation. */
export const loadSubjects = ({ withCaptures }: { readonly withCaptures: boolean }): readonly Subject[] => [
  ...specimens(),
  ...(withCaptures && hasCaptures() ? captures() : []),
];
