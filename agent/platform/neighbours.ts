import { readFileSync } from 'node:fs';

/** How long one reading of the table serves: a whole site may fall silent at once, ms. */
const KEPT_MS = 2000;

/** A complete entry (`ATF_COM` of Linux): somebody at the address answered to ARP. */
const COMPLETE = 0x2;

/**
 * Whether anybody answers to ARP at an address, as the kernel found when the device was just asked there. Undefined where
 * that is not known: behind a router, over IPv6, and on a system without `/proc/net/arp`.
 */
export class Neighbours {
  readonly #monoMs: () => number;
  readonly #read: () => string;
  #table: ReadonlyMap<string, boolean> = new Map();
  #readMs = Number.NEGATIVE_INFINITY;

  constructor(monoMs: () => number, read: () => string = readArp) {
    this.#monoMs = monoMs;
    this.#read = read;
  }

  isAlive(address: string): boolean | undefined {
    const nowMs = this.#monoMs();
    if (nowMs - this.#readMs >= KEPT_MS) {
      this.#table = parseArp(this.#read());
      this.#readMs = nowMs;
    }
    return this.#table.get(address);
  }
}

/** Reads the table of `/proc/net/arp`: address, hardware type, flags, hardware address, mask, device. */
export const parseArp = (text: string): ReadonlyMap<string, boolean> =>
  new Map(
    text
      .split('\n')
      .slice(1)
      .flatMap((line) => {
        const [address, , flags] = line.trim().split(/\s+/);
        return address === undefined || flags === undefined ? [] : [[address, (Number(flags) & COMPLETE) !== 0]];
      }),
  );

const readArp = (): string => {
  try {
    return readFileSync('/proc/net/arp', 'utf8');
  } catch {
    return '';
  }
};
