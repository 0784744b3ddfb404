import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createKey } from '../../agent/platform/keys.ts';
import { Store } from '../../agent/record/store.ts';
import { fleetConfig } from '../bench/fleet-config.ts';
import type { FleetProcess } from '../bench/processes.ts';
import { type Ours, type OwnEnd, Service } from './service.ts';

export interface GatewayOptions extends Ours {
  readonly fleet: FleetProcess;
  /** Of the witness whose markers of time count. */
  readonly vkey: string;
  /** The collectors whose acknowledgement counts as delivered: none, or ours. */
  readonly requires: '' | 'collector-a';
}

/** The agent, as it is delivered, with a configuration and a state of its own; beside it the plain publisher, which shares its fate. */
export class Gateway {
  readonly config: string;
  readonly keyFile: string;
  readonly stateDir: string;
  readonly #cursorFile: string;
  readonly #copy: string;
  readonly #agent: Service;
  readonly #plain: Service;

  constructor(options: GatewayOptions, tell: (end: OwnEnd) => void) {
    const { folder, program, url, protocol, disk, clock, fleet, vkey, requires } = options;
    this.config = join(folder, 'assayer.yaml');
    this.stateDir = join(disk.folder, 'state');
    this.#copy = join(folder, 'copy');
    this.#cursorFile = join(disk.folder, 'plain.cursor');
    mkdirSync(this.stateDir, { mode: 0o700 });
    createKey(this.stateDir);
    this.keyFile = join(this.stateDir, 'gateway.jwk.json');
    const { devices, logIns, ports } = fleet;
    const lines = [
      'gateway: gw-1',
      'operator: faults.example',
      `state_dir: ${this.stateDir}`,
      `mqtt: { url: "${url}", protocol: "${protocol}", insecure: true, spread_s: 0, collectors: [${requires}], witnesses: ["${vkey}"] }`,
      ...fleetConfig({ devices, logIns, ports: { ...ports, https: 1, ssh: 1 } }, folder),
      'schedule: { pools: "* * * * * *", config: "* * * * * *", web: off, tls: off, ssh: off }',
      'confirm_s: 1',
      'coverage_s: 10',
      'probe: { connect_timeout_ms: 2500, exchange_timeout_ms: 2500, device_timeout_ms: 6000 }',
    ];
    writeFileSync(this.config, `${lines.join('\n')}\n`);
    const common = { clock, tell, excuse: () => (disk.isFull ? 'its disk is full' : undefined) };
    const command = [...program, 'run', '-c', this.config];
    this.#agent = new Service({ ...common, name: 'agent', command, logFile: join(folder, 'agent.log') });
    this.#plain = new Service({
      ...common,
      name: 'plain publisher',
      command: [
        process.execPath,
        join(import.meta.dirname, 'plain-publisher.ts'),
        url,
        this.stateDir,
        this.#cursorFile,
      ],
      logFile: join(folder, 'plain-publisher.log'),
    });
  }

  start(): void {
    this.startAgent();
    this.#plain.start();
  }

  startAgent(): void {
    this.#agent.start();
  }

  async kill(): Promise<void> {
    await Promise.all([this.#agent.kill(), this.#plain.kill()]);
  }

  /** Lets the agent end in good order. Gives how it ended. */
  stopAgent(): Promise<string> {
    return this.#agent.stop();
  }

  /** Keeps a copy of everything that the agent has, which must not run. */
  setAside(): void {
    cpSync(this.stateDir, this.#copy, { recursive: true });
  }

  /** Puts the copy in place of everything that the agent, which must not run, has now. */
  putBack(): void {
    for (const name of readdirSync(this.stateDir)) rmSync(join(this.stateDir, name), { recursive: true });
    cpSync(this.#copy, this.stateDir, { recursive: true });
  }

  /** Entries in its log; undefined while it cannot be read. */
  size(): number | undefined {
    try {
      using store = Store.openReadOnly(this.stateDir);
      return store.size();
    } catch {
      return undefined;
    }
  }

  /** How many entries the broker acknowledged to the plain publisher. */
  acknowledged(): number {
    try {
      return Number(readFileSync(this.#cursorFile, 'utf8'));
    } catch {
      return 0;
    }
  }
}
