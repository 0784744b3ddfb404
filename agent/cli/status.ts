import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { AttestationStatement } from '../../shared/statement.ts';
import { type DeviceState, readDevice } from '../appraise/device.ts';
import { loadSettings } from '../config/load.ts';
import { type LoginState, loginStates } from '../desk/refused-logins.ts';
import type { Orphan } from '../desk/signers.ts';
import { shownValue } from '../normalise/shown.ts';
import type { TargetStatus } from '../notify/courier.ts';
import { AgentError } from '../platform/errors.ts';
import type { ReceiverStatus } from '../publish/receivers.ts';
import type { UplinkStatus } from '../publish/uplink.ts';
import type { Store } from '../record/store.ts';
import { utcText } from '../terms/instant.ts';
import { type Io, printable, printJson } from './io.ts';
import { type Live, liveStatus } from './live.ts';
import { openStore } from './look.ts';
import { namesText, shortened, table } from './table.ts';
import { neverSeen } from './unseen.ts';

/** `status`: devices with conformance, open findings, log and uplink, from the store and from the agent if it runs. */
export const statusVerb = (program: Command, io: Io): void => {
  program
    .command('status')
    .description('show devices, conformance, open findings and the uplink')
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--json', 'print the status as one JSON object')
    .action(async (options: { config: string; json?: boolean }) => {
      const { config } = loadSettings(resolve(options.config));
      using store = openStore(config.state_dir, io);
      const live = await liveStatus(config.state_dir);
      // An agent that runs on since before an update does not say it.
      const { pools_unread = {}, unlooked = {} }: Partial<Live> = live instanceof AgentError ? {} : live;
      const loginOf = loginStates(config, store);
      const devices = [...newestAttestations(store)].map((statement) =>
        rowOf(statement, { pools_unread, unlooked }, loginOf),
      );
      const findings = store.findings({ open: true, limit: Number.MAX_SAFE_INTEGER }).length;
      const unseen = neverSeen(config, store).map(({ id }) => id);
      if (options.json) {
        const agent = live instanceof AgentError ? { running: false, reason: live.code } : { running: true, ...live };
        const identified = new Map(store.devices((text) => identifiedIn(readDevice(text))));
        const rows = devices.map((row) => ({ ...row, ...identified.get(row.device) }));
        printJson(io, { size: store.size(), ...agent, findings, devices: rows, never_seen: unseen });
        return;
      }
      io.out.write(headOf(store, live, { findings, seen: devices.length, unseen }));
      io.out.write(
        `\n${table(io, ['device', 'address', 'model', 'firmware', 'conformance', 'approval', 'attested (UTC)'], devices.map(cells))}`,
      );
    });
};

const PAGE = 500;

function* newestAttestations(store: Store): Generator<AttestationStatement> {
  for (let after = ''; ; ) {
    const page = store.newestAfter(after, PAGE);
    for (const { message } of page) yield JSON.parse(Buffer.from(message).toString()) as AttestationStatement;
    const last = page.at(-1)?.device;
    if (last === undefined) return;
    after = last;
  }
}

interface DeviceRow {
  readonly device: string;
  readonly address: string;
  readonly model: string;
  readonly firmware: string;
  readonly conformance: string;
  /** Of the reference that its newest attestation was compared with; one that could not be reached was compared with none. */
  readonly approval?: string;
  readonly attested_at: number;
  readonly seq: number;
  /** The conformance speaks of pools that could not be read since. */
  readonly pools_unread_since?: number;
  /** Nobody looked since, for longer than a period of coverage. */
  readonly not_looked_since?: number;
  /** The log-in of the configuration is refused, or the device keeps something back and none is configured. */
  readonly login?: LoginState;
}

/** How the family of a device was found out, for its row. */
const identifiedIn = ({ id, identified }: DeviceState): readonly [string, object] => [
  id,
  identified === undefined
    ? {}
    : {
        family: identified.family,
        identified_at: Math.floor(identified.atMs / 1000),
        identified_by: identified.by,
      },
];

const rowOf = (
  { subject, evidence, appraisal, reference, iat, seq }: AttestationStatement,
  { pools_unread, unlooked }: Pick<Live, 'pools_unread' | 'unlooked'>,
  loginOf: ReturnType<typeof loginStates>,
): DeviceRow => {
  const { device } = subject;
  const unreadSince = Object.hasOwn(pools_unread, device) ? pools_unread[device] : undefined;
  const since = Object.hasOwn(unlooked, device) ? unlooked[device] : undefined;
  const state = loginOf(device, evidence.address ?? '');
  const login = state === 'missing' && !Object.values(evidence.readings).includes(REFUSED) ? undefined : state;
  const claims = (evidence.claims ?? {}) as {
    identity?: { model?: string };
    firmware?: { version?: string; build?: string };
  };
  return {
    device,
    address: evidence.address ?? '',
    model: claims.identity?.model ?? '',
    firmware: claims.firmware?.version ?? claims.firmware?.build ?? '',
    conformance: appraisal.conformance,
    ...(appraisal.conformance === 'unreachable' ? {} : { approval: reference?.approval ?? 'none' }),
    attested_at: iat,
    seq,
    ...(unreadSince === undefined ? {} : { pools_unread_since: unreadSince }),
    ...(since === undefined ? {} : { not_looked_since: since }),
    ...(login === undefined ? {} : { login }),
  };
};

/** As readings say it. */
const REFUSED = 'unknown: refused';

const LOGIN: { readonly [State in LoginState]: string } = {
  refused: 'log-in refused',
  missing: 'no log-in configured',
};

const cells = (row: DeviceRow): readonly string[] =>
  [
    row.device,
    row.address,
    shortened(shownValue(row.model)),
    shortened(shownValue(row.firmware)),
    [
      row.conformance,
      ...(row.pools_unread_since === undefined ? [] : [`pools not read since ${utcText(row.pools_unread_since)}`]),
      ...(row.not_looked_since === undefined ? [] : [`not looked at since ${utcText(row.not_looked_since)}`]),
      ...(row.login === undefined ? [] : [LOGIN[row.login]]),
    ].join(', '),
    row.approval ?? '–',
    utcText(row.attested_at),
  ].map(printable);

interface Counts {
  readonly findings: number;
  readonly seen: number;
  readonly unseen: readonly string[];
}

const headOf = (store: Store, live: Live | AgentError, { findings, seen, unseen }: Counts): string =>
  [
    ...agentLines(store, live),
    `open findings: ${findings}`,
    ...(unseen.length === 0 ? [] : [`devices: ${seen} of ${seen + unseen.length}; never seen: ${namesText(unseen)}`]),
    '',
  ].join('\n');

const agentLines = (store: Store, live: Live | AgentError): readonly string[] =>
  live instanceof AgentError
    ? [`agent: ${live.message}; ${store.size()} entries`]
    : [
        `agent: running, log ${live.log}, ${live.size} entries`,
        ...(live.store_failing ? ['store: refuses writes; what is seen now is not recorded'] : []),
        uplinkLine(live.uplink),
        ...collectorLines(live.uplink),
        // An agent that runs on since before an update does not say it.
        ...(live.notify ?? []).map(targetLine),
        ...(live.signers_gone ?? []).map(orphanLine),
      ];

const orphanLine = ({ kind, id, seq, gone }: Orphan): string =>
  printable(`${kind} ${id} (entry ${seq}): in force, signed by ${gone.join(' and ')}, no approver any more`);

const uplinkLine = (uplink: UplinkStatus | null): string => {
  if (uplink === null) return 'uplink: none configured; entries stay in the local log';
  const lag = uplink.size - uplink.cursor;
  return [
    `uplink: ${uplink.state}`,
    uplink.firstWithinS === undefined
      ? undefined
      : `the first connect is made within ${uplink.firstWithinS} s (spread_s)`,
    uplink.broker,
    uplink.protocol === undefined ? undefined : `MQTT ${uplink.protocol}`,
    `${uplink.cursor} of ${uplink.size} entries taken by the broker${lag === 0 ? '' : `, ${lag} waiting`}`,
    uplink.unconfirmed ? 'unconfirmed: no collector is required (mqtt.collectors)' : confirmedWord(uplink),
    uplink.insecure ? 'insecure: no TLS' : undefined,
    uplink.held === undefined ? undefined : `waits: ${withRemedy(uplink.held)}`,
    uplink.refused === undefined ? undefined : `the broker does not take ${uplink.refused.join(', ')}`,
    uplink.lastError === undefined || uplink.state === 'connected'
      ? undefined
      : `last error: ${withRemedy(uplink.lastError)}`,
  ]
    .filter((word) => word !== undefined)
    .join(', ');
};

const withRemedy = ({ message, remedy }: { readonly message: string; readonly remedy: string }): string =>
  printable(`${message} (remedy: ${remedy})`);

const confirmedWord = ({ collectors, size }: UplinkStatus): string =>
  `${Math.min(...collectors.map(({ confirmed }) => confirmed))} of ${size} confirmed by every required collector`;

const collectorLines = (uplink: UplinkStatus | null): readonly string[] =>
  uplink === null ? [] : (uplink.collectors ?? []).map((receiver) => collectorLine(receiver, uplink));

/** One target of findings, and why it cannot be told anything, where it cannot. */
const targetLine = ({ target, to, state, deliveredAtMs, failure }: TargetStatus): string =>
  [
    `notify ${target}: ${state}, ${printable(to)}`,
    deliveredAtMs === undefined ? undefined : `last told ${utcText(deliveredAtMs / 1000)}`,
    failure === undefined ? undefined : `since ${utcText(failure.sinceMs / 1000)}: ${withRemedy(failure)}`,
  ]
    .filter((word) => word !== undefined)
    .join(', ');

/** One required collector: how far it is, how far behind, and why. */
const collectorLine = (receiver: ReceiverStatus, uplink: UplinkStatus): string => {
  const { collector, state, confirmed, lag, lagS } = receiver;
  const head = `collector ${collector}: ${state}`;
  if (lag === 0) return `${head}, ${confirmed} entries stored, nothing waits`;
  return [
    head,
    `${confirmed} of ${uplink.size} entries stored, ${uplink.cursor} sent`,
    `${lag} ${lag === 1 ? 'waits' : 'wait'}, the oldest for ${lagS} s: ${whyBehind(receiver, uplink)}`,
  ].join(', ');
};

const whyBehind = ({ state, problem }: ReceiverStatus, uplink: UplinkStatus): string => {
  if (problem !== undefined) return withRemedy(problem);
  if (uplink.state !== 'connected') return 'there is no connection to a broker';
  if (state === 'away') return 'it is not connected, or the broker does not let this gateway hear it';
  if (uplink.held !== undefined) return printable(uplink.held.message);
  return uplink.cursor < uplink.size ? 'they are being sent' : 'they were sent, and it has not acknowledged them yet';
};
