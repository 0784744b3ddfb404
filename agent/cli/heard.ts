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

/** A device that was heard: its first report, and how many came in. */
export interface HeardDevice {
  readonly first: Sighting;
  reports: number;
}

/** Most devices kept in one run: whoever floods the ports with inventions must not fill the memory. */
export const MOST_DEVICES = 2048;

/** The devices heard in one run, each once. */
export class Heard {
  readonly #devices = new Map<string, HeardDevice>();
  #repeated = 0;
  #leftOut = 0;

  /** Takes a report. `new`: nobody like this was heard before. `left-out`: there are as many devices as are kept. */
  take(sighting: Sighting): 'new' | 'repeated' | 'left-out' {
    const key = keyOf(sighting);
    const known = this.#devices.get(key);
    if (known !== undefined) {
      known.reports += 1;
      this.#repeated += 1;
      return 'repeated';
    }
    if (this.#devices.size >= MOST_DEVICES) {
      this.#leftOut += 1;
      return 'left-out';
    }
    this.#devices.set(key, { first: sighting, reports: 1 });
    return 'new';
  }

  get devices(): readonly HeardDevice[] {
    return [...this.#devices.values()];
  }

  /** Reports of devices that were heard before. */
  get repeated(): number {
    return this.#repeated;
  }

  /** Reports that came in when there were as many devices as are kept. */
  get leftOut(): number {
    return this.#leftOut;
  }
}

/** Two addresses that claim one MAC are two lines: one of them may be forged, and must not hide the other. */
const keyOf = ({ form, address, report }: Sighting): string =>
  [form.name, address, report.address ?? '', report.mac ?? ''].join(' ');
