import { type CgminerQuery, type Driver, type HttpQuery, type Query, questionOf } from '../drivers/driver.ts';
import { isUnknownQuestion } from '../drivers/status.ts';
import { withoutSecrets } from '../drivers/text-secrets.ts';
import { normalise } from '../normalise/facts.ts';
import { maskCapture, type SecretNames, secretNames } from '../normalise/mask.ts';
import { sanitiseText } from '../normalise/sanitise.ts';
import { compileAllowList } from '../probe/allow.ts';
import type { Capture, NoReply, Reply } from '../probe/capture.ts';
import { documentIn, type Page } from '../probe/exchange.ts';
import { IDENTIFICATION } from '../probe/identify.ts';
import { Line, type ProbeDeps } from '../probe/line.ts';
import { inOrder, withLogin } from '../probe/probe.ts';
import { noReply } from '../probe/reply.ts';
import type { Target } from '../probe/target.ts';
import type { LeftOut, RecordedDevice } from './recording.ts';
import { lookAtRecording, needsLogin } from './replay.ts';

/** What a device said, as it may be kept. */
export interface Recorded {
  readonly device: Pick<RecordedDevice, 'replies' | 'left_out'> & Partial<RecordedDevice>;
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What is not in it, and why, in words. */
  readonly remarks: readonly string[];
}

export interface RecordOptions {
  readonly target: Target;
  /** Whose questions are asked beside those of identification; undefined for a device that nobody knows. */
  readonly driver: Driver | undefined;
  /** All drivers: of a device that nobody knows whatever is secret to any family is masked. */
  readonly drivers: readonly Driver[];
  readonly redact: readonly string[];
  readonly deps: Omit<ProbeDeps, 'allow'>;
}

const NOT_ASKED = noReply('unsupported', 'not asked: another answer shows that there is nothing to say');

/** Asks a device everything that its driver and identification ask, each question once, and masks what is secret. */
export const recordDevice = async ({ target, driver, drivers, redact, deps }: RecordOptions): Promise<Recorded> => {
  const queries = questionsOf(driver);
  const allow = compileAllowList([], [...queries.values()].flatMap(byEachKey));
  const secrets = driver === undefined ? drivers.flatMap((one) => one.secrets ?? []) : (driver.secrets ?? []);
  const asked = driver === undefined ? target : withLogin(target, driver);
  const minutes = new Minutes(secretNames({ secrets }, redact), asked.credential !== undefined);
  const live = new Map<string, Reply | NoReply>();
  await using line = new Line(asked, { ...deps, allow }, driver);
  for (const [question, query] of queries) {
    const names = namesOf(driver, question);
    const pointless = names.length > 0 && names.every((name) => driver?.queries[name]?.unless?.(live));
    const reply = pointless ? NOT_ASKED : await minutes.ask(line, query);
    for (const name of names) live.set(name, reply);
  }
  const recorded = minutes.close();
  return driver === undefined
    ? recorded
    : expecting(recorded, driver, { address: target.address, observedAtMs: 0, replies: live }, asked);
};

/** Ports that one family alone listens on are asked only for that family, or where nobody knows the device. */
const questionsOf = (driver: Driver | undefined): ReadonlyMap<string, Query> => {
  const own = driver === undefined ? [] : inOrder(driver, 'full').map(([, query]) => query);
  const usual = (query: Query): boolean => driver === undefined || query.port === 'cgminer' || query.port === 'http';
  const asked = [...IDENTIFICATION.filter(usual), ...own.toSorted((a, b) => Number(isLocked(a)) - Number(isLocked(b)))];
  // Of one question that is asked twice, what says how it is let in comes last and stays.
  return new Map(asked.map((query) => [questionOf(query), query]));
};

const isLocked = (query: Query): boolean => (query.kind === 'http' || query.kind === 'grpc') && query.auth !== 'none';

const namesOf = (driver: Driver | undefined, question: string): readonly string[] =>
  Object.entries<Query>(driver?.queries ?? {}).flatMap(([name, query]) => (questionOf(query) === question ? name : []));

/** The same questions as they are asked here: by one key at a time, so that it shows which one the device knows. */
const BY_COMMAND = new WeakMap<CgminerQuery, CgminerQuery>();

const byCommand = (query: CgminerQuery): CgminerQuery =>
  BY_COMMAND.getOrInsertComputed(query, () => {
    const { otherwise: _, ...plain } = query;
    return plain;
  });

const byEachKey = (query: Query): readonly Query[] =>
  query.kind !== 'cgminer' || query.otherwise === undefined ? [query] : [byCommand(query), query.otherwise];

/** Takes down what a device says. */
class Minutes {
  readonly #names: SecretNames;
  readonly #hasLogin: boolean;
  readonly #replies: { [question: string]: RecordedDevice['replies'][string] } = {};
  readonly #leftOut: { [question: string]: LeftOut } = {};
  readonly #dark: string[] = [];
  readonly #files = new Map<string, Uint8Array>();
  readonly #onlyCmd: string[] = [];
  readonly #remarks: string[] = [];
  #ending: RecordedDevice['cgminer']['ending'] | undefined;
  #auth: RecordedDevice['auth'];

  constructor(names: SecretNames, hasLogin: boolean) {
    this.#names = names;
    this.#hasLogin = hasLogin;
  }

  ask(line: Line, query: Query): Promise<Reply | NoReply> {
    if (query.kind === 'http') return this.#askPage(line, query);
    return query.kind === 'cgminer' ? this.#askCommand(line, query) : this.#askPlain(line, query);
  }

  async #askPlain(line: Line, query: Query): Promise<Reply | NoReply> {
    return this.#take(query, await line.ask(query));
  }

  async #askCommand(line: Line, query: CgminerQuery): Promise<Reply | NoReply> {
    const first = await line.ask(query.otherwise === undefined ? query : byCommand(query));
    if (query.otherwise === undefined || !isUnknown(first)) return this.#take(query, first);
    const second = await line.ask(query.otherwise);
    if (second.kind !== 'reply' || isUnknown(second)) return this.#take(query, first);
    this.#onlyCmd.push(query.command);
    return this.#take(query, second);
  }

  #take(query: Query, reply: Reply | NoReply): Reply | NoReply {
    const question = questionOf(query);
    if (reply.kind === 'no-reply' && reply.dark) this.#dark.push(question);
    // A refusal is a document, too; what was cut off or cannot be read is not kept.
    else if (reply.kind === 'no-reply' && (reply.bytes === undefined || reply.reason !== 'refused'))
      this.#leave(question, reply);
    else this.#keep(question, reply.bytes ?? new Uint8Array(), {});
    if (query.kind === 'cgminer' && reply.bytes !== undefined) this.#ending ??= endingOf(reply.bytes);
    return reply;
  }

  async #askPage(line: Line, query: HttpQuery): Promise<Reply | NoReply> {
    const question = questionOf(query);
    const page = await line.page(query);
    if (page.kind === 'no-reply') {
      if (page.dark) this.#dark.push(question);
      // Not asked, because there is no log-in to ask with; or because the one there is was refused before.
      else if (page.reason === 'refused' && !this.#hasLogin)
        this.#replies[question] = { status: 200, headers: {}, auth: true };
      else this.#leave(question, page);
      return page;
    }
    this.#takePage(query, page);
    return documentIn(page, query);
  }

  #takePage(query: HttpQuery, page: Page): void {
    const question = questionOf(query);
    const { status, body } = page;
    const auth = query.auth !== 'none';
    if (status === 401) {
      this.#auth ??= challengeIn(page);
      this.#replies[question] = { status, headers: {}, auth: !auth };
    } else if (status >= 200 && status < 300 && body.length > 0) {
      this.#keep(question, body, { status, auth: this.#hasLogin && needsLogin(query) });
    } else this.#replies[question] = { status, headers: locationOf(page), auth: false };
  }

  /** Byte for byte, but for what is masked. */
  #keep(question: string, bytes: Uint8Array, how: { readonly status?: number; readonly auth?: boolean }): void {
    const { status = 200, auth = false } = how;
    const masked = maskCapture(bytes, this.#names);
    if (masked === undefined) {
      this.#leftOut[question] = 'unreadable';
      this.#remarks.push(
        `${question}: ${bytes.length} bytes in which secrets cannot be masked are not kept${titleIn(bytes)}`,
      );
      if (question === 'http:/') this.#replies[question] = { status, headers: {}, auth };
      return;
    }
    const file = this.#freeName(question, masked);
    this.#files.set(file, masked);
    this.#replies[question] = { file, status, headers: {}, auth };
  }

  #leave(question: string, { reason, detail }: NoReply): void {
    // What a device does not know needs no word: a question that is not listed is one.
    if (reason === 'unsupported') return;
    this.#leftOut[question] = reason;
    this.#remarks.push(`${question}: ${reason}, ${detail}`);
  }

  #freeName(question: string, bytes: Uint8Array): string {
    const plain = question.replace(/^(?:cgminer|http|grpc):/, '').replace(/[^A-Za-z0-9]+/g, '-');
    const stem = plain.replace(/^-|-$/g, '').slice(0, 80) || 'index';
    const end = bytes[0] === 0x7b || bytes[0] === 0x5b ? 'json' : 'txt';
    for (let number = 1; ; number += 1) {
      const name = `${stem}${number === 1 ? '' : `-${number}`}.${end}`;
      if (!this.#files.has(name) && name !== 'device.json') return name;
    }
  }

  close(): Recorded {
    // Where nothing of an interface answered there is none; else the silent questions stand out.
    const spoken = new Set([...Object.keys(this.#replies), ...Object.keys(this.#leftOut)].map(interfaceOf));
    for (const question of this.#dark) if (spoken.has(interfaceOf(question))) this.#leftOut[question] = 'unreachable';
    return {
      device: {
        ...(this.#auth === undefined ? {} : { auth: this.#auth }),
        cgminer: { ending: this.#ending ?? 'nul', only_cmd: this.#onlyCmd },
        replies: this.#replies,
        left_out: this.#leftOut,
      },
      files: this.#files,
      remarks: this.#remarks,
    };
  }
}

const interfaceOf = (question: string): string => question.replace(/:.*/s, '');

const isUnknown = (reply: Reply | NoReply): boolean => reply.kind === 'reply' && isUnknownQuestion(reply.value);

const endingOf = (bytes: Uint8Array): RecordedDevice['cgminer']['ending'] =>
  bytes.at(-1) === 0 ? 'nul' : bytes.at(-1) === 0x0a ? 'newline' : 'none';

/** How the device asks for its log-in; whose it is stays out of the recording. */
const challengeIn = ({ challenges }: Page): RecordedDevice['auth'] => {
  for (const { scheme, parameters } of challenges) {
    const realm = parameters.get('realm');
    if (realm !== undefined && (scheme === 'digest' || scheme === 'basic'))
      return { kind: scheme, realm: sanitiseText(realm), user: '***', password: '***' };
  }
  return undefined;
};

/** Where a page sends the browser, without what might be a log-in or a session in it. */
const locationOf = ({ location }: Page): { readonly [name: string]: string } =>
  location === undefined || location.includes('@')
    ? {}
    : { Location: withoutSecrets(location.replace(/[?#;].*$/s, '')) };

const titleIn = (bytes: Uint8Array): string => {
  const start = new TextDecoder().decode(bytes.subarray(0, 16_384));
  const title = /<title[^>]{0,200}>([^<]{1,200})</i.exec(start)?.[1]?.trim();
  return title === undefined ? '' : `; the title of the page is ${JSON.stringify(sanitiseText(title))}`;
};

// ---- what is expected of it ------------------------------------------------------------------------------------------

/** The recording with the facts that it gives, so that it is a test at once; and where these are not what the device said. */
const expecting = (recorded: Recorded, driver: Driver, live: Capture, target: Target): Recorded => {
  const { device, files, remarks } = recorded;
  const credentials = target.credential !== undefined;
  const whole = { ...device, cgminer: { ending: 'nul' as const, only_cmd: [], ...device.cgminer } };
  const kept = lookOf(driver, lookAtRecording({ device: whole, files }, driver, credentials));
  const said = lookOf(driver, live);
  const lost = Object.keys(said.facts).filter((name) => !same(said.facts[name], kept.facts[name]));
  return {
    device: { family: driver.family, ...device, expect: [{ credentials, ...kept }] },
    files,
    remarks:
      lost.length === 0
        ? remarks
        : [...remarks, `not as the device said it, because of what is masked or left out: ${lost.join(', ')}`],
  };
};

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** What a look gives, as `device.json` has it. */
export const lookOf = (
  driver: Driver,
  capture: Capture,
): { readonly facts: { readonly [name: string]: unknown }; readonly readings: { readonly [name: string]: string } } => {
  const { facts, gaps } = normalise(driver, capture, 'full');
  const { 'firmware.fingerprint': _, ...stated } = facts;
  const readings = [...gaps].map(([name, gap]) => [name, gap === 'absent' ? gap : `unknown: ${gap}`]);
  return { facts: stated, readings: Object.fromEntries(readings) };
};
