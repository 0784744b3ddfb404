import { SimulatedDevice } from '../../test/simulator/device.ts';
import { addressAfter } from '../../test/simulator/fleet.ts';
import { carryOut } from '../../test/simulator/orders.ts';
import { type Script, scriptOf } from '../../test/simulator/script.ts';
import type { Specimen } from '../../test/specimens/specimen.ts';
import type { SimulatedNetwork } from './network.ts';
import type { Loaded, Scenario, Step } from './scenario.ts';

/** Machines of one specimen, in a range of addresses of their own. */
export interface Group {
  readonly specimen: Specimen;
  readonly setup: readonly Step[];
  readonly as: 'range' | 'host';
  readonly base: string;
  readonly size: number;
  /** Addresses of the range that nobody has, the one that is free for longest first. */
  readonly free: string[];
}

/** A machine of the site. */
export interface Machine {
  readonly device: SimulatedDevice;
  readonly group: Group;
}

interface World {
  readonly network: SimulatedNetwork;
  readonly nowMs: () => number;
}

/** How a hash rate wanders: by so much, anew in so many milliseconds. */
const WANDER = 0.02;
const WANDER_MS = 300_000;
/** Groups have networks of their own: 10.20.0.1, 10.20.16.1 … */
const GROUP_ADDRESSES = 4096;
const FIRST_BASE = '10.20.0.1';

/** The devices of a scenario: what stands at which address, and what can be done there. */
export class Site {
  readonly machines: readonly Machine[];
  readonly groups: readonly Group[];
  readonly #specimens: readonly Specimen[];
  readonly #shared: ConstructorParameters<typeof SimulatedDevice>[3];
  readonly #clones = new Map<SimulatedDevice, SimulatedDevice>();
  #numbers: number;

  private constructor({ scenario, specimens }: Loaded, { network, nowMs }: World) {
    const scripts = new Map<Specimen, Script>();
    this.#specimens = specimens;
    this.#numbers = scenario.devices;
    this.#shared = {
      addresses: network,
      nowMs,
      exact: false,
      freshNumber: () => this.#fresh(),
      scriptOf: (specimen) => scripts.getOrInsertComputed(specimen, () => scriptOf(specimen)),
      wander,
    };
    this.groups = groupsOf(scenario, specimens);
    let place = 0;
    this.machines = this.groups.flatMap((group) =>
      Array.from({ length: group.size }, (_, at) => {
        place += 1;
        const script = this.#shared.scriptOf(group.specimen);
        return { group, device: new SimulatedDevice(place, addressAfter(group.base, at), script, this.#shared) };
      }),
    );
  }

  /** Every device has its address. */
  static async open(loaded: Loaded, world: World): Promise<Site> {
    const site = new Site(loaded, world);
    for (const machine of site.machines) {
      await site.#shared.addresses.take(machine.device);
      for (const step of machine.group.setup) await site.perform(step, machine);
    }
    return site;
  }

  #fresh(): number {
    this.#numbers += 1;
    return this.#numbers;
  }

  /** Does to a machine what a step says. */
  async perform(step: Step, { device, group }: Machine): Promise<void> {
    switch (step.do) {
      case 'move': {
        const { address } = device;
        await device.moveTo(freeIn(group));
        group.free.push(address);
        return;
      }
      case 'clone':
        await this.#appear(device, new SimulatedDevice(device.place, freeIn(group), device.script, this.#shared));
        return;
      case 'join':
        await this.#appear(device, new SimulatedDevice(this.#fresh(), freeIn(group), device.script, this.#shared));
        return;
      default: {
        const { after: _, ...deed } = step;
        await carryOut(deed, device, this.#specimens);
      }
    }
  }

  async #appear(beside: SimulatedDevice, device: SimulatedDevice): Promise<void> {
    await this.#shared.addresses.take(device);
    this.#clones.set(beside, device);
  }

  /** The device is as it was before; what appeared beside it is gone. */
  async putBack({ device, group }: Machine, before: SimulatedDevice['configuration']): Promise<void> {
    const guest = this.#clones.get(device);
    if (guest !== undefined) {
      await guest.goDark();
      group.free.push(guest.address);
      this.#clones.delete(device);
    }
    device.thaw();
    device.setPace({ rate: 1, frequency: 1 }, { shares: true });
    device.putBack(before);
    await device.comeBack();
  }

  /** The device that appeared beside another one. */
  guestOf(device: SimulatedDevice): SimulatedDevice | undefined {
    return this.#clones.get(device);
  }
}

const freeIn = ({ free, specimen }: Group): string => {
  const address = free.shift();
  if (address === undefined) throw new Error(`no address of ${specimen.name} is free`);
  return address;
};

/** The same for a machine at the same time, and nearly a different one for each. */
const wander = (place: number, nowMs: number): number => {
  const mixed = Math.imul(place + 1, 0x9e3779b1) ^ Math.imul(Math.floor(nowMs / WANDER_MS), 0x85ebca6b);
  return WANDER * (((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 31 - 1);
};

const groupsOf = ({ site, devices }: Scenario, specimens: readonly Specimen[]): readonly Group[] => {
  const shares = site.reduce((sum, { share }) => sum + share, 0);
  let given = 0;
  let before = 0;
  return site.map(({ specimen: name, share, as, spare, setup }, index) => {
    before += share;
    const size = Math.round((devices * before) / shares) - given;
    given += size;
    const specimen = specimens.find((one) => one.name === name);
    if (specimen === undefined) throw new Error(`no specimen ${name}`);
    const base = addressAfter(FIRST_BASE, index * GROUP_ADDRESSES);
    const free = as === 'host' ? [] : Array.from({ length: spare }, (_, at) => addressAfter(base, size + at));
    return { specimen, setup, as, base, size, free };
  });
};
