import { z } from 'zod';
import { deviceSchema, logSchema, sha256Schema } from './statement.ts';

/**
 * Documents that approvers sign (`miner-ref+jwt`, attestation.md §5), as far as a verifier of logs reads them. Their
 * other members, facts and ids are carried, never dropped.
 */
export const documentSchema = z.discriminatedUnion('kind', [
  z.looseObject({
    kind: z.literal('reference'),
    ref_id: z.string(),
    version: z.int().min(0),
    iat: z.int(),
    entries: z
      .array(
        z.strictObject({
          device: deviceSchema,
          log: logSchema.exactOptional().describe('that holds it; absent: the log that adopts the document'),
          seq: z.int().min(0),
          leaf: sha256Schema,
          facts: z.array(z.string()).min(1).exactOptional().describe('limits the approval to these'),
        }),
      )
      .exactOptional(),
  }),
  z.looseObject({ kind: z.literal('plan') }),
  z.looseObject({ kind: z.literal('waiver') }),
]);

export type ReferenceDocument = z.infer<typeof documentSchema>;
