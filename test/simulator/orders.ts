import { z } from 'zod';
import type { Specimen } from '../specimens/specimen.ts';
import { BEHAVIOURS } from './behaviour.ts';
import type { SimulatedDevice } from './device.ts';
import type { Fleet } from './fleet.ts';

const device = z.union([z.string(), z.int()]).describe('id, address or index of the device');
const slot = z.int().min(0);

/** What can be done to a device, with further members of each order. */
export const deedsWith = <More extends z.ZodRawShape>(more: More) =>
  [
    z.strictObject({ do: z.literal('changePoolUser'), ...more, slot, user: z.string() }),
    z.strictObject({ do: z.literal('changePoolUrl'), ...more, slot, url: z.string() }),
    z.strictObject({ do: z.literal('comeAndGo'), ...more, slot, account: z.string() }),
    z.strictObject({ do: z.literal('addPool'), ...more, url: z.string(), user: z.string() }),
    z.strictObject({ do: z.literal('removePool'), ...more, slot }),
    z.strictObject({ do: z.literal('swapPools'), ...more, one: slot, other: slot }),
    z.strictObject({
      do: z.literal('setFirmware'),
      ...more,
      version: z.string().optional(),
      build: z.string().optional(),
    }),
    z.strictObject({
      do: z.literal('set'),
      ...more,
      name: z.string(),
      value: z.union([z.string(), z.number(), z.boolean()]),
      question: z.string().optional(),
    }),
    z.strictObject({
      do: z.literal('swapTo'),
      ...more,
      specimen: z.string(),
      otherMachine: z.boolean().default(false),
    }),
    z.strictObject({ do: z.literal('replaceMachine'), ...more }),
    z.strictObject({ do: z.literal('reboot'), ...more }),
    z.strictObject({ do: z.literal('goDark'), ...more }),
    z.strictObject({ do: z.literal('comeBack'), ...more }),
    z.strictObject({ do: z.literal('moveTo'), ...more, address: z.ipv4() }),
    z.strictObject({ do: z.literal('behave'), ...more, as: z.enum(BEHAVIOURS) }),
    z.strictObject({ do: z.literal('failOver'), ...more }),
    z.strictObject({ do: z.literal('replace'), ...more, text: z.string(), by: z.string() }),
    z.strictObject({ do: z.literal('freeze'), ...more }),
    z.strictObject({ do: z.literal('thaw'), ...more }),
    z.strictObject({
      do: z.literal('pace'),
      ...more,
      rate: z.number().min(0).default(1),
      frequency: z.number().min(0).default(1),
      shares: z.boolean().default(true),
    }),
  ] as const;

/** What a fleet in a process of its own can be told: one JSON object on one line. */
const orderSchema = z.discriminatedUnion('do', [
  ...deedsWith({ device }),
  z.strictObject({ do: z.literal('follow'), devices: z.array(device) }),
  z.strictObject({ do: z.literal('report') }),
]);

export type Order = z.infer<typeof orderSchema>;

/** What the fleet says to an order. */
export type Answer =
  | { readonly done: string; readonly device?: string; readonly at_ms: number; readonly report?: FleetReport }
  | { readonly failed: string };

/** What came to the fleet so far. */
export interface FleetReport {
  readonly requests: { readonly [request: string]: number };
  readonly violations: readonly { readonly device: string; readonly reason: string; readonly request: string }[];
  readonly max_connections: number;
  /** Unix milliseconds with a fraction; absent while nothing came. */
  readonly first_request_ms?: number;
}

/** What the fleet says of a followed device: it was asked. */
export interface Asked {
  readonly asked: string;
  readonly request: string;
  readonly at_ms: number;
}

/** Carries out one line; `say` takes what followed devices are asked. An order that is none, or that cannot be carried out, is answered with the reason. */
export const obey = async (
  line: string,
  fleet: Fleet,
  specimens: readonly Specimen[],
  say: (asked: Asked) => void,
): Promise<Answer> => {
  try {
    const order = orderSchema.parse(JSON.parse(line));
    if (order.do === 'report') return { done: order.do, at_ms: nowMs(), report: reportOf(fleet) };
    if (order.do === 'follow') {
      const followed = new Set(order.devices.map((which) => fleet.device(which)));
      fleet.follow((asked, request) => {
        if (followed.has(asked)) say({ asked: asked.id, request, at_ms: nowMs() });
      });
      return { done: order.do, at_ms: nowMs() };
    }
    const target = fleet.device(order.device);
    await carryOut(order, target, specimens);
    return { done: order.do, device: target.id, at_ms: nowMs() };
  } catch (error) {
    return { failed: error instanceof z.ZodError ? z.prettifyError(error) : String(error) };
  }
};

/** Unix milliseconds with a fraction. */
const nowMs = (): number => performance.timeOrigin + performance.now();

/** What is done to one device. */
export type Deed = z.infer<ReturnType<typeof deedsWith<Record<never, never>>>[number]>;

/** Does it. Rejects where that cannot be done to this device. */
export const carryOut = async (order: Deed, target: SimulatedDevice, specimens: readonly Specimen[]): Promise<void> => {
  switch (order.do) {
    case 'changePoolUser':
      return target.changePoolUser(order.slot, order.user);
    case 'changePoolUrl':
      return target.changePoolUrl(order.slot, order.url);
    case 'comeAndGo':
      return target.comeAndGo(order.slot, order.account);
    case 'addPool':
      return target.addPool({ url: order.url, user: order.user });
    case 'removePool':
      return target.removePool(order.slot);
    case 'swapPools':
      return target.swapPools(order.one, order.other);
    case 'setFirmware':
      return target.setFirmware(order);
    case 'set':
      return target.set(order.name, order.value, order.question);
    case 'swapTo':
      return target.swapTo(specimenNamed(order.specimen, specimens), order);
    case 'replaceMachine':
      return target.replaceMachine();
    case 'reboot':
      return target.reboot();
    case 'goDark':
      return target.goDark();
    case 'comeBack':
      return target.comeBack();
    case 'moveTo':
      return target.moveTo(order.address);
    case 'behave':
      return target.behave(order.as);
    case 'failOver':
      return target.failOver();
    case 'replace':
      return target.replace(order.text, order.by);
    case 'freeze':
      return target.freeze();
    case 'thaw':
      return target.thaw();
    case 'pace':
      return target.setPace({ rate: order.rate, frequency: order.frequency }, order);
  }
};

const specimenNamed = (name: string, specimens: readonly Specimen[]): Specimen => {
  const found = specimens.find((specimen) => specimen.name === name);
  if (found === undefined)
    throw new Error(`no specimen ${name}; there are ${specimens.map((one) => one.name).join(', ')}`);
  return found;
};

const reportOf = (fleet: Fleet): FleetReport => {
  const first = fleet.firstRequestMs();
  return {
    requests: Object.fromEntries(fleet.requests()),
    violations: fleet.violations(),
    max_connections: fleet.maxConnections(),
    ...(first === undefined ? {} : { first_request_ms: first }),
  };
};
