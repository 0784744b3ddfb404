import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type ReferenceTerms, signTerms } from '../../../shared/index.ts';
import { AgentError } from '../../platform/errors.ts';
import { otherRole } from '../../platform/key-role.ts';
import type { Io } from '../io.ts';
import { collect } from '../probe.ts';
import { exists, writeNewFile } from '../terms/files.ts';
import { type SignOptions, signTask } from '../terms/sign.ts';
import { withPassphrase } from './passphrases.ts';
import { publicKeysIn, type ShownKey } from './show.ts';

interface AdmitOptions extends Omit<SignOptions, 'keys'> {
  readonly log?: readonly string[];
}

/** `keys admit`: an approver signs that another key approves, too. What it writes is a reference, for the next approver and for gateways. */
export const admitKeyVerb = (keys: Command, io: Io): void => {
  withPassphrase(
    keys
      .command('admit')
      .description(
        'sign, away from the gateway, that another key counts as an approver; as many sign it as approvals take',
      )
      .argument('<file>', 'public file of the key, such as carol.jwk.json')
      .requiredOption('--key <file>', 'key file of an approver who counts already')
      .option('--log <gateway>', 'only at this gateway, <operator-domain>/<gateway>; repeatable', collect)
      .option('--out <file>', 'file to write; without it <name>.admit.json')
      .option('-y, --yes', 'do not ask after the summary was shown')
      .option('--json', 'print the summary as text on stderr, and what was written as JSON'),
  ).action((file: string, options: AdmitOptions) => admit(file, options, io));
};

const admit = async (file: string, options: AdmitOptions, io: Io): Promise<void> => {
  const [key, ...others] = publicKeysIn(resolve(file));
  if (key === undefined || others.length > 0) throw notOne(file);
  requireApprover(file, key);
  const nowS = Math.floor(Date.now() / 1000);
  const terms = admissionOf(key, options.log, nowS);
  const out = options.out ?? `${file.replace(/(\.jwk)?\.json$/, '')}.admit.json`;
  if (existsSync(out)) throw exists(out);
  const task = { terms, kids: [], shown: [], signWith: signTerms.bind(undefined, terms), out, write: writeNewFile };
  await signTask(task, { file, kind: 'reference', nowS }, options, io);
};

/** A gateway that names the file takes no other key as an approver's. */
const requireApprover = (file: string, { role = 'gateway' }: ShownKey): void => {
  const problem = otherRole({ role }, 'approver');
  if (problem === undefined) return;
  throw new AgentError({ code: 'key.role', message: `${file}: ${problem.message}`, remedy: problem.remedy });
};

const admissionOf = ({ kid, name }: ShownKey, logs: readonly string[] | undefined, iat: number): ReferenceTerms => ({
  kind: 'reference',
  // One name for one key: of two admissions of it the broker keeps the last, and says the same.
  ref_id: `approver-${Buffer.from(kid, 'base64url').toString('hex').slice(0, 16)}`,
  version: 1,
  iat,
  ...(logs === undefined ? {} : { scope: { logs: [...logs] } }),
  admits: [{ name: name ?? 'unnamed', kid }],
});

const notOne = (file: string): AgentError =>
  new AgentError({
    code: 'key.malformed',
    message: `${file} does not hold one public key`,
    remedy: 'name the public file that `assayer keys new` wrote beside the key, such as carol.jwk.json',
  });
