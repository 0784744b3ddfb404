/** The reason of what an edit of the configuration did. */
export const CONFIGURATION_EDITED = 'configuration-edited';

/** The reason of what ended because the device works for another tenant. */
export const ASSIGNMENT_ENDED = 'assignment-ended';

/** Whether a finding would be seen no longer, or is not, only because the configuration was edited. */
export const isEdited = ({ reasons = [] }: { readonly reasons?: readonly string[] }): boolean =>
  reasons.includes(CONFIGURATION_EDITED);
