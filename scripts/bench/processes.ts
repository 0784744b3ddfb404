import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Ports } from '../../test/simulator/listeners.ts';
import type { Answer, Asked, FleetReport, Order } from '../../test/simulator/orders.ts';
import { loadSpecimens, type Specimen } from '../../test/specimens/specimen.ts';
import { RUNTIME_OPTIONS } from '../runtime-options.ts';
import type { Ask, BenchDevice, LogIn, Setup } from './setup.ts';

/** What a fleet is made of: one specimen of each family, with every interface that the family has where one has all. */
const FLEETS = {
  five: ['antminer-stock/s21', 'whatsminer/m50s-api2', 'avalon/a1246', 'axeos/gamma-2.12', 'cgminer/cgminer'],
  all: [
    'antminer-stock/s21',
    'asicseer/s9',
    'auradine/at1500',
    'avalon/a1246',
    'axeos/gamma-2.12',
    'blissz/d3',
    'braiins/s19jpro-26.04',
    'cgminer/cgminer',
    'chipless/z11',
    'ebang/e12',
    'elphapex/dg1',
    'epic/umc-s19',
    'fdminer/s19xp',
    'goldshell/ck5',
    'hammer/d10',
    'hiveon/s9',
    'iceriver/ks5l-session',
    'innosilicon/t3-web',
    'ipollo/v1',
    'luxos/s21-atm',
    'marafw/s19jpro',
    'mskminer/s19',
    'proto/rig',
    'sealminer/a2',
    'strongu/u6',
    'vnish/s19jpro-1.2.6',
    'volcminer/d1-rpc',
    'whatsminer/m50s-api2',
  ],
} as const;

/** Five families, or all that there are. */
export type Families = keyof typeof FLEETS;

const logInOf = ({ device: { auth } }: Specimen): LogIn | undefined => {
  if (auth === undefined) return undefined;
  const { user, password } = auth;
  const opens = auth.kind === 'key' ? `${auth.header}: ${password}` : auth.kind === 'login' ? auth.opens : undefined;
  return { user, password, ...(opens === undefined ? {} : { opens }) };
};

interface Ready {
  readonly ports: Ports;
  readonly devices: readonly BenchDevice[];
}

/** The simulated fleet, in a process of its own. */
export class FleetProcess implements AsyncDisposable {
  readonly devices: readonly BenchDevice[];
  readonly ports: Ports;
  readonly logIns: Setup['logIns'];
  readonly #child: ChildProcess;
  readonly #answers: ((answer: Answer) => void)[] = [];
  #hear: (asked: Asked) => void = () => undefined;

  private constructor(child: ChildProcess, lines: Interface, { ports, devices }: Ready, logIns: Setup['logIns']) {
    this.#child = child;
    this.logIns = logIns;
    this.ports = ports;
    this.devices = devices;
    lines.on('line', (line) => {
      // Written by `obey`.
      const said = JSON.parse(line) as Answer | Asked;
      if ('asked' in said) this.#hear(said);
      else this.#answers.shift()?.(said);
    });
  }

  static async start(devices: number, base: string, families: Families = 'five'): Promise<FleetProcess> {
    const script = join(import.meta.dirname, '..', 'simulate.ts');
    const words = ['--devices', String(devices), '--families', FLEETS[families].join(','), '--base', base];
    const child = spawn(process.execPath, [script, ...words, '--cgminer-port', '0', '--http-port', '0', '--json'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout });
    const [first] = await once(lines, 'line');
    const played = new Set<string>(FLEETS[families]);
    const logIns = loadSpecimens().flatMap((specimen) => {
      const logIn = played.has(specimen.name) ? logInOf(specimen) : undefined;
      return logIn === undefined ? [] : [[specimen.name, logIn] as const];
    });
    return new FleetProcess(child, lines, JSON.parse(first), Object.fromEntries(logIns));
  }

  /** Gives an order; throws where it cannot be carried out. */
  async order(order: Order): Promise<Exclude<Answer, { failed: string }>> {
    const answered = new Promise<Answer>((resolve) => this.#answers.push(resolve));
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    const answer = await answered;
    if ('failed' in answer) throw new Error(answer.failed);
    return answer;
  }

  async report(): Promise<FleetReport> {
    const { report } = await this.order({ do: 'report' });
    if (report === undefined) throw new Error('the fleet gave no report');
    return report;
  }

  /** Every request to `devices` from now on goes to `hear`. */
  async follow(devices: readonly BenchDevice[], hear: (asked: Asked) => void): Promise<void> {
    this.#hear = hear;
    await this.order({ do: 'follow', devices: devices.map(({ id }) => id) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await ended;
  }
}

/** A process that is measured; `file` is the bundle of `worker.ts`. */
export class Worker implements AsyncDisposable {
  readonly #child: ChildProcess;

  constructor(file: string, kind: 'floor' | 'pipeline') {
    // The floor is what Node can do as it comes.
    this.#child = fork(file, [kind], kind === 'pipeline' ? { execArgv: [...RUNTIME_OPTIONS] } : {});
  }

  /** Its answer. Throws when the process ends instead. */
  async ask<T>(ask: Ask): Promise<T> {
    const settled = new AbortController();
    const gone = once(this.#child, 'exit', { signal: settled.signal }).then(() => {
      throw new Error('a measured process ended by itself');
    });
    const answered = once(this.#child, 'message', { signal: settled.signal });
    this.#child.send(ask);
    try {
      const [answer] = await Promise.race([answered, gone]);
      return answer as T;
    } finally {
      // The one that lost the race rejects when it is told to stop waiting.
      void Promise.allSettled([answered, gone]);
      settled.abort();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    await this.ask({ do: 'end' });
    await ended;
  }
}
