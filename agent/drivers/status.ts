import type { JsonObject, JsonValue } from '../probe/capture.ts';

/** How a reply of the CGMiner API begins: with what came of the question (API-README; api.c). */

/** Codes that say more than "error". */
const CODE = { noDevices: 10, invalidCommand: 14, missingCommand: 24, accessDenied: 45 } as const;

/**
 * What a reply says of itself. `unknown-key`: the device looks for its command under another key (WhatsMiner: `cmd`).
 * `unclear`: two different statuses in one reply, of which neither is believed.
 */
export type Status = 'answer' | 'unknown-command' | 'unknown-key' | 'denied' | 'no-devices' | 'error' | 'unclear';

/**
 * The status stands in `STATUS[0]` (core), in `STATUS` (Bitmain CGI), or beside a textual `STATUS` (WhatsMiner). S, I
 * and W are answers, and so is a reply without any status: other interfaces have none.
 */
export const statusOf = (reply: JsonValue): Status => {
  const stated = isObject(reply) ? reply.STATUS : undefined;
  if (!isObject(reply) || stated === undefined) return 'answer';
  const first = Array.isArray(stated) ? stated[0] : stated;
  const { STATUS, Code, Msg } = isObject(first) ? first : reply;
  if (typeof STATUS === 'symbol' || typeof Code === 'symbol') return 'unclear';
  if (STATUS !== 'E' && STATUS !== 'F') return 'answer';
  switch (typeof Code === 'string' ? Number(Code) : Code) {
    case CODE.accessDenied:
      return 'denied';
    case CODE.invalidCommand:
      return 'unknown-command';
    case CODE.missingCommand:
      return 'unknown-key';
    case CODE.noDevices:
      return 'no-devices';
    default:
      return typeof Msg === 'string' && /^access denied/i.test(Msg) ? 'denied' : 'error';
  }
};

/** Whether the device does not know the question, so asked. */
export const isUnknownQuestion = (reply: JsonValue): boolean => {
  const status = statusOf(reply);
  return status === 'unknown-command' || status === 'unknown-key';
};

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
