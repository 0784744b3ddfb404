import type { PortName } from '../../agent/drivers/driver.ts';
import type { SimulatedDevice } from './device.ts';
import type { Script } from './script.ts';
import type { Watch } from './watch.ts';

/** One connection to a port of a device, as the servers see it. */
export interface Visit {
  readonly device: SimulatedDevice;
  readonly port: PortName;
  readonly watch: Watch;
  /** What another family would say in its place. */
  readonly stranger: (device: SimulatedDevice) => Script;
}

/** What speaks at the moment: the device, or another family in its place. */
export const speaker = ({ device, stranger }: Visit): Script =>
  device.behaviour === 'other-family' ? stranger(device) : device.script;
