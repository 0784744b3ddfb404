import { type PoolSlot, present, type Reading } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import { parseReply } from '../probe/json.ts';
import {
  asArray,
  asObject,
  flag,
  listOf,
  mac,
  memberIn,
  type Reader,
  scalarText,
  serial,
  UNREADABLE,
  whenPresent,
} from './readers.ts';

/**
 * IP reports: datagrams that miners broadcast when a button on them is pressed. Anybody on the network can forge one, so
 * that what stands here is a hint where to look, never a fact of a device.
 */

type Pool = Pick<PoolSlot, 'slot' | 'url' | 'user'>;

/** What a report says. A member is there only where the report has it and it can be read. */
export interface Report {
  /** The IPv4 address that the report names; the datagram may have come from another. */
  readonly address?: string;
  readonly mac?: string;
  readonly model?: string;
  readonly serial?: string;
  /** Serial of the control board. */
  readonly controlBoard?: string;
  /** Serials of the hashboards, in slot order. */
  readonly hashboards?: readonly string[];
  readonly firmware?: string;
  readonly hostname?: string;
  /** Configured pools. Passwords, which some reports carry, are not read. */
  readonly pools?: readonly Pool[];
}

/** Inflates zlib data up to a bound; undefined where it is damaged, cut off or larger. */
export type Inflate = (packed: Uint8Array) => Uint8Array | undefined;

/** One kind of report: where it is sent to, whose it may be, and how it is read. */
export interface ReportForm {
  readonly name: string;
  readonly port: number;
  readonly makers: readonly string[];
  /** Undefined where the datagram is no report of this form. Any bytes may come in. */
  readonly read: (payload: Uint8Array, inflate: Inflate) => Report | undefined;
}

// ---- reports that are a line of text ---------------------------------------------------------------------------------

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const ADDRESS = `(?<address>${OCTET}(?:\\.${OCTET}){3})(?![\\d.])`;
const MAC = '(?<mac>[0-9A-Fa-f]{2}(?:[:-]?[0-9A-Fa-f]{2}){5})(?![0-9A-Fa-f:-])';

/** Longest report of this kind, bytes; real ones have less than a hundred. */
const MOST_TEXT_BYTES = 1024;

/** A report that begins as the pattern says. What follows, such as NULs, differs from firmware to firmware. */
const textReport = (pattern: RegExp) => (payload: Uint8Array) => {
  if (payload.length > MOST_TEXT_BYTES) return undefined;
  const found = pattern.exec(new TextDecoder().decode(payload));
  return found === null ? undefined : said({ address: found.groups?.address, mac: readOf(mac, found.groups?.mac) });
};

// ---- reports that are JSON -------------------------------------------------------------------------------------------

const MOST_CHARACTERS = 256;
const MOST_HASHBOARDS = 16;
const MOST_POOLS = 8;

/** Longer texts are no names or serials, and would be kept for as long as the report is. */
const short =
  (reader: Reader<string>): Reader<string> =>
  (value) =>
    typeof value === 'string' && value.length > MOST_CHARACTERS ? UNREADABLE : reader(value);

const word = short(scalarText);
const serialNumber = short(serial);
const macAddress = short(mac);
const IS_ADDRESS = new RegExp(`^${ADDRESS}$`);

const readOf = <T>(reader: Reader<T>, value: JsonValue | undefined): T | undefined => {
  const reading = value === undefined ? undefined : reader(value);
  return reading?.kind === 'present' ? reading.value : undefined;
};

const valueIn = <T>(object: JsonObject, member: string, reader: Reader<T>): T | undefined => {
  const reading = memberIn(object, member, reader);
  return reading.kind === 'present' ? reading.value : undefined;
};

const addressIn = (object: JsonObject, member: string): string | undefined => {
  const address = valueIn(object, member, word);
  return address !== undefined && IS_ADDRESS.test(address) ? address : undefined;
};

/** Serials of boards; a list that no machine has room for is none. */
const boardsIn = (object: JsonObject, member: string, reader: Reader<string>): readonly string[] | undefined => {
  const boards = valueIn(object, member, listOf(reader));
  return boards !== undefined && boards.length <= MOST_HASHBOARDS ? boards : undefined;
};

/** A report with the members that it has. */
const said = (report: { readonly [Member in keyof Report]: Report[Member] | undefined }): Report =>
  Object.fromEntries(Object.entries(report).filter(([, value]) => value !== undefined));

/** Anything that tells one device from another. */
const tellsApart = ({ mac: address, serial: number, controlBoard }: Report): boolean =>
  (address ?? number ?? controlBoard) !== undefined;

const objectIn = (document: Uint8Array): JsonObject | undefined => {
  const parsed = parseReply(document);
  return parsed.kind === 'parsed' ? asObject(parsed.value) : undefined;
};

/** Source: goldshell.md, report of a DG Max with firmware 2.2.3. Empty slots are null. */
const readGoldshell: ReportForm['read'] = (payload) => {
  const object = objectIn(payload);
  if (object === undefined) return undefined;
  const report = said({
    address: addressIn(object, 'ip'),
    mac: valueIn(object, 'mac', macAddress),
    model: valueIn(object, 'model', word),
    serial: valueIn(object, 'boxsn', serialNumber),
    controlBoard: valueIn(object, 'ctrlsn', serialNumber),
    hashboards: boardsIn(object, 'cpbsn', serialNumber),
    firmware: valueIn(object, 'version', word),
  });
  return tellsApart(report) ? report : undefined;
};

/** Source: auradine.md; the members are those of the same report over HTTP. */
const readAuradine: ReportForm['read'] = (payload) => {
  const object = objectIn(payload);
  if (object?.command !== 'ipreport') return undefined;
  return said({
    address: addressIn(object, 'ip'),
    mac: valueIn(object, 'mac', macAddress),
    model: valueIn(object, 'model', word),
    serial: valueIn(object, 'SerialNo', serialNumber),
    controlBoard: valueIn(object, 'CBSerialNo', serialNumber),
    hashboards: boardsIn(object, 'HBSerialNo', serialNumber),
    firmware: valueIn(object, 'version', word),
    hostname: valueIn(object, 'hostname', word),
  });
};

// ---- SealMiner: packed, and several documents in one -----------------------------------------------------------------

const MAGIC = [0x20, 0x19, 0x03, 0x14] as const;
const HEADER_BYTES = 4 + MAGIC.length;

/** Documents in one report: seven in a real one. */
const MOST_DOCUMENTS = 32;

/** Source: sealminer.md. The report broadcasts the passwords of the pools; they are not read. */
const readSealMiner: ReportForm['read'] = (payload, inflate) => {
  const packed = packedIn(payload);
  const documents = packed === undefined ? undefined : inflate(packed);
  if (documents === undefined) return undefined;
  const objects = objectsIn(documents);
  const device = objects.find((object) => 'MAC' in object || 'MainBoardSN' in object);
  if (device === undefined) return undefined;
  const active = objects.find((object) => 'Interface' in object && valueIn(object, 'Active', flag) === true);
  const report = said({
    address: active === undefined ? undefined : addressIn(active, 'IPV4'),
    mac: valueIn(device, 'MAC', macAddress),
    model: valueIn(device, 'Type', word),
    controlBoard: valueIn(device, 'MainBoardSN', serialNumber),
    hashboards: boardsIn(device, 'BoardSnArray', boardSerial),
    firmware: valueIn(device, 'Firmware', word),
    pools: poolsIn(objects.find((object) => 'Pools' in object)),
  });
  return tellsApart(report) ? report : undefined;
};

/** What follows the length and the magic number. The zlib data know their own end; more than there is was cut off. */
const packedIn = (payload: Uint8Array): Uint8Array | undefined => {
  if (payload.length <= HEADER_BYTES) return undefined;
  const length = new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getUint32(0);
  if (length > payload.length - 4 || length < MAGIC.length) return undefined;
  return MAGIC.every((byte, index) => payload[4 + index] === byte) ? payload.subarray(HEADER_BYTES) : undefined;
};

const objectsIn = (documents: Uint8Array): readonly JsonObject[] => {
  const pieces = new TextDecoder()
    .decode(documents)
    .split(/\0+/, MOST_DOCUMENTS)
    .filter((piece) => piece !== '');
  return pieces.map((piece) => objectIn(new TextEncoder().encode(piece))).filter((object) => object !== undefined);
};

const boardSerial: Reader<string> = (value) => {
  const board = asObject(value);
  return board === undefined ? UNREADABLE : memberIn(board, 'SN', serialNumber);
};

/** All pools of the list, or none: half a list would look like a removed pool. Blank slots are left out. */
const poolsIn = (object: JsonObject | undefined): readonly Pool[] | undefined => {
  const rows = asArray(object?.Pools);
  if (rows === undefined || rows.length > MOST_POOLS) return undefined;
  const pools = rows.map(readPool);
  if (pools.some(({ kind }) => kind === 'unknown')) return undefined;
  return pools.flatMap((pool) => (pool.kind === 'present' ? [pool.value] : []));
};

const readPool = (value: JsonValue, slot: number): Reading<Pool> => {
  const pool = asObject(value);
  if (pool === undefined) return UNREADABLE;
  const user = valueIn(pool, 'Worker', word);
  return whenPresent(memberIn(pool, 'URL', word), (url) =>
    present({ slot, url, ...(user === undefined ? {} : { user }) }),
  );
};

// ---- the forms -------------------------------------------------------------------------------------------------------

/** Every documented kind of report (others.md, "Passive IP reports"). */
export const REPORT_FORMS: readonly ReportForm[] = [
  {
    name: 'antminer',
    port: 14_235,
    makers: ['Antminer', 'VolcMiner', 'Hammer', 'DragonBall'],
    read: textReport(new RegExp(`^${ADDRESS},${MAC}`)),
  },
  {
    name: 'whatsminer',
    port: 8888,
    makers: ['WhatsMiner'],
    read: textReport(new RegExp(`^IP:\\s*${ADDRESS}[\\s,;]*MAC:\\s*${MAC}`)),
  },
  { name: 'iceriver', port: 11_503, makers: ['IceRiver'], read: textReport(new RegExp(`^addr:\\s*${ADDRESS}`)) },
  { name: 'goldshell', port: 1314, makers: ['Goldshell'], read: readGoldshell },
  { name: 'sealminer', port: 18_650, makers: ['SealMiner'], read: readSealMiner },
  { name: 'elphapex', port: 9999, makers: ['Elphapex'], read: textReport(/^DG_IPREPORT_ONLY(?!\w)/) },
  { name: 'auradine', port: 12_345, makers: ['Auradine'], read: readAuradine },
  {
    name: 'ipollo',
    port: 54_321,
    makers: ['iPollo'],
    read: textReport(new RegExp(`^IP Addr:\\[${ADDRESS}\\]\\s*MAC Addr:\\[${MAC}\\]`)),
  },
];
