import { present } from '../../shared/facts.ts';
import type { JsonValue } from '../probe/capture.ts';
import { httpGet, type Login, PASSWORD, type Replies, type Source, USER } from './driver.ts';
import { always, at, type Reader, text, UNREADABLE, whenPresent } from './readers.ts';

/**
 * The web interface of WhatsMiner, LuCI behind TLS and a log-in, for what no API tells. Source: saved pages of an M21 (2019)
 * and an M50S (2025); what the log-in sends is from foreman-apps.
 */

const LOGIN: Login = {
  kind: 'login',
  method: 'POST',
  path: '/cgi-bin/luci',
  as: 'form',
  members: { luci_username: USER, luci_password: PASSWORD },
  gives: { kind: 'cookie' },
};

const withoutMake: Reader<string> = (value) =>
  whenPresent(text(value), (found) => present(found.replace(/^WhatsMiner +/i, '')));

/**
 * The question, and what is read of its answer. `isOwn` knows the replies of the family: a device of which none came in
 * this look is shown no log-in.
 */
export const luciOf = (isOwn: (reply: JsonValue) => boolean) => {
  const isStranger = (replies: Replies): boolean =>
    !replies.values().some((reply) => reply.kind === 'reply' && isOwn(reply.value));

  /** A row that every page has. Where nobody asked for the page, because the other replies were lost, it may be there. */
  const row = (name: string, reader: Reader<string> = text): Source<string, 'luci'> => {
    const source = always(at('luci', `/${name}`, reader));
    const isUnasked = (replies: Replies): boolean => {
      const reply = replies.get('luci');
      return reply?.kind === 'no-reply' && reply.reason === 'unsupported' && isStranger(replies);
    };
    return { ...source, read: (replies) => (isUnasked(replies) ? UNREADABLE : source.read(replies)) };
  };

  return {
    query: httpGet('/cgi-bin/luci/admin/status/overview', {
      cadence: 'config',
      port: 'https',
      auth: LOGIN,
      table: 'System',
      unless: isStranger,
    }),
    kernel: row('Kernel Version'),
    version: row('Firmware Version'),
    /** Without the maker, as the APIs name it. */
    model: row('Model', withoutMake),
    hardware: at('luci', '/Hardware Info', text),
  };
};
