import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { RUNTIME_OPTIONS } from '../runtime-options.ts';
import type { GatewaysReport, Order, Setup, Sizes } from './orders.ts';
import type { LogFolder, Verified } from './verify.ts';

const fileOf = (name: string): string => join(import.meta.dirname, name);
const CONNECT_MS = 30_000;

/** A process that plays some of the gateways. */
export class GatewaysProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #asked = new Map<number, PromiseWithResolvers<object>>();
  #orders = 0;

  constructor() {
    this.#child = fork(fileOf('gateways.ts'), [], { execArgv: [...RUNTIME_OPTIONS] });
    this.#child.on('message', ({ id, answer, failed }: { id: number; answer?: object; failed?: string }) => {
      const asked = this.#asked.get(id);
      this.#asked.delete(id);
      if (answer === undefined) asked?.reject(new Error(failed));
      else asked?.resolve(answer);
    });
    this.#child.on('exit', () => {
      for (const { reject } of this.#asked.values()) reject(new Error('a process that plays gateways ended by itself'));
      this.#asked.clear();
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  begin(setup: Setup): Promise<GatewaysReport> {
    return this.#ask({ do: 'begin', setup }) as Promise<GatewaysReport>;
  }

  report(): Promise<GatewaysReport> {
    return this.#ask({ do: 'report' }) as Promise<GatewaysReport>;
  }

  tell(order: Extract<Order, { do: 'live' | 'write' }>): Promise<GatewaysReport> {
    return this.#ask(order) as Promise<GatewaysReport>;
  }

  sizes(): Promise<Sizes> {
    return this.#ask({ do: 'sizes' }) as Promise<Sizes>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    // What it was asked before is not waited for.
    for (const { promise } of this.#asked.values()) promise.catch(() => {});
    this.#ask({ do: 'end' }).catch(() => {});
    await ended;
  }

  #ask(order: Order): Promise<object> {
    this.#orders += 1;
    const asked = Promise.withResolvers<object>();
    this.#asked.set(this.#orders, asked);
    this.#child.send({ id: this.#orders, order });
    return asked.promise;
  }
}

/** `assayer collect`, the program itself. */
export class CollectorProcess implements AsyncDisposable {
  readonly #program: readonly [string, ...string[]];
  readonly #words: readonly string[];
  readonly #nodeOptions: readonly string[];
  #child: ChildProcess | undefined;
  #out = '';
  #err = '';

  /** `program`: the words that start assayer; `words` those behind `collect`; `nodeOptions` go to Node where it is one. */
  constructor(program: readonly [string, ...string[]], words: readonly string[], nodeOptions: readonly string[] = []) {
    this.#program = program;
    this.#words = words;
    this.#nodeOptions = nodeOptions;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Resolves when it is connected. */
  async start(signal: AbortSignal): Promise<void> {
    this.#out = '';
    this.#err = '';
    const [program, ...before] = this.#program;
    const child = spawn(program, [...this.#nodeOptions, ...before, 'collect', ...this.#words], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stdout?.on('data', (chunk) => {
      this.#out += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      this.#err += chunk;
    });
    const latestMs = performance.now() + CONNECT_MS;
    while (!this.#err.includes('"collect.connected"')) {
      this.requireRunning();
      if (performance.now() > latestMs) throw new Error(`the collector does not connect: ${this.#err}`);
      await delay(50, undefined, { signal });
    }
  }

  /** Throws where it ended by itself. */
  requireRunning(): void {
    if (this.#child?.exitCode !== null) throw new Error(`the collector ended by itself: ${this.#err}`);
  }

  /** Ends it in good order; gives its last line, the verdicts by kind. */
  async stop(): Promise<{ readonly [status: string]: number }> {
    await this[Symbol.asyncDispose]();
    const counts = [...(this.#out.split('\n').at(-2) ?? '').matchAll(/(\d+) ([a-z]+)/g)];
    return Object.fromEntries(counts.map(([, count, status]) => [status, Number(count)]));
  }

  /** Events that say that something is not as it should be. */
  get said(): readonly string[] {
    return this.#err.split('\n').filter((line) => /"level":"(?:warn|error)"/.test(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'close');
    child.kill('SIGTERM');
    await ended;
  }
}

/** What a question to the store of the collector prints: a JSON object a line. */
export const ask = async (
  program: readonly [string, ...string[]],
  words: readonly string[],
): Promise<readonly unknown[]> => {
  const [file, ...before] = program;
  const child = spawn(file, [...before, 'collect', ...words, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  const [code] = await once(child, 'close');
  // 1 says that something was found.
  if (code !== 0 && code !== 1) throw new Error(`collect ${words[0]} ended with ${code}`);
  return out
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
};

/** Verifies logs in a process that does nothing else. */
export const verifyAlone = async (logs: readonly LogFolder[], signal: AbortSignal): Promise<Verified> => {
  const child = fork(fileOf('verify.ts'), [], { execArgv: [...RUNTIME_OPTIONS], signal, killSignal: 'SIGKILL' });
  // The abort is told by the promise below.
  child.on('error', () => {});
  child.send(logs);
  const gone = once(child, 'exit').then(([code]) => {
    throw new Error(`verifying alone ended with ${code}`);
  });
  const answered = once(child, 'message', { signal });
  const [verified] = await Promise.race([answered, gone]);
  gone.catch(() => {});
  return verified as Verified;
};
