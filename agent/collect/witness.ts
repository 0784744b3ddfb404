import { formatVkey, NOTE_TYPE, type Signer, type Witness } from '../../shared/index.ts';
import { collectorKey } from '../platform/keys.ts';

/** A collector that signs: the checkpoints that agree with what it has, and markers of time. */
export interface SigningCollector extends Witness, Signer {
  /** What goes into the `witnesses` of the manifest. */
  readonly vkey: string;
}

/** The key in a file, made at first need, under the id of the collector. Throws `key.*`. */
export const signingCollector = (file: string, id: string): SigningCollector => {
  const key = collectorKey(file);
  return { ...key, name: id, vkey: formatVkey(id, NOTE_TYPE.cosignature, key.jwk) };
};
