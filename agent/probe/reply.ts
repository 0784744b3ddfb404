import { statusOf } from '../drivers/status.ts';
import { withoutSecrets } from '../drivers/text-secrets.ts';
import type { NoReply, Reply } from './capture.ts';
import type { Ending } from './connection.ts';
import { type Parsed, parseReply } from './json.ts';
import type { Limits } from './limits.ts';

/** What CGI wrappers of the CGMiner API print when the miner program does not run. */
const MINER_DOWN = /(?:socket )?connect(?:ion)? (?:failed|refused)|connection refused/i;

/** A query that gave nothing usable, and why; the words may be those of the device. */
export const noReply = (
  reason: NoReply['reason'],
  detail: string,
  more: Omit<NoReply, 'kind' | 'reason' | 'detail'> = {},
): NoReply => ({ kind: 'no-reply', reason, detail: withoutSecrets(detail), ...more });

/** Why there is no reply, by the connection alone; undefined where the device ended it, and what it said is to be read. */
export const brokenOff = (ending: Ending, { maxReplyBytes }: Limits): NoReply | undefined => {
  switch (ending.kind) {
    case 'none':
      return noReply(ending.reason, ending.detail, { dark: true });
    case 'too-large':
      return noReply('truncated', `longer than ${maxReplyBytes} bytes`);
    case 'deadline':
      return noReply('timeout', 'no complete reply');
    case 'broken':
    case 'closed':
    case 'done':
      return undefined;
  }
};

/** Reads the bytes a device answered with. `whole`: the transport knows that nothing is missing. */
export const readReply = (bytes: Uint8Array, { whole }: { whole: boolean }): Reply | NoReply =>
  asReply(bytes, parseReply(bytes, { whole }));

/** What bytes are that were parsed. What is no document, or refuses, is no reply. */
export const asReply = (bytes: Uint8Array, parsed: Parsed): Reply | NoReply => {
  if (bytes.length === 0) return noReply('truncated', 'closed without a byte of reply');
  // Like one of too many bytes: it is not looked at again.
  if (parsed.kind === 'oversized') return noReply('truncated', parsed.detail);
  if (parsed.kind !== 'parsed') return explain(bytes, { kind: parsed.kind, detail: parsed.detail });
  // A client that may not give this command: reachable but refused, never "offline".
  if (statusOf(parsed.value) === 'denied') return noReply('refused', 'access denied (code 45)', { bytes });
  return { kind: 'reply', bytes, value: parsed.value, repairs: parsed.repairs };
};

const explain = (bytes: Uint8Array, problem: { kind: 'truncated' | 'unreadable'; detail: string }): NoReply => {
  const start = new TextDecoder().decode(bytes.subarray(0, 2048)).trimStart();
  // The port speaks, but not this: there is no such interface here.
  if (start.startsWith('HTTP/'))
    return noReply('unreachable', 'a web server answers at this port', { bytes, dark: true });
  if (start.startsWith('<')) {
    return /\b401\b|unauthori[sz]ed/i.test(start)
      ? noReply('refused', 'a page that asks for a log-in', { bytes })
      : noReply('unreadable', 'HTML instead of JSON', { bytes, elsewhere: true });
  }
  if (problem.kind === 'unreadable' && MINER_DOWN.test(start.slice(0, 200))) {
    return noReply('unreachable', 'miner process down', { bytes });
  }
  return noReply(problem.kind, problem.detail, { bytes });
};
