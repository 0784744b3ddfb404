import type { DeviceState } from '../device.ts';
import type { Component } from '../identity.ts';
import type { Deviation, RuleEntry } from '../rule.ts';

/** What tells a machine most surely is shown at two addresses, or by two positions of one, at the same time (catalogue 5.6). */
export const identityDuplicate: RuleEntry = {
  id: 'identity.duplicate',
  title: 'Identity shown twice',
  meaning:
    'Two addresses, or two positions of one, show the same serial, or what else tells machines apart most surely, within two minutes of each other.',
  benign: [
    'serial memory of a board that was copied in a repair',
    'a machine that is listed by name and by address, or twice by one address',
  ],
  severity: 'high',
  basis: 'gateway-observed',
  confirm: 'C2',
  approval: 'A1',
  version: 1,
};

/** Another device of the gateway that shows the same key. */
export interface Twin {
  readonly device: string;
  readonly address: string;
  readonly key: Component;
  readonly value: string;
  /** When it was last looked at in full, Unix milliseconds. */
  readonly fullMs: number;
}

const TOGETHER_MS = 120_000;

/**
 * Whether the two were seen so close together that the machine did not move from one address to the other. What was seen at a time to come
 * was seen by a clock that was set back since.
 */
export const isSeenTogether = ({ fullMs }: Twin, nowMs: number): boolean =>
  fullMs <= nowMs && nowMs - fullMs <= TOGETHER_MS;

/** Positions of one address are told apart by their ids. `unknown` while another one has yet to be looked at again: a machine that moved is gone from there. */
export const duplicatesSeen = (
  twins: readonly Twin[],
  { id, address }: Pick<DeviceState, 'id' | 'address'>,
  nowMs: number,
): readonly Deviation[] | 'unknown' => {
  const [twin] = twins;
  if (twin === undefined) return [];
  if (!twins.some((one) => isSeenTogether(one, nowMs))) return 'unknown';
  const addresses = [...new Set([address, ...twins.map((one) => one.address)])].sort();
  const here = twins.filter((one) => one.address === address).map(({ device }) => device);
  const devices = here.length === 0 ? {} : { devices: [id, ...here].sort() };
  return [{ after: { key: twin.key, value: twin.value, addresses, ...devices } }];
};
