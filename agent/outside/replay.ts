import {
  type Auth,
  type CgminerQuery,
  type Clues,
  clueName,
  type Driver,
  type HttpQuery,
  type Query,
  questionOf,
} from '../drivers/driver.ts';
import { isUnknownQuestion } from '../drivers/status.ts';
import type { Capture, JsonValue, NoReply, Reply } from '../probe/capture.ts';
import { documentIn } from '../probe/exchange.ts';
import { readFramed } from '../probe/framed.ts';
import { IDENTIFICATION } from '../probe/identify.ts';
import { noReply, readReply } from '../probe/reply.ts';
import type { Recording } from './recording.ts';

/** What the transports make of recorded replies, without a socket. */

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const INVALID_COMMAND = bytesOf('{"STATUS":[{"STATUS":"E","When":1,"Code":14,"Msg":"Invalid command"}],"id":1}');

const ENDINGS = { nul: '\0', newline: '\n', none: '' } as const;

/** The realm that a device names where it asks for a log-in by a scheme of HTTP. */
export const realmOf = ({ auth }: Pick<Recording['device'], 'auth'>): string | undefined =>
  auth !== undefined && 'realm' in auth ? auth.realm : undefined;

/** Whether a device knows a command where it is asked for by this key. */
export const knowsBy = (
  { cgminer }: Pick<Recording['device'], 'cgminer'>,
  command: string,
  key: 'command' | 'cmd',
): boolean => key === 'cmd' || !cgminer.only_cmd.includes(command);

/** The bytes of the reply to a question, where there is one. */
export const replyBytes = ({ device, files }: Recording, question: string): Uint8Array | undefined => {
  const listed = device.replies[question];
  if (listed === undefined) return undefined;
  return listed.file === undefined ? new Uint8Array() : files.get(listed.file);
};

/** Whether something listens where the question goes. */
const hasPort = ({ device }: Recording, query: Query): boolean => {
  const start = questionOf(query).replace(/:.*/s, ':');
  return [device.replies, device.left_out].some((questions) =>
    Object.keys(questions).some((question) => question.startsWith(start)),
  );
};

const overTcp = (recording: Recording, query: CgminerQuery): Reply | NoReply => {
  const { ending, unanswered } = recording.device.cgminer;
  const unlisted = unanswered === undefined ? INVALID_COMMAND : recording.files.get(unanswered);
  const known = knowsBy(recording.device, query.command, query.key)
    ? replyBytes(recording, questionOf(query))
    : undefined;
  const bytes = known ?? unlisted ?? INVALID_COMMAND;
  return readReply(new Uint8Array([...bytes, ...bytesOf(ENDINGS[ending])]), { whole: false });
};

const overHttp = (recording: Recording, query: HttpQuery): Reply | NoReply => {
  const question = questionOf(query);
  const listed = recording.device.replies[question];
  const body = Buffer.from(replyBytes(recording, question) ?? []);
  const status = listed?.status ?? 404;
  return documentIn({ kind: 'page', status, challenges: [], cookies: [], body, whole: true }, query);
};

/** Whether a question is asked without a log-in, at least until the device wants one. */
const isOpenAtFirst = (auth: Auth): boolean =>
  auth === 'none' ||
  auth === 'basic-if-asked' ||
  (typeof auth === 'object' && auth.kind === 'login' && auth.ifAsked === true);

/** Whether a question is asked with a log-in only. */
export const needsLogin = (query: Query): boolean =>
  query.kind === 'grpc' ? query.auth !== 'none' : query.kind === 'http' && !isOpenAtFirst(query.auth);

/** What a device of recorded replies answers to a question. */
const askRecorded = (recording: Recording, query: Query, credentials: boolean): Reply | NoReply => {
  if (needsLogin(query) && !credentials) return noReply('refused', 'no credentials');
  if (!hasPort(recording, query)) return noReply('unreachable', 'no such port', { dark: true });
  const question = questionOf(query);
  const leftOut = recording.device.left_out[question];
  if (leftOut !== undefined)
    return noReply(leftOut, 'not in the recording', leftOut === 'unreachable' ? { dark: true } : {});
  switch (query.kind) {
    case 'cgminer': {
      const reply = overTcp(recording, query);
      const isUnknown = reply.kind === 'reply' && isUnknownQuestion(reply.value);
      return isUnknown && query.otherwise !== undefined ? overTcp(recording, query.otherwise) : reply;
    }
    case 'framed': {
      const bytes = replyBytes(recording, question);
      return bytes === undefined ? noReply('unsupported', 'code -2') : readFramed(bytes);
    }
    case 'grpc': {
      const bytes = replyBytes(recording, question);
      return bytes === undefined ? noReply('unsupported', 'no such method') : readReply(bytes, { whole: true });
    }
    case 'http': {
      const locked = recording.device.replies[question]?.auth === true;
      return locked && !credentials ? noReply('refused', 'HTTP 401') : overHttp(recording, query);
    }
  }
};

/** A full look at such a device. */
export const lookAtRecording = (recording: Recording, driver: Driver, credentials: boolean): Capture => {
  const replies = new Map<string, Reply | NoReply>();
  for (const [name, query] of Object.entries(driver.queries)) {
    const pointless = query.unless?.(replies) === true;
    replies.set(name, pointless ? noReply('unsupported', 'not asked') : askRecorded(recording, query, credentials));
  }
  return { address: '192.0.2.1', observedAtMs: 0, replies };
};

const webClue = (recording: Recording): Clues['web'] => {
  const { device } = recording;
  const page = device.replies['http:/'];
  if (page === undefined) return undefined;
  const location = page.headers.Location;
  const realm = realmOf(device);
  if (page.auth) return { status: 401, body: '', ...(realm === undefined ? {} : { realm }) };
  const body = new TextDecoder().decode(replyBytes(recording, 'http:/'));
  return { status: page.status, body, ...(location === undefined ? {} : { location }) };
};

/** The clues that such a device gives who asks all questions of identification, and those that prove a family of `drivers`. */
export const cluesOfRecording = (recording: Recording, drivers: readonly Driver[]): Clues => {
  const clues = {
    cgminer: new Map<string, JsonValue>(),
    http: new Map<string, JsonValue>(),
    framed: new Map<string, JsonValue>(),
    grpc: new Map<string, JsonValue>(),
  };
  const proofs = drivers.flatMap(({ proofs = [], queries }) => proofs.flatMap((name) => queries[name] ?? []));
  for (const query of [...IDENTIFICATION, ...proofs]) {
    if (clueName(query) === '/') continue;
    // What is asked behind a log-in settles it where nothing open does.
    const isInside = query.kind === 'http' && query.auth === 'digest';
    const reply = askRecorded(recording, query, isInside);
    if (reply.kind === 'reply') clues[query.kind].set(clueName(query), reply.value);
  }
  const web = webClue(recording);
  return { ...clues, ...(web === undefined ? {} : { web }) };
};
