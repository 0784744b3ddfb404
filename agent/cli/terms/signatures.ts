import { type SignedTerms, type TrustedKeys, type VerifiedTerms, verifyTerms } from '../../../shared/index.ts';
import { type Io, printable } from '../io.ts';
import { leftOutOn, trustedKeys } from '../trusted-keys.ts';
import { orProblem } from './files.ts';

/** Whose signatures a file has, as far as the keys at hand tell. */

/** What the signatures are worth here: `keys` absent where nobody said whom to trust. */
export interface Checked {
  readonly kids: readonly string[];
  readonly keys?: TrustedKeys;
}

/** The terms, verified against the keys in these files and folders. */
export const verifiedBy = (
  file: string,
  signed: SignedTerms,
  places: readonly string[],
  io: Io,
): VerifiedTerms & { readonly keys: TrustedKeys } => {
  const keys = trustedKeys(places, leftOutOn(io));
  return { ...orProblem(file, () => verifyTerms(signed, { keys })), keys };
};

/** A line for each signature. */
export const signatureLines = ({ kids, keys }: Checked): readonly string[] =>
  kids.map((kid) => {
    if (keys === undefined) return `  signature of key ${kid}: NOT CHECKED, give the public key with --keys`;
    const name = keys.get(kid)?.name;
    return `  signed by ${name === undefined ? 'key' : `${printable(name)}, key`} ${kid}: good`;
  });
