import type { Role, TrustedKey } from '../../shared/keys.ts';
import type { PersonalRole } from './sealed-key.ts';

const ARTICLE: { readonly [role in Role]: string } = {
  gateway: "a gateway's",
  approver: "an approver's",
  collector: "a collector's",
  authority: "an authority's",
};

/**
 * Why a key whose file says this role, or none, is not to be trusted for the wanted one, and the remedy; undefined where it says that.
 * Whoever verifies elsewhere goes by the file: what is signed under a role that only a configuration gives fails there for good.
 */
export const otherRole = (
  { role }: Pick<TrustedKey, 'role'>,
  wanted: PersonalRole,
): { readonly message: string; readonly remedy: string } | undefined => {
  if (role === wanted) return undefined;
  const make = `on a machine of their own: assayer keys new --role ${wanted} --out <name>.key --name <name>; and name the <name>.jwk.json`;
  if (role !== 'gateway')
    return { message: `its key is ${ARTICLE[role]}, not ${ARTICLE[wanted]}`, remedy: `have a key made ${make}` };
  return {
    message: `its key is a gateway's, as is every key whose file says no role, not ${ARTICLE[wanted]}`,
    remedy: `where it is ${ARTICLE[wanted]}, write "role":"${wanted}" into the file, here and wherever verifiers and collectors have it; else have one made ${make}`,
  };
};
