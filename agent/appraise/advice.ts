import type { FactName } from '../../shared/facts.ts';
import type { Finding } from './finding.ts';
import { ruleOf } from './index.ts';
import { changeNotObserved } from './rules/change-not-observed.ts';
import { waiverExpired } from './rules/waiver-expired.ts';
import { type Approvable, approvalOf, endingOf, isUnplanned, takesTwo } from './who-approves.ts';

/** What people may do about a finding, in words and as verbs that they can type: who can approve it, and what is to be done. */

/** Where it is asked. Without any of it the answer is that of the catalogue, for every gateway. */
export interface Asked {
  /** Number of the finding. */
  readonly number?: number | undefined;
  /** How many people approvals take at most: with none the word of a person at the gateway is all there is. */
  readonly people?: number | undefined;
  readonly devices?: readonly string[];
  /** Configuration file, where it has to be named. */
  readonly config?: string | undefined;
  /** The finding that this one is about. */
  readonly about?: number | undefined;
  /** The signed reference that holds a fact of it otherwise: no acceptance at the gateway takes its place. */
  readonly holder?: Holder | undefined;
  /** Another finding of its devices that who approves this one decides, too, and that takes more people. */
  readonly beside?: Beside | undefined;
  /** The plan that covers it announces it for a while only: who approves it makes it last. */
  readonly forAWhile?: boolean | undefined;
}

/** A finding that two people have to approve, or a plan beforehand. */
export interface Beside extends Approvable {
  /** Absent as long as it is not confirmed. */
  readonly number?: number | undefined;
}

/** A signed reference, and a fact that it holds. */
export interface Holder {
  readonly refId: string;
  readonly version: number;
  readonly fact: string;
  /** Two people stand behind it: its next version takes two as well. */
  readonly two: boolean;
}

/** Who may approve what it shows, or how it ends where nobody can. */
export const approvalText = (finding: Approvable & Pick<Finding, 'plan'>, asked: Asked = {}): string => {
  const verbs = verbsOf(finding, asked);
  switch (endingOf(finding).kind) {
    case 'itself':
      return 'nobody has to: it ends by itself when the cause is gone';
    case 'other':
      return `nobody: it ends with the finding that it is about, which says who can approve that: ${verbs.about}`;
    case 'close':
      return approvalOf(finding) === 'AN'
        ? `nobody: it is closed as an incident, with a reason: ${verbs.close}`
        : `one person, who closes it with a reason: ${verbs.close}`;
    case 'waive':
      return `nobody: it ends when the devices, or the configuration, are others. Until then ${toleratedBy(finding, asked)}`;
    case 'facts':
    case 'device':
      return approvedBy(finding, asked);
  }
};

const approvedBy = (finding: Approvable & Pick<Finding, 'plan'>, asked: Asked): string => {
  const verbs = verbsOf(finding, asked);
  const { approve, sign } = verbs;
  if (asked.holder !== undefined) return renewedBy(finding, asked.holder, asked);
  const { people, beside } = asked;
  if (finding.plan !== undefined)
    return isToEnd(asked)
      ? `nobody has to: it is planned for a while, and is to end with that. What is to stay beyond it ${people === 1 ? 'the approver of this gateway signs' : 'two approvers sign'}: ${sign}`
      : beside === undefined
        ? `one person, because a plan covers it: ${approve}`
        : `${besideText(beside)}, which no plan covers: ${decidedBy(beside, asked, verbs)}`;
  if (beside !== undefined) return `${besideText(beside)}: ${decidedBy(beside, asked, verbs)}`;
  const approval = approvalOf(finding);
  if (approval !== 'A2' && approval !== 'AP') return `one person: ${approve}`;
  const alone = `one person, because no approvers are named: ${approve}`;
  if (people === 0) return alone;
  const others =
    people === undefined ? `; where none are named, ${alone.replace(', because no approvers are named', '')}` : '';
  if (approval === 'A2') return `${signers(people)} what the device shows: ${sign}${others}`;
  return `${NEVER} one person, which is a finding of its own: ${approve} --break-glass --note "<why>"${others}`;
};

/** With nobody named one person may make it last all the same. */
const isToEnd = ({ forAWhile = false, people }: Asked): boolean => forAWhile && people !== 0;

/** Why it is not approved by itself. */
const besideText = ({ number, ruleId }: Beside): string =>
  `not by itself, because what approves it decides ${number === undefined ? `${ruleId}, which is not confirmed yet` : `finding ${number}, ${ruleId}`}`;

const decidedBy = (
  beside: Beside,
  { people }: Asked,
  { approve, sign }: Pick<ReturnType<typeof verbsOf>, 'approve' | 'sign'>,
): string =>
  isUnplanned(beside)
    ? `${NEVER} one person, which is a finding of its own: ${approve} --break-glass --note "<why>"`
    : `${signers(people)} what the device shows: ${sign}`;

const NEVER =
  'nobody afterwards: it is acceptable only if planned beforehand, otherwise treat it as an incident. In an emergency';

/** What a signed reference holds its next version approves, and nothing else. */
const renewedBy = (
  finding: Approvable & Pick<Finding, 'plan'>,
  { refId, version, fact, two }: Holder,
  asked: Asked,
): string => {
  const next = `the next version (${version + 1}) of reference ${refId}, which holds ${fact}`;
  const adopt = typed('baseline adopt <file>.signed.json', asked);
  if (isUnplanned(finding))
    return `${NEVER} ${next}, which is a finding of its own: assayer baseline sign <file> --key <key>, then ${adopt} --break-glass --note "<why>"`;
  return `${two ? signers(2) : 'an approver, who signs'} ${next}: assayer baseline sign <file> --key <key>, then ${adopt}; a change that is to last for a while is planned beforehand: assayer plan create`;
};

const signers = (people: number | undefined): string =>
  people === 1 ? 'the approver of this gateway, who signs' : 'two approvers, who sign';

const toleratedBy = (finding: Approvable, asked: Asked): string => {
  const { waive, draft } = verbsOf(finding, asked);
  const approval = approvalOf(finding);
  const { people } = asked;
  if (people === 0 || (approval !== 'A2' && approval !== 'AP')) return `one person may tolerate it: ${waive}`;
  const others = people === undefined ? `; where none are named, one person: ${waive}` : '';
  return `${people === 1 ? 'the approver of this gateway' : 'two approvers'} may tolerate it: ${draft}${others}`;
};

/** More devices are not written out. */
const MOST_DEVICES = 24;

/** As a shell takes it for one word. */
export const word = (text: string): string =>
  /^[\w./:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** What to type of a verb that reads the configuration. */
export const typed = (words: string, { config }: Pick<Asked, 'config'>): string =>
  `assayer ${words}${config === undefined ? '' : ` -c ${word(config)}`}`;

/** What to type for a draft that approves these facts of these devices and nothing else; without facts all that they show. */
export const exportLine = (
  { named, facts, file }: { readonly named: string; readonly facts: readonly FactName[]; readonly file: string },
  asked: Pick<Asked, 'config'> = {},
): string => {
  const only = facts.map((fact) => ` --fact ${fact}`).join('');
  return typed(`baseline export ${named}${only} --name ${file} --out ${file}.yaml`, asked);
};

/** Nothing is signed but what the finding is about; of one about the device as such all of that. */
const onlyFacts = (finding: Approvable): readonly FactName[] => {
  const ending = endingOf(finding);
  return ending.kind === 'facts' ? ending.facts : [];
};

const verbsOf = (finding: Approvable, asked: Asked) => {
  const { ruleId: id } = finding;
  const { number, devices = [], about } = asked;
  const name = number ?? '<number>';
  const verb = (words: string): string => typed(words, asked);
  const isListed = devices.length > 0 && devices.length <= MOST_DEVICES;
  const named = (option: string): string =>
    isListed ? devices.map((device) => option + word(device)).join(' ') : `${option}<device>`;
  const file = `finding-${name}`;
  return {
    about: verb(`findings show ${about ?? '<number>'}`),
    approve: verb(`findings approve ${name}`),
    close: verb(`findings close ${name} --note "<why>"`),
    waive: verb(`findings waive ${name} --reason "<why>" --risk "<what may happen>" --until +30d`),
    sign: `${exportLine({ named: named(''), facts: onlyFacts(finding), file }, asked)}, then assayer baseline sign, then ${verb(`baseline adopt ${file}.signed.json`)}`,
    draft: `assayer waiver create ${file} --id ${id} ${named('--device ')} --reason "<why>" --risk "<what may happen>" --until +30d --out ${file}.yaml, then assayer waiver sign, then ${verb(`waiver adopt ${file}.signed.json`)}`,
  };
};

/** What to do next. */
export const nextStep = (finding: Finding, asked: Asked): string => {
  const { ruleId: id, state, plan } = finding;
  if (state === 'resolved' || state === 'approved' || state === 'incident-closed') return 'nothing: it is over';
  if (state === 'waived') return `nothing until the waiver ends: ${typed('waiver list', asked)}`;
  if (id === waiverExpired.id)
    return 'what it covered counts again: mend it, or have a new waiver made; then close this one';
  if (id === changeNotObserved.id)
    return 'find out what became of the work, have it done under a new plan or drop it; then close this one';
  switch (endingOf(finding).kind) {
    case 'other':
      return 'deal with the finding that it is about';
    case 'close':
      return 'find out who did it, and whether it was meant; then close it';
    case 'waive':
      return 'find out whether this was meant. If it was not: set the device right. If it was: change what the configuration says of it';
    case 'itself':
    case 'facts':
    case 'device':
      break;
  }
  if (plan !== undefined && asked.holder === undefined && isToEnd(asked))
    return 'when the plan is through, see that the devices are again what they were before: what they are not then counts';
  if (plan !== undefined)
    return asked.holder === undefined ? afterPlan(asked) : `after the plan is through, ${renewal(asked.holder)}`;
  if (id.startsWith('visibility.') || id.startsWith('evidence.'))
    return 'find out why nothing, or less, could be seen: the device, its network, this gateway';
  if (ruleOf(id)?.approval === 'A0') return 'look at the device if it does not end by itself';
  return `ask whoever is responsible whether this was meant. If it was not: set the device back, change its passwords, look for other devices that show the same. If it was: ${meant(finding, asked)}`;
};

const afterPlan = ({ beside }: Asked): string =>
  beside === undefined
    ? 'after the plan is through, approve what the devices show, so that it is their reference'
    : `deal with ${beside.ruleId} first, which is about the same; then approve what the devices show, so that it is their reference`;

/** What is done about a change that somebody meant, which no plan covers. */
const meant = (finding: Finding, { people, holder, beside }: Asked): string => {
  if (holder !== undefined && !isUnplanned(finding)) return renewal(holder);
  if (beside !== undefined) return `deal with ${beside.ruleId} first, which is about the same`;
  if (people === 0 || !takesTwo(finding)) return 'approve it';
  if (!isUnplanned(finding)) return 'have it signed';
  return 'set it back all the same, and make it under a plan (assayer plan create); afterwards it is approved in an emergency only';
};

const renewal = ({ refId }: Holder): string => `have the next version of reference ${refId} signed, which holds it`;
