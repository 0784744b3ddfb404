import type { Command } from 'commander';
import { referenceDraft } from '../../terms/draft-text.ts';
import type { Io } from '../io.ts';
import { collect } from '../probe.ts';
import { type CreateOptions, documentId, expectedOf, scopeOf, withScope, writeDraft } from '../terms/create.ts';

interface NewOptions extends CreateOptions {
  readonly expect?: readonly string[];
}

/** `baseline create`: a draft of reference values, to fill in and sign. */
export const createReferenceVerb = (baseline: Command, io: Io): void => {
  withScope(
    baseline
      .command('create')
      .description('write a draft of reference values, with comments, to fill in and sign; no configuration is read')
      .argument('<id>', 'name of the reference; later versions keep it', documentId)
      .option(
        '--expect <fact=value>',
        'the exact value that a fact shall have, of pools also a template such as pools.user=acme.*; repeatable',
        collect,
      ),
  ).action((id: string, options: NewOptions) =>
    writeDraft(
      referenceDraft({ ref_id: id, scope: scopeOf(options), values: expectedOf(options.expect)?.slice() }),
      'reference',
      options,
      io,
    ),
  );
};
