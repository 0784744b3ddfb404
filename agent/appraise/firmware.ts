import type { Facts } from '../../shared/facts.ts';
import type { KeyedChange } from './keyed.ts';
import { compareVersions, type Order } from './version.ts';

/** The texts by which firmware names its version, the one that says most first. */
export const FIRMWARE_TEXTS = ['firmware.version', 'firmware.build'] as const;

type Named = Pick<Facts, (typeof FIRMWARE_TEXTS)[number]>;

/** How the firmware moved: the version decides, the build where the version stayed. */
export const compareFirmware = (observed: Named, approved: Named): Order =>
  decided(observed, approved)?.order ?? 'same';

/** By which text it was told: `by-version` or `by-build`. */
export const orderedBy = (observed: Named, approved: Named): string =>
  `by-${decided(observed, approved)?.name.slice('firmware.'.length)}`;

const decided = (observed: Named, approved: Named) => {
  for (const name of FIRMWARE_TEXTS) {
    const [before, after] = [approved[name], observed[name]];
    if (before === undefined || after === undefined) continue;
    const order = compareVersions(before, after);
    if (order !== 'same') return { name, order };
  }
  return undefined;
};

/** Which of the texts moved. */
export const firmwareChanges = (observed: Named, approved: Named): readonly KeyedChange[] =>
  FIRMWARE_TEXTS.flatMap((name) => {
    const [before, after] = [approved[name], observed[name]];
    if (before === undefined || after === undefined || compareVersions(before, after) === 'same') return [];
    return [{ key: name.slice('firmware.'.length), before, after }];
  });
