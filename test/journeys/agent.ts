import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { createKey } from '../../agent/platform/keys.ts';
import { Store } from '../../agent/record/store.ts';
import type { AttestationStatement, CoverageStatement, FindingStatement, Statement } from '../../shared/statement.ts';
import { until } from '../publish/observer.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'agent', 'main.ts');

/** Nothing is looked at beside what the simulated devices are, least of all port 22 of the machine that runs the tests. */
export const NO_ENDPOINT = { web: 'off', tls: 'off', ssh: 'off' } as const;

/** One line that the agent wrote on stderr. */
export interface AgentEvent {
  readonly at: string;
  readonly level: string;
  readonly event: string;
  readonly [member: string]: unknown;
}

/** How a process ended. */
export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What a verb printed. */
export interface Said extends End {
  readonly out: string;
  readonly err: string;
}

/** What the log says about one period. */
type Coverage = CoverageStatement['coverage'];

/** Settings of a configuration file, beside those that every journey has. */
export type Settings = { readonly [name: string]: unknown };

/**
 * Rounds every two seconds, quick confirmation, short deadlines: what takes minutes in the field takes seconds here. An
 * honest miner keeps the deadlines all the same where a busy machine holds it up.
 */
const QUICK: Settings = {
  gateway: 'gw-1',
  operator: 'example.org',
  state_dir: 'state',
  schedule: { pools: '*/2 * * * * *', config: '*/2 * * * * *', ...NO_ENDPOINT },
  confirm_s: 1,
  coverage_s: 10,
  probe: { connect_timeout_ms: 2500, exchange_timeout_ms: 2500, device_timeout_ms: 6000 },
  log_level: 'debug',
};

/** A gateway in a folder of its own: configuration, key, store, and the real agent as a process, started and ended at will. */
export class Gateway implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'assayer-journey-'));
  readonly file = join(this.folder, 'assayer.yaml');
  readonly stateDir = join(this.folder, 'state');
  readonly keyFile = join(this.stateDir, 'gateway.jwk.json');
  /** Everything the agents of this gateway wrote on stderr. */
  stderr = '';
  readonly events: AgentEvent[] = [];
  /** Words for Node before the program, e.g. a module that is loaded first. */
  nodeOptions: readonly string[] = [];
  readonly #log: Statement[] = [];
  #child: ChildProcess | undefined;
  #settings: Settings = QUICK;
  #release: () => void = () => {};

  /** Writes the configuration and makes the key; nothing runs yet. `furnish` may mount something, and says how to end that. */
  static create(settings: Settings, furnish: (stateDir: string) => () => void = () => () => {}): Gateway {
    const gateway = new Gateway();
    mkdirSync(gateway.stateDir, { mode: 0o700 });
    gateway.#release = furnish(gateway.stateDir);
    createKey(gateway.stateDir);
    gateway.configure(settings);
    return gateway;
  }

  /** Starts an agent under `settings`; resolves when it runs. */
  static async start(settings: Settings): Promise<Gateway> {
    const gateway = Gateway.create(settings);
    try {
      await gateway.up();
      return gateway;
    } catch (error) {
      await gateway[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Puts further settings into the configuration file. */
  configure(settings: Settings): void {
    this.#settings = { ...this.#settings, ...settings };
    this.write('assayer.yaml', stringify(this.#settings));
  }

  /** Writes a file beside the configuration and gives its path. */
  write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  /** Starts the agent; resolves when it runs, rejects when it ends instead. */
  async up(): Promise<void> {
    const seen = this.events.length;
    this.spawn();
    await until(
      'the agent runs or ends',
      () => this.ended !== undefined || this.#events(seen).some(({ event }) => event === 'agent.started'),
    );
    if (this.ended !== undefined) throw new Error(`the agent ended at start: ${this.stderr}`);
  }

  /** Starts the agent without waiting for anything. */
  spawn(): void {
    const child = spawn(process.execPath, [...this.nodeOptions, MAIN, 'run', '-c', this.file], {
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    this.#child = child;
    let rest = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith('{')) this.events.push(JSON.parse(line) as AgentEvent);
    });
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('no agent was started');
    return pid;
  }

  /** How the agent ended; undefined while it runs. */
  get ended(): End | undefined {
    const child = this.#child;
    if (child === undefined) return { code: null, signal: null };
    return child.exitCode === null && child.signalCode === null
      ? undefined
      : { code: child.exitCode, signal: child.signalCode };
  }

  /** Sends a signal and waits for the end; ends it by force, and says so, after `withinMs`. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', withinMs = 12_000): Promise<End> {
    const child = this.#child;
    if (child === undefined) throw new Error('no agent was started');
    if (this.ended === undefined) {
      child.kill(signal);
      await until(`the agent ends on ${signal}`, () => this.ended !== undefined, withinMs).catch(async (late) => {
        child.kill('SIGKILL');
        await once(child, 'close');
        throw late;
      });
    }
    return this.ended ?? { code: null, signal: null };
  }

  /** Sends a signal that does not end it. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  #events(from: number): readonly AgentEvent[] {
    return this.events.slice(from);
  }

  /** Events of one code. */
  eventsOf(code: string): readonly AgentEvent[] {
    return this.events.filter(({ event }) => event === code);
  }

  /** Waits for an event that came after the first `after` of its code. */
  async event(code: string, { after = 0, withinMs = 20_000 } = {}): Promise<AgentEvent> {
    await until(`event ${code}`, () => this.eventsOf(code).length > after, withinMs);
    return this.eventsOf(code)[after] as AgentEvent;
  }

  /** Runs a verb of the command line with this gateway's configuration. */
  async assayer(verb: string, ...words: readonly string[]): Promise<Said> {
    return run([...verb.split(' '), '-c', this.file, ...words]);
  }

  /** Every statement of the log so far, read from the store while the agent writes it. */
  get log(): readonly Statement[] {
    using store = Store.openReadOnly(this.stateDir);
    for (const { message } of store.entriesFrom(this.#log.length, 100_000))
      this.#log.push(JSON.parse(Buffer.from(message).toString()) as Statement);
    return this.#log;
  }

  attestations(device?: string): readonly AttestationStatement[] {
    return this.log.filter(
      (one): one is AttestationStatement =>
        one.kind === 'attestation' && (device === undefined || one.subject.device === device),
    );
  }

  findings(id: string, device?: string): readonly FindingStatement[] {
    return this.log.filter(
      (one): one is FindingStatement =>
        one.kind === 'finding' && one.finding.id === id && (device === undefined || one.finding.device === device),
    );
  }

  /** The coverage periods so far, in the order in which they ended. */
  get periods(): readonly Coverage[] {
    return this.log.flatMap((one) => (one.kind === 'coverage' ? [one.coverage] : []));
  }

  /** Waits for the end of a coverage period; gives what the log says about it. */
  async periodEnds(): Promise<Coverage> {
    const before = this.periods.length;
    await this.says('a coverage period ends', () => this.periods.length > before);
    return this.periods[before] as Coverage;
  }

  /** Waits until the log says something. */
  async says(what: string, isSaid: (log: readonly Statement[]) => boolean, withinMs = 20_000): Promise<void> {
    await until(what, () => isSaid(this.log), withinMs).catch((late: Error) => {
      throw new Error(`${late.message}\n${tailOf(this.log)}\n${this.stderr.slice(-3000)}`);
    });
  }

  /** Waits until so many devices have been attested. */
  async knows(devices: number, withinMs?: number): Promise<void> {
    await this.says(
      `${devices} devices are attested`,
      () => new Set(this.attestations().map(({ subject }) => subject.device)).size >= devices,
      withinMs,
    );
  }

  /** The messages of the log as `assayer log --raw` prints them. */
  async messages(...words: readonly string[]): Promise<readonly string[]> {
    const { code, out, err } = await this.assayer('log', '--raw', ...words);
    assert.equal(code, 0, err);
    return out.split('\n').slice(0, -1);
  }

  /** `assayer verify` on all that `assayer log --raw` prints says OK; gives the messages. `keys`: further files of trusted keys. */
  async verified(...keys: readonly string[]): Promise<readonly string[]> {
    const messages = await this.messages();
    const file = this.write('messages.jsonl', `${messages.join('\n')}\n`);
    const { code, out, err } = await run(['verify', file, ...[this.keyFile, ...keys].flatMap((key) => ['--key', key])]);
    assert.match(`${out}${err}`, /\nOK\n$/);
    assert.equal(code, 0);
    return messages;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.ended === undefined) await this.stop('SIGKILL');
    } finally {
      this.#release();
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}

/** Runs the command line, with no configuration named. */
export const run = (words: readonly string[]): Promise<Said> =>
  new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...words], { maxBuffer: 1 << 28, timeout: 30_000 }, (_, out, err) =>
      resolve({ code: child.exitCode, signal: child.signalCode, out, err }),
    );
  });

const tailOf = (log: readonly Statement[]): string =>
  log
    .slice(-12)
    .map((statement) => JSON.stringify(statement).slice(0, 400))
    .join('\n');
