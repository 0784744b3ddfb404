import { setTimeout as delay } from 'node:timers/promises';
import type { SimulatedDevice } from '../../test/simulator/device.ts';

/** Something that happens to one miner of the demo, and the finding that has to come of it. */
export interface Attack {
  readonly name: string;
  readonly miner: string;
  /** Id of the finding. */
  readonly rule: string;
  /** What happens, for people, with the miner as subject. */
  readonly says: string;
  readonly carryOut: (device: SimulatedDevice) => Promise<void>;
}

/** How long the other firmware takes to start, ms. */
const DARK_MS = 4000;

/** In the order in which they happen. */
export const ATTACKS: readonly Attack[] = [
  {
    name: 'pool-account',
    miner: 'r1-02',
    rule: 'pool.user-changed',
    says: 'mines for another account',
    carryOut: async (device) => device.changePoolUser(0, 'thief.payout'),
  },
  {
    name: 'firmware',
    miner: 'r2-03',
    rule: 'firmware.version-changed',
    says: 'is back with other firmware',
    carryOut: async (device) => {
      await device.goDark();
      device.setFirmware({ version: 'v2.15.1-tuned' });
      await delay(DARK_MS);
      device.reboot();
      await device.comeBack();
    },
  },
];
