import type { Finding } from './finding.ts';
import type { RuleEntry } from './rule.ts';

/** What people may do about a finding, in words: who can approve it, and what is to be done. Where approvers are trusted the agent holds people to it. */

/** Who may approve what it shows. */
export const approvalText = ({ approval }: Pick<RuleEntry, 'approval'>): string => {
  switch (approval) {
    case 'A0':
      return 'nobody has to: it ends by itself when the cause is gone';
    case 'A1':
      return 'one person: assayer findings approve';
    case 'A2':
      return 'two approvers, who sign what the device shows: assayer baseline export; where no approvers are trusted, one person: assayer findings approve';
    case 'AP':
      return 'it is acceptable only if planned beforehand; otherwise treat it as an incident';
    case 'AN':
      return 'nobody: it is closed as an incident, with a reason: assayer findings close';
  }
};

/** What to do next. */
export const nextStep = ({ approval, id }: RuleEntry, { state, plan, waiver }: Finding): string => {
  if (state === 'resolved' || state === 'approved' || state === 'incident-closed') return 'nothing: it is over';
  if (waiver !== undefined) return 'nothing until the waiver ends: assayer waiver list';
  if (plan !== undefined)
    return 'after the plan is through, approve what the devices show, so that it is their reference';
  if (id.startsWith('visibility.') || id.startsWith('evidence.'))
    return 'find out why nothing, or less, could be seen: the device, its network, this gateway';
  if (approval === 'A0') return 'look at the device if it does not end by itself';
  return 'ask whoever is responsible whether this was meant. If it was not: set the device back, change its passwords, look for other devices that show the same. If it was: approve it';
};
