import type { Facts } from '../../../shared/facts.ts';
import { PROVENANCE_FIELDS, type Provenance, type ProvenanceField } from '../provenance.ts';
import { type Deviation, defineRule } from '../rule.ts';
import { matchesGlob } from '../template.ts';

/** What the device names, or what the operator noted of it, is on a list of the operator; or the note is incomplete (catalogue 5.6). */
export const identityProvenanceFlagged = defineRule({
  id: 'identity.provenance-flagged',
  title: 'Provenance on a list',
  meaning:
    'Maker, controller, lot or origin of the device is on a list of the configuration (`provenance.lists`), or a label that every device should carry is missing (`provenance.record`).',
  benign: ['a list that changed', 'a record that is still being made'],
  severity: 'info',
  basis: 'human',
  confirm: 'C1',
  // There is nothing to accept: another list, or the missing label, ends it.
  approval: 'A0',
  version: 1,
  against: 'policy',
  applies: ({ provenance }) => provenance !== undefined,
  reads: [],
  compares: ['identity.make', 'identity.control_board', 'identity.chip_id'],
  sees: (part, observed) => part === RECORD || valuesOf(fieldIn(part), observed, {}) !== undefined,
  appraise: (observed, _approved, { provenance, device: { labels } }) =>
    provenance === undefined ? 'unknown' : [...flags(provenance, observed, labels), ...gapsIn(provenance, labels)],
});

const RECORD = 'record';

type Labels = { readonly [name: string]: string };

const fieldIn = (part: string): ProvenanceField =>
  // Made by `flags`.
  part.slice(part.lastIndexOf(' ') + 1) as ProvenanceField;

/** What stands in a field; undefined where this look could not see it. */
const valuesOf = (field: ProvenanceField, facts: Facts, labels: Labels): readonly string[] | undefined => {
  switch (field) {
    case 'maker':
      return facts['identity.make'] === undefined ? undefined : [facts['identity.make']];
    case 'soc': {
      const { 'identity.control_board': board, 'identity.chip_id': chip } = facts;
      const named = [board, chip].filter((text) => text !== undefined);
      return named.length === 0 ? undefined : named;
    }
    case 'lot':
    case 'origin':
      return labels[field] === undefined ? [] : [labels[field]];
  }
};

const flags = ({ lists }: Provenance, facts: Facts, labels: Labels): readonly Deviation[] =>
  Object.entries(lists).flatMap(([list, fields]) =>
    PROVENANCE_FIELDS.flatMap((field) => {
      const patterns = fields[field] ?? [];
      const value = valuesOf(field, facts, labels)?.find((one) =>
        patterns.some((line) => matchesGlob(line, one.trim())),
      );
      return value === undefined
        ? []
        : [{ part: `${list} ${field}`, after: { list, field, value }, reasons: ['listed'] }];
    }),
  );

const gapsIn = ({ record }: Provenance, labels: Labels): readonly Deviation[] => {
  const missing = record.filter((name) => labels[name] === undefined);
  return missing.length === 0 ? [] : [{ part: RECORD, after: { missing }, reasons: ['incomplete'] }];
};
