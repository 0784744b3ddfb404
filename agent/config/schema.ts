import { z } from 'zod';
import { ID } from '../../shared/ids.ts';
import { templateSchema } from '../../shared/terms.ts';
import { SEVERITIES } from '../appraise/finding.ts';
import { ALL_PORTS } from '../drivers/driver.ts';
import { firmwareLists } from './firmware.ts';

/**
 * The configuration file: one schema that is type, defaults, units, documentation and the JSON Schema for editors.
 * Units are in the names. Secrets are never members, only the files or environment variables that hold them.
 */

const id = z.string().regex(ID, 'lower-case letters, digits and dashes, at most 63, not starting with a dash');

const label = z.string().min(1).max(128);

const port = (name: keyof typeof ALL_PORTS, meaning: string) =>
  z.int().min(1).max(65535).default(ALL_PORTS[name]).describe(`TCP port of ${meaning}`);

const ports = z
  .strictObject({
    cgminer: port('cgminer', 'the CGMiner API'),
    http: port('http', 'the web interface'),
    auradine: port('auradine', 'the FluxOS API (Auradine)'),
    volcminer: port('volcminer', 'the RPC of VolcMiner'),
    whatsminer: port('whatsminer', 'WhatsMiner API 3'),
    grpc: port('grpc', 'the gRPC interface (Braiins OS)'),
    https: port('https', 'the web interface behind TLS (WhatsMiner), whose key is a component of the firmware'),
    ssh: port('ssh', 'the SSH server whose host key is a component of the firmware'),
  } satisfies { [Name in keyof typeof ALL_PORTS]: z.ZodType })
  .describe('where the interfaces of a device listen');

const labels = z
  .record(
    z
      .string()
      .regex(
        /^[a-z_][a-z0-9_.-]{0,63}$/,
        'lower-case letters, digits, _ . and -, at most 64, starting with a letter or _',
      ),
    label,
  )
  .describe('travel with every statement about the device; `site` and `tenant` have meaning to rules');

const lines = (field: string) =>
  z.array(z.string().min(1)).optional().describe(`${field}; * stands for any text, case does not matter`);

const shared = {
  credentials: id.optional().describe('name of an entry under `credentials`'),
  ports: ports.prefault({}),
  labels: labels.default({}),
};

const hostEntry = z.strictObject({
  host: z
    .string()
    .min(1)
    .describe(
      'IP address or host name: a position, whatever machine answers there; it holds for its address over any range, wherever it stands',
    ),
  name: id.optional().describe('id of the device; without it the id is made of the address'),
  ...shared,
});

const rangeEntry = z.strictObject({
  range: z
    .string()
    .min(1)
    .describe(
      'CIDR block (10.20.14.0/24) or first-last (10.20.14.10-10.20.14.90): searched, ids follow the machine; an address that two ranges have belongs to the first in the file',
    ),
  ...shared,
});

const allowed = z.strictObject({
  url: z
    .string()
    .describe(
      'canonical pool URL, or that of a proxy through which pools may be reached; * stands for one or more leading host labels, never for what is no host name; without a port any port; with an account before an @ only where it has one here',
    ),
  user: templateSchema
    .optional()
    .describe(
      'pool user; * stands for any text, but an account that is an e-mail address has to be here with its domain, `ops@acme.example/*`; a name in braces for a label of the device or one of `{account}`, `{serial}`, `{mac}`, `{hostname}`, `{model}`, `{ip}`',
    ),
});

const instant = (meaning: string) =>
  z.iso.datetime({ offset: true, error: 'a time like 2026-12-01T00:00:00Z' }).optional().describe(meaning);

const assignment = z.strictObject({
  device: id.optional().describe('id of the device'),
  range: z.string().min(1).optional().describe('addresses like those of a `range` under `devices`'),
  labels: labels.optional().describe('labels that the device has, all of them'),
  from: instant('when they become devices of this tenant; without it they always were'),
  until: instant('when it no longer is; without it never'),
});

const credential = z.strictObject({
  user: z.string().default('root').describe('account of the read-only log-in'),
  password_file: z.string().optional().describe('file that holds the password; its last newline is dropped'),
  password_env: z.string().optional().describe('environment variable that holds the password'),
  vendor_default: z
    .boolean()
    .default(false)
    .describe('try the log-in that the maker of the device documents, where no password is given'),
  families: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('show the log-in only to devices recognised as one of these families; without it to every device'),
});

const broker = z.strictObject({
  url: z.string().describe('mqtts://host:8883, or mqtt://host:1883 to a loopback address or with `insecure: true`'),
  urls: z.array(z.string()).optional().describe('further brokers, tried in this order after `url`'),
  prefix: z.string().default('attest').describe('topic prefix, one or two levels'),
  ca: z.string().optional().describe('PEM file of the authorities that may sign the certificate of the broker'),
  cert: z.string().optional().describe('PEM file of the client certificate, CN = gateway'),
  key: z.string().optional().describe('PEM file of the key of the client certificate'),
  username: z.string().optional().describe('MQTT user name; default: the gateway id, when a password is given'),
  password_file: z.string().optional().describe('file that holds the MQTT password'),
  password_env: z.string().optional().describe('environment variable that holds the MQTT password'),
  insecure: z.boolean().default(false).describe('allow plain MQTT beyond the loopback; presence says so'),
  tls_min: z.enum(['1.2', '1.3']).default('1.3').describe('oldest TLS version accepted'),
  protocol: z
    .enum(['auto', '5', '3.1.1'])
    .default('auto')
    .describe('MQTT version; auto asks for 5, falls back to 3.1.1'),
  collectors: z.array(id).default([]).describe('collectors whose acknowledgement counts as delivered'),
  witnesses: z
    .array(z.string())
    .max(16)
    .default([])
    .describe('C2SP vkeys of collectors whose cosignatures and epoch markers count'),
  quorum: z
    .int()
    .min(1)
    .max(16)
    .default(1)
    .describe('witnesses that must have cosigned before an entry may be pruned, where collectors are required'),
  rate: z.int().min(1).max(10_000).default(200).describe('most entries published per second'),
  spread_s: z.int().min(0).max(3600).default(30).describe('first connect after a random time up to this, s'),
  mirror: z.enum(['auto', 'on', 'off']).default('auto').describe('topics dev/<device>: auto = up to 500 devices'),
});

const toldOf = {
  name: id.describe('id of the target; what it was told is remembered under it'),
  least: z
    .enum(SEVERITIES)
    .default('medium')
    .describe('lowest severity that is told; a finding that was told is told to its end'),
  states: z
    .array(z.enum(['open', 'acknowledged', 'waived', 'approved', 'resolved', 'incident-closed']))
    .min(1)
    .optional()
    .describe('only these states; without it every transition'),
  ids: z
    .array(z.string().regex(/^[a-z][a-z0-9-]*\.(\*|[a-z][a-z0-9-]*)$/, 'the id of a finding, or `pool.*` for an area'))
    .min(1)
    .optional()
    .describe('only these findings; `pool.*` stands for all of an area'),
  timeout_s: z.int().min(1).max(120).default(20).describe('one attempt may take this, s'),
  max_age_s: z
    .int()
    .min(60)
    .max(604_800)
    .default(3600)
    .describe('what waited longer is counted in one delivery, and not told one by one, s'),
};

const webhook = z.strictObject({
  url: z.string().describe('https://…; http:// to a loopback address or with `insecure: true`'),
  secret_file: z
    .string()
    .optional()
    .describe('file that holds the signing secret, `whsec_…`; a second one in it signs, too'),
  secret_env: z.string().optional().describe('environment variable that holds the signing secret'),
  headers: z.record(z.string(), z.string()).optional().describe('further headers; none that is a secret'),
  authorization_file: z.string().optional().describe('file that holds the value of the Authorization header'),
  authorization_env: z.string().optional().describe('environment variable that holds that value'),
  ca: z
    .string()
    .optional()
    .describe('PEM file of the authorities that may sign the certificate; default: the public ones'),
  insecure: z.boolean().default(false).describe('allow http beyond the loopback: everybody on the way can read it'),
});

const webhookTarget = z.strictObject({
  webhook: webhook.describe('a POST in the manner of the Standard Webhooks specification'),
  ...toldOf,
});

const commandTarget = z.strictObject({
  command: z
    .array(z.string())
    .min(1)
    .max(64)
    .describe('a program by its absolute path, and its arguments; no shell; it reads the notification from stdin'),
  ...toldOf,
});

/** The configuration file: type, defaults, units and documentation at once. */
export const configSchema = z.strictObject({
  gateway: id.describe('id of this gateway = certificate CN = MQTT client id'),
  operator: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'a domain name in lower case')
    .describe('domain of the operator, first part of the log origin'),
  state_dir: z.string().min(1).describe('folder of the store and the signing key, mode 0700'),
  labels: labels.default({}),
  mqtt: broker.optional().describe('the uplink; without it entries stay in the local log'),
  notify: z
    .array(z.union([webhookTarget, commandTarget]))
    .max(16)
    .default([])
    .describe('who is told of findings: a pager, a chat, a script (docs/notify.md)'),
  devices: z
    .array(z.union([hostEntry, rangeEntry]))
    .min(1)
    .describe('the machines to look at: positions (`host`) and ranges that are searched'),
  credentials: z.record(id, credential).default({}),
  drivers: z
    .array(z.string().min(1))
    .max(64)
    .default([])
    .describe('driver files of further families (docs/write-a-driver.md), read with this file'),
  approvers: z
    .record(id, z.string().min(1))
    .default({})
    .describe(
      'who may sign reference values, plans and waivers for this gateway: a name, and the file of the public key, which says `role: approver`',
    ),
  redact: z
    .array(z.enum(['pools.user']))
    .default([])
    .describe('facts published as digests only'),
  schedule: z
    .strictObject({
      pools: z.string().default('* * * * *').describe('cron: when a pools round opens, UTC'),
      config: z.string().default('*/15 * * * *').describe('cron: when a full look of every device opens, UTC'),
      web: z.string().default('17 */6 * * *').describe('cron: when static web pages are read anew, UTC; or `off`'),
      tls: z
        .string()
        .default('23 1 * * *')
        .describe('cron: when the key of the TLS server is read anew, UTC; or `off`'),
      ssh: z.string().default('29 2 * * *').describe('cron: when the SSH host key is read anew, UTC; or `off`'),
      ports: z
        .string()
        .default('41 3 * * 0')
        .describe('cron: when it is tried which management ports accept a connection, UTC; or `off`'),
    })
    .prefault({})
    .describe('5 fields, or 6 with seconds; the devices of a round are spread evenly until the next'),
  pools: z
    .strictObject({
      allow: z
        .array(allowed)
        .optional()
        .describe('the only pools that devices of this gateway may use; without it the check does not run'),
    })
    .prefault({}),
  tenants: z
    .record(
      id,
      z.strictObject({
        allow: z
          .array(allowed)
          .optional()
          .describe('the only pools that devices of this tenant may use; without it those of `pools.allow`'),
        devices: z
          .array(assignment)
          .default([])
          .describe(
            'what the tenant has beside the devices whose label `tenant` names it; of two entries that name a device in different ways the later `from` holds, two for the very same devices at one time are a mistake',
          ),
      }),
    )
    .default({})
    .describe('for whom devices work, and when'),
  firmware: z
    .strictObject({
      file: z.string().min(1).optional().describe('a YAML file with more of both lists, read with this file'),
      ...firmwareLists,
    })
    .optional()
    .describe('which firmware is approved, and which is known to have errors'),
  nameplates: z
    .array(
      z.strictObject({
        model: z.string().min(1).describe('model as the device names it; * stands for any text, case does not matter'),
        power_w: z.int().min(1).max(1_000_000).describe('power that it is rated for, W'),
      }),
    )
    .default([])
    .describe('what models are rated at; of two that fit the first holds'),
  provenance: z
    .strictObject({
      lists: z
        .record(
          id,
          z.strictObject({
            maker: lines('the maker as the device names it'),
            soc: lines('the control board or controller chip as the device names it'),
            lot: lines('the label `lot`'),
            origin: lines('the label `origin`'),
          }),
        )
        .default({})
        .describe('lists by name; what is on one is `identity.provenance-flagged`'),
      record: z
        .array(z.string().min(1))
        .default([])
        .describe('labels that every device carries, e.g. `lot`, `origin`; without one its record is incomplete'),
    })
    .optional()
    .describe('where machines come from: what is stated as a fact about them, without a judgement'),
  probe: z
    .strictObject({
      concurrency: z.int().min(1).max(4096).default(256).describe('most devices asked at the same time'),
      connect_timeout_ms: z.int().min(100).max(60_000).default(3000).describe('deadline of one connect, ms'),
      exchange_timeout_ms: z.int().min(100).max(120_000).default(8000).describe('deadline of one question, ms'),
      device_timeout_ms: z.int().min(500).max(600_000).default(30_000).describe('deadline of one look, ms'),
      default_logins: z
        .boolean()
        .default(false)
        .describe(
          'try once in 30 days, on each device, whether it takes the log-in that its maker documents; one lock-out ends it everywhere',
        ),
      management_ports: z
        .array(z.int().min(1).max(65_535))
        .max(32)
        .default([])
        .describe('further ports that are tried with the management ports (`schedule.ports`)'),
      max_reply_bytes: z.int().min(4096).max(16_777_216).default(1_048_576).describe('largest reply read, bytes'),
    })
    .prefault({}),
  confirm_s: z.int().min(1).max(600).default(10).describe('second look at a changed value after this, ± 50 %, s'),
  coverage_s: z.int().min(10).max(3600).default(900).describe('period of a coverage entry, s'),
  refresh_s: z.int().min(60).max(3_024_000).default(86_400).describe('longest age of an attestation, s'),
  retention_days: z
    .int()
    .min(35)
    .max(36_500)
    .default(400)
    .describe('how long entries are kept, days in which the agent ran'),
  log_level: z.enum(['error', 'warn', 'info', 'debug']).default('info').describe('least level of events on stderr'),
});

/** The configuration after validation, with defaults. Every statement of the product about settings reads this type. */
export type Config = z.infer<typeof configSchema>;
