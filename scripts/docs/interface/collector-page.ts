import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHANNELS, publishingOn } from '../../../shared/channels.ts';
import { REFUSALS } from '../../../shared/collector/messages.ts';
import {
  MAX_DEPTH,
  MAX_ITEMS,
  MAX_MANIFEST_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_TEXT_BYTES,
  MEMBER_NAME,
  maxItems,
  maxTextBytes,
} from '../../../shared/model.ts';
import { code, generatedFrom, markdownTable, page, prose } from '../markdown.ts';
import { CHANNEL_NAMES, CONVERSATIONS } from './asyncapi.ts';
import { PAYLOAD_NAMES, PAYLOADS } from './payloads.ts';

const EXAMPLES = join(import.meta.dirname, '..', '..', '..', 'docs', 'examples');

/** A file of docs/examples as it is, in a block of its language. */
export const included = (file: string, language: string): string =>
  [`\`\`\`${language}`, readFileSync(join(EXAMPLES, file), 'utf8').trimEnd(), '```'].join('\n');

/** `docs/write-a-collector.md`: what somebody needs who consumes the topics in any language, with two whole programs. */
export const collectorPage = (): string =>
  page(
    generatedFrom('scripts/docs/interface/collector-page.ts, shared/channels.ts and docs/examples/'),
    '# Write a collector',
    INTRODUCTION,
    '## Topics',
    TOPICS,
    markdownTable(
      ['Topic', 'From', 'To', 'Payload', 'Kept by the broker', 'Expiry', 'What'],
      CHANNEL_NAMES.map((channel) => {
        const { from, to, messages, description } = CONVERSATIONS[channel];
        const { retain, expiryS } = publishingOn(channel);
        return [
          code(CHANNELS[channel].path.replaceAll(/[{}]/g, (brace) => (brace === '{' ? '<' : '>'))),
          from,
          to.join(', '),
          messages.map(schemaLink).join(', '),
          retain ? 'yes' : 'no',
          expiryS === undefined ? 'none' : `${expiryS} s`,
          prose(description),
        ];
      }),
    ),
    MESSAGE,
    LOG,
    CHECKPOINT,
    WITNESS,
    THERE,
    ACKNOWLEDGE,
    ASK,
    FURTHER,
    '## The whole in TypeScript',
    'Node 24 or newer; of packages `mqtt` only. [The file](examples/collector.ts).',
    included('collector.ts', 'ts'),
    '## The whole in Python',
    'Debian: `apt install python3-paho-mqtt python3-cryptography`. [The file](examples/collector.py).',
    included('collector.py', 'python'),
    '## Payloads',
    'JSON Schema 2020-12, written from the schemas that the program itself reads and writes with.',
    markdownTable(
      ['Schema', 'Signed as', 'What'],
      PAYLOAD_NAMES.map((name) => {
        const payload = PAYLOADS[name];
        return [
          schemaLink(name),
          'typ' in payload ? code(payload.typ ?? '') : 'not signed',
          prose(payload.description),
        ];
      }),
    ),
  );

const schemaLink = (name: string): string => `[${name}](interface/schemas/${name}.json)`;

const INTRODUCTION = `A collector takes what gateways publish, checks it, stores it, and tells the gateway how far it has stored. This page has all that it takes, in
any language: nothing of this program is needed. In JavaScript you may prefer the library
([collector-library.md](collector-library.md)), and \`assayer collect\` is a collector that is ready to run
([collector.md](collector.md)).

- [interface/asyncapi.yaml](interface/asyncapi.yaml): AsyncAPI 3.0 of all topics, for generators and browsers of such documents.
- [interface/schemas/](interface/schemas/): JSON Schema of every payload; the list is at the end of this page.
- Two whole collectors stand below. The tests of this program run them against the real agent over Mosquitto, through a lost
  entry, a forged signature, a second history under the same key, a gateway that was put back, and their own death.

Three sentences carry everything else. **The broker is not to be trusted**: whether a message counts is decided by its signature, its number
and the hash of the one before. **A broker's acknowledgement is no receipt**: an entry is safe when *your* commit has returned and you
said so. **Keep the bytes**: the message as received is the evidence; JSON that was parsed and written again is not.

To have something to look at: \`npm start\` in a clone starts simulated miners, an agent and a broker; its first lines give the broker's URL and the
public key, which is that of \`example.org/demo-gw\`. That broker speaks MQTT 3.1.1 only. As no collector is required there, run the examples with \`--observer\`.`;

const TOPICS = `All topics begin with \`<prefix>/v1/\`, by default \`attest/v1/\`. Everything is published with QoS 1, an acknowledgement
also with QoS 0; subscribe with QoS 1. Ids are
lower case letters, digits and \`-\`, at most 63. MQTT 5 and 3.1.1 carry the same messages; properties, retain flag, QoS and order
of arrival are conveniences and never evidence.`;

const MESSAGE = `## One message

A signed message is one JSON object whose last member is the signature over all the others:

\`\`\`
{"…":"…",…,"jws":"<header>..<signature>"}
\`\`\`

Check in this order, and use nothing of it before step 6 has passed. The code is what to call the failure.

1. At most 32 768 bytes (\`E_SIZE\`); UTF-8, first byte \`{\`, no byte order mark (\`E_ENCODING\`).
2. The bytes end with \`,"jws":"\`, 1 to 512 characters of base64url, \`..\`, 86 of base64url, \`"}\`, and nothing after it, no line break either
   (\`E_ENVELOPE\`). Decoding and encoding must give the same text: unused bits are zero.
3. The signed content is everything before \`,"jws":"\`, and \`}\`. Cut it out of the bytes; do not write JSON anew.
4. The header decodes to exactly \`{"alg":"Ed25519","kid":"…","typ":"…"}\`, these three members in this order without blanks (\`E_HEADER\`);
   \`alg\` is \`Ed25519\` (\`E_ALG\`); \`typ\` is the one for this topic, \`miner-att+jwt\` on \`log\`, \`rsp\` and mirrors, \`miner-cp+jwt\` on \`cp\` (\`E_TYP\`).
5. \`kid\` names a key that you trust for gateways (\`E_KEY_UNKNOWN\`). It is the RFC 7638 thumbprint: base64url of the SHA-256 of
   \`{"crv":"Ed25519","kty":"OKP","x":"…"}\`. The keys are the files \`gateway.jwk.json\` that \`assayer init\` writes on each gateway; bring
   them by another way than the broker, and note of which \`<operator>/<gateway>\` each is: it signs for no other (\`E_KEY_SCOPE\`, after step 7). Never take a key
   from a message.
6. Ed25519 over the ASCII text \`<header>.<base64url of the content>\` (\`E_SIGNATURE\`). Use a library that refuses non-canonical signatures
   (S ≥ L), as OpenSSL and everything on top of it does.
7. The content parses (\`E_JSON\`) and is its own RFC 8785 form (\`E_NONCANONICAL\`). Names are ASCII and numbers are integers within ±(2^53−1), so in most
   languages that is: sorted members, no blanks, no escapes but the needed ones; Python's \`json.dumps(value, sort_keys=True,
   separators=(",", ":"), ensure_ascii=False)\`. This also finds names that occur twice. Refuse what your parser takes beside that, as Python's \`NaN\` and lone
   surrogates in JavaScript; a number outside the range may be called \`E_NONCANONICAL\` or \`E_SCHEMA\`. \`eat_profile\` is the constant of the schemas
   (\`E_PROFILE\`), the rest is the schema of its \`kind\` with the limits below (\`E_SCHEMA\`), and the gateway in the topic is the middle part of \`log\` (\`E_TOPIC\`).
   A schema is that of the whole message, as it came: it asks for \`jws\`, which the content does not have.

The limits of step 7, which a JSON Schema can say in part only. They hold for every signed payload:

| Of | At most |
|---|---|
| a text, in bytes of UTF-8 | ${MAX_TEXT_BYTES}; members named \`doc\` ${maxTextBytes('doc')}, \`note\` ${maxTextBytes('note')}. The schemas say \`maxLength\`, which counts characters |
| a list, in items | ${MAX_ITEMS}; \`keys\` of a manifest ${maxItems('keys')} |
| objects and lists inside each other, the whole being 1 | ${MAX_DEPTH} |
| a member's name | \`${MEMBER_NAME.source}\` |
| a message | ${MAX_MESSAGE_BYTES} bytes; a manifest ${MAX_MANIFEST_BYTES} |

And one rule between members: a \`session\` \`start\` with \`seq\` 0 has \`prior\`, the end of the log that it replaces, or null.

What fails here is kept out: store it apart as evidence, in bounded number, since whoever may publish can make such messages.`;

const LOG = `## One log

\`log\` is \`<operator>/<gateway>/<incarnation>\`, \`seq\` counts from 0, and **(log, seq) is the unique key of your table**. A gateway whose store was lost
or put back begins a log with a larger incarnation; the former one stands as it is, and nobody acknowledges it any more. Its findings end with it, and
entries of it below \`prior.size\` that you do not have are lost. An incarnation is the Unix time at which the log began, an integer up to 2^53 − 1
without leading zeros, so that it has one spelling. Refuse a log whose incarnation is more than a day ahead of your clock (\`E_INCARNATION\`): with one
message that somebody signed with a stolen key, or by a wrong clock, all logs of that gateway until then would be former ones. Let no log count as the
newest of which you have no entry, or whose key you trust no more, and bound how many of one gateway you take: whoever has its key can name any number. The leaf hash of an
entry is the SHA-256 of a zero byte and the whole message, \`jws\` included. \`prev\` is the leaf hash of the entry before as base64url, for
\`seq\` 0 the SHA-256 of nothing, \`47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU\`.

| \`seq\` is | and | then |
|---|---|---|
| below your next | the same bytes are stored | a duplicate: drop it, and acknowledge again |
| below your next | other bytes are stored | \`E_FORK\`: keep both. They prove, to anybody, that the key signed two histories |
| your next | \`prev\` is the leaf of the last | store it |
| your next | \`prev\` is something else | \`E_CHAIN\`: authentic, and its place is taken. Store it, marked as not to be used, and go on with its leaf |
| above your next | | a gap: hold it (up to 1 000, the nearest), ask for what is missing (below). Two held messages for one number are \`E_FORK\`, too |

Duplicates are normal: a gateway sends again whatever you have not acknowledged. With a plain subscription entries come in runs
that only restart earlier; with a shared subscription there is no order, which is why workers share a fleet by gateways.`;

const CHECKPOINT = `## Checkpoints

\`cp\` says how long the log is and what its Merkle tree (RFC 6962) hashes to: \`node = SHA-256(0x01 ‖ left ‖ right)\` over the leaf hashes, \`root\` as
base64url. It comes every minute while the log grows, else every five, and the newest is retained, so it also shows what is missing at the end, where no later
entry can. Steps 1 to 7 apply, \`typ\` \`miner-cp+jwt\`.

- Not newer than the last one, by (\`bootcount\`, \`mono_ms\`): a replay; ignore it.
- \`size\` below one that agreed: \`E_ROLLBACK\`.
- \`size\` at most your next: compute your root at that size. Another one is \`E_FORK\`: keep the message.
- \`size\` above your next: entries from your next to \`size\` are missing. They may be on their way; keep the checkpoint and compare when you are there.
- \`first\` above your next: the gateway no longer holds what you lack. It is lost to you: note the range, continue at \`first\`, where there is no \`prev\` to compare
  with, and without a tree, so that this log's checkpoints cannot be compared any more. Acknowledge again once the entry \`first\` is stored.
- None for 15 minutes: the gateway is silent. That is an alarm, not a sign of health, whatever \`conn\` says.

\`note\` says the same once more as a C2SP signed note, so that tools for such logs can read it. It is a text of these lines, with a newline
behind each, \`root\` and the last part in padded base64:

\`\`\`
<log>
<size>
<root>

— <log> <base64 of: key id, 4 bytes ‖ signature, 64 bytes>
\`\`\`

The signature is Ed25519 over the first three lines with their newlines. The key id are the first four bytes of the SHA-256 of \`<log>\`, a newline,
the byte 0x01, and the 32 bytes of the public key. A note whose lines or signature do not agree with the members is \`E_CHECKPOINT\`.`;

const WITNESS = `## Cosign

A collector that cosigns is a witness: it swears to have seen the log with that size and that root at that time, and gateways that name it in
\`mqtt.witnesses\` may remove old entries below. It takes a key of its own, Ed25519, that signs nothing else. Cosign a checkpoint when its signature is valid,
its root is yours at its size, **stored**, and \`size\` is not below the last one that you cosigned; and keep size and root of that before anybody sees the
cosignature. Then publish on \`<gateway>/cosig/<id>\`, retained, \`{"log","size","note"}\`: the note as it came, with one line more.

\`\`\`
— <id> <base64 of: key id, 4 bytes ‖ time, 8 bytes ‖ signature, 64 bytes>
\`\`\`

\`time\` are Unix seconds, big-endian. The signature is over \`cosignature/v1\`, newline, \`time <seconds>\` in decimal, newline, and the three lines of the checkpoint
with their newlines. The key id are the first four bytes of the SHA-256 of \`<id>\`, a newline, the byte 0x04, and the 32 bytes of the public key. The
vkey that a gateway and a manifest name is \`<id>+<key id as 8 hex digits>+<base64 of: 0x04 ‖ public key>\`.

To count cosignatures of others, take the lines whose name and key id are those of a witness in your manifest, verify them over the three lines, and take the
earliest time of each. With \`quorum\` of them the entries below \`size\` are witnessed; an \`iat\` more than 120 s above the earliest time is \`E_TIME_WINDOW\`.
\`test/vectors/known-answers.json\` has a note, a vkey and a cosignature to compare with.

## A manifest of keys

Instead of files of keys an authority may sign a list of them, retained on \`_fleet/trust\`: a message as above, \`typ\` \`miner-trust+jwt\`, of
[this schema](interface/schemas/trust.json), signed with a key that every verifier was given by hand. To make the next one: \`version\` one higher; \`prev_sha256\` the
base64url of the SHA-256 of the whole message before, \`jws\` included (absent in the first); \`iat\` and \`exp\`; \`keys\` with \`kid\`, \`jwk\`, \`role\`
(\`gateway\`, \`approver\`, \`collector\`, \`authority\`) and for gateways \`logs\`, e.g. \`["example.org/gw-1"]\`; \`witnesses\`, a list of vkeys with
names of their own; \`quorum\`, at most as many. Sort the members, write it without blanks, sign it as in steps 3 to 6.

Take one whose signature is of the authority, whose version is above that in force, and which, where it is the very next, names the digest of that; the same
bytes again change nothing. Anything else is \`E_TRUST_STALE\`, as is every message once \`exp\` has passed.

## The digest in coverage

\`state_sha256\` of a \`coverage\` is the base64url of the SHA-256 of a JSON text: a list of pairs \`["<device>","<leaf hash>"]\`, sorted by device, without blanks,
one for each device that is looked at. The leaf hash, base64url, is that of its newest attestation in this log below this entry, also of one that is not to be used.
A device leaves the list where a \`session\` \`start\` or \`reload\` names it in \`removed\`, and comes back with its next attestation. For no device it is the digest
of \`[]\`. With \`scope\` \`tenant:<t>\` only devices count whose newest attestation has the label \`tenant\` with that value. Another digest is
\`E_COVERAGE\`: something was kept from you, or made up.

A period begins where the one before ended. After a step of the gateway's clock, a restart or a refusing store it does not: nothing is affirmed of a gap
between two, and where the clock was set back the former one may end after the next begins.`;

const THERE = `## Being there

Client id, user name and certificate name are your collector id. Start clean: nothing has to wait for you at the broker. In this order:

1. Connect with a will on \`_fleet/collector/<id>\`, retained: \`{"state":"lost","session":"<session>","at":<Unix s>}\`. The session is another one for each
   connection, since a late \`lost\` of the session that is your newest \`online\` makes gateways stop sending.
2. Subscribe to \`+/log\`, \`+/cp\`, \`+/conn\`, \`+/rsp/<id>\`.
3. Publish \`online\` there, retained, with that session; again every five minutes, or you count as away after fifteen.
4. Publish \`{"at":<Unix s>}\` on \`_fleet/rollcall/<id>\`: each gateway publishes \`conn\` and \`cp\` again. What a broker retains may be incomplete.
5. Acknowledge the newest log of every gateway that you have.

A gateway that waited for you begins after a random 0 to 10 s. Before a clean end publish \`stopped\`, retained, with the same session: gateways
hold what comes next at once, instead of after 15 minutes.`;

const ACKNOWLEDGE = `## Acknowledge

\`{"log":"…","next":N,"leaf":"<leaf hash of entry N-1>","stored_at":<Unix s>}\` on \`<gateway>/ack/<id>\`, **after your commit has returned**: entries 0 to N-1 are
stored. Without \`leaf\` for N = 0 only. It moves the gateway only if your id is in its \`mqtt.collectors\`, and then it is all that moves it: at most 256
entries or 1 MiB go beyond it.

- At most five a second for each gateway; after each connect; every 60 s while idle; and when a [presence](interface/schemas/conn.json) says \`online\` in a session that is new to
  you: since its start a gateway sends you nothing before your first word, for ten seconds at most, so that one that was put back learns of it before it sends
  other entries under the same numbers. Of a log that you have nothing of, answer its checkpoint with N = 0: after you were emptied it is that which makes the gateway begin again.
- Other members than those of [the schema](interface/schemas/ack.json) make it unreadable (\`uplink.ack-unreadable\` at the gateway).
- N beyond the log (\`uplink.ack-ahead\`) or a leaf that is not the gateway's (\`uplink.fork\`) are alarms there. While all that it waits for object so, nothing is sent, until an acknowledgement fits or you come with another session.
- A log that the gateway began later than its present one is the same alarm (\`uplink.ack-ahead\`): its state was put back. A former one is passed over without a word.
- When a gateway sends of a former log, or names one in its presence, acknowledge the newest that you have: it may not know of that.
- A gateway that was put back believes its own signature only. It names you in \`contradicted_by\` of its [presence](interface/schemas/conn.json): acknowledge once more then, with
  the message N-1 of its newest log as the text \`head\`, byte for byte, and it begins a new log at once. Without that a person has to look at it; where a checkpoint was cosigned, it
  follows from the next cosignature.
- A lower N than before is taken: your database is an older copy, and the gateway sends again from there.`;

const ASK = `## Ask for what is missing

Wait two seconds without progress first: most gaps are entries on their way. Then every 30 s or more rarely.

**A collector that gateways wait for** adds \`"gap":[from,to]\` to its acknowledgement, from inclusive, to exclusive, everywhere. The gateway sends again from N,
at once the first time, then no sooner than after 60, 120 … 900 s without progress. Without a word it does so after 30 s, and then likewise.

**Anybody else** asks on \`<gateway>/cmd/<id>\`, never retained, and hears on \`<gateway>/rsp/<id>\`:

\`\`\`
{"id":"<new for each>","op":"resync","args":{"from":0,"to":1000},"expires_at":<Unix s, in a minute>}
{"id":"…","page":1,"last":false,"ok":true,"data":{"entries":["<message>","<message>",…]}}
{"id":"…","ok":false,"code":"E_BUSY"}
\`\`\`

Each text in \`entries\` is a message byte for byte, to be verified like one of \`log\`. Pages have up to 60 000 bytes; \`last\` ends the answer. \`to\` may be
beyond the end; entries that retention removed are left out. One \`resync\` runs at a time: \`E_BUSY\` says ask later. Refusals are
${REFUSALS.map(code).join(', ')}. No answer comes to a request that is retained, expired, has an id that was used
before, or is not one by the schema. \`status\`, \`observe\`, \`checkpoint\` and \`tiles\` are asked in the same way; [cmd](interface/schemas/cmd.json) and
[rsp](interface/schemas/rsp.json) have their members. With MQTT 5 correlation data comes back; a response topic other than your \`rsp\` is refused.

Take from \`rsp\` only what you asked for, and no more of it: whoever has the certificate of a gateway may publish there whatever it likes.

After entries that the gateway no longer holds (\`first\` of its checkpoint is beyond what you have) \`tiles {"from","to"}\` gives \`hashes\`: the roots of the largest
complete subtrees side by side over the leaves from \`from\` to below \`to\`. Append them to your tree over \`from\` entries, then the leaves
that you have; if that gives the root of a signed checkpoint, they are true, and you may cosign again.`;

const FURTHER = `## What the examples leave out

Of the schemas they check the members that they use, and they do not tell silence. The library does these as well; their \`E_…\` quarantine an entry that is in
its place:

- starts and clocks: \`bootcount\`, \`bootseed\`, \`mono_ms\` and \`iat\` of neighbouring entries agree (\`E_BOOT\`, \`E_MONO\`, \`E_CLOCK\`, \`E_FUTURE\`);
- content: references that are cited are in force (what was learned or accepted of a device that a \`session\` names in \`removed\` is not any more), conclusions follow from checks, \`coverage\` has the digest of your own state (\`E_REFERENCE\`, \`E_APPRAISAL\`, \`E_OVERCLAIM\`,
  \`E_COVERAGE\`, \`E_FINDING\`, \`E_BASELINE\`);
- a manifest of keys with revocation, key rotation, cosigning of checkpoints (above), markers of time;
- silence; bounds in bytes, and for thousands of gateways; a disk that is full without ending.

\`test/vectors/cases.json\` and \`checkpoints.json\` hold messages with the verdicts they must bring, to test another implementation with.
Python validates whole messages against the schemas with Debian's \`python3-jsonschema\`.`;
