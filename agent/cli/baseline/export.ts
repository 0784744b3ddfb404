import { resolve } from 'node:path';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import type { FactName } from '../../../shared/facts.ts';
import type { AttestationStatement } from '../../../shared/index.ts';
import type { Claims } from '../../../shared/statement.ts';
import { absencesOf } from '../../appraise/absences.ts';
import { adoptedWith } from '../../appraise/accept.ts';
import { readDevice } from '../../appraise/device.ts';
import { changesByItself } from '../../appraise/where-held.ts';
import { factsOfClaims } from '../../baseline/claims.ts';
import { only } from '../../baseline/reference.ts';
import { loadSettings } from '../../config/load.ts';
import { isTold } from '../../desk/adoption.ts';
import { nestFacts } from '../../normalise/nest.ts';
import { AgentError } from '../../platform/errors.ts';
import type { Entry } from '../../record/entry.ts';
import type { Store } from '../../record/store.ts';
import { type Io, printable } from '../io.ts';
import { openStore } from '../look.ts';
import { collect } from '../probe.ts';
import { writeNewFile } from '../terms/files.ts';
import { ordersOf } from '../terms/orders.ts';
import { factNamed } from './fact.ts';

interface ExportOptions {
  readonly config: string;
  readonly all?: boolean;
  readonly name: string;
  readonly fact?: readonly string[];
  readonly out?: string;
}

/** A document holds at most as many, and as many fit into a log entry. */
const MOST_ENTRIES = 100;

/** `baseline export`: a draft of a reference that approves what devices are attested with now, for approvers to sign elsewhere. */
export const exportVerb = (baseline: Command, io: Io): void => {
  baseline
    .command('export')
    .description('write a draft that approves what devices show now, for approvers to look at and sign elsewhere')
    .argument('[device...]', 'ids of devices, as `assayer status` shows them')
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--all', 'every device')
    .option('--fact <name>', 'approve only this fact of the devices; repeatable', collect)
    .option('--name <name>', 'name of the reference', 'as-attested')
    .option('--out <file>', 'file to write; without it the draft is printed')
    .action((devices: readonly string[], options: ExportOptions) => exportDraft(devices, options, io));
};

const exportDraft = (devices: readonly string[], options: ExportOptions, io: Io): void => {
  if ((devices.length === 0) !== (options.all === true)) throw whichDevices();
  using store = openStore(loadSettings(resolve(options.config)).config.state_dir, io);
  const newest = new Map(store.newestAttestations().map(({ device, seq }) => [device, seq]));
  const named = options.all === true ? [...newest.keys()] : [...new Set(devices)];
  if (named.length > MOST_ENTRIES) throw tooMany(named.length);
  const facts = options.fact?.map(factNamed);
  const attestations = named.map((device) => attestationOf(store, device, newest.get(device), facts));
  const text = draftText(attestations, options.name, versionAfter(options, io));
  if (options.out === undefined) io.out.write(text);
  else {
    writeNewFile(options.out, text);
    io.err.write(`${options.out}: hand it to the approvers: assayer baseline sign ${options.out} --key <key>\n`);
  }
};

interface Attested {
  readonly device: string;
  readonly entry: Entry;
  readonly statement: AttestationStatement;
  /** What it claims of that which is to be approved. */
  readonly claims: Claims;
  /** Only these; without it all of it. */
  readonly facts?: readonly FactName[];
}

const attestationOf = (
  store: Store,
  device: string,
  seq: number | undefined,
  wanted: readonly FactName[] | undefined,
): Attested => {
  const entry = seq === undefined ? undefined : store.entry(seq);
  if (entry === undefined) throw unknownDevice(device);
  // Our own statement.
  const statement = JSON.parse(Buffer.from(entry.message).toString()) as AttestationStatement;
  const { claims, readings = {} } = statement.evidence;
  if (claims === undefined) throw notSeen(device);
  if (wanted === undefined) return { device, entry, statement, claims };
  const told = factsOfClaims(claims);
  if (told === undefined) throw redacted(device, entry.seq);
  const state = store.device(device, readDevice);
  const adopted = state === undefined ? wanted : (adoptedWith(state, wanted) ?? wanted);
  const absent = absencesOf(readings);
  const facts = adopted.filter((fact) => isTold(fact, told, absent) && !changesByItself(fact));
  if (facts.length === 0) throw untold(device, wanted);
  return { device, entry, statement, facts, claims: nestFacts(only(told, facts)) };
};

/** The next version of the reference of this name that is in force. */
const versionAfter = ({ config, name }: ExportOptions, io: Io): { version: number; prev_sha256?: string } => {
  const order = ordersOf(config, io).find(({ terms }) => terms.kind === 'reference' && terms.ref_id === name);
  if (order?.terms.kind !== 'reference') return { version: 1 };
  return { version: order.terms.version + 1, prev_sha256: order.sha256 };
};

const draftText = (
  attested: readonly Attested[],
  name: string,
  version: { version: number; prev_sha256?: string },
): string => {
  const log = attested[0]?.statement.log ?? '';
  const draft = {
    ref_id: name,
    ...version,
    scope: { logs: [log.slice(0, log.lastIndexOf('/'))] },
    entries: attested.map(({ device, entry, statement, facts }) => ({
      device,
      log: statement.log,
      seq: entry.seq,
      leaf: Buffer.from(entry.leaf).toString('base64url'),
      ...(facts === undefined ? {} : { facts: [...facts] }),
    })),
  };
  return [
    ...(attested.some(({ facts }) => facts === undefined)
      ? [
          '# A reference that approves EVERYTHING that these devices were attested with, pools and safety settings included; with --fact it',
          '# approves single facts. What it is stands below; the entries of the log say it under the signature of the gateway, and `leaf`',
          '# binds them: compare before you sign.',
        ]
      : [
          '# A reference that approves these facts of the devices as they were attested, and nothing else of them. What they are stands below;',
          '# the entries of the log say it under the signature of the gateway, and `leaf` binds them: compare before you sign.',
        ]),
    stringify(draft),
    ...attested.flatMap(({ device, entry, claims }) => [
      `# ${device}, entry ${entry.seq}:`,
      ...stringify(claims)
        .trimEnd()
        .split('\n')
        .map((line) => `#   ${printable(line)}`),
    ]),
    '',
  ].join('\n');
};

const redacted = (device: string, seq: number): AgentError =>
  new AgentError({
    code: 'terms.entry',
    message: `entry ${seq} of ${device} does not hold its claims in clear`,
    remedy: 'approve values instead of entries: assayer baseline create',
  });

const untold = (device: string, facts: readonly FactName[]): AgentError =>
  new AgentError({
    code: 'baseline.not-attested',
    message: `${device} tells nothing of ${facts.join(', ')} that it could be held to`,
    remedy: `name others: assayer baseline show ${device} lists them; what changes by itself is held by values (assayer baseline create)`,
  });

const whichDevices = (): AgentError =>
  new AgentError({
    code: 'usage.devices',
    message: 'name devices, or --all, not both',
    remedy: 'assayer baseline export <device>… or assayer baseline export --all',
  });

const tooMany = (count: number): AgentError =>
  new AgentError({
    code: 'usage.devices',
    message: `${count} devices are too many for one document, it holds ${MOST_ENTRIES}`,
    remedy: 'export them in parts, each with a --name of its own',
  });

const unknownDevice = (device: string): AgentError =>
  new AgentError({
    code: 'baseline.no-device',
    message: `there is no attested device ${JSON.stringify(device)}`,
    remedy: 'assayer status lists the devices',
  });

const notSeen = (device: string): AgentError =>
  new AgentError({
    code: 'baseline.not-attested',
    message: `${device} is not seen now`,
    remedy: 'export it when it answers again',
  });
