import { printable } from '../../agent/cli/io.ts';
import { shownValue } from '../../agent/normalise/shown.ts';
import { findingLine } from './event.ts';
import type { Ledger, SeenDevice, SeenFinding } from './ledger.ts';
import type { Caught, Struck } from './story.ts';
import { changeText } from './words.ts';

/** What there is to see at one moment. */
export interface Scene {
  /** For a second terminal: URL of the broker, and the file with the public key of the gateway. */
  readonly broker: string;
  readonly publicKey: string;
  readonly sinceStartS: number;
  readonly nowMs: number;
  readonly miners: number;
  readonly ledger: Ledger;
  readonly presence: string;
  readonly root: string | undefined;
  readonly struck: readonly Struck[];
  readonly caught: readonly Caught[];
}

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly colour: boolean;
}

type Style = 'plain' | 'bold' | 'dim' | 'red' | 'yellow' | 'green';

const CODES: { readonly [style in Style]: string } = {
  plain: '',
  bold: '1',
  dim: '2',
  red: '31',
  yellow: '33',
  green: '32',
};

/** A piece of a line. `width` pads and cuts; a piece without takes what it needs. */
interface Cell {
  readonly text: string;
  readonly width?: number;
  readonly style?: Style;
}

const cut = (text: string, most: number): string => {
  const signs = [...text];
  return signs.length <= most ? text : `${signs.slice(0, Math.max(0, most - 1)).join('')}…`;
};

/** One line of the screen, never wider than it. */
const line = (screen: Screen, cells: readonly Cell[]): string => {
  let left = screen.columns - 1;
  const pieces: string[] = [];
  for (const { text, width, style = 'plain' } of cells) {
    const shown = cut(printable(text), Math.min(left, width ?? left));
    const padded =
      width === undefined ? shown : shown + ' '.repeat(Math.max(0, Math.min(left, width) - [...shown].length));
    left -= [...padded].length;
    pieces.push(screen.colour && CODES[style] !== '' ? `\x1b[${CODES[style]}m${padded}\x1b[0m` : padded);
    if (left === 0) break;
  }
  return pieces.join('');
};

/** The lines of the screen: what a collector has verified, fitted to its size. */
export const view = (scene: Scene, screen: Screen): readonly string[] => {
  const most = screen.rows - 1;
  const head = headLines(scene, screen);
  const room = most - head.length - 1 - scene.miners;
  const findings = findingLines(scene, screen, Math.max(LEAST_FINDING_LINES, room));
  const gap = room - findings.length >= 2 ? [''] : [];
  const devices = deviceLines(scene, screen, most - head.length - findings.length - 2 * gap.length);
  return [...head, ...gap, ...devices, ...gap, ...findings].slice(0, most);
};

/** Heading and two findings: on a small screen devices give way to them. */
const LEAST_FINDING_LINES = 5;

const headLines = (scene: Scene, screen: Screen): readonly string[] => {
  const { ledger, sinceStartS, presence, root, broker, publicKey } = scene;
  const good = ledger.refused === 0 && ledger.waiting === 0;
  return [
    line(screen, [
      { text: 'assayer demo', style: 'bold' },
      { text: `  ${sinceStartS.toFixed(0)} s since start, polls every 10 s, gateway ${presence}, Ctrl-C ends` },
    ]),
    line(screen, [
      { text: 'verified', width: 10, style: 'bold' },
      { text: `${ledger.entries} entries, ${ledger.entries} signatures good, ` },
      { text: `${ledger.refused} refused`, style: ledger.refused === 0 ? 'plain' : 'red' },
      { text: `, ${ledger.mirrors} mirrors identical` },
    ]),
    line(screen, [
      { text: 'chain', width: 10, style: 'bold' },
      good ? { text: chainText(ledger), style: 'green' } : { text: brokenText(ledger), style: 'red' },
      { text: root === undefined ? '' : `, root ${root.slice(0, 12)}…` },
      { text: ledger.clock === undefined ? '' : `, clock ${ledger.clock}` },
    ]),
    line(screen, [{ text: 'attacker', width: 10, style: 'bold' }, attackCell(scene)]),
    line(screen, [{ text: `${broker}  key ${publicKey}` }]),
  ];
};

const chainText = ({ entries }: Ledger): string =>
  entries === 0 ? 'no entry yet' : `unbroken from entry 0 to ${entries - 1}`;

const brokenText = ({ problems, waiting }: Ledger): string => problems.at(-1) ?? `${waiting} messages above a gap`;

const attackCell = ({ struck, ledger, miners, nowMs, caught }: Scene): Cell => {
  const last = struck.at(-1);
  if (last === undefined) return { text: `waits until every miner is learned: ${ledger.learned.size} of ${miners}` };
  const { attack, doneAtMs } = last;
  if (doneAtMs === undefined) return { text: `${attack.miner} goes dark`, style: 'yellow' };
  const done = `${attack.miner} ${attack.says}`;
  const found = caught.find((each) => each.attack === attack);
  if (found !== undefined) return { text: `${done}: found and verified after ${found.seconds.toFixed(1)} s` };
  return { text: `${done}, ${((nowMs - doneAtMs) / 1000).toFixed(0)} s ago`, style: 'yellow' };
};

const WIDE = 100;

/** Name, family where there is room, model, firmware, account, conformance. */
const deviceCells = (screen: Screen, texts: readonly string[], style: Style, last: Style): readonly Cell[] => {
  const [name = '', family = '', model = '', firmware = '', account = '', conformance = ''] = texts;
  const wide = screen.columns >= WIDE;
  const room = screen.columns - 1 - 7 - 12 - (wide ? 16 : 0);
  const part = Math.floor(room / 3);
  return [
    { text: name, width: 7, style },
    ...(wide ? [{ text: family, width: 16, style }] : []),
    { text: `${cut(model, part - 1)}`, width: part, style },
    { text: `${cut(firmware, part - 1)}`, width: part, style },
    { text: `${cut(account, part - 1)}`, width: part, style },
    { text: conformance, style: last },
  ];
};

const CONFORMANCE: { readonly [conformance in SeenDevice['conformance']]: Style } = {
  match: 'green',
  partial: 'green',
  unbaselined: 'plain',
  unreachable: 'yellow',
  deviation: 'red',
};

const deviceLines = ({ ledger, miners }: Scene, screen: Screen, most: number): readonly string[] => {
  const devices = [...ledger.devices.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  const rows = devices.map(({ name, family, model, firmware, account, conformance }) =>
    line(
      screen,
      deviceCells(
        screen,
        [name, family, ...[model, firmware, account].map(shownValue), conformance],
        'plain',
        CONFORMANCE[conformance],
      ),
    ),
  );
  const missing = miners - devices.length;
  if (missing > 0) rows.push(line(screen, [{ text: `${missing} more not seen yet`, style: 'dim' }]));
  const heading = ['DEVICE', 'FAMILY', 'MODEL', 'FIRMWARE', 'POOL ACCOUNT', 'CONFORMANCE'];
  const fitting =
    rows.length < most ? rows : [...rows.slice(0, Math.max(0, most - 2)), `and ${rows.length - most + 2} more`];
  return [line(screen, deviceCells(screen, heading, 'dim', 'dim')), ...fitting];
};

const SEVERITY: { readonly [severity: string]: Style } = {
  critical: 'red',
  high: 'red',
  medium: 'yellow',
  low: 'plain',
  info: 'dim',
};

/** The newest findings, as many as fit. */
const findingLines = (scene: Scene, screen: Screen, most: number): readonly string[] => {
  const lines = [line(screen, [{ text: 'FINDINGS, verified, newest first', style: 'dim' }])];
  for (const seen of [...scene.ledger.findings.values()].toReversed()) {
    const rows = findingRows(scene, seen, screen);
    if (lines.length + rows.length > most) break;
    lines.push(...rows);
  }
  if (scene.ledger.findings.size === 0) lines.push(line(screen, [{ text: 'none', style: 'dim' }]));
  return lines;
};

const findingRows = (scene: Scene, { finding }: SeenFinding, screen: Screen): readonly string[] => {
  const caught = scene.caught.find((each) => each.finding.opened_seq === finding.opened_seq);
  const style = finding.state === 'open' ? (SEVERITY[finding.severity] ?? 'plain') : 'dim';
  const where = [finding.device ?? `${finding.count} devices`, finding.part, finding.state].filter(
    (word) => word !== undefined && word !== 'open',
  );
  const change = changeText(findingLine(finding));
  return [
    line(screen, [
      { text: finding.severity, width: 9, style },
      { text: finding.id, width: 28, style: 'bold' },
      { text: where.join(' '), width: 16 },
      { text: caught === undefined ? '' : `${caught.seconds.toFixed(1)} s after the change`, style: 'green' },
    ]),
    ...(change === '' ? [] : [line(screen, [{ text: '', width: 9 }, { text: change }])]),
  ];
};
