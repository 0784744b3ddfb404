import type { Command } from 'commander';
import { waiverDraft } from '../../terms/draft-text.ts';
import { accountName } from '../ask.ts';
import type { Io } from '../io.ts';
import { collect } from '../probe.ts';
import { type CreateOptions, documentId, instant, scopeOf, withScope, writeDraft } from '../terms/create.ts';

interface WaiverOptions extends CreateOptions {
  readonly id?: readonly string[];
  readonly reason?: string;
  readonly risk?: string;
  readonly until?: number;
  readonly ticket?: string;
  readonly author?: string;
  readonly approver?: readonly string[];
}

/** `waiver create`: a draft of a waiver, to fill in and sign. */
export const createWaiverVerb = (waiver: Command, io: Io): void => {
  withScope(
    waiver
      .command('create')
      .description('write a draft of a waiver, with comments, to fill in and sign; no configuration is read')
      .argument('<waiver-id>', 'name of the waiver', documentId)
      .option('--id <finding>', 'finding that is tolerated, such as pool.outside-allowlist; repeatable', collect)
      .option('--reason <text>', 'why it cannot be mended now')
      .option('--risk <text>', 'what may happen meanwhile')
      .option('--until <instant>', 'its end, at most 90 days away: 2026-12-01T14:00:00Z or +30d', instant)
      .option('--ticket <text>', 'where the reason stands')
      .option('--author <name>', 'who wrote it; without it the account of this process')
      .option('--approver <name>', 'who is to sign; repeatable', collect),
  ).action((id: string, options: WaiverOptions) =>
    writeDraft(
      waiverDraft({
        waiver_id: id,
        scope: scopeOf(options),
        ids: options.id?.slice(),
        reason: options.reason,
        risk: options.risk,
        expires_at: options.until,
        author: options.author ?? accountName(),
        approvers: options.approver?.slice(),
        ticket: options.ticket,
      }),
      'waiver',
      options,
      io,
    ),
  );
};
