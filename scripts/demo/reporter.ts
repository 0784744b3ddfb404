import { printable } from '../../agent/cli/io.ts';
import type { DemoEvent } from './event.ts';
import type { Scene } from './view.ts';
import { changeText, findingText, summaryText } from './words.ts';

/** Where the demo shows itself. */
export interface Reporter {
  readonly tell: (event: DemoEvent) => void;
  /** The state of things, several times a second. */
  readonly draw: (scene: Scene) => void;
  /** Leaves the terminal as it was. */
  readonly restore: () => void;
}

interface Out {
  readonly write: (text: string) => unknown;
}

/** One JSON object per event, with the seconds since the start. */
export const jsonReporter = (out: Out, sinceStartS: () => number): Reporter => ({
  tell: (event) => out.write(`${JSON.stringify({ at_s: Number(sinceStartS().toFixed(3)), ...event })}\n`),
  draw: () => {},
  restore: () => {},
});

/** One line per event, for a pipe or a file. */
export const lineReporter = (out: Out, sinceStartS: () => number): Reporter => ({
  tell: (event) => {
    const at = sinceStartS().toFixed(1).padStart(6);
    for (const line of eventLines(event)) out.write(event.event === 'begin' ? `${line}\n` : `${at} s  ${line}\n`);
  },
  draw: () => {},
  restore: () => {},
});

/** An event, for people. */
export const eventLines = (event: DemoEvent): readonly string[] => {
  switch (event.event) {
    case 'begin':
      return [
        `Broker:      ${event.broker}`,
        `Public key:  ${event.public_key}`,
        'Check for yourself, in a second terminal, in this folder:',
        ...event.attach.map((line) => `  ${line}`),
        '',
      ];
    case 'entry':
      return [`entry ${event.seq} verified: ${event.kind}, ${printable(event.says)}`];
    case 'attack':
      return [`ATTACK: ${event.device} ${event.says}`];
    case 'finding':
      return [`entry ${event.seq} verified: FINDING ${findingText(event)} ${changeText(event)}`.trimEnd()];
    case 'summary':
      return summaryText(event);
  }
};
