import type { Socket } from 'node:net';
import { replyBytes, type Specimen } from '../specimens/specimen.ts';
import type { Behaviour } from './behaviour.ts';
import type { Edit } from './edits.ts';
import { asJsonText, type Pace } from './gap.ts';
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
  /** By how much the measured hash rate of a machine differs at that time from what it does on average; not at all without it. */
  readonly wander?: (place: number, nowMs: number) => number;
}

type Scalar = string | number | boolean;

/** What somebody can put back: the machine, what it runs, and how it is configured. */
export interface Configuration {
  readonly script: Script;
  readonly machine: number;
  readonly pools: readonly PoolEntry[] | undefined;
  readonly edits: NonNullable<Changes['edits']>;
  readonly visits: Visits | undefined;
}

/** Somebody who puts his account into a slot whenever nobody asked for a while, and takes it out again at once. */
interface Visits {
  readonly slot: number;
  readonly account: string;
  /** How often he was there: each time it is another worker. */
  turn: number;
  /** When he came last, and when the device was asked last, Unix milliseconds. */
  cameMs: number;
  askedMs: number;
}

/** He stays for the look that found nobody for so long, and is gone before the next one. */
const PAUSE_MS = 60_000;
const STAY_MS = 4_000;

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
  /** Since when its replies are always the same, Unix milliseconds. */
  #frozenMs: number | undefined;
  #pace: Pace | undefined;
  #visits: Visits | undefined;
  /** Since when no share got through, Unix milliseconds. */
  #idleMs: number | undefined;

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
    const nowMs = this.#frozenMs ?? this.#shared.nowMs();
    return render(template, {
      machine: this.#machine,
      place: this.place,
      now: Math.floor(nowMs / 1000),
      running: Math.floor((nowMs - this.#startedMs) / 1000),
      sharing: Math.floor(((this.#idleMs ?? nowMs) - this.#startedMs) / 1000),
      restarted: this.#restarted,
      pools: this.#poolsAt(nowMs),
      pace: this.#paceAt(nowMs),
    });
  }

  #poolsAt(nowMs: number): readonly PoolEntry[] | undefined {
    const visits = this.#visits;
    if (visits === undefined) return this.#pools;
    if (nowMs - visits.askedMs >= PAUSE_MS) {
      visits.turn += 1;
      visits.cameMs = nowMs;
    }
    visits.askedMs = nowMs;
    const { slot, account, turn, cameMs } = visits;
    if (nowMs - cameMs >= STAY_MS) return this.#pools;
    return this.#entries.with(slot, { ...this.#entry(slot), user: `${account}.w${turn}` });
  }

  #paceAt(nowMs: number): Pace | undefined {
    const { wander } = this.#shared;
    if (wander === undefined) return this.#pace;
    const { rate, frequency } = this.#pace ?? { rate: 1, frequency: 1 };
    return { rate: rate * (1 + wander(this.place, nowMs)), frequency };
  }

  /** How it does from now on, against its specimen; `shares`: whether any get through. */
  setPace(pace: Pace, { shares }: { readonly shares: boolean }): void {
    this.#pace = pace;
    this.#idleMs = shares ? undefined : Math.max(this.#startedMs, this.#shared.nowMs());
  }

  /** What it is now, to be put back later. */
  get configuration(): Configuration {
    return {
      script: this.#script,
      machine: this.#machine,
      pools: this.#pools,
      edits: this.#edits,
      visits: this.#visits,
    };
  }

  putBack({ script, machine, pools, edits, visits }: Configuration): void {
    this.#visits = visits;
    this.#script = script;
    this.#machine = machine;
    this.#pools = pools;
    this.#edits = edits;
  }

  /** From now on something answers in its place with the replies of this moment. */
  freeze(): void {
    this.#frozenMs = this.#shared.nowMs();
  }

  thaw(): void {
    this.#frozenMs = undefined;
  }

  /** The first pool does not answer: it works for the second. */
  failOver(): void {
    this.#edit({ kind: 'fail-over', what: '', text: '', quoted: false }, undefined);
  }

  /** Puts another text in the place of one that the specimen says somewhere: the serial of a part, a word of the firmware. */
  replace(text: string, by: string): void {
    const { replies } = this.#script.device;
    const said = Object.keys(replies).some((question) => {
      const bytes = replyBytes(this.#script.specimen, question);
      return bytes !== undefined && Buffer.from(bytes).includes(text);
    });
    if (!said) throw new Error(`${this.id} does not say ${text}`);
    this.#replace([text], by, text);
  }

  changePoolUser(slot: number, user: string): void {
    this.#changePool(slot, { user });
  }

  changePoolUrl(slot: number, url: string): void {
    this.#changePool(slot, { url });
  }

  /** From now on this account is in the slot at the first look after a pause, under another worker each time, and not at the next one. */
  comeAndGo(slot: number, account: string): void {
    this.#entry(slot);
    const nowMs = this.#shared.nowMs();
    this.#visits = { slot, account, turn: 0, cameMs: Number.NEGATIVE_INFINITY, askedMs: nowMs };
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
    // A member that is set again and again has its last value.
    const others = this.#edits.filter((one) => edit.kind !== 'set' || !isSame(one, edit, question));
    this.#edits = [...others, question === undefined ? edit : { ...edit, question }];
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
    if (this.#idleMs !== undefined) this.#idleMs = this.#startedMs;
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

const isSame = (one: Edit & { readonly question?: string }, other: Edit, question: string | undefined): boolean =>
  one.kind === other.kind && one.what === other.what && one.question === question;
