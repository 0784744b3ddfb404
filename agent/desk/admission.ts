import type { Terms } from '../../shared/terms.ts';
import { AgentError } from '../platform/errors.ts';
import type { KeysHere } from '../platform/keys-here.ts';

/**
 * A document adds no approver who is none: a key that lies on this gateway, or one key under two names. What the public file of a key says
 * is looked at where it is signed (`keys admit`), and where the configuration names it. Throws `terms.admission`.
 */
export const requireNewPeople = (terms: Terms, { keysHere }: { readonly keysHere: () => KeysHere }): void => {
  if (terms.kind !== 'reference' || terms.admits === undefined) return;
  const here = keysHere();
  const named = new Map<string, string>();
  for (const { name, kid } of terms.admits) {
    const [place, other] = [here.get(kid), named.get(kid)];
    if (place !== undefined)
      throw noPerson(`the key of ${name} ${place}: who breaks into the gateway would approve with it`);
    if (other !== undefined) throw noPerson(`${name} has the key of ${other}`);
    named.set(kid, name);
  }
};

const noPerson = (message: string): AgentError =>
  new AgentError({
    code: 'terms.admission',
    message,
    remedy:
      'admit the key of another person, made on a machine of theirs: assayer keys new --role approver --out <name>.key --name <name>',
  });
