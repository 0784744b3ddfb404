import type { LogReport } from '../../../shared/index.ts';
import { gatewayOf } from '../../../shared/index.ts';
import type { Worker } from '../../collect/worker.ts';
import { type Io, printable } from '../io.ts';
import { wideTable } from '../table.ts';
import { CLEAR_BELOW, CLEAR_LINE, HIDE_CURSOR, NO_WRAP, SHOW_CURSOR, WRAP } from '../terminal.ts';

const MOST_NEWS = 8;
/** Above so many gateways only those that need a look are listed. */
const OTHER_LINES = 6;

/** The state of every gateway on a terminal, drawn again in place, with the newest lines below. */
export class LiveTable {
  readonly #io: Io;
  readonly #id: string;
  readonly #worker: Worker;
  readonly #news: string[] = [];
  #drawn = 0;

  constructor(io: Io, id: string, worker: Worker) {
    this.#io = io;
    this.#id = id;
    this.#worker = worker;
  }

  tell(lines: readonly string[]): void {
    this.#news.push(...lines.map((line) => `${new Date().toISOString().slice(11, 19)} ${printable(line)}`));
    this.#news.splice(0, this.#news.length - MOST_NEWS);
  }

  async draw(): Promise<void> {
    const { out } = this.#io;
    // A frame that is higher than the terminal would scroll, and the next one begin in its middle.
    const room = Math.max(1, (out.rows || 24) - 1);
    const most = Math.max(4, room - OTHER_LINES - this.#news.length);
    const rows = rowsOf(this.#io, await this.#worker.logs(), most);
    const lines = [this.#head(), '', ...rows, '', ...this.#news].slice(0, room);
    const drawn = Math.min(this.#drawn, room);
    const up = drawn === 0 ? '' : `\x1b[${drawn}A`;
    out.write(
      `${HIDE_CURSOR}${NO_WRAP}${up}\r${lines.map((each) => `${each}${CLEAR_LINE}\n`).join('')}${CLEAR_BELOW}${WRAP}`,
    );
    this.#drawn = lines.length;
  }

  end(): void {
    this.#io.out.write(`${WRAP}${SHOW_CURSOR}`);
  }

  #head(): string {
    const { connection, failing, waiting } = this.#worker;
    const { state, broker = '', protocol } = connection;
    return [
      `${this.#id}: ${state} ${printable(broker)}${protocol === undefined ? '' : `, MQTT ${protocol}`}`,
      waiting === 0 ? undefined : `${waiting} messages wait`,
      failing === undefined ? undefined : `the store refuses: ${failing}`,
    ]
      .filter((word) => word !== undefined)
      .join(', ');
  }
}

const rowsOf = (io: Io, logs: readonly LogReport[], most: number): readonly string[] => {
  const sorted = logs.toSorted(
    (one, other) => Number(other.silent) - Number(one.silent) || (one.log < other.log ? -1 : 1),
  );
  const shown = sorted
    .slice(0, most)
    .map((each) => [
      gatewayOf(each.log),
      each.log.slice(each.log.lastIndexOf('/') + 1),
      `${each.size}`,
      `${each.included}`,
      `${each.witnessed}`,
      each.silent ? 'not heard' : 'heard',
      each.presence ?? '',
    ]);
  const heading = ['gateway', 'log', 'entries', 'included', 'witnessed', 'heartbeat', 'presence'];
  const rest = sorted.length - shown.length;
  return [
    ...wideTable(io, heading, shown).trimEnd().split('\n'),
    ...(rest > 0 ? [`… and ${rest} more: assayer collect logs`] : []),
  ];
};
