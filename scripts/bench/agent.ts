import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createKey } from '../../agent/platform/keys.ts';
import type { Broker } from './broker.ts';
import { fleetConfig } from './fleet-config.ts';
import type { FleetProcess } from './processes.ts';

/** How the whole agent is run. */
export interface AgentOptions {
  /** The words that start the agent, without its arguments. */
  readonly agent: readonly [string, ...string[]];
  /** Time between two pools polls, s. */
  readonly intervalS: number;
  readonly folder: string;
}

export const CONFIRM_S = 2;
/** How long the first look at everything may take at least, s, and how many devices a second should bring. */
const LEARNING_S = 120;
const LEARNED_PER_S = 80;

/** Resolves when every device has been attested at the broker. */
export const learned = (broker: Broker, count: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const seen = new Set<string>();
    const late = setTimeout(
      () => reject(new Error(`only ${seen.size} of ${count} devices were attested`)),
      Math.max(LEARNING_S, count / LEARNED_PER_S) * 1000,
    );
    broker.follow(({ kind, device }) => {
      if (kind !== 'attestation' || device === undefined) return;
      seen.add(device);
      if (seen.size < count) return;
      clearTimeout(late);
      resolve();
    });
  });

/** The agent with a configuration and a state folder of its own. */
export class AgentProcess implements AsyncDisposable {
  readonly startedMs: number;
  readonly #child: ChildProcess;

  constructor({ agent, intervalS, folder }: AgentOptions, { devices, ports, logIns }: FleetProcess, broker: string) {
    const state = mkdtempSync(join(folder, 'agent-'));
    createKey(state);
    const file = join(folder, 'assayer.yaml');
    const text = [
      'gateway: bench',
      'operator: bench.example',
      `state_dir: ${state}`,
      `mqtt: { url: "${broker}", rate: 10000, spread_s: 0 }`,
      // The simulated miners have no endpoint; port 22 of a loopback address is that of this machine.
      ...fleetConfig({ devices, ports: { ...ports, https: 1, ssh: 1 }, logIns }, folder),
      `schedule: { pools: "*/${intervalS} * * * * *" }`,
      `confirm_s: ${CONFIRM_S}`,
      'log_level: warn',
    ];
    writeFileSync(file, `${text.join('\n')}\n`);
    const [program, ...words] = agent;
    this.startedMs = performance.timeOrigin + performance.now();
    this.#child = spawn(program, [...words, 'run', '-c', file], { stdio: ['ignore', 'inherit', 'inherit'] });
  }

  /** Rejects when the agent ends by itself. */
  async ended(): Promise<never> {
    await once(this.#child, 'exit');
    throw new Error('the agent ended by itself');
  }

  /** Resident memory now, MB, where the system tells (Linux). */
  residentMb(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Math.round((Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024) / 1e6);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}
