import type { ReportForm } from '../drivers/ip-reports.ts';
import { shownValue } from '../normalise/shown.ts';
import type { HeardReport, Sighting } from './heard.ts';
import { type Io, printable } from './io.ts';
import { table } from './table.ts';
import { poolText } from './view.ts';

/** A hint has a form of its own, so that nobody takes it for an observation. */
export const hintJson = ({ form, port, address, receivedAtMs, report }: Sighting): object => ({
  address,
  ...(differs(address, report.address) ? { said_address: report.address } : {}),
  port,
  makers: form.makers,
  mac: report.mac,
  model: report.model,
  serial: report.serial,
  control_board: report.controlBoard,
  hashboards: report.hashboards,
  firmware: report.firmware,
  hostname: report.hostname,
  pools: report.pools,
  received_at: Math.floor(receivedAtMs / 1000),
  forgeable: true,
});

const differs = (address: string, said: string | undefined): boolean => said !== undefined && said !== address;

/** The reports that were heard, for people. A column is there only where some report fills it. */
export const hintTable = (io: Io, reports: readonly HeardReport[]): string => {
  const cells = reports.map(({ first }) => cellsOf(first));
  const rows = reports.map(({ first, times }, at) => [...(cells[at] ?? []), timeOf(first), String(times)]);
  const filled = HEADING.map((_, column) => column < 3 || rows.some((row) => row[column] !== ''));
  const shown = (row: readonly string[]) => row.filter((_, column) => filled[column]);
  const isAlike = new Set(cells.map((row) => row.join('\n'))).size < cells.length;
  return `${table(io, shown(HEADING), rows.map(shown))}${isAlike ? ALIKE : ''}`;
};

/** Boards, names and further pools have no column. */
const ALIKE = 'Lines that look alike differ in what only --json prints.\n';

/** A report on one line, as it comes in. */
export const hintLine = (sighting: Sighting): string =>
  `${[timeOf(sighting), ...cellsOf(sighting).filter((cell) => cell !== '')].join('  ')}\n`;

const HEADING = [
  'address',
  'port',
  'maker',
  'mac',
  'model',
  'firmware',
  'serial',
  'pool',
  'received at',
  'reports',
] as const;

/** Time of day, UTC. */
const timeOf = ({ receivedAtMs }: Sighting): string => `${new Date(receivedAtMs).toISOString().slice(11, 19)}Z`;

const cellsOf = ({ form, port, address, report }: Sighting): readonly string[] => {
  const pool = report.pools?.[0];
  return [
    differs(address, report.address) ? `${address} (says ${report.address})` : address,
    String(port),
    makersText(form),
    shownValue(report.mac ?? ''),
    shownValue(report.model ?? ''),
    shownValue(report.firmware ?? ''),
    serialText(report),
    pool === undefined ? '' : poolText(pool),
  ].map(printable);
};

const serialText = ({ serial, controlBoard }: Sighting['report']): string =>
  serial !== undefined
    ? shownValue(serial)
    : controlBoard === undefined
      ? ''
      : `control board ${shownValue(controlBoard)}`;

/** Whose report it may be. */
export const makersText = ({ makers }: ReportForm): string => makers.join('/');
