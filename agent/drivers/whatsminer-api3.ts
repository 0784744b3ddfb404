import { present, type Reading } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import { inRows } from './cgminer-api.ts';
import { numberedIn } from './damaged-names.ts';
import { framed, type Replies } from './driver.ts';
import { settingsFrom } from './named-texts.ts';
import { poolsFromZero } from './pools.ts';
import {
  asObject,
  at,
  listOf,
  memberIn,
  type Reader,
  scalarText,
  scaled,
  serial,
  text,
  UNREADABLE,
  whenPresent,
} from './readers.ts';
import { listed, ofRow, type RowFinder, sum } from './rows.ts';

/**
 * WhatsMiner API 3 on port 4433, on firmware from the end of 2024 on. It stands beside port 4028 or, where that is
 * switched off, alone. Source: whatsminer-mdk-worker; replies of an M60S.
 */

const FIRST_FIRMWARE = 20_241_100;

/** The day that begins a version: `20251209.16.Rel2`. */
const dayOf = (version: Reading<string>): number =>
  version.kind === 'present' ? Number(/^'?(\d{8})\./.exec(version.value)?.[1] ?? 0) : 0;

const speaks4028 = (replies: Replies): boolean => replies.get('summary')?.kind === 'reply';

/** The questions; `versionOf` reads the version that port 4028 tells, by which older firmware is not asked. */
export const api3Questions = (versionOf: (replies: Replies) => Reading<string>) => {
  const isOlder = (replies: Replies): boolean => speaks4028(replies) && dayOf(versionOf(replies)) < FIRST_FIRMWARE;
  const whole = { cadence: 'config', unless: isOlder } as const;
  const alone = { cadence: 'pools', unless: speaks4028 } as const;
  return {
    api3_summary: framed('get.miner.status', { ...alone, param: 'summary' }),
    api3_pools: framed('get.miner.status', { ...alone, param: 'pools' }),
    // A unit that rests may answer about its pools only together with the summary.
    api3_both: framed('get.miner.status', {
      ...alone,
      param: 'summary+pools',
      unless: (replies) => speaks4028(replies) || replies.get('api3_pools')?.kind === 'reply',
    }),
    api3_info: framed('get.device.info', whole),
    api3_edevs: framed('get.miner.status', { ...whole, param: 'edevs' }),
  };
};

/** Whether a reply is the description of a device. */
export const isDeviceInfo = (reply: JsonValue | undefined): boolean => {
  const message = asObject(asObject(reply)?.msg);
  return asObject(message?.miner) !== undefined && asObject(message?.system)?.fwversion !== undefined;
};

export const inInfo = <T>(pointer: string, reader: Reader<T>) => at('api3_info', `/msg${pointer}`, reader);

export const inStatus = <T>(name: string, reader: Reader<T>) => at('api3_summary', `/msg/summary/${name}`, reader);

export const api3Pools = poolsFromZero({
  slot: 'id',
  url: 'url',
  user: 'account',
  priority: 'pool-priority',
  status: 'status',
  active: 'stratum-active',
});

const miner: RowFinder = (reply) => asObject(asObject(asObject(reply)?.msg)?.miner);
const system: RowFinder = (reply) => asObject(asObject(asObject(reply)?.msg)?.system);

/** `pcbsn0` … in slot order. */
const boardSerials = (row: JsonObject): Reading<readonly string[]> =>
  listed(numberedIn(row, 'pcbsn#').map(({ value }) => serial(value)));

export const api3Boards = ofRow('api3_info', miner, boardSerials);

/** Platform and version, as the summary of port 4028 has them. */
export const api3ControlBoard = ofRow('api3_info', system, (row) => {
  const parts = ['platform', 'control-board-version'].map((name) => memberIn(row, name, text));
  return whenPresent(listed(parts), (found) => present(found.join(' ')));
});

/** What port 4028 tells in its own words, where that is open. */
export const api3Settings = settingsFrom({
  'api3.fast_boot': inInfo('/miner/fast-boot', scalarText),
  'api3.hash_percent': inInfo('/miner/hash-percent', scalarText),
  'api3.upfreq_speed': inInfo('/miner/UpfreqSpeed', scalarText),
});

/** A fault is `{"<code>": "<time or text>"}`, at times with its reason beside; a device that has none may not name the list. */
const faultCode: Reader<string> = (value) => {
  const code = Object.keys(asObject(value) ?? {}).find((name) => /^\d+$/.test(name));
  return code === undefined ? UNREADABLE : present(code);
};

export const api3Faults = inInfo('/error-code', listOf(faultCode));

const summary: RowFinder = (reply) => asObject(asObject(asObject(reply)?.msg)?.summary);

export const api3Fans = ofRow('api3_summary', summary, (row) =>
  listed(['fan-speed-in', 'fan-speed-out'].map((name) => memberIn(row, name, scaled(1)))),
);

export const api3Chips = at(
  'api3_edevs',
  '/msg/edevs',
  inRows((boards) => sum(boards.map((board) => memberIn(board, 'effective-chips', scaled(1))))),
);
