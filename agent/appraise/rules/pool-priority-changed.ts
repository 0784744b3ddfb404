import type { PoolSlot } from '../../../shared/facts.ts';
import { defineRule } from '../rule.ts';
import { compareSlots, filledSlots } from '../slots.ts';

/** The slots of the reference in another order or with other quotas or shares, whatever came beside them, or another strategy (catalogue 5.1). */
export const poolPriorityChanged = defineRule({
  id: 'pool.priority-changed',
  title: 'Pool order changed',
  meaning:
    'The configured pools of the reference are in another order, or have other quotas (a slot that tells none has 1) or shares (`share_ppm`, millionths of all work), or the strategy among them is another one.',
  benign: ['load balancing', 'fail-over test'],
  severity: 'medium',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A1',
  version: 5,
  against: 'reference',
  reads: [],
  compares: ['pools', 'config.strategy'],
  sees: (part, observed) => (part === 'strategy' ? observed['config.strategy'] : observed.pools) !== undefined,
  appraise: (observed, approved) => [
    ...orders(observed.pools, approved.pools),
    ...strategies(observed['config.strategy'], approved['config.strategy']),
  ],
});

const shown = (pools: readonly PoolSlot[]) =>
  filledSlots(pools).map(({ url, user, priority, quota, share_ppm }: Partial<PoolSlot>) => ({
    url,
    ...(user === undefined ? {} : { user }),
    ...(priority === undefined ? {} : { priority }),
    ...(quota === undefined ? {} : { quota }),
    ...(share_ppm === undefined ? {} : { share_ppm }),
  }));

const orders = (observed?: readonly PoolSlot[], approved?: readonly PoolSlot[]) =>
  observed === undefined || approved === undefined || !compareSlots(approved, observed).reordered
    ? []
    : [{ part: 'order', before: shown(approved), after: shown(observed) }];

const strategies = (observed?: string, approved?: string) =>
  observed === undefined || approved === undefined || observed === approved
    ? []
    : [{ part: 'strategy', before: approved, after: observed }];
