import type { UnknownReason } from '../../shared/facts.ts';
import {
  type Clues,
  cgminer,
  clueName,
  type Driver,
  framed,
  httpGet,
  type Query,
  questionOf,
} from '../drivers/driver.ts';
import type { Capture, JsonValue, NoReply, Reply } from './capture.ts';
import { documentIn, isBusy, type Page } from './exchange.ts';
import { interfaceOf, Line, type ProbeDeps } from './line.ts';
import { withLogin } from './probe.ts';
import type { Target } from './target.ts';

/** A family that was recognised. `evidence`: each question asked and what came of it, in words of ours. */
export interface Identified {
  readonly kind: 'identified';
  readonly driver: Driver;
  readonly clues: Clues;
  readonly evidence: readonly string[];
  /** It is no more than possible, and a web page, which may yet name another family, was not seen. */
  readonly unpaged?: true;
}

/** What an address turned out to be. */
export type Identification =
  | Identified
  | {
      readonly kind: 'ambiguous';
      readonly families: readonly string[];
      /** `refused`: a log-in would tell which. */
      readonly reason: Exclude<UnknownReason, 'unsupported'>;
      /** Questions whose answers would tell and did not arrive whole: then it may also be one that is not named. */
      readonly lost?: readonly string[];
      /** What it is where its web pages, of which alone something was lost, never answer. */
      readonly pageless?: Identified;
    }
  | {
      readonly kind: 'unidentified';
      readonly detail: string;
      readonly lost?: readonly string[];
      /** It may well be a miner: it speaks the CGMiner API, takes connections for it in silence, or began to give a landing page that broke off. */
      readonly speaks?: true;
    }
  /** `drips`: somebody sent something, and no whole reply. `accepts`: somebody took a connection, and nothing more came of it. */
  | {
      readonly kind: 'unreachable';
      readonly reason: 'unreachable' | 'timeout';
      readonly drips?: true;
      readonly accepts?: true;
    };

const VERSION = cgminer('version');
/** WhatsMiner knows this one; firmware from late 2020 also, or only, by the other key. */
const GET_VERSION = cgminer('get_version', { cadence: 'config', key: 'either' });
/** Where old firmware differs from its siblings: modules of Avalon and the header row of Bitmain, fans of WhatsMiner. */
const STATS = cgminer('stats');
const SUMMARY = cgminer('summary');
/** Where boxes of Goldshell differ that call their program as others do, and devices of iPollo. */
const DEVS = cgminer('devs');
const ROOT = httpGet('/');
/** What firmware without a tell-tale landing page answers to anybody. */
const AXEOS_INFO = httpGet('/api/system/info');
/** Ports that one family alone listens on, asked where the usual ones told nothing. */
const WHATSMINER_3 = framed('get.device.info');
const VOLCMINER = cgminer('version', { cadence: 'config', port: 'volcminer' });

/** The questions of identification, for the allow-list. */
export const IDENTIFICATION: readonly Query[] = [
  VERSION,
  GET_VERSION,
  SUMMARY,
  STATS,
  DEVS,
  ROOT,
  AXEOS_INFO,
  WHATSMINER_3,
  VOLCMINER,
];

/** Whether identification may ask this, without a log-in. */
export const isOfIdentification = (query: Query, drivers: readonly Driver[]): boolean =>
  [...IDENTIFICATION, ...drivers.flatMap(openProofsOf)].some((one) => questionOf(one) === questionOf(query));

/** How much of a landing page is looked at, bytes. */
const PAGE_START = 16_384;

/**
 * Finds the family at an address, in the order of the survey of families: what 4028 `version`
 * says, where it says nothing the questions of WhatsMiner, the landing page, the replies that settle what these make
 * likely; then for what is still only likely the replies in which old firmware shows its maker, and for what told
 * nothing the ports of single families. Ends as soon as a driver is certain. Drivers from outside come last, where no
 * built-in one is at least likely.
 *
 * Nobody shows a log-in to a device of which it is not known what it is. Only where all that it could be have one question
 * behind Digest that tells them apart, and may be shown the operator's log-in, it is asked: any of them would be, in a look.
 */
export const identify = async (
  target: Target,
  drivers: readonly Driver[],
  deps: ProbeDeps,
): Promise<Identification> => {
  const { address, ports } = target;
  const inquiry = new Inquiry(drivers);
  await askOver(new Line({ address, ports }, deps), inquiry.run());
  if (inquiry.mayShowLogin(target)) await askOver(new Line(target, deps), inquiry.settle());
  return inquiry.conclude();
};

/** The same of answers that are at hand, without a log-in. */
export const identifyFrom = (answerTo: (query: Query) => Answer, drivers: readonly Driver[]): Identification => {
  const inquiry = new Inquiry(drivers);
  const questions = inquiry.run();
  let step = questions.next();
  while (!step.done) step = questions.next(answerTo(step.value));
  return inquiry.conclude();
};

/** Whether a web page is there now to ask anew by what a device is that showed none then. One request, without a log-in. */
export const showsPage = async ({ address, ports }: Target, deps: ProbeDeps): Promise<boolean> => {
  await using line = new Line({ address, ports }, deps);
  const page = await line.page(ROOT);
  return page.kind === 'page' && lossIn(page) === undefined;
};

/** What came of a question: the landing page as it is, of any other the document. */
export type Answer = Page | Reply | NoReply;

/** Puts one question after the other, each when what came of the one before is given back. */
type Questions<T = void> = Generator<Query, T, Answer>;

const askOver = async (line: Line, questions: Questions): Promise<void> => {
  await using _ = line;
  let step = questions.next();
  while (!step.done) {
    const query = step.value;
    step = questions.next(query === ROOT ? await line.page(ROOT) : await line.ask(query));
  }
};

/**
 * Whether the replies of a look are more like another family than like the one in whose words was asked: reason to
 * identify the device anew.
 */
export const looksLikeAnother = (driver: Driver, { replies }: Capture, drivers: readonly Driver[]): boolean => {
  const clues = cluesIn(driver, replies);
  // Its own signs may be on a page that a look does not ask for; `stillSpeaks` judges those that are here.
  if (driver.outside) return builtIn(drivers).some((other) => judge(other, clues) >= LIKELY);
  const own = judge(driver, clues);
  return own < CERTAIN && drivers.some((other) => other !== driver && judge(other, clues) > own);
};

/** Whether the replies of a look make its family no more than possible, so that it may as well be one from outside. */
export const isOnlyPossible = (driver: Driver, { replies }: Capture): boolean =>
  driver.outside !== true && judge(driver, cluesIn(driver, replies)) < LIKELY;

/** Whether what was found is no more than possible, and no web page says anything: there is none, or another answer in its place. */
export const isWithoutPage = ({ driver, clues }: Identified): boolean =>
  driver.outside !== true && judge(driver, clues) < LIKELY && (clues.web === undefined || clues.web.status >= 300);

/** What a device could be, and which answers would tell, in words. */
export const couldBe = ({ families, lost }: Extract<Identification, { kind: 'ambiguous' }>): string => {
  const named = `could be ${families.join(' or ')}`;
  return lost === undefined ? named : `${named}, or another one: no whole answer to ${lost.join(', ')}`;
};

/** The drivers that are surest of some clues. Those from outside count only where no built-in one is at least likely. */
export const surest = (drivers: readonly Driver[], clues: Clues): Verdict =>
  orOutside(mostSure(builtIn(drivers), clues), fromOutside(drivers), clues);

const orOutside = (own: Verdict, drivers: readonly Driver[], clues: Clues): Verdict => {
  if (own.sureness >= LIKELY) return own;
  const outside = mostSure(drivers, clues);
  return outside.sureness > 0 ? outside : own;
};

/** How sure, and who: nobody where the sureness is 0. */
export interface Verdict {
  readonly sureness: number;
  readonly drivers: readonly Driver[];
}

const mostSure = (drivers: readonly Driver[], clues: Clues): Verdict => {
  const judged = drivers.map((driver) => ({ driver, sureness: judge(driver, clues) }));
  const sureness = Math.max(0, ...judged.map((one) => one.sureness));
  return {
    sureness,
    drivers: judged.filter((one) => one.sureness === sureness && sureness > 0).map(({ driver }) => driver),
  };
};

const builtIn = (drivers: readonly Driver[]): readonly Driver[] => drivers.filter(({ outside }) => outside !== true);

const fromOutside = (drivers: readonly Driver[]): readonly Driver[] =>
  drivers.filter(({ outside }) => outside === true);

const cluesIn = (driver: Driver, replies: Capture['replies']): Clues => {
  const clues = {
    cgminer: new Map<string, JsonValue>(),
    http: new Map<string, JsonValue>(),
    framed: new Map<string, JsonValue>(),
    grpc: new Map<string, JsonValue>(),
  };
  for (const [name, reply] of replies) {
    const query = driver.queries[name];
    if (query !== undefined && reply.kind === 'reply') clues[query.kind].set(clueName(query), reply.value);
  }
  return clues;
};

const CERTAIN = 3;
const LIKELY = 2;

/** A question, and what came of it. */
interface Asked {
  readonly query: Query;
  readonly answer: Answer;
}

/** A question whose answer did not arrive whole, and why. `unreachable`: no connection could be made. */
interface Lost {
  readonly query: Query;
  readonly reason: Loss;
}

type Loss = Exclude<UnknownReason, 'refused' | 'unsupported'>;

/** The interfaces that nearly every family has. What listens at the others may be no miner's, and speak another language. */
const USUAL: ReadonlySet<string> = new Set([VERSION, ROOT].map(interfaceOf));

class Inquiry {
  /** The built-in ones. */
  readonly #drivers: readonly Driver[];
  readonly #outside: readonly Driver[];
  readonly #replies = {
    cgminer: new Map<string, JsonValue>(),
    http: new Map<string, JsonValue>(),
    framed: new Map<string, JsonValue>(),
    grpc: new Map<string, JsonValue>(),
  };
  readonly #asked = new Map<string, Asked>();
  readonly #evidence: string[] = [];
  readonly #failures: NoReply[] = [];
  #web: Clues['web'];
  #answered = false;
  /** Of the clues that are at hand. */
  #verdict: Verdict | undefined;
  /** Why the question behind the log-in did not settle it. */
  #unsettled: Extract<Identification, { kind: 'ambiguous' }>['reason'] = 'refused';

  constructor(drivers: readonly Driver[]) {
    this.#drivers = builtIn(drivers);
    this.#outside = fromOutside(drivers);
  }

  *run(): Questions {
    yield* this.#askAll();
    if (!this.#certain() && this.#answered && this.#forgetBroken()) yield* this.#askAll();
  }

  *#askAll(): Questions {
    yield* this.#askAsBuiltIn();
    if (this.#best().sureness < LIKELY && (this.#answered || this.#isAlive())) yield* this.#askForOutside();
  }

  /** Whether there were answers that broke off or came damaged: those questions are asked once more, which is soon done. */
  #forgetBroken(): boolean {
    const broken = [...this.#asked.values()].filter(({ answer }) => isBroken(lossIn(answer)));
    for (const { query } of broken) this.#asked.delete(questionOf(query));
    return broken.length > 0;
  }

  /** Whether the operator's log-in is there and meant for everything that this device could be. */
  mayShowLogin(target: Target): boolean {
    const isMeant = (driver: Driver): boolean => withLogin(target, driver).credential === target.credential;
    if (target.credential === undefined || this.#lost().length > 0) return false;
    return this.#inside().length > 0 && this.#final().drivers.every(isMeant);
  }

  /** What is behind the log-in. */
  *settle(): Questions {
    for (const query of this.#inside()) {
      const reply = yield* this.#ask(query);
      const isAnswer = reply.kind === 'reply' || reply.reason === 'unsupported';
      this.#unsettled = isAnswer ? 'unreadable' : reply.reason;
    }
  }

  /** Where it could be several: the questions behind a log-in that all of those have, and that would settle it. */
  #inside(): readonly Query[] {
    const [first, ...others] = this.#final().drivers.map((driver) => proofsOf(driver).filter(isInside));
    if (first === undefined || others.length === 0) return [];
    return first.filter((query) => others.every((own) => own.some((one) => questionOf(one) === questionOf(query))));
  }

  *#askAsBuiltIn(): Questions {
    const version = yield* this.#ask(VERSION);
    if (this.#certain()) return;
    const speaksCgminer = isCgminer(version);
    if (speaksCgminer && this.#unknown()) yield* this.#askAsWhatsminer();
    if (this.#certain()) return;
    yield* this.#askWeb(isWeb(version));
    if (speaksCgminer) yield* this.#askAsCgminer();
    if (version.kind === 'no-reply' && version.reason !== 'refused') yield* this.#askElsewhere();
  }

  /** What old firmware of makers shows itself in, and where that tells none, what a look in the words of plain cgminer would show. */
  *#askAsCgminer(): Questions {
    yield* this.#askInTurn([STATS, SUMMARY]);
    if (this.#best().sureness >= LIKELY) return;
    yield* this.#ask(DEVS);
    if (this.#best().sureness === LIKELY) yield* this.#prove();
  }

  /** The landing page, and what settles its claim. `instead`: a web server answers where the CGMiner API is expected. */
  *#askWeb(instead: boolean): Questions {
    const page = yield* this.#landingPage();
    if (this.#certain()) return;
    yield* this.#prove();
    const asksForLogin = page?.status === 401 || page?.status === 403;
    if (this.#unknown() && page !== undefined && !asksForLogin) yield* this.#askInTurn([AXEOS_INFO]);
    if (instead) yield* this.#askInTurn(this.#drivers.flatMap(openProofsOf).filter(isWebInstead));
  }

  /** The questions that settle whether it is one of the families that are likely. */
  *#prove(): Questions {
    const { sureness, drivers } = this.#best();
    if (sureness > 0) yield* this.#askInTurn(drivers.flatMap(openProofsOf));
  }

  /**
   * Where nothing told a family: the ports that one family alone listens on. Where nobody so much as refused a connection most addresses
   * are empty, and only the one port is tried that may be all that is let through to a machine.
   */
  *#askElsewhere(): Questions {
    if (!this.#unknown()) return;
    if (this.#answered || this.#isAlive()) yield* this.#askInTurn([WHATSMINER_3, VOLCMINER]);
    else if (this.#failures.every(({ reason }) => reason === 'timeout')) yield* this.#ask(WHATSMINER_3);
  }

  /** What tells the families from outside; without one nothing is asked. */
  *#askForOutside(): Questions {
    for (const query of this.#outside.flatMap(openProofsOf)) yield* this.#ask(query);
  }

  /** Each question once, until a driver is certain. */
  *#askInTurn(queries: readonly Query[]): Questions {
    for (const query of queries) {
      if (this.#certain()) return;
      yield* this.#ask(query);
    }
  }

  #unknown(): boolean {
    return this.#best().sureness === 0;
  }

  /** Something refused the connections: there is a machine. */
  #isAlive(): boolean {
    return this.#failures.some(({ detail }) => detail === 'ECONNREFUSED');
  }

  conclude(): Identification {
    if (!this.#answered) {
      const reason = this.#failures.some((failure) => failure.reason === 'timeout') ? 'timeout' : 'unreachable';
      const isDripping = this.#failures.some(({ drips }) => drips === true);
      return {
        kind: 'unreachable',
        reason,
        ...(isDripping ? { drips: true } : {}),
        ...(this.#failures.some(wasAccepted) ? { accepts: true } : {}),
      };
    }
    const { sureness, drivers } = this.#final();
    const [driver, ...others] = drivers;
    const missing = sureness === CERTAIN ? [] : this.#lost();
    const [first] = missing;
    const lost = missing.map(({ query }) => inWords(query));
    if (driver === undefined) return this.#unidentified(missing);
    const families = drivers.map(({ family }) => family);
    const isUnpaged = sureness < LIKELY && driver.outside !== true && this.#web === undefined;
    const identified: Identified = {
      kind: 'identified',
      driver,
      clues: this.#clues(),
      evidence: this.#evidence,
      ...(isUnpaged ? { unpaged: true } : {}),
    };
    if (first !== undefined) {
      const isPageless = others.length === 0 && missing.every(({ query }) => interfaceOf(query) === interfaceOf(ROOT));
      return {
        kind: 'ambiguous',
        families,
        reason: first.reason,
        lost,
        ...(isPageless ? { pageless: identified } : {}),
      };
    }
    if (others.length > 0) {
      const reason = this.#inside().length === 0 ? 'unreadable' : this.#unsettled;
      return { kind: 'ambiguous', families, reason };
    }
    return identified;
  }

  /** Any web server may fail at a path that it does not know: where it gave its page, that is no answer lost. */
  #unidentified(missing: readonly Lost[]): Identification {
    const lost = missing.filter(({ query }) => query !== AXEOS_INFO || this.#web === undefined);
    const speaks = this.#mayBeCgminer() || this.#hasBegunPage();
    return {
      kind: 'unidentified',
      detail: this.#evidence.join('; '),
      ...(lost.length === 0 ? {} : { lost: lost.map(({ query }) => inWords(query)) }),
      ...(speaks ? { speaks } : {}),
    };
  }

  #mayBeCgminer(): boolean {
    const version = this.#asked.get(questionOf(VERSION))?.answer;
    if (version === undefined || version.kind === 'page') return false;
    return isCgminer(version) || beginsAsCgminer(version) || (version.kind === 'no-reply' && wasAccepted(version));
  }

  #hasBegunPage(): boolean {
    const page = this.#asked.get(questionOf(ROOT))?.answer;
    return page?.kind === 'no-reply' && page.begun === true;
  }

  /**
   * The questions whose answers did not arrive whole, though something is there that gives them. Where no connection could be made
   * there is nothing to ask, unless another question to the same interface was answered.
   */
  #lost(): readonly Lost[] {
    const asked = [...this.#asked.values()];
    const answering = new Set(
      asked.filter(({ answer }) => lossIn(answer) === undefined).map(({ query }) => interfaceOf(query)),
    );
    return asked.flatMap(({ query, answer }) => {
      const reason = lossIn(answer);
      if (reason === undefined) return [];
      const isThere = answering.has(interfaceOf(query)) || (reason !== 'unreachable' && USUAL.has(interfaceOf(query)));
      return isThere ? [{ query, reason }] : [];
    });
  }

  #askAsWhatsminer(): Questions {
    return this.#askInTurn([GET_VERSION, SUMMARY]);
  }

  *#landingPage(): Questions<Page | undefined> {
    const page = yield* this.#answerTo(ROOT);
    return page.kind === 'page' ? page : undefined;
  }

  *#ask(query: Query): Questions<Reply | NoReply> {
    const answer = yield* this.#answerTo(query);
    return answer.kind === 'page' ? documentIn(answer) : answer;
  }

  /** What came of a question, which is asked once. */
  *#answerTo(query: Query): Questions<Answer> {
    const asked = this.#asked.get(questionOf(query));
    if (asked !== undefined) return asked.answer;
    const answer = yield query;
    this.#asked.set(questionOf(query), { query, answer });
    this.#take(query, answer);
    return answer;
  }

  #take(query: Query, answer: Answer): void {
    this.#evidence.push(`${inWords(query)}: ${outcomeOf(answer)}`);
    if (answer.kind === 'no-reply') {
      this.#failures.push(answer);
      if (answer.reason !== 'unreachable' && answer.reason !== 'timeout') this.#answered = true;
      return;
    }
    this.#answered = true;
    this.#verdict = undefined;
    if (answer.kind === 'page') this.#web = lossIn(answer) === undefined ? webClue(answer) : this.#web;
    else this.#replies[query.kind].set(clueName(query), answer.value);
  }

  #clues(): Clues {
    return { ...this.#replies, ...(this.#web === undefined ? {} : { web: this.#web }) };
  }

  #certain(): boolean {
    const { sureness, drivers } = this.#best();
    return sureness === CERTAIN && drivers.length === 1;
  }

  /** The drivers that are surest of these clues. */
  #final(): Verdict {
    return orOutside(this.#best(), this.#outside, this.#clues());
  }

  /** The built-in drivers that are surest of these clues. */
  #best(): Verdict {
    this.#verdict ??= mostSure(this.#drivers, this.#clues());
    return this.#verdict;
  }
}

/** Clues come from the device; a driver that stumbles over them does not know it. */
const judge = (driver: Driver, clues: Clues): number => {
  try {
    return driver.recognise(clues);
  } catch {
    return 0;
  }
};

/** A question as people say it: `version`, `GET /`, `version at volcminer`. */
const inWords = (query: Query): string => {
  const words = query.kind === 'http' ? `${query.method} ${query.path}` : clueName(query);
  const elsewhere = /@(\w+):/.exec(questionOf(query))?.[1];
  return elsewhere === undefined ? words : `${words} at ${elsewhere}`;
};

const outcomeOf = (answer: Answer): string => {
  switch (answer.kind) {
    case 'page':
      return `HTTP ${answer.status}`;
    case 'reply':
      return 'answered';
    case 'no-reply':
      return `${answer.reason}, ${answer.detail}`;
  }
};

/**
 * Why an answer did not arrive whole. What the device says to a question is none of that: a document or page, another one in its
 * place, that it has none, or that it refuses. A web server that is busy, or waits for what is behind it, says nothing yet.
 */
const lossIn = (answer: Answer): Loss | undefined => {
  if (answer.kind === 'page') return isBusy(answer.status) || isEmpty(answer) ? 'unreadable' : undefined;
  if (answer.kind === 'no-reply' && answer.busy) return 'unreadable';
  if (answer.kind !== 'no-reply' || answer.elsewhere || answer.withheld || answer.waits) return undefined;
  const { reason, dark } = answer;
  if (reason === 'refused' || reason === 'unsupported') return undefined;
  if (dark === true) return 'unreachable';
  return reason === 'unreachable' ? undefined : reason;
};

/** A page that was given, and has nothing in it. */
const isEmpty = ({ status, body }: Page): boolean => status >= 200 && status < 300 && body.length === 0;

const isBroken = (loss: Loss | undefined): boolean => loss === 'truncated' || loss === 'unreadable';

const isWebInstead = ({ kind, port }: Query): boolean => kind === 'http' && port === 'cgminer';

const proofsOf = ({ proofs = [], queries }: Driver): readonly Query[] => proofs.flatMap((name) => queries[name] ?? []);

const isInside = (query: Query): boolean => query.kind === 'http' && query.auth === 'digest';

const openProofsOf = (driver: Driver): readonly Query[] => proofsOf(driver).filter((query) => !isInside(query));

/** Whether a web server answered where the CGMiner API was asked. */
const isWeb = (version: Reply | NoReply): boolean =>
  version.kind === 'no-reply' && version.dark === true && version.bytes !== undefined;

/** Whether something on the port speaks the CGMiner API, so that another question to it is worth a connection. */
const isCgminer = (version: Reply | NoReply): boolean => {
  if (version.kind === 'reply') return true;
  if (version.reason === 'refused') return true;
  return version.reason === 'truncated' && version.bytes === undefined;
};

/** Whether what there is of a reply is the beginning of one of the CGMiner API: an object and its first name, or the text of old programs. */
const beginsAsCgminer = ({ bytes }: Reply | NoReply): boolean =>
  bytes !== undefined && /^\s*(?:\{\s*"|STATUS=)/.test(new TextDecoder().decode(bytes.subarray(0, 64)));

/** Whether a connection was made of which no answer came. Who refuses one never had it: a reset says that it stood for a moment. */
const wasAccepted = ({ reason, detail, dark, waits, unasked }: NoReply): boolean =>
  detail === 'ECONNRESET' || (reason === 'timeout' && dark !== true && waits !== true && unasked !== true);

const webClue = ({ status, challenges, location, body }: Page): NonNullable<Clues['web']> => {
  const realm = challenges.find(({ parameters }) => parameters.has('realm'))?.parameters.get('realm');
  return {
    status,
    body: new TextDecoder().decode(body.subarray(0, PAGE_START)),
    ...(realm === undefined ? {} : { realm }),
    ...(location === undefined ? {} : { location }),
  };
};
