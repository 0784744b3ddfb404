/**
 * How a device misbehaves. `silent` takes the question and never answers; `drip` sends a byte per second; `flood` sends
 * 50 MB; `early-close` ends the connection without a word, `reset` tears it down; `garbage` sends noise; `truncate`
 * stops in the middle of the reply; `half-open` answers and never closes; `code45` lets nobody in; `other-family`
 * answers with the words of another firmware; `busy` answers 503 to every page, and what is no page as ever.
 */
export const BEHAVIOURS = [
  'honest',
  'silent',
  'drip',
  'flood',
  'early-close',
  'reset',
  'garbage',
  'truncate',
  'half-open',
  'code45',
  'other-family',
  'busy',
] as const;

export type Behaviour = (typeof BEHAVIOURS)[number];
