/** Fields of the record of a machine that lists speak of. */
export const PROVENANCE_FIELDS = ['maker', 'soc', 'lot', 'origin'] as const;
export type ProvenanceField = (typeof PROVENANCE_FIELDS)[number];

/** What the operator wants to be told of where machines come from. */
export interface Provenance {
  /** Patterns by name of the list and field; `*` stands for any text, case does not matter. */
  readonly lists: {
    readonly [list: string]: { readonly [Field in ProvenanceField]?: readonly string[] | undefined };
  };
  /** Labels that the record of every device has. */
  readonly record: readonly string[];
}
