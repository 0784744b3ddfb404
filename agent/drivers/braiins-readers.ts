import { ABSENT, present, type Reading, standingIn } from '../../shared/facts.ts';
import type { JsonObject } from '../probe/capture.ts';
import { inRows } from './cgminer-api.ts';
import { within } from './nested.ts';
import {
  asArray,
  asObject,
  count,
  integer,
  memberIn,
  type Reader,
  scaled,
  serial,
  temperatureMc,
  text,
  UNREADABLE,
  whenPresent,
  worded,
} from './readers.ts';
import { above, highest, listed, sum } from './rows.ts';

/** Readers of the documents of Braiins OS: REST, GraphQL and the additions of bosminer to the CGMiner API. */

/** A value in its unit: `{"watt": 3500}`. Null stands for none. */
export const inUnit =
  (unit: string, reader: Reader<number>): Reader<number> =>
  (value) => {
    if (value === null) return ABSENT;
    const object = asObject(value);
    return object === undefined ? UNREADABLE : memberIn(object, unit, reader);
  };

/** Something of all rows of a list. */
export const ofRows =
  <T>(read: (rows: readonly JsonObject[]) => Reading<T>): Reader<T> =>
  (value) => {
    if (value === null) return ABSENT;
    const rows = asArray(value)?.map((row) => (row === null ? {} : asObject(row)));
    if (rows === undefined || rows.length === 0) return UNREADABLE;
    return rows.every((row) => row !== undefined) ? read(rows) : UNREADABLE;
  };

/** One member of all rows, added up. */
export const total = (name: string): Reader<number> =>
  ofRows((rows) => sum(rows.map((row) => memberIn(row, name, count))));

const mean = (readings: readonly Reading<number>[]): Reading<number> =>
  whenPresent(listed(readings), (values) =>
    present(Math.round(values.reduce((all, value) => all + value, 0) / values.length)),
  );

export const rounded = scaled(1);

/** Machines of Braiins' own may carry the name of an Antminer; the brand tells them. */
export const maker: Reader<string> = (value) => {
  const identity = asObject(value);
  if (identity === undefined) return UNREADABLE;
  return whenPresent(memberIn(identity, 'brand', integer), (brand) => {
    if (brand === 1) return present('Bitmain');
    return /^(braiins|bmm)\b/i.test(String(identity.name ?? '')) ? present('Braiins') : ABSENT;
  });
};

const BITMAIN = /^bitmain\s+/i;

/** GraphQL and port 4028 put the maker in front of the model. */
export const modelName: Reader<string> = (value) =>
  whenPresent(text(value), (found) => present(found.replace(BITMAIN, '')));

export const makerInName: Reader<string> = (value) =>
  whenPresent(text(value), (found) => (/^(bitmain|antminer)\b/i.test(found) ? present('Bitmain') : ABSENT));

export const SOC = worded({ '1': 'CVITEK', '2': 'BBB', '3': 'AML', '4': 'ZYNQ', '5': 'Braiins' });
export const MEDIUM = worded({ '1': 'upgrade', '2': 'recovery', '3': 'sd', '4': 'nand', '5': 'emmc' });

/** 0 is said where a machine does not know. */
export const unlessZero =
  (reader: Reader<string>): Reader<string> =>
  (value) =>
    value === 0 ? ABSENT : reader(value);

export const lowered: Reader<string> = (value) =>
  whenPresent(text(value), (found) => present(found.toLowerCase().replaceAll('_', '-')));

/** Serial, else model. */
export const psu: Reader<string> = (value) => {
  if (value === null) return ABSENT;
  const object = asObject(value);
  if (object === undefined) return UNREADABLE;
  const number = memberIn(object, 'serial_number', serial);
  return number.kind === 'absent' ? standingIn(memberIn(object, 'model_name', serial), 'absent') : number;
};

export const boardSerials: Reader<readonly string[]> = ofRows((rows) =>
  listed(rows.map((row) => memberIn(row, 'serial_number', serial))),
);

/** A member of `hwDetails` of a solver, which is a board. */
export const inSolver = <T>(row: JsonObject, name: string, reader: Reader<T>): Reading<T> =>
  memberIn(row, 'hwDetails', within(name, reader));

export const solverSerials: Reader<readonly string[]> = ofRows((rows) =>
  listed(rows.map((row) => inSolver(row, 'hbSerialNumber', serial))),
);

export const apiVersion: Reader<string> = (value) => {
  const object = asObject(value);
  if (object === undefined) return UNREADABLE;
  const numbers = ['major', 'minor', 'patch'].map((name) => memberIn(object, name, count));
  return whenPresent(listed(numbers), (found) => (found.length === 3 ? present(found.join('.')) : UNREADABLE));
};

/** `powertargetmodestate` and the like, in the words of GraphQL. */
export const tunerMode: Reader<string> = (value) => {
  if (value === null) return ABSENT;
  const [state] = Object.keys(asObject(value) ?? {});
  if (state === undefined) return UNREADABLE;
  const target = /^(power|hashrate)_?target/i.exec(state)?.[1];
  return present(target === undefined ? state : `${target.toLowerCase()}-target`);
};

export const fanMode: Reader<string> = (value) =>
  whenPresent(text(value), (found) => present(/^auto/i.test(found) ? 'auto' : found.toLowerCase()));

export const isDhcp: Reader<boolean> = (value) =>
  value === 1 ? present(true) : value === 2 ? present(false) : UNREADABLE;

/** The type of the network settings: `Dhcp` or `StaticIp`. */
export const isDhcpType: Reader<boolean> = (value) => {
  if (value === null) return ABSENT;
  const type = asObject(value)?.__typename;
  return type === 'Dhcp' ? present(true) : type === 'StaticIp' ? present(false) : UNREADABLE;
};

export const managementId: Reader<string> = (value) => {
  if (value === null) return ABSENT;
  const object = asObject(value);
  return object === undefined ? UNREADABLE : memberIn(object, 'managementId', serial);
};

/** `devdetails` has Hz on old builds and MHz on BOSer. */
export const megahertz: Reader<number> = (value) =>
  whenPresent(scaled(1)(value), (found) => present(found > 100_000 ? Math.round(found / 1e6) : found));

export const degrees = inUnit('degree_c', temperatureMc);

/** The hottest of a list of boards, chips or sensors; a sensor that is not there reads 0. */
const hottestOf = (readings: readonly Reading<number>[]): Reading<number> => highest(above(0, readings));

export const hottestBoard: Reader<number> = ofRows((rows) =>
  hottestOf(
    rows.flatMap((row) => [
      memberIn(row, 'board_temp', degrees),
      memberIn(row, 'highest_chip_temp', within('temperature', degrees)),
      memberIn(row, 'highest_outlet_temp', degrees),
    ]),
  ),
);

export const hottestSolver: Reader<number> = ofRows((rows) =>
  hottestOf(
    rows.flatMap((row) => asArray(row.temperatures) ?? row.temperatures ?? []).map(within('degreesC', temperatureMc)),
  ),
);

export const hottestRow: Reader<number> = inRows((rows) =>
  hottestOf(rows.flatMap((row) => [memberIn(row, 'Board', temperatureMc), memberIn(row, 'Chip', temperatureMc)])),
);

/** Fans that turn; there are four places for them, whatever the machine has. */
export const speeds = (name: string): Reader<readonly number[]> =>
  ofRows((rows) =>
    listed(
      above(
        0,
        rows.map((row) => memberIn(row, name, rounded)),
      ),
    ),
  );

export const meanOf = (name: string, reader: Reader<number>): Reader<number> =>
  ofRows((rows) => mean(rows.map((row) => memberIn(row, name, reader))));

export const meanOfSolvers = (name: string, reader: Reader<number>): Reader<number> =>
  ofRows((rows) => mean(rows.map((row) => inSolver(row, name, reader))));
