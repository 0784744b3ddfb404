import { type CgminerQuery, type Driver, type HttpQuery, type Query, questionOf } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import type { NoReply, Reply } from '../../agent/probe/capture.ts';
import { documentIn } from '../../agent/probe/exchange.ts';
import { readFramed } from '../../agent/probe/framed.ts';
import { readAnswer } from '../../agent/probe/grpc.ts';
import { frameOf, messageIn } from '../../agent/probe/grpc-call.ts';
import { noReply, readReply } from '../../agent/probe/reply.ts';
import { EXPECTATIONS } from '../../test/drivers/capture-expectations/all.ts';
import type { CaptureExpectation } from '../../test/drivers/capture-expectations/expectation.ts';
import { hasCaptures, readBytes } from '../../test/drivers/captured.ts';
import { encoded } from '../../test/simulator/protobuf.ts';
import { knowsBy, loadSpecimens, replyBytes, type Specimen } from '../../test/specimens/specimen.ts';

/** The bytes that answer one question, and how the agent reads them. */
export interface Answer {
  readonly bytes: Uint8Array;
  readonly read: (bytes: Uint8Array) => Reply | NoReply;
}

/** A device that was looked at: a specimen, or a folder of captures. */
export interface Subject {
  readonly name: string;
  readonly driver: Driver;
  /** What the look gave, by query. */
  readonly replies: ReadonlyMap<string, Reply | NoReply>;
  /** The answers that can be damaged, by query. */
  readonly answers: ReadonlyMap<string, Answer>;
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

const subjectOf = (name: string, driver: Driver, answers: ReadonlyMap<string, Answer>, missing: NoReply): Subject => ({
  name,
  driver,
  answers,
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

const specimens = (): readonly Subject[] =>
  loadSpecimens().flatMap((specimen) => {
    const { device } = specimen;
    const driver = 'family' in device ? DRIVERS.find(({ family }) => family === device.family) : undefined;
    if (driver === undefined) return [];
    const answers = answersIn(driver, (_, query) => answerIn(specimen, query));
    return [subjectOf(specimen.name, driver, answers, noReply('unsupported', 'no such question'))];
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

const captures = (): readonly Subject[] =>
  EXPECTATIONS.flatMap(({ family, captures: folders }) => {
    const driver = DRIVERS.find((one) => one.family === family);
    if (driver === undefined) return [];
    return Object.entries(folders).map(([folder, expected]) => {
      const answers = answersIn(driver, (name, query) => {
        const file = fileOf(expected, name);
        return file === undefined ? undefined : captured(query, readBytes(folder, file));
      });
      return subjectOf(folder, driver, answers, noReply('unreachable', 'no file', { dark: true }));
    });
  });

/** Every specimen of a driver and, where they are at hand and wanted, every capture that has an expectation. */
export const loadSubjects = ({ withCaptures }: { readonly withCaptures: boolean }): readonly Subject[] => [
  ...specimens(),
  ...(withCaptures && hasCaptures() ? captures() : []),
];
