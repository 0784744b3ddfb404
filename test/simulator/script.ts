import type { PortName, Query } from '../../agent/drivers/driver.ts';
import { replyBytes, type Specimen, type SpecimenDevice } from '../specimens/specimen.ts';
import type { Edit } from './edits.ts';
import { namedValues, poolLists } from './members.ts';
import type { Pool } from './pools.ts';
import { compileTemplate, type Template, verbatim } from './template.ts';

/** What a device of the fleet says to one question. */
export interface Line {
  readonly template: Template;
  readonly status: number;
  readonly headers: string;
  readonly auth: boolean;
}

/** What a device says to every question it knows: a specimen, ready to be played. Shared by all devices of a specimen. */
export interface Script {
  readonly specimen: Specimen;
  readonly device: SpecimenDevice;
  readonly lines: ReadonlyMap<string, Line>;
  /** The reply to a CGMiner command that is not listed. */
  readonly unanswered: Template;
  /** What is spoken at each port that is open. */
  readonly speaks: { readonly [Name in PortName]?: Query['kind'] };
  /** The pools of the specimen, as its longest list has them. */
  readonly pools: readonly Pool[];
}

/** How a script differs from its specimen. */
export interface Changes {
  /** Bytes of the specimen, without identities and time. */
  readonly exact?: boolean;
  readonly growth?: number;
  readonly edits?: readonly (Edit & { readonly question?: string })[];
}

const latin1 = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('latin1');

/** Makes a specimen ready to be played. */
export const scriptOf = (specimen: Specimen, { exact = false, growth = 0, edits = [] }: Changes = {}): Script => {
  const { device } = specimen;
  const questions = Object.keys(device.replies);
  const compile = (question: string, text: string): Template =>
    exact
      ? verbatim(text)
      : compileTemplate(
          text,
          growth,
          edits.filter((edit) => edit.question === undefined || edit.question === question),
        );
  const texts = new Map(questions.map((question) => [question, latin1(replyBytes(specimen, question))]));
  const refusal = device.cgminer.unanswered;
  return {
    specimen,
    device,
    lines: new Map([...texts].map(([question, text]) => [question, lineOf(device, question, compile(question, text))])),
    unanswered: compile('', refusal === undefined ? refusalOf(texts, 14) : latin1(specimen.files.get(refusal))),
    speaks: Object.fromEntries(questions.map((question) => [portOf(question), kindOf(question)])),
    pools: poolsOf(texts),
  };
};

const USUAL: { readonly [Kind in Query['kind']]: PortName } = {
  cgminer: 'cgminer',
  http: 'http',
  framed: 'whatsminer',
  grpc: 'grpc',
};

const kindOf = (question: string): Query['kind'] => /^[a-z]+/.exec(question)?.[0] as Query['kind'];
// The schema of specimens lets no other kind through.

const portOf = (question: string): PortName =>
  (/^[a-z]+@([a-z]+):/.exec(question)?.[1] as PortName | undefined) ?? USUAL[kindOf(question)];

/** How questions of a kind begin that come in at a port. */
export const prefixAt = (kind: Query['kind'], port: PortName): string =>
  USUAL[kind] === port ? `${kind}:` : `${kind}@${port}:`;

const lineOf = (device: SpecimenDevice, question: string, template: Template): Line => {
  const { status = 200, headers = {}, auth = false } = device.replies[question] ?? {};
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return { template, status, headers: lines.join(''), auth };
};

const TEXTS: { readonly [code: number]: string } = { 14: 'Invalid command', 45: 'Access denied to command' };

/** The standard refusal (API-README), in the name of the program that the other replies name. */
const refusalOf = (texts: ReadonlyMap<string, string>, code: number): string => {
  const named = [...texts].flatMap(([question, text]) =>
    question.startsWith('cgminer:')
      ? namedValues(text)
          .filter(({ name }) => name === 'Description')
          .map(({ span }) => text.slice(span.start, span.end))
      : [],
  );
  const status = `{"STATUS":"E","When":1700000000,"Code":${code},"Msg":"${TEXTS[code]}","Description":"${named[0] ?? ''}"}`;
  return `{"STATUS":[${status}],"id":1}`;
};

/** What a device says that lets nobody in (code 45), whatever it is asked. */
export const deniedBy = ({ specimen, device }: Script): Template =>
  compileTemplate(
    refusalOf(
      new Map(Object.keys(device.replies).map((question) => [question, latin1(replyBytes(specimen, question))])),
      45,
    ),
  );

const poolsOf = (texts: ReadonlyMap<string, string>): readonly Pool[] =>
  [...texts.values()]
    .flatMap((text) =>
      poolLists(text).map(({ rows }) => {
        const read = (span: { start: number; end: number } | undefined): string =>
          span === undefined ? '' : jsonText(text.slice(span.start, span.end)).trim();
        return rows
          .map(({ url, user, port }) => ({
            url: port === undefined || url === undefined ? read(url) : `${read(url)}:${read(port)}`,
            user: read(user),
          }))
          .filter(({ url }) => url !== '' && url !== ':0');
      }),
    )
    .reduce((longest, list) => (list.length > longest.length ? list : longest), []);

const jsonText = (text: string): string => {
  const utf8 = Buffer.from(text, 'latin1').toString('utf8');
  try {
    return String(JSON.parse(`"${utf8}"`));
  } catch {
    // A raw control character or a broken escape, which some specimens show.
    return utf8;
  }
};
