import { changedSettings, keyedValues } from '../keyed.ts';
import { defineRule } from '../rule.ts';

const SETTINGS = ['config.mode', 'config.preset', 'config.power_limit_w', 'config.power_target_w'] as const;

/** Power limit, target, preset or mode differs from the baseline; a power step of a fifth or more weighs more (catalogue 5.3). */
export const configPerformanceChanged = defineRule({
  id: 'config.performance-changed',
  title: 'Performance settings changed',
  meaning: 'Mining mode, preset, power limit or power target differs from the reference.',
  benign: ['profile for the season', 'dispatch'],
  severity: 'medium',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A1',
  version: 1,
  against: 'reference',
  reads: [],
  compares: SETTINGS,
  sees: (key, observed) => observed[`config.${key}` as 'config.mode'] !== undefined,
  appraise: (observed, approved) => {
    const changes = changedSettings(SETTINGS, observed, approved);
    if (changes.length === 0) return [];
    const leap = changes.some(({ before, after }) => isLeap(before, after));
    return [{ ...keyedValues(changes), severity: leap ? 'high' : 'medium', reasons: leap ? ['power-step'] : [] }];
  },
});

const isLeap = (before: unknown, after: unknown): boolean =>
  typeof before === 'number' && typeof after === 'number' && Math.abs(after - before) * 5 >= before;
