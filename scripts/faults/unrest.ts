import type { FleetProcess } from '../bench/processes.ts';

/** How long a device stays as it is: long enough for two looks, which is what a change takes to be believed. */
const STAYS_MS = 2_500;
/** Every so many changes it is a firmware that comes, else a pool account. */
const FIRMWARE = 8;

/** Pools and firmware of the simulated miners change all the time, so that there is something to write. */
export class Unrest {
  readonly #fleet: FleetProcess;
  #timer: NodeJS.Timeout | undefined;
  #changes = 0;

  constructor(fleet: FleetProcess) {
    this.#fleet = fleet;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#change(), STAYS_MS / this.#fleet.devices.length);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #change(): Promise<void> {
    const nth = this.#changes;
    this.#changes += 1;
    const device = nth % this.#fleet.devices.length;
    // Accounts of their own: what many devices show alike is stated once for all of them.
    if (nth % FIRMWARE === 0) await this.#fleet.order({ do: 'setFirmware', device, version: `9.${nth}.1` });
    else await this.#fleet.order({ do: 'changePoolUser', device, slot: 0, user: `thief${nth}.x` });
  }
}
