import { closest } from 'fastest-levenshtein';
import { FACTS, type FactName } from '../../../shared/facts.ts';
import { AgentError } from '../../platform/errors.ts';

/** The fact that `--fact` names. Throws `usage.fact`. */
export const factNamed = (name: string): FactName => {
  if (Object.hasOwn(FACTS, name)) return name as FactName;
  throw new AgentError({
    code: 'usage.fact',
    message: `there is no fact ${JSON.stringify(name)}`,
    remedy: `did you mean ${closest(name, Object.keys(FACTS))}? assayer baseline show <device> lists them`,
  });
};
