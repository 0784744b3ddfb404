import { z } from 'zod';
import type { Specimen } from '../specimens/specimen.ts';
import { BEHAVIOURS } from './behaviour.ts';
import type { Fleet } from './fleet.ts';

const device = z.union([z.string(), z.int()]).describe('id, address or index of the device');
const slot = z.int().min(0);

/** What a fleet in a process of its own can be told: one JSON object on one line. */
const orderSchema = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('changePoolUser'), device, slot, user: z.string() }),
  z.strictObject({ do: z.literal('changePoolUrl'), device, slot, url: z.string() }),
  z.strictObject({ do: z.literal('addPool'), device, url: z.string(), user: z.string() }),
  z.strictObject({ do: z.literal('removePool'), device, slot }),
  z.strictObject({ do: z.literal('swapPools'), device, one: slot, other: slot }),
  z.strictObject({
    do: z.literal('setFirmware'),
    device,
    version: z.string().optional(),
    build: z.string().optional(),
  }),
  z.strictObject({
    do: z.literal('set'),
    device,
    name: z.string(),
    value: z.union([z.string(), z.number(), z.boolean()]),
    question: z.string().optional(),
  }),
  z.strictObject({ do: z.literal('swapTo'), device, specimen: z.string(), otherMachine: z.boolean().default(false) }),
  z.strictObject({ do: z.literal('replaceMachine'), device }),
  z.strictObject({ do: z.literal('reboot'), device }),
  z.strictObject({ do: z.literal('goDark'), device }),
  z.strictObject({ do: z.literal('comeBack'), device }),
  z.strictObject({ do: z.literal('moveTo'), device, address: z.ipv4() }),
  z.strictObject({ do: z.literal('behave'), device, as: z.enum(BEHAVIOURS) }),
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
    await carryOut(order, fleet, specimens);
    return { done: order.do, device: fleet.device(order.device).id, at_ms: nowMs() };
  } catch (error) {
    return { failed: error instanceof z.ZodError ? z.prettifyError(error) : String(error) };
  }
};

/** Unix milliseconds with a fraction. */
const nowMs = (): number => performance.timeOrigin + performance.now();

const carryOut = async (
  order: Exclude<Order, { do: 'report' | 'follow' }>,
  fleet: Fleet,
  specimens: readonly Specimen[],
): Promise<void> => {
  const target = fleet.device(order.device);
  switch (order.do) {
    case 'changePoolUser':
      return target.changePoolUser(order.slot, order.user);
    case 'changePoolUrl':
      return target.changePoolUrl(order.slot, order.url);
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
