import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { parseDriver } from '../../agent/outside/load.ts';
import { ACME } from './example.ts';

/** Every name that the pages of protocols give for a request that changes a miner, tried in a driver file. */

const PAGES = join(import.meta.dirname, '..', '..', '..', 'shared', 'protocols');
const WITHOUT_PAGES = existsSync(PAGES) ? false : 'the pages of protocols are not beside this repository';

/** A heading or a line that says what must not be sent. */
const FORBIDS = /\bnever\b|state-changing/i;

/** Of what a sentence says that it changes something, or makes the miner ask other hosts. */
const ACTS = /\bwrites\b|\bcontacts?\b|\bnot safe\b|\bdo not call\b/i;

/** The sentences and rows that say so; the names stand before the word as often as behind it. */
const actingIn = (page: string): readonly string[] =>
  page.split(/(?<=[.;])\s|\n/).filter((sentence) => ACTS.test(sentence));

/** The texts of a page that list such requests: the sections under such a heading, and such lines elsewhere. */
const forbiddenIn = (page: string): readonly string[] =>
  page.split(/^(?=#)/m).flatMap((section) => {
    const [heading = '', ...lines] = section.split('\n');
    return FORBIDS.test(heading) ? [lines.join('\n')] : lines.filter((line) => FORBIDS.test(line)).map(fromWord);
  });

const fromWord = (line: string): string => line.slice(line.search(FORBIDS));

/** The names between backticks. */
const namesIn = (text: string): readonly string[] =>
  [...text.matchAll(/`([^`]+)`/g)]
    .filter(([, quoted = '']) => !quoted.includes('"'))
    .flatMap(([, quoted = '']) => quoted.split(/\s+/).flatMap(expanded))
    .flatMap((word) => word.split(','))
    .map((word) => word.replace(/^(?:POST|PUT|PATCH|DELETE|GET)$/, '').replace(/[|*{].*$/, ''))
    .filter((name) => /^\/?[A-Za-z][\w./-]+$/.test(name));

/** `a/{b,c}` is a/b and a/c. */
const expanded = (word: string): readonly string[] => {
  const [, before = '', inner, after = ''] = /^([^{]*)\{([^{}]*)\}(.*)$/.exec(word) ?? [];
  return inner === undefined ? [word] : inner.split(',').map((one) => `${before}${one}${after}`);
};

const NAMES: ReadonlySet<string> = WITHOUT_PAGES
  ? new Set()
  : new Set(
      readdirSync(PAGES)
        .map((page) => readFileSync(join(PAGES, page), 'utf8'))
        .flatMap((page) => [...forbiddenIn(page), ...actingIn(page)].flatMap(namesIn)),
    );

const refusal = (query: string): string | undefined => {
  const text = ACME.replace('queries:\n', `queries:\n  more: ${query}\n`).replace(
    'facts:\n',
    'facts:\n  network.hostname: { query: more, at: /name, read: text }\n',
  );
  const parsed = parseDriver(text, DRIVERS);
  return parsed.kind === 'bad' ? parsed.problems.map(({ message }) => message).join('; ') : undefined;
};
/** Named on the pages beside what acts, and only read. */
const READING_COMMANDS: readonly string[] = [
  'coin',
  'devs',
  'get_miner_conf',
  'getchipinfo',
  'getpool',
  'pools',
  'privileged',
];

/**
 * Of these the pages forbid another method than GET, or they are commands, parameters and words that no web interface has as a
 * path: a GET of them says what something is. One that is new on a page has to be looked at, and refused or put here.
 */
const READ_BY_GET: readonly string[] =
  `ASC Increment OK X-OTP-Session X-TOTP api-allow api-groups api/swarm api/system api/system/pools api/theme
  api/v2/alert api/v2/influx api/v2/otp api/v2/otp/session api/v2/settings asc binance board boardpow
  cgminercmd coin cool_mode cooling cooling/mode criticaltemp devs dns facopts fan fan-spd fans/minimum
  fanspeed frequency get.device.info get_miner_conf getchipinfo getpool gpu gst.csp hashpower hashratesplit
  help id id/variant idleonconnectionlost ip loop mcb/algosetting mcb/cmossetting mcb/ip mcb/rgbsetting
  mcb/setting mcb/wifisetting miner miner_config mining/target mining/tuning mode nan net_config network
  network_config otelsettings overdrive performance/ perpetualtune perpetualtune/algo pga pools pools/id
  privileged psu qr_auth salt settings solo-allowed state super system/secure system/tag system/telemetry
  target-temp time timedate timezone user/ipconfig user/logconfig user/machineconfig user/systemconfig
  user/userpanel user1 user3 voltage wifi worklevel workmode`.split(/\s+/);

describe('nothing that a page of protocols forbids comes in with a driver file', { skip: WITHOUT_PAGES }, () => {
  const accepted = (query: (name: string) => string): readonly string[] =>
    [...NAMES].filter((name) => refusal(query(name)) === undefined).sort();
  const bare = (name: string): string => name.replace(/^\//, '');

  test('the pages were read', () => {
    assert.ok(NAMES.size > 250, `${NAMES.size} names`);
    for (const name of [
      'ascset',
      'setworkmode',
      'reboot.cgi',
      '/mcb/facrst',
      'actions/factory-reset',
      'updatePools',
      'softoff',
    ])
      assert.ok(NAMES.has(name), name);
  });

  test('as no command', () => {
    assert.deepEqual(
      accepted((name) => `{ cgminer: ${JSON.stringify(name)} }`),
      READING_COMMANDS,
    );
    assert.deepEqual(
      accepted((name) => `{ framed: ${JSON.stringify(name)} }`),
      ['get.device.info'],
    );
  });

  test('as no POST', () => {
    assert.deepEqual(
      accepted((name) => `{ post: ${JSON.stringify(`/${bare(name)}`)}, body: "{}" }`),
      [],
    );
    assert.deepEqual(
      accepted((name) => `{ post: ${JSON.stringify(`/${bare(name)}`)}, body: post=2 }`),
      [],
    );
  });

  test('as no page of a CGI, which acts on a plain GET', () => {
    const pages = [...NAMES].filter((name) => /\.(?:cgi|php|sh)$/.test(name));
    assert.ok(pages.length > 20, `${pages.length} pages`);
    for (const page of pages) {
      for (const path of [`/${bare(page)}`, `/cgi-bin/${bare(page)}`]) {
        const told = refusal(`{ get: ${JSON.stringify(path)} }`);
        assert.match(told ?? 'accepted', /^may not be sent: .* says "[^"]+", which could act$/, path);
      }
    }
  });

  test('as no path, but for those of which a GET reads', () => {
    assert.deepEqual(
      accepted((name) => `{ get: ${JSON.stringify(`/${bare(name)}`)} }`)
        .map(bare)
        .sort(),
      READ_BY_GET,
    );
  });
});
