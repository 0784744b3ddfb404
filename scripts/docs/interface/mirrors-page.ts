import { generatedFrom, page } from '../markdown.ts';
import { included } from './collector-page.ts';

/** `docs/mirrors.md`: how displays read the mirror topics. */
export const mirrorsPage = (): string =>
  page(
    generatedFrom('scripts/docs/interface/mirrors-page.ts and docs/examples/mirrors/'),
    '# Show the mirrors in a display',
    WARNING,
    WHAT,
    '## Telegraf',
    TELEGRAF,
    included('mirrors/telegraf.conf', 'toml'),
    '## Node-RED',
    'Import this flow; [the file](examples/mirrors/node-red.json).',
    included('mirrors/node-red.json', 'json'),
    '## Home Assistant',
    HOME_ASSISTANT,
    included('mirrors/home-assistant.yaml', 'yaml'),
    CHECKED,
  );

const WARNING = `> **Display only. A mirror is never evidence, and a display that shows it should say so.** A display checks no signature, so it shows whatever somebody
> with write access to the broker puts there. Mirrors are best effort: they may be missing, late, old, or withheld, and nothing on the screen tells.
> Alarms that matter, reports and settlements are made from what a collector verified: [collector.md](collector.md),
> [write-a-collector.md](write-a-collector.md).`;

const WHAT = `## What there is

| Topic | What | Kept by the broker |
|---|---|---|
| \`attest/v1/<gateway>/dev/<device>\` | the newest attestation of a device: [attestation](interface/schemas/attestation.json) | yes |
| \`attest/v1/<gateway>/finding/<severity>\` | each transition of a confirmed finding: [finding](interface/schemas/finding.json) | no |
| \`attest/v1/<gateway>/tenant/<tenant>/dev/<device>\`, \`…/finding/<severity>\` | the same two, of the devices with that label \`tenant\` only | yes; no |
| \`attest/v1/<gateway>/tenant/<tenant>/coverage\` | what was looked at of that tenant's devices in a period, and the state that this affirms: [coverage](interface/schemas/coverage.json) | no |
| \`attest/v1/<gateway>/cp\` | the newest checkpoint: older than 15 minutes means that the gateway is silent | yes |
| \`attest/v1/<gateway>/conn\` | \`online\`, \`stopped\` or \`lost\`: unsigned, and \`online\` may stand there after a power cut | yes |

- **An attestation comes when something changed, and once a day otherwise.** Its telemetry is that of the look it was made of. It is no time series and says
  nothing about now; that nothing changed since is said by \`coverage\`, in the log and to tenants.
- A finding that ended comes again with another \`state\` (\`resolved\`, \`approved\`, …). As these messages are not kept, a display that starts knows none: what is open for a
  device stands in \`appraisal.failed\` of its \`dev\` topic.
- \`conformance\` is \`match\`, \`partial\`, \`unbaselined\`, \`deviation\` or \`unreachable\`. Of an unreachable device there are no \`claims\`. A fact that could not be read
  is missing there and named in \`evidence.readings\`: show "unknown", not 0.
- \`dev\` topics exist up to 500 devices a gateway, or with \`mqtt.mirror: on\`. Of a device that left the configuration they are cleared (an empty message), with
  the next connect at the latest. What an emptied store published before stays until somebody clears it.
- **A tenant** is a label: \`labels: { tenant: acme }\` of an entry under \`devices\`, or of the whole file, or by an assignment under \`tenants\`. Lower-case letters, digits and dashes. It gets what
  is about its own devices, byte for byte what the log has; not the parent finding of many devices, which would name those of others. Where the label of a device changes,
  its next full look is attested for the new tenant, and its topic at the former one is cleared; a device that does not answer stays where it was until it does.
- A tenant hears of every period, \`coverage_s\`, even when nothing changes: half an hour without \`coverage\` while \`cp\` is fresh means that somebody keeps it from him.
- Give a display an account that may read these topics and write none: \`display-a\` in the access lists of [broker.md](broker.md). A tenant gets
  one like \`acme\` there, which reads its own topics and checkpoints, and nothing of others.

To check single messages, with the key of the gateway: \`mosquitto_sub … -t 'attest/v1/+/dev/+' | assayer verify - --each --keys gateway.jwk.json\`. That proves who made each, not that
it is the newest, or that none is missing.`;

const TELEGRAF = `[The file](examples/mirrors/telegraf.conf). The time of a point is when the attestation was made. What may be missing is \`optional\`: without that Telegraf drops the
whole message of an unreachable device.`;

const HOME_ASSISTANT = `[The file](examples/mirrors/home-assistant.yaml), to be merged into \`configuration.yaml\`. \`availability\` is that of the gateway, as far as it tells.`;

const CHECKED = `## What is tested

Tests of this program catch mirrors of the real agent, of a device that answers and of one that does not, and hold these files against them: they parse, their
topics are those of the mirrors, the paths of Telegraf lead to values of the type that is named or are optional, the functions of Node-RED and the templates of Home Assistant
(with Jinja) run and give what they should. Telegraf, Node-RED and Home Assistant themselves are not run.`;
