import { z } from 'zod';
import { deviceSchema, findingSchema, logSchema } from './statement.ts';

/**
 * What a gateway tells a target of `notify`: the body of a webhook, and what a command reads. `type`, `timestamp` and `data`
 * are those of the Standard Webhooks specification 1.0.
 */

const count = z.int().min(0);
const text = z.string();
const severity = z.enum(['info', 'low', 'medium', 'high', 'critical']);

const timestamp = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  .describe('when it happened, UTC; not when it is told');

/** Members of `data` that every notification has. */
const common = {
  delivery: z
    .string()
    .regex(/^msg_[A-Za-z0-9_-]{22}$/)
    .describe('the same whenever this is told again: what was seen before is to be passed over'),
  target: deviceSchema.describe('`name` of the target in the configuration'),
  gateway: deviceSchema,
  text: text.describe('one line for people'),
};

const told = z
  .strictObject({
    type: z.enum([
      'finding.open',
      'finding.acknowledged',
      'finding.waived',
      'finding.approved',
      'finding.resolved',
      'finding.incident_closed',
    ]),
    timestamp,
    data: z.strictObject({
      ...common,
      log: logSchema,
      seq: count.describe('of the signed entry that says it'),
      key: text.describe('names the finding, from its first transition to its end: log and opened_seq'),
      finding: findingSchema,
    }),
  })
  .describe('a transition of a confirmed finding');

const skipped = z
  .strictObject({
    type: z.literal('notify.skipped'),
    timestamp,
    data: z.strictObject({
      ...common,
      log: logSchema,
      skipped: z.strictObject({
        count: count.describe('transitions that waited longer than max_age_s and are not told one by one'),
        by_severity: z.partialRecord(severity, count),
        from_at: z.int().describe('of the oldest, Unix seconds'),
        to_at: z.int().describe('of the newest'),
        ended: z.array(text).max(256).describe('keys of findings that were told here and ended among these'),
      }),
    }),
  })
  .describe('the target was away for long: what is not told any more');

const test = z
  .strictObject({ type: z.literal('notify.test'), timestamp, data: z.strictObject(common) })
  .describe('somebody tries the target: assayer notify test');

export const notificationSchema = z.union([told, skipped, test]);

export type Notification = z.infer<typeof notificationSchema>;
