import { hash } from 'node:crypto';
import type { Report, ReportForm } from '../drivers/ip-reports.ts';

/** One report as it came in. */
export interface Sighting {
  readonly form: ReportForm;
  /** The UDP port here, and the address that the datagram came from. */
  readonly port: number;
  readonly address: string;
  readonly receivedAtMs: number;
  readonly report: Report;
}

/** A report that was heard: as it came in first, and how many times the same came in. */
export interface HeardReport {
  readonly first: Sighting;
  times: number;
}

/** Most different reports kept in one run: whoever floods the ports with inventions must not fill the memory. */
export const MOST_REPORTS = 2048;

/** The reports heard in one run, each once. */
export class Heard {
  readonly #reports = new Map<string, HeardReport>();
  #repeated = 0;
  #leftOut = 0;

  /** Takes a report. `new`: nobody said this before. `left-out`: there are as many reports as are kept. */
  take(sighting: Sighting): 'new' | 'repeated' | 'left-out' {
    const key = keyOf(sighting);
    const known = this.#reports.get(key);
    if (known !== undefined) {
      known.times += 1;
      this.#repeated += 1;
      return 'repeated';
    }
    if (this.#reports.size >= MOST_REPORTS) {
      this.#leftOut += 1;
      return 'left-out';
    }
    this.#reports.set(key, { first: sighting, times: 1 });
    return 'new';
  }

  get reports(): readonly HeardReport[] {
    return [...this.#reports.values()];
  }

  /** Reports that said what was heard before. */
  get repeated(): number {
    return this.#repeated;
  }

  /** Reports that came in when there were as many as are kept. */
  get leftOut(): number {
    return this.#leftOut;
  }
}

/**
 * Two reports that differ in where they came from, or in anything they say, are two lines: one of them may be forged, and must not
 * hide the other. What is another in each report of a device, such as a time, is not read. A digest: a report may be long.
 */
const keyOf = ({ form, address, report }: Sighting): string =>
  hash('sha256', JSON.stringify([form.name, address, report]), 'base64');
