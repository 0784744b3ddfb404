import { changedSettings, keyedValues } from '../keyed.ts';
import { defineRule, type Nameplate } from '../rule.ts';
import { matchesGlob } from '../template.ts';

const SETTINGS = ['config.mode', 'config.preset', 'config.power_limit_w', 'config.power_target_w'] as const;

/** Power limit, target, preset or mode differs from the baseline; a power step of a fifth or more, or more than the nameplate says, weighs more (catalogue 5.3). */
export const configPerformanceChanged = defineRule({
  id: 'config.performance-changed',
  title: 'Performance settings changed',
  meaning: 'Mining mode, preset, power limit or power target differs from the reference.',
  benign: ['profile for the season', 'dispatch'],
  severity: 'medium',
  gravest: 'high',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A1',
  version: 2,
  against: 'reference',
  reads: [],
  compares: SETTINGS,
  sees: (key, observed) => observed[`config.${key}` as 'config.mode'] !== undefined,
  appraise: (observed, approved, { nameplates = [], device }) => {
    const changes = changedSettings(SETTINGS, observed, approved);
    if (changes.length === 0) return [];
    const rated = ratedFor(nameplates, device.facts['identity.model']);
    const reasons = [
      ...(changes.some(({ before, after }) => isLeap(before, after)) ? ['power-step'] : []),
      ...(changes.some(({ after }) => rated !== undefined && typeof after === 'number' && after > rated)
        ? ['above-nameplate']
        : []),
    ];
    return [{ ...keyedValues(changes), severity: reasons.length > 0 ? 'high' : 'medium', reasons }];
  },
});

/** The power on the nameplate of a model, W, as far as the operator wrote it down. */
const ratedFor = (nameplates: readonly Nameplate[], model: string | undefined): number | undefined =>
  model === undefined ? undefined : nameplates.find((plate) => matchesGlob(plate.model, model))?.power_w;

const isLeap = (before: unknown, after: unknown): boolean =>
  typeof before === 'number' && typeof after === 'number' && Math.abs(after - before) * 5 >= before;
