import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Statement } from '../../shared/index.ts';
import { EmbeddedBroker } from './broker.ts';
import { Child } from './child.ts';
import { Collector } from './collector.ts';
import { type Gateway, prepareGateway } from './gateway.ts';
import type { Place } from './miners.ts';

const FLEET = fileURLToPath(new URL('./fleet.ts', import.meta.url));
const AGENT = fileURLToPath(new URL('../../agent/main.ts', import.meta.url));

/** How long the last entry of the agent may be on its way, ms. */
const LAST_ENTRY_MS = 3000;

/** Something of the demo ended by itself. */
export class Ended extends Error {}

/** Everything that the demo starts: a folder, a broker, miners, the agent, a collector. */
export class Hall {
  readonly folder: string;
  #fleet: Child | undefined;
  #agent: Child | undefined;
  #broker: EmbeddedBroker | undefined;
  #collector: Collector | undefined;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'assayer-demo-'));
  }

  /** Starts all but the agent. */
  async open(options: {
    readonly oneAddress: boolean;
    readonly tell: (statement: Statement) => void;
  }): Promise<Opened> {
    this.#broker = await EmbeddedBroker.start();
    const fleet = new Child('the simulated fleet', FLEET, options.oneAddress ? ['--one-address'] : []);
    this.#fleet = fleet;
    const places = await placesOf(fleet);
    const gateway = await prepareGateway(this.folder, { places, broker: this.#broker.url });
    this.#collector = await Collector.connect(this.#broker.url, gateway.keys, options.tell);
    return { fleet, gateway, broker: this.#broker, collector: this.#collector };
  }

  /** Starts the agent, with nothing but a configuration file. */
  startAgent({ config }: Gateway): Child {
    this.#agent = new Child('the agent', AGENT, ['run', '-c', config]);
    return this.#agent;
  }

  /** Rejects with the last lines of the first process that ends. */
  async watch(): Promise<never> {
    const dead = await Promise.race(this.#children().map(async (child) => ({ child, how: await child.ended })));
    throw endedBy(dead.child, dead.how);
  }

  /** Ends everything in order: the agent first, so that its last entry is still verified. */
  async close(): Promise<void> {
    if (this.#agent?.isRunning) {
      await this.#agent.stop();
      await this.#lastEntry();
    }
    await this.#fleet?.stop();
    await this.#collector?.stop();
    await this.#broker?.stop();
    this.#removeFolder();
  }

  /** Ends everything at once. */
  abandon(): void {
    for (const child of this.#children()) child.kill();
    this.#removeFolder();
  }

  #children(): readonly Child[] {
    return [this.#fleet, this.#agent].filter((child) => child !== undefined);
  }

  async #lastEntry(): Promise<void> {
    const ledger = this.#collector?.ledger;
    const latest = Date.now() + LAST_ENTRY_MS;
    while (ledger?.stopped === false && Date.now() < latest) await delay(20);
  }

  #removeFolder(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export interface Opened {
  readonly fleet: Child;
  readonly gateway: Gateway;
  readonly broker: EmbeddedBroker;
  readonly collector: Collector;
}

const placesOf = async (fleet: Child): Promise<readonly Place[]> => {
  const line = await fleet.nextLine();
  if (line === undefined) throw endedBy(fleet, await fleet.ended);
  // Written by our own process, as JSON of this type.
  return (JSON.parse(line) as { readonly places: readonly Place[] }).places;
};

const endedBy = ({ name, lastWords }: Child, how: string): Ended =>
  new Ended([`${name} ended by itself (${how})`, ...lastWords.map((line) => `  ${line}`)].join('\n'));
