import { resolve } from 'node:path';
import type { ParentTransition } from '../../appraise/storm.ts';
import { loadConfig } from '../../config/load.ts';
import { AgentError } from '../../platform/errors.ts';
import { buildFinding } from '../../record/statement.ts';
import { Store } from '../../record/store.ts';
import type { StoredFinding } from '../../record/tables/findings.ts';

/** Findings as the store has them, for people who name them by number. */

/** States in which a finding counts. */
export const STANDING: ReadonlySet<string> = new Set(['open', 'acknowledged', 'waived']);

/** As a `finding` statement has it, except the citations, which are in the log. */
export const jsonOf = ({ device, finding }: StoredFinding): object => {
  const about = device === undefined ? parentOf(finding) : { device, labels: {} };
  const { evidence: _, ...members } = buildFinding({
    finding,
    about,
    openedSeq: finding.openedSeq ?? 0,
    evidence: [],
  }).content.finding;
  return members;
};

/** The parent of a storm is kept with its devices; a finding of the gateway itself has none. */
const parentOf = (
  finding: StoredFinding['finding'],
): { readonly devices: readonly string[]; readonly count: number } => {
  const { devices = [], count = 0 } = finding as Partial<ParentTransition['finding']>;
  return { devices, count };
};

/** The devices that it is about. */
export const devicesOf = ({ device, finding }: StoredFinding): readonly string[] =>
  device === undefined ? parentOf(finding).devices : [device];

/** A finding of the store, and whose it is. */
type Numbered = StoredFinding & {
  readonly stateDir: string;
  /** `<operator-domain>/<gateway>`. */
  readonly gateway: string;
};

/** The finding of this number. Throws `finding.none`, `usage.number`. */
export const findingNumbered = (config: string, number: string): Numbered => {
  if (!/^\d{1,15}$/.test(number)) throw notNumber(number);
  const { state_dir: stateDir, operator, gateway } = loadConfig(resolve(config)).config;
  using store = Store.openReadOnly(stateDir);
  const found = store
    .findings({ open: false, limit: Number.MAX_SAFE_INTEGER })
    .find(({ finding }) => finding.openedSeq === Number(number));
  if (found === undefined) throw none(number);
  return { ...found, stateDir, gateway: `${operator}/${gateway}` };
};

const notNumber = (text: string): AgentError =>
  new AgentError({
    code: 'usage.number',
    message: `${JSON.stringify(text)} is not the number of a finding`,
    remedy: 'assayer findings list shows the numbers',
  });

const none = (number: string): AgentError =>
  new AgentError({
    code: 'finding.none',
    message: `there is no finding ${number}`,
    remedy: 'assayer findings list --all shows the numbers',
  });
