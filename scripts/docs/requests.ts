import type { ListedRequest } from '../../agent/cli/requests.ts';
import { code, generatedFrom, markdownTable, page } from './markdown.ts';

/** `docs/requests.md`: every request that the program can send to a miner. */
export const requestsPage = (requests: readonly ListedRequest[]): string =>
  page(
    generatedFrom('agent/drivers/ and agent/probe/'),
    '# What can be sent to a miner',
    INTRODUCTION,
    markdownTable(
      ['Request', 'Port', 'Asked', 'Families'],
      requests.map(({ request, port, uses, families }) => [
        code(request),
        String(port),
        uses.join(', '),
        families.map(code).join(' '),
      ]),
    ),
  );

const INTRODUCTION = [
  'This is all of it, byte for byte but for the headers of a web request and the log-in of the operator, which stand as `<user>` and',
  '`<password>`. The transports send from this very list and throw on anything else. No request here changes a setting of a miner;',
  'a log-in opens a session to read with, and is sent only where the operator gave one. The same list, for machines:',
  '[requests.json](requests.json), or `assayer requests --json`. A driver file of the operator can add reads of its own;',
  '`assayer requests -c <configuration>` lists those as well. A line that begins with `grpc` is a call with an empty message, or with',
  'the numbered fields behind it. `@https` goes through TLS. The two handshakes are no requests: they ask for nothing, and are sent',
  'in the words of the libraries that make them. Nor is the connection to each management port that is made once a week',
  '(`schedule.ports`): nothing is sent over it. Where `probe.default_logins` allows it, a page of this list is asked for',
  'once in 30 days with the log-in that the maker of the device documents.',
].join('\n');
