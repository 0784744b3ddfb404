import { type Command, Option } from 'commander';
import type { Plan } from '../../../shared/index.ts';
import { planDraft } from '../../terms/draft-text.ts';
import { withUnforeseen } from '../../terms/unforeseen.ts';
import { accountName } from '../ask.ts';
import type { Io } from '../io.ts';
import { collect } from '../probe.ts';
import {
  type CreateOptions,
  documentId,
  expectedOf,
  instant,
  scopeOf,
  withScope,
  writeDraft,
} from '../terms/create.ts';

interface PlanOptions extends CreateOptions {
  readonly type: Plan['type'];
  readonly id?: readonly string[];
  readonly expect?: readonly string[];
  readonly from?: number;
  readonly to?: number;
  readonly ticket?: string;
  readonly author?: string;
  readonly approver?: readonly string[];
}

/** `plan create`: a draft of a planned change, to fill in and sign. */
export const createPlanVerb = (plan: Command, io: Io): void => {
  withScope(
    plan
      .command('create')
      .description('write a draft of a planned change, with comments, to fill in and sign; no configuration is read')
      .argument('<plan-id>', 'name of the plan', documentId)
      .addOption(
        new Option(
          '--type <type>',
          'what kind of plan; a curtailment may be over before its window is, and has to be over then',
        )
          .choices(['change', 'curtailment'])
          .default('change'),
      )
      .option('--id <finding>', 'finding that the change causes, such as firmware.version-changed; repeatable', collect)
      .option(
        '--expect <fact=value>',
        'what the devices show afterwards, of pools also a template such as pools.user=acme.*; repeatable; firmware.version brings another build, components and partition with it',
        collect,
      )
      .option('--from <instant>', 'begin: 2026-12-01T14:00:00Z, +4h or now', instant)
      .option('--to <instant>', 'end, the same way', instant)
      .option('--ticket <text>', 'where the reason stands')
      .option('--author <name>', 'who wrote it; without it the account of this process')
      .option('--approver <name>', 'who is to sign; repeatable', collect),
  ).action((id: string, options: PlanOptions) => {
    const expected = expectedOf(options.expect);
    writeDraft(
      planDraft({
        plan_id: id,
        type: options.type,
        scope: scopeOf(options),
        ids: options.id?.slice(),
        expected_after: expected === undefined ? undefined : withUnforeseen(expected, options.id).slice(),
        not_before_at: options.from,
        not_after_at: options.to,
        author: options.author ?? accountName(),
        approvers: options.approver?.slice(),
        ticket: options.ticket,
      }),
      'plan',
      options,
      io,
    );
  });
};
