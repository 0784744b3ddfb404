import type { IncomingMessage, RequestOptions } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { VERSION } from '../platform/version.ts';
import type { Outcome, Parcel } from './outcome.ts';
import { signatureHeaders } from './signature.ts';
import { authorities, authorization, parseUrl, signingKeys, type WebhookSettings } from './target.ts';

/** So much of an answer is read; what it says is nobody's business, that it is over is. */
const MOST_ANSWER_BYTES = 65_536;

/**
 * One POST, signed with the secret as it is now. 2xx is success, everything else is not; a redirect is not followed. Throws
 * an `AgentError` for a secret or certificate file that cannot be used.
 */
export const postWebhook = async (
  webhook: WebhookSettings,
  { delivery, body }: Parcel,
  { nowMs, timeoutMs, signal }: { readonly nowMs: number; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Outcome> => {
  const url = parseUrl(webhook);
  const bytes = Buffer.from(body);
  const allowed = authorization(webhook);
  const ca = authorities(webhook);
  const deadline = AbortSignal.timeout(timeoutMs);
  const options: RequestOptions = {
    method: 'POST',
    agent: false,
    signal: AbortSignal.any([signal, deadline]),
    headers: {
      'user-agent': `assayer/${VERSION}`,
      ...webhook.headers,
      ...(allowed === undefined ? {} : { authorization: allowed }),
      'content-type': 'application/json',
      'content-length': bytes.length,
      ...signatureHeaders({ id: delivery, atS: Math.floor(nowMs / 1000), body }, signingKeys(webhook)),
    },
  };
  try {
    const answer = await exchange(url, options, { bytes, ca });
    return outcomeOf(answer, url.origin);
  } catch (error) {
    if (signal.aborted) return { kind: 'stopped' };
    if (deadline.aborted) return late(url.origin, timeoutMs);
    return unreachable(url, error as NodeJS.ErrnoException);
  }
};

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

const exchange = (
  url: URL,
  options: RequestOptions,
  { bytes, ca }: { readonly bytes: Buffer; readonly ca: Buffer | undefined },
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const tls = { rejectUnauthorized: true, minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) } as const;
    const request = url.protocol === 'https:' ? httpsRequest(url, { ...options, ...tls }) : httpRequest(url, options);
    request.once('error', reject);
    request.once('response', (response) => {
      const answer = { status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] };
      // Its status is its word; that its body breaks off, or never ends, changes nothing about it.
      drain(response, () => resolve(answer));
    });
    request.end(bytes);
  });

/** Lets the receiver finish, within reason. */
const drain = (response: IncomingMessage, done: () => void): void => {
  let read = 0;
  response.on('data', (chunk: Buffer) => {
    read += chunk.length;
    if (read > MOST_ANSWER_BYTES) response.destroy();
  });
  response.on('error', () => {});
  response.once('close', done);
};

const outcomeOf = ({ status, retryAfter }: Answer, origin: string): Outcome => {
  if (status >= 200 && status < 300) return { kind: 'delivered', detail: `HTTP ${status}` };
  const afterS = Number(retryAfter);
  return {
    kind: 'failed',
    message: `${origin} answers ${status}`,
    remedy: remedyOf(status),
    ...(Number.isFinite(afterS) && afterS > 0 ? { afterMs: afterS * 1000 } : {}),
  };
};

const remedyOf = (status: number): string => {
  if (status >= 300 && status < 400) return 'set url to where it redirects: a redirect is not followed';
  if (status === 401 || status === 403)
    return 'compare the secret at both ends, and what authorization_file holds; the clocks must not be 5 minutes apart';
  if (status === 404 || status === 410) return 'correct the path in url, or remove the target';
  if (status === 429 || status >= 500) return 'look at the receiver: it is overloaded or broken';
  return 'look at the log of the receiver: it does not take what it is sent';
};

const late = (origin: string, timeoutMs: number): Outcome => ({
  kind: 'failed',
  message: `${origin} did not answer within ${timeoutMs / 1000} s`,
  remedy: 'look at the receiver, and at the way there; let it answer first and work then',
});

/** The message of a system or TLS error may name hosts and addresses; path and query of the URL are never in it. */
const unreachable = ({ origin }: URL, { code, message }: NodeJS.ErrnoException): Outcome => ({
  kind: 'failed',
  message: `${origin}: ${code === undefined || message.includes(code) ? message : `${message} (${code})`}`.slice(
    0,
    300,
  ),
  remedy: isCertificate(code)
    ? 'name the authority of the receiver as ca, or renew its certificate; url has to have a name that is in it'
    : 'check host and port in url, the way there, and that the receiver runs',
});

const isCertificate = (code = ''): boolean => /CERT|SSL|TLS|SIGNED|VERIFY|ALTNAME/.test(code);
