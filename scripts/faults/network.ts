import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../../test/publish/mosquitto.ts';
import { done } from './machine.ts';
import type { RelayOrder, Side } from './relay.ts';

const RELAY = join(import.meta.dirname, 'relay.ts');
const BROKER_PORT = 1883;
const LINKS: { readonly [side in Side]: { readonly near: string; readonly far: string; readonly port: number } } = {
  agent: { near: '10.77.1.1', far: '10.77.1.2', port: 18_831 },
  collector: { near: '10.77.2.1', far: '10.77.2.2', port: 18_832 },
};
const SIDES = ['agent', 'collector'] as const;

/**
 * The ways from agent and collector to the broker. With namespaces the broker has a network of its own, that each side reaches
 * over a link of its own; without, all is on the loopback. A relay before the broker delays and cuts in both cases.
 */
export class Network implements AsyncDisposable {
  readonly brokerPort: number;
  readonly urls: { readonly [side in Side]: string };
  readonly #relay: ChildProcess;
  readonly #isLinked: boolean;

  private constructor(relay: ChildProcess, isLinked: boolean, brokerPort: number, ports: readonly number[]) {
    this.#relay = relay;
    this.#isLinked = isLinked;
    this.brokerPort = brokerPort;
    const url = (side: Side, port = 0): string => `mqtt://${isLinked ? LINKS[side].far : '127.0.0.1'}:${port}`;
    this.urls = { agent: url('agent', ports[0]), collector: url('collector', ports[1]) };
  }

  static async open({ isLinked }: { readonly isLinked: boolean }): Promise<Network> {
    const brokerPort = isLinked ? BROKER_PORT : await freePort();
    const ports = isLinked ? SIDES.map((side) => LINKS[side].port) : [0, 0];
    const words = [
      process.execPath,
      RELAY,
      isLinked ? '0.0.0.0' : '127.0.0.1',
      String(brokerPort),
      ...ports.map(String),
    ];
    const [program = '', ...rest] = isLinked ? ['unshare', '--net', ...words] : words;
    const relay = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
    const [line] = await once(createInterface({ input: relay.stdout }), 'line');
    const network = new Network(relay, isLinked, brokerPort, String(line).split(' ').map(Number));
    if (isLinked) network.#link();
    return network;
  }

  /** The words before a command that put it where the broker is. */
  get atBroker(): readonly string[] {
    return this.#isLinked ? ['nsenter', `--net=/proc/${this.#relay.pid}/ns/net`] : [];
  }

  tell(order: RelayOrder): void {
    this.#relay.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  /** Takes a link down, at our end, where it is noticed at once, or at the other one, where packets vanish. */
  cut(side: Side, end: 'near' | 'far'): void {
    this.#set(side, end, 'down');
  }

  mend(side: Side, end: 'near' | 'far'): void {
    this.#set(side, end, 'up');
  }

  /** Packets of both directions go through a queue of the kernel: `tc qdisc`. */
  queue(side: Side, discipline: readonly string[]): void {
    for (const [at, name] of Object.values(this.#ends(side))) {
      done([...at, 'tc', 'qdisc', 'replace', 'dev', name, 'root', ...discipline]);
    }
  }

  unqueue(side: Side): void {
    for (const [at, name] of Object.values(this.#ends(side))) done([...at, 'tc', 'qdisc', 'del', 'dev', name, 'root']);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#relay.exitCode !== null || this.#relay.signalCode !== null) return;
    const gone = once(this.#relay, 'exit');
    this.#relay.stdin?.end();
    await gone;
  }

  #link(): void {
    done(['ip', 'link', 'set', 'lo', 'up']);
    done([...this.atBroker, 'ip', 'link', 'set', 'lo', 'up']);
    for (const side of SIDES) {
      const [own, peer] = [`${side}0`, `${side}1`];
      done(['ip', 'link', 'add', own, 'type', 'veth', 'peer', 'name', peer, 'netns', String(this.#relay.pid)]);
      done(['ip', 'addr', 'add', `${LINKS[side].near}/30`, 'dev', own]);
      done([...this.atBroker, 'ip', 'addr', 'add', `${LINKS[side].far}/30`, 'dev', peer]);
      done(['ip', 'link', 'set', own, 'up']);
      done([...this.atBroker, 'ip', 'link', 'set', peer, 'up']);
    }
  }

  /** The ends of a link, with the words that lead there. */
  #ends(side: Side): { readonly [end in 'near' | 'far']: readonly [readonly string[], string] } {
    return { near: [[], `${side}0`], far: [this.atBroker, `${side}1`] };
  }

  #set(side: Side, end: 'near' | 'far', state: 'up' | 'down'): void {
    const [at, name] = this.#ends(side)[end];
    done([...at, 'ip', 'link', 'set', name, state]);
  }
}
