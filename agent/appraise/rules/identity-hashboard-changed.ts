import { defineRule } from '../rule.ts';

/** The set of hashboard serials differs from the baseline; their order says nothing (catalogue 5.6). */
export const identityHashboardChanged = defineRule({
  id: 'identity.hashboard-changed',
  title: 'Hashboard changed',
  meaning: 'The device holds other hashboards than the reference.',
  benign: ['repair', 'serial memory of a board rewritten'],
  severity: 'medium',
  basis: 'self-reported',
  confirm: 'C3',
  approval: 'A1',
  version: 1,
  against: 'reference',
  reads: ['identity.hashboards'],
  appraise: (observed, approved) => {
    const [after, before] = [[...observed['identity.hashboards']].sort(), [...approved['identity.hashboards']].sort()];
    return after.join('\n') === before.join('\n') ? [] : [{ before, after }];
  },
});
