import { NOTE_TYPE, type NoteKey, parseVkey } from '../../shared/note.ts';
import { AgentError } from '../platform/errors.ts';

/** The keys of collectors whose cosignatures and epoch markers count, from their C2SP vkeys. Throws `mqtt.witness`. */
export const readWitnesses = (vkeys: readonly string[], quorum: number): readonly NoteKey[] => {
  const keys = vkeys.map(parseWitness);
  if (new Set(keys.map(({ name }) => name)).size < keys.length) {
    throw problem('two witnesses have one name', 'name each collector once');
  }
  if (keys.length > 0 && quorum > keys.length) {
    throw problem(`${quorum} of ${keys.length} witnesses can never cosign`, `set quorum to at most ${keys.length}`);
  }
  return keys;
};

const parseWitness = (vkey: string): NoteKey => {
  const note = parseVkey(vkey);
  if (note?.type === NOTE_TYPE.cosignature) return note;
  throw problem(
    `${JSON.stringify(vkey.slice(0, 320))} is not the key of a cosigner`,
    'give the vkey of the collector: <name>+<8 hex digits>+<44 characters of base64>',
  );
};

const problem = (message: string, remedy: string): AgentError =>
  new AgentError({ code: 'mqtt.witness', message, remedy });
