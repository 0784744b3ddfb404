import { generatedFrom, page } from '../markdown.ts';
import { included } from './collector-page.ts';

/** `docs/notify.md`: how a site is told of findings, with receivers and commands that can be used as they are. */
export const notifyPage = (): string =>
  page(
    generatedFrom('scripts/docs/interface/notify-page.ts and docs/examples/notify/'),
    '# Be told of findings',
    INTRODUCTION,
    BODY,
    PROMISES,
    WEBHOOK,
    '### Python',
    included('notify/receiver.py', 'python'),
    '### Node',
    included('notify/receiver.mjs', 'js'),
    COMMAND,
    '### ntfy',
    included('notify/ntfy.sh', 'sh'),
    '### PagerDuty',
    included('notify/pagerduty.py', 'python'),
    TROUBLE,
  );

const INTRODUCTION = `A gateway tells a pager, a chat or a script of yours what it found: by a signed webhook, or by running a program. Beside that findings are in the
log, on the mirror topics ([mirrors.md](mirrors.md)) and at collectors; only a collector proves that none is missing.

\`\`\`yaml
notify:
  - name: pager
    webhook:
      url: https://pager.example/hooks/assayer
      secret_file: secrets/pager             # printf 'whsec_%s\\n' "$(openssl rand -base64 32)" > secrets/pager
    least: high
  - name: ntfy
    command: [/etc/assayer/ntfy.sh, "https://ntfy.example/site-1"]
    ids: ["pool.*", "firmware.*"]
    states: [open]
\`\`\`

All settings: [configuration.md](configuration.md#notify). \`assayer check-config\` finds a secret that is not there, a program that cannot run and an id that no finding has.
\`assayer notify test [name]\` sends a test now and says how it went; \`status\` and \`doctor\` say how a running agent fares with each target. A changed
section takes effect with SIGHUP.`;

const BODY = `## What is told

Each transition of a confirmed finding that has at least the severity \`least\` (\`medium\` unless set), among \`ids\` and \`states\` where these are set. **What a target was told it
is told to its end**, also where a plan or a person has made it harmless by then. The many devices of a storm are told as the one parent finding that the log has, which comes again,
at most once a minute, while devices join, and once more before a device leaves that it did not tell yet; one that was acknowledged is \`open\` again then. \`by\` names who acknowledged, approved or closed it: one that ended by itself names nobody, and says where devices left the configuration. A value that came and went before it was confirmed is not told.

The body of the webhook, and what the command reads from stdin, is one JSON object: [the schema](interface/schemas/notification.json).

\`\`\`json
{
  "type": "finding.open",
  "timestamp": "2026-11-22T09:20:00Z",
  "data": {
    "delivery": "msg_mPYbQHzdt6Z1mkJX0JxN0w",
    "target": "pager",
    "gateway": "tx1-gw3",
    "text": "critical pool.user-changed open, rig-7, slot 0: acme.rig7 -> thief.rig7 (Pool user changed)",
    "log": "example.org/tx1-gw3/1795262400",
    "seq": 88173,
    "key": "example.org/tx1-gw3/1795262400/88173",
    "finding": { "id": "pool.user-changed", "state": "open", "severity": "critical", "device": "rig-7", "…": "…" }
  }
}
\`\`\`

- \`type\` is \`finding.open\`, \`.acknowledged\`, \`.waived\`, \`.approved\`, \`.resolved\` or \`.incident_closed\`; \`notify.skipped\`; or \`notify.test\`.
- \`timestamp\` is when it was recorded, not when it is told. \`key\` is the same from the first transition of a finding to its end: what a pager calls the key of the incident.
- \`finding\` is what the signed entry \`seq\` says, word for word: \`assayer log --from <seq> -n 1 --raw\` shows that. What \`redact\` hides there is hidden here, too, and in \`text\`.
- The object is signed for you (below), not for others: evidence is the entry. Values in it come from devices; treat them as foreign text.`;

const PROMISES = `## What is promised

- **At least once, in order, for each target by itself.** A target's place in the log is in the store before the next thing is told. After a crash the last thing may be told again,
  with the same \`delivery\`: a receiver passes over what it has seen.
- **A target that fails** is tried again after 5 s, then after twice as long each time, at most every 15 minutes; \`Retry-After\` is heeded within that. Nothing overtakes what waits. Neither the look at
  devices, nor the log, nor another target waits for it.
- **A target that was away for long is not flooded.** Whatever waited longer than \`max_age_s\` (one hour unless set) when its turn comes is not told one by one. It is counted, and said in one
  \`notify.skipped\`: how many, of which severities, from when to when, and the keys of findings that were told before and ended since (up to 256). That comes first; what is younger follows one by
  one. So one \`notify.skipped\`, then at most the last hour. What is open now is shown by \`assayer findings\`.
- **A new target begins at the end of the log**: it is told what happens from then on, and what is said of the edit that names it. The name makes the target; another URL
  under the same name goes on where the former was.
- **One that is taken out of the configuration and put back goes on where it was**: it is told what it missed, and of what is older than \`max_age_s\` the count. The places of the last 64 that left are kept.
  When one leaves, \`notify.target-gone\` says so; where approvers are named, each edit of \`notify\` (a target that goes, comes, or is told less, another command or URL) is a finding \`change.break-glass\`, reason
  \`configuration-edited\`, which the targets are told of as of any other.
- Where another log replaces this one (\`log.replaced\`), what is open is said again there, and told again, with new keys.`;

const WEBHOOK = `## Webhook

A POST in the manner of the [Standard Webhooks](https://www.standardwebhooks.com/) specification 1.0, so that its libraries can be used. \`webhook-id\` is \`delivery\`, \`webhook-timestamp\` the time of this
attempt in Unix seconds, and \`webhook-signature\` is \`v1,\` and the base64 of HMAC-SHA256 over \`<id>.<timestamp>.<body>\`, with the bytes of the secret behind \`whsec_\` as the key.

- Any 2xx is success; everything else is tried again, a redirect and 410 too. Answer within \`timeout_s\`, and work then.
- The certificate is always verified, TLS 1.2 or newer, against the public authorities or those in \`ca\`. Plain \`http://\` goes to a loopback address, or elsewhere with \`insecure: true\`.
- \`authorization_file\` holds the whole value of the Authorization header, like \`Bearer …\`. The secret, that value, and path and query of the URL are in no log line and no message.
- **To change the secret** put the new one before the old one, two words in the file: both sign until the old one is taken out. The file is read at each attempt.

Both receivers check the signature and the time, pass over what they have seen, and print; replace the printing.`;

const COMMAND = `## Command

The program is started by its absolute path, with the words of \`command\` as they are: there is no shell. It gets the object on stdin, and

\`ASSAYER_TYPE\` \`ASSAYER_DELIVERY\` \`ASSAYER_GATEWAY\` \`ASSAYER_TEXT\`, of a finding also \`ASSAYER_KEY\` \`ASSAYER_ID\` \`ASSAYER_SEVERITY\` \`ASSAYER_STATE\` \`ASSAYER_DEVICE\`

and of the environment of the agent only \`PATH HOME USER LOGNAME LANG LC_ALL TZ\`: a password that is there is not passed on. Its folder is \`/\`. Exit code 0 is success. After \`timeout_s\` it is ended,
with everything in its process group, and what it leaves in its process group when it ends well is ended, too. What it writes is kept up to 4096 bytes, for \`notify test\`, and never logged.
It runs as the user of the agent: give that user the right to change it to nobody.`;

const TROUBLE = `## Log lines

| Event | Says |
|---|---|
| \`notify.target-new\` | a target begins, and from which entry |
| \`notify.target-gone\` | the configuration names a target no more: it is told nothing until it is named again (\`warn\`) |
| \`notify.delivered\` | told (level \`debug\`) |
| \`notify.failed\` | could not be told, why, what to do, and when it is tried again: \`warn\` at first and for another reason, \`error\` once when the waits have reached 15 minutes, \`debug\` in between |
| \`notify.goes-on\` | a target that failed is told again |
| \`notify.skipped\` | how much waited longer than \`max_age_s\` and is counted in one delivery |`;
