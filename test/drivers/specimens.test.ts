import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type Auth,
  type CgminerQuery,
  type Clues,
  clueName,
  type Driver,
  type Query,
  questionOf,
} from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { isUnknownQuestion } from '../../agent/drivers/status.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import type { Capture, JsonValue, NoReply, Reply } from '../../agent/probe/capture.ts';
import { documentIn } from '../../agent/probe/exchange.ts';
import { readFramed } from '../../agent/probe/framed.ts';
import { IDENTIFICATION, looksLikeAnother } from '../../agent/probe/identify.ts';
import { noReply, readReply } from '../../agent/probe/reply.ts';
import { knowsBy, loadSpecimens, realmOf, replyBytes, type Specimen } from '../specimens/specimen.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const INVALID_COMMAND = bytesOf('{"STATUS":[{"STATUS":"E","When":1,"Code":14,"Msg":"Invalid command"}],"id":1}');

const ENDINGS = { nul: '\0', newline: '\n', none: '' } as const;

/** Whether something listens where the question goes. */
const hasPort = ({ device }: Specimen, query: Query): boolean => {
  const start = questionOf(query).replace(/:.*/s, ':');
  return Object.keys(device.replies).some((question) => question.startsWith(start));
};

const overTcp = (specimen: Specimen, query: CgminerQuery): Reply | NoReply => {
  const { ending, unanswered } = specimen.device.cgminer;
  const unlisted = unanswered === undefined ? INVALID_COMMAND : specimen.files.get(unanswered);
  const known = knowsBy(specimen.device, query.command, query.key)
    ? replyBytes(specimen, questionOf(query))
    : undefined;
  const bytes = known ?? unlisted ?? INVALID_COMMAND;
  return readReply(new Uint8Array([...bytes, ...bytesOf(ENDINGS[ending])]), { whole: false });
};

const overHttp = (specimen: Specimen, question: string): Reply | NoReply => {
  const listed = specimen.device.replies[question];
  const body = Buffer.from(replyBytes(specimen, question) ?? []);
  return documentIn({ kind: 'page', status: listed?.status ?? 404, challenges: [], cookies: [], body, whole: true });
};

/** Whether a question is asked without a log-in, at least until the device wants one. */
const isOpenAtFirst = (auth: Auth): boolean =>
  auth === 'none' ||
  auth === 'basic-if-asked' ||
  (typeof auth === 'object' && auth.kind === 'login' && auth.ifAsked === true);

const needsLogin = (query: Query): boolean => query.kind === 'http' && !isOpenAtFirst(query.auth);

/** What the transports make of a specimen, without a socket: the simulator plays the same files on real ones. */
const askSpecimen = (specimen: Specimen, query: Query, credentials: boolean): Reply | NoReply => {
  if (needsLogin(query) && !credentials) return noReply('refused', 'no credentials');
  if (!hasPort(specimen, query)) return noReply('unreachable', 'no such port', { dark: true });
  const question = questionOf(query);
  switch (query.kind) {
    case 'cgminer': {
      const reply = overTcp(specimen, query);
      const isUnknown = reply.kind === 'reply' && isUnknownQuestion(reply.value);
      return isUnknown && query.otherwise !== undefined ? overTcp(specimen, query.otherwise) : reply;
    }
    case 'framed': {
      const bytes = replyBytes(specimen, question);
      return bytes === undefined ? noReply('unsupported', 'code -2') : readFramed(bytes);
    }
    case 'http': {
      const locked = specimen.device.replies[question]?.auth === true;
      return locked && !credentials ? noReply('refused', 'HTTP 401') : overHttp(specimen, question);
    }
  }
};

const look = (specimen: Specimen, driver: Driver, credentials: boolean): Capture => ({
  address: '192.0.2.1',
  observedAtMs: 0,
  replies: askAll(specimen, driver, credentials),
});

const askAll = (specimen: Specimen, driver: Driver, credentials: boolean): Capture['replies'] => {
  const replies = new Map<string, Reply | NoReply>();
  for (const [name, query] of Object.entries(driver.queries)) {
    const pointless = query.unless?.(replies) === true;
    replies.set(name, pointless ? noReply('unsupported', 'not asked') : askSpecimen(specimen, query, credentials));
  }
  return replies;
};

const webClue = ({ device, files }: Specimen): Clues['web'] => {
  const page = device.replies['http:/'];
  if (page === undefined) return undefined;
  const location = page.headers.Location;
  const realm = realmOf(device);
  if (page.auth) return { status: 401, body: '', ...(realm === undefined ? {} : { realm }) };
  const body = page.file === undefined ? '' : new TextDecoder().decode(files.get(page.file));
  return { status: page.status, body, ...(location === undefined ? {} : { location }) };
};

/** The clues that a device gives who was asked all questions of identification, and those that prove a family. */
const cluesOf = (specimen: Specimen): Clues => {
  const clues = {
    cgminer: new Map<string, JsonValue>(),
    http: new Map<string, JsonValue>(),
    framed: new Map<string, JsonValue>(),
  };
  const proofs = DRIVERS.flatMap(({ proofs = [], queries }) => proofs.flatMap((name) => queries[name] ?? []));
  for (const query of [...IDENTIFICATION, ...proofs]) {
    if (clueName(query) === '/') continue;
    const reply = askSpecimen(specimen, query, false);
    if (reply.kind === 'reply') clues[query.kind].set(clueName(query), reply.value);
  }
  const web = webClue(specimen);
  return { ...clues, ...(web === undefined ? {} : { web }) };
};

const recognisedBy = (clues: Clues): readonly string[] => {
  const judged = DRIVERS.map((driver) => ({ family: driver.family, sureness: driver.recognise(clues) }));
  const surest = Math.max(...judged.map(({ sureness }) => sureness));
  return judged.filter(({ sureness }) => sureness === surest && sureness > 0).map(({ family }) => family);
};

const driverOf = (family: string): Driver => {
  const driver = DRIVERS.find((one) => one.family === family);
  if (driver === undefined) throw new Error(`no driver ${family}`);
  return driver;
};

const readingsOf = (gaps: ReadonlyMap<string, string>): { readonly [fact: string]: string } =>
  Object.fromEntries([...gaps].map(([fact, gap]) => [fact, gap === 'absent' ? gap : `unknown: ${gap}`]));

const SPECIMENS = loadSpecimens();

describe('specimens', () => {
  test('every driver has one', () => {
    const families = new Set(SPECIMENS.map(({ device }) => ('family' in device ? device.family : '')));
    assert.deepEqual(
      DRIVERS.map(({ family }) => family).filter((family) => !families.has(family)),
      [],
    );
  });

  for (const specimen of SPECIMENS) {
    const { device, name } = specimen;
    if (!('family' in device)) {
      test(`${name} is recognised by no driver`, () => assert.deepEqual(recognisedBy(cluesOf(specimen)), []));
      continue;
    }
    test(`${name} is recognised as ${device.family} and nothing else`, () => {
      assert.deepEqual(recognisedBy(cluesOf(specimen)), [device.family]);
    });
    for (const { credentials, facts: expected, readings } of device.expect) {
      test(`${name} gives its facts ${credentials ? 'with' : 'without'} the log-in`, () => {
        const driver = driverOf(device.family);
        const capture = look(specimen, driver, credentials);
        const { facts, gaps } = normalise(driver, capture, 'full');
        const { 'firmware.fingerprint': fingerprint, ...compared } = facts;
        assert.deepEqual(compared, expected);
        assert.equal(fingerprint === undefined, facts['firmware.components'] === undefined);
        const found = readingsOf(gaps);
        for (const [fact, reading] of Object.entries(readings)) assert.equal(found[fact], reading, fact);
        assert.ok(staysWith(driver, capture), 'a later look takes it for the same family');
      });
    }
  }

  test('no driver goes on speaking to a device that has become one of another family', () => {
    const fooled = DRIVERS.flatMap((driver) =>
      SPECIMENS.filter(({ device }) => !('family' in device) || device.family !== driver.family)
        .filter((specimen) => staysWith(driver, look(specimen, driver, true)))
        .map(({ name }) => `${driver.family} goes on with ${name}`),
    );
    // What tells it from plain cgminer, `stats`, that driver does not ask for.
    assert.deepEqual(fooled, ['cgminer goes on with avalon/a741-modules']);
  });
});

/** A full look that shows something, and nothing that makes the agent identify the device anew. */
const staysWith = (driver: Driver, capture: Capture): boolean => {
  const shown = Object.keys(normalise(driver, capture, 'full').facts).filter((fact) => fact !== 'family');
  const speaks = driver.stillSpeaks?.(capture.replies) !== false && !looksLikeAnother(driver, capture, DRIVERS);
  return shown.length > 0 && speaks;
};
