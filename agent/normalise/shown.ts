/** What would be shown like another text: of other scripts, unseen, or a blank where nobody looks for one; and what looks quoted. */
const DECEIVES = /[^ -~]|^[ "]| $/;

/** A value of a device as people are shown it: a text that may look like another one is quoted, so that what differs looks different. */
export const shownValue = (value: unknown): string =>
  typeof value === 'string' && !DECEIVES.test(value) ? value : quoted(value);

/** A value as JSON of ASCII alone. */
export const quoted = (value: unknown): string =>
  JSON.stringify(value).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
