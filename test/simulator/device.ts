import type { Socket } from 'node:net';
import type { Specimen } from '../specimens/specimen.ts';
import type { Behaviour } from './behaviour.ts';
import type { Edit } from './edits.ts';
import { asJsonText } from './gap.ts';
import { userLike } from './identity.ts';
import { namedValues } from './members.ts';
import type { Pool, PoolEntry } from './pools.ts';
import { type Changes, type Script, scriptOf } from './script.ts';
import { render, type Template } from './template.ts';

/** Where devices listen; a device asks for its address and gives it back. */
export interface Addresses {
  readonly take: (device: SimulatedDevice) => Promise<void>;
  readonly leave: (device: SimulatedDevice) => Promise<void>;
}

/** A TCP connection to a device. */
export type Connection = Pick<Socket, 'destroy' | 'bytesRead'>;

/** What devices share. */
export interface Surroundings {
  readonly addresses: Addresses;
  /** Unix milliseconds. */
  readonly nowMs: () => number;
  /** Replies are the bytes of the specimens, without identities and time. */
  readonly exact: boolean;
  readonly freshNumber: () => number;
  readonly scriptOf: (specimen: Specimen) => Script;
}

type Scalar = string | number | boolean;

/** Where the families say which version they run, the most telling first; the first that a device has counts. */
const VERSIONS = [
  'fw_version',
  'build_version',
  'version_firmware',
  'BCFMiner',
  'LUXminer',
  'firmware',
  'platform_v',
  'softver1',
  'systemsoftwareversion',
  'Miner',
  'miner_version',
  'fw_ver',
  'fwversion',
  'Firmware Version',
  'FirmwareVersion',
  'Firmware',
  'VERSION',
  'LVERSION',
  'BOSminer+',
  'version',
  'CGMiner',
  'SGMiner',
  'BFGMiner',
  'BMMiner',
];
/** Where third-party firmware has its version behind other words: `S19-88 v.2.6.0.39 `, `D3 Blissz v2.07`, `2.4.0-asicseer-1.1.9`. */
const BEHIND = /\bv\.(\d\S*)\s*$|\b(v\d\S*)$|\basicseer-(\S+)$/;
const RELEASES = /^(system_filesystem_version|full|current)$/;
/** The name of IceRiver's miner program ends in the model, which is no part of the version. */
const withoutModel = (version: string): string => version.replace(/_[a-z]{2}\d\w*_miner$/i, '');
/** What else has such a name: a current in mA, a time zone. */
const NO_RELEASE = /^[\d.]+$|^GMT/;
const BUILDS = /^(CompileTime|compileTime)$/;
const DATE = /^[A-Z][a-z]{2} .*\d{4}$|^\d{4}-\d\d-\d\d \d\d-\d\d-\d\d\b/;

/** One miner of the fleet. Whoever holds it can do to it what happens to miners; every reply then agrees. */
export class SimulatedDevice {
  readonly id: string;
  readonly place: number;
  address: string;
  behaviour: Behaviour = 'honest';
  /** Whether it answers at all. */
  reachable = true;
  /** Connections that are open now. */
  readonly connections = new Set<Connection>();

  readonly #shared: Surroundings;
  #script: Script;
  #machine: number;
  #startedMs: number;
  #restarted = false;
  #pools: readonly PoolEntry[] | undefined;
  #edits: NonNullable<Changes['edits']> = [];

  constructor(place: number, address: string, script: Script, shared: Surroundings) {
    this.id = `sim-${String(place).padStart(5, '0')}`;
    this.place = place;
    this.address = address;
    this.#script = script;
    this.#machine = place;
    this.#shared = shared;
    this.#startedMs = shared.nowMs();
  }

  get script(): Script {
    return this.#script;
  }

  get family(): string | undefined {
    return 'family' in this.#script.device ? this.#script.device.family : undefined;
  }

  /** The configured pools in slot order, as the device reports them. */
  get pools(): readonly Pool[] {
    return this.#entries.map(({ origin = -1, url, user }) => {
      const first = this.#script.pools[origin] ?? { url: '', user: '' };
      const named = this.#shared.exact ? first.user : userLike(first.user, this.place);
      return { url: url ?? first.url, user: user ?? named };
    });
  }

  get #entries(): readonly PoolEntry[] {
    return this.#pools ?? this.#script.pools.map((_, origin) => ({ origin }));
  }

  /** The bytes of a reply at this moment, as Latin-1 characters. */
  render(template: Template): string {
    const nowMs = this.#shared.nowMs();
    return render(template, {
      machine: this.#machine,
      place: this.place,
      now: Math.floor(nowMs / 1000),
      running: Math.floor((nowMs - this.#startedMs) / 1000),
      restarted: this.#restarted,
      pools: this.#pools,
    });
  }

  changePoolUser(slot: number, user: string): void {
    this.#changePool(slot, { user });
  }

  changePoolUrl(slot: number, url: string): void {
    this.#changePool(slot, { url });
  }

  #changePool(slot: number, change: Partial<Pool>): void {
    this.#setPools(this.#entries.with(slot, { ...this.#entry(slot), ...change }));
  }

  addPool(pool: Pool): void {
    this.#setPools([...this.#entries, pool]);
  }

  removePool(slot: number): void {
    this.#entry(slot);
    this.#setPools(this.#entries.toSpliced(slot, 1));
  }

  /** The same pools in the other order. */
  swapPools(one: number, other: number): void {
    this.#setPools(this.#entries.with(one, this.#entry(other)).with(other, this.#entry(one)));
  }

  #entry(slot: number): PoolEntry {
    const entry = this.#entries[slot];
    if (entry === undefined) throw new Error(`${this.id} has no pool slot ${slot}`);
    return entry;
  }

  #setPools(pools: readonly PoolEntry[]): void {
    const grown = pools.length !== this.#entries.length;
    this.#pools = pools;
    if (grown) this.#compile();
  }

  /**
   * Gives every member called `name` a new value, in all replies or in the one to `question`
   * (`http:/cgi-bin/get_miner_conf.cgi`). Throws where no reply has such a member.
   */
  set(name: string, value: Scalar, question?: string): void {
    if (this.#valuesOf((member) => member === name, question).length === 0)
      throw new Error(`${this.id} has no ${name} in its replies`);
    const text = typeof value === 'string' ? asJsonText(value) : String(value);
    this.#edit({ kind: 'set', what: name, text, quoted: typeof value === 'string' }, question);
  }

  /** Another version or another build, wherever the device says it. */
  setFirmware({
    version,
    build,
  }: {
    readonly version?: string | undefined;
    readonly build?: string | undefined;
  }): void {
    const releases = this.#valuesOf((name) => RELEASES.test(name)).filter((text) => !NO_RELEASE.test(text));
    if (version !== undefined) {
      const behind = this.#valuesOf((name) => name === 'Type' || name === 'BMMiner').flatMap(
        (text) => BEHIND.exec(text)?.slice(1).filter(Boolean) ?? [],
      );
      // FDMiner has the kind of its control board where others have a version.
      const named = VERSIONS.flatMap((wanted) => this.#valuesOf((name) => name === wanted))
        .map(withoutModel)
        .filter((text) => /\d/.test(text));
      const described = this.#valuesOf((name) => name === 'Description' || name === 'Software').flatMap(
        (text) => / (v?\d\S*)$/.exec(text)?.[1] ?? [],
      );
      const found = [...releases.filter((text) => !DATE.test(text)), ...behind, ...named, ...described];
      this.#replace(found.slice(0, 1), version, 'version');
    }
    if (build !== undefined) {
      const dates = releases.filter((text) => DATE.test(text));
      this.#replace([...this.#valuesOf((name) => BUILDS.test(name)), ...dates], build, 'build');
    }
  }

  #replace(found: readonly string[], by: string, what: string): void {
    if (found.length === 0) throw new Error(`${this.id} says no firmware ${what}`);
    for (const text of new Set(found)) {
      this.#edit({ kind: 'replace', what: text, text: asJsonText(by), quoted: true }, undefined);
    }
  }

  /** Values as they stand in the replies now, in the order of the questions. */
  #valuesOf(wanted: (name: string) => boolean, question?: string): readonly string[] {
    const lines = [...this.#script.lines].filter(([asked]) => question === undefined || asked === question);
    return lines.flatMap(([, { template }]) => {
      const text = this.render(template);
      return namedValues(text)
        .filter(({ name, span }) => wanted(name) && span.end > span.start)
        .map(({ span }) => text.slice(span.start, span.end));
    });
  }

  #edit(edit: Edit, question: string | undefined): void {
    this.#edits = [...this.#edits, question === undefined ? edit : { ...edit, question }];
    this.#compile();
  }

  #compile(): void {
    const { specimen, pools } = this.#script;
    const growth = this.#pools === undefined ? 0 : this.#pools.length - pools.length;
    this.#script = { ...scriptOf(specimen, { exact: this.#shared.exact, growth, edits: this.#edits }), pools };
  }

  /** Another specimen at this address, with a fresh configuration: the same machine, `otherMachine` apart. */
  async swapTo(specimen: Specimen, { otherMachine = false } = {}): Promise<void> {
    await this.goDark();
    this.#script = this.#shared.scriptOf(specimen);
    this.#pools = undefined;
    this.#edits = [];
    if (otherMachine) this.#machine = this.#shared.freshNumber();
    this.reboot();
    await this.comeBack();
  }

  /** Another machine of the same make, with the same settings. */
  replaceMachine(): void {
    this.#machine = this.#shared.freshNumber();
    this.reboot();
  }

  /** Counters begin anew; open connections are lost. */
  reboot(): void {
    this.#startedMs = this.#shared.nowMs();
    this.#restarted = true;
    this.#drop();
  }

  behave(behaviour: Behaviour): void {
    this.behaviour = behaviour;
  }

  /** Nothing listens at the address any more. */
  async goDark(): Promise<void> {
    if (!this.reachable) return;
    this.reachable = false;
    this.#drop();
    await this.#shared.addresses.leave(this);
  }

  async comeBack(): Promise<void> {
    if (this.reachable) return;
    await this.#shared.addresses.take(this);
    this.reachable = true;
  }

  async moveTo(address: string): Promise<void> {
    const { reachable } = this;
    await this.goDark();
    this.address = address;
    if (reachable) await this.comeBack();
  }

  #drop(): void {
    for (const connection of this.connections) connection.destroy();
  }
}
