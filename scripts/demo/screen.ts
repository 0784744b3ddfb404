import { CLEAR_BELOW, CLEAR_LINE, HIDE_CURSOR, NO_WRAP, SHOW_CURSOR, WRAP } from '../../agent/cli/terminal.ts';
import type { DemoEvent } from './event.ts';
import { eventLines, type Reporter } from './reporter.ts';
import { type Scene, view } from './view.ts';

/** A terminal; the parts of `process.stdout` that are used. */
export interface Terminal {
  readonly write: (text: string) => unknown;
  readonly columns: number;
  readonly rows: number;
  readonly on: (event: 'resize', listener: () => void) => unknown;
}

const CLEAR = '\x1b[2J\x1b[H';
const up = (lines: number): string => (lines === 0 ? '' : `\x1b[${lines}A`);

/** The view, redrawn in place below the first lines, which stay. */
export class ScreenReporter implements Reporter {
  readonly #terminal: Terminal;
  readonly #colour: boolean;
  #first: readonly string[] = [];
  #drawn = 0;

  constructor(terminal: Terminal, { colour }: { readonly colour: boolean }) {
    this.#terminal = terminal;
    this.#colour = colour;
    terminal.on('resize', () => this.#begin(CLEAR));
  }

  tell(event: DemoEvent): void {
    if (event.event === 'begin') {
      this.#first = eventLines(event);
      this.#begin('');
    }
    if (event.event === 'summary') {
      this.#terminal.write(`\n${eventLines(event).join('\n')}\n`);
    }
  }

  draw(scene: Scene): void {
    const { columns, rows } = this.#terminal;
    // A terminal that does not know its size says 0.
    const lines = view(scene, { columns: columns || 80, rows: rows || 24, colour: this.#colour });
    const text = lines.map((line) => `${line}${CLEAR_LINE}\n`).join('');
    this.#terminal.write(`${HIDE_CURSOR}${NO_WRAP}${up(this.#drawn)}\r${text}${CLEAR_BELOW}${WRAP}`);
    this.#drawn = lines.length;
  }

  restore(): void {
    this.#terminal.write(`${WRAP}${SHOW_CURSOR}`);
  }

  #begin(clear: string): void {
    this.#drawn = 0;
    this.#terminal.write(`${clear}${this.#first.map((line) => `${line}\n`).join('')}`);
  }
}
