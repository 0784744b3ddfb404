import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { PlanReport } from '../../appraise/plan-report.ts';
import { loadSettings } from '../../config/load.ts';
import { askAgent } from '../../platform/control.ts';
import type { Order } from '../../record/orders.ts';
import { summaryOf } from '../../terms/summary.ts';
import { EXIT, type Io, printable, printJson, setExit } from '../io.ts';

interface ReportOptions {
  readonly config: string;
  readonly json?: boolean;
}

const FATES = {
  matched: 'as planned',
  wrong: 'changed to something else',
  unchanged: 'unchanged',
  incomplete: 'changed in part, back again, or not put back in time',
  dark: 'not seen now',
  unjudged: 'not judged: what is expected of them is compared with nothing, or was allowed before',
} as const satisfies { readonly [Fate in keyof PlanReport]: string };
const FATE_NAMES = Object.keys(FATES) as (keyof PlanReport)[];

/** `plan report`: what came of a plan so far, device by device; exit 1 while one of them is not as planned, or not judged. */
export const reportVerb = (plan: Command, io: Io): void => {
  plan
    .command('report')
    .description(
      'show what came of a plan, device by device; exit 1 while one is not as planned, or not judged; the agent must run',
    )
    .argument('<name>', 'name of the plan, as `assayer plan list` shows it')
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--json', 'print one JSON object')
    .action(async (id: string, { config, json }: ReportOptions) => {
      const stateDir = loadSettings(resolve(config)).config.state_dir;
      // The answer of an agent of the same version.
      const report = (await askAgent(stateDir, { do: 'plan-report', id })) as PlanReport & { readonly plan: Order };
      if (json) printJson(io, report);
      else io.out.write(textOf(report));
      const isAsPlanned = FATE_NAMES.every((fate) => fate === 'matched' || report[fate].length === 0);
      setExit(isAsPlanned ? EXIT.ok : EXIT.failed);
    });
};

const textOf = ({ plan, ...report }: PlanReport & { readonly plan: Order }): string => {
  const lines = FATE_NAMES.flatMap((fate) => {
    const devices = report[fate];
    return [
      `${String(devices.length).padStart(6)}  ${FATES[fate]}`,
      ...(fate === 'matched' ? [] : devices.map(indented)),
    ];
  });
  return `${[...summaryOf(plan.terms, Math.floor(Date.now() / 1000)).map(printable), ...lines].join('\n')}\n`;
};

const indented = (device: string): string => `        ${device}`;
