import { readFileSync } from 'node:fs';
import { isId } from '../../../shared/ids.ts';
import { InvalidKey, parseTrustedKeys, type TrustedKeys, type TrustSource } from '../../../shared/index.ts';
import { EVERYTHING, listed, type Share, sharded } from '../../collect/share.ts';
import { configSchema } from '../../config/schema.ts';
import { AgentError } from '../../platform/errors.ts';
import { otherRole } from '../../platform/key-role.ts';
import { checkBroker, type MqttSettings } from '../../publish/broker.ts';
import { OPTIONS } from '../../publish/remedy.ts';
import { type LeaveOut, trustedKeys } from '../trusted-keys.ts';
import type { Place } from './place.ts';

/** What the command line says about a collector. */
export interface CollectOptions extends Place {
  readonly id?: string;
  readonly trust?: readonly string[];
  readonly authority?: string;
  readonly manifest?: string;
  readonly gateways?: string;
  readonly shard?: string;
  readonly clientId?: string;
  readonly cosign?: string;
  readonly observer?: boolean;
  readonly prefix: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly username?: string;
  readonly passwordFile?: string;
  readonly insecure?: boolean;
  readonly tlsMin: '1.2' | '1.3';
  readonly protocol: 'auto' | '5' | '3.1.1';
  readonly untilIdle?: number;
  readonly json?: boolean;
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug';
}

/** Throws `usage.collector` where it is missing or wrong. */
export const idOf = ({ id }: CollectOptions): string => {
  if (id !== undefined && isId(id)) return id;
  throw new AgentError({
    code: 'usage.collector',
    message: id === undefined ? 'the id of this collector is missing' : `${JSON.stringify(id)} is no collector id`,
    remedy: 'give it as the gateways have it under mqtt.collectors: --id collector-a',
  });
};

/** Settings of the broker as the agent has them. Throws `mqtt.broker` for what cannot work. */
export const settingsOf = ([url = '', ...urls]: readonly string[], options: CollectOptions): MqttSettings => {
  const settings = configSchema.shape.mqtt.unwrap().parse({
    url,
    ...(urls.length === 0 ? {} : { urls }),
    prefix: options.prefix,
    ca: options.ca,
    cert: options.cert,
    key: options.key,
    username: options.username ?? (options.passwordFile === undefined ? undefined : options.id),
    password_file: options.passwordFile,
    insecure: options.insecure ?? false,
    tls_min: options.tlsMin,
    protocol: options.protocol,
    spread_s: 0,
  });
  checkBroker(settings, OPTIONS);
  return settings;
};

/** Throws `usage.trust` where nobody is named, `usage.key` for a file that cannot be used. */
export const trustOf = ({ trust = [], authority }: CollectOptions, leaveOut: LeaveOut): TrustSource => {
  if (authority !== undefined) return { kind: 'authority', authority: authorityOf(authority) };
  if (trust.length > 0) return { kind: 'keys', keys: trustedKeys(trust, leaveOut) };
  throw new AgentError({
    code: 'usage.trust',
    message: 'no key is trusted, so every message would be refused',
    remedy:
      'name the gateway.jwk.json of each gateway, or the folder that holds them, with --trust; or the key of the authority that signs the manifest with --authority',
  });
};

/** Throws `usage.cosign` for a key that is trusted as somebody else's: a witness that is the gateway proves nothing (attestation.md §10). */
export const requireSeparate = (signing: { readonly kid: string }, trust: TrustSource): void => {
  const other = (trust.kind === 'keys' ? trust.keys : trust.authority).get(signing.kid);
  if (other === undefined || other.role === 'collector') return;
  throw new AgentError({
    code: 'usage.cosign',
    message: `the key of --cosign is trusted as that of a ${other.role}: nothing would be witnessed by signing it twice with one key`,
    remedy: 'name a file of its own with --cosign, the key is made there; and find out how the other one came here',
  });
};

/** The keys of gateways that are trusted for any log. A single one speaks for nobody else: there is nobody else. */
export const unboundOf = (trust: TrustSource): readonly string[] => {
  if (trust.kind !== 'keys') return [];
  const gateways = [...trust.keys.values()].filter(({ role }) => role === 'gateway');
  if (gateways.length < 2) return [];
  return gateways.filter(({ logs }) => logs === undefined).map(({ kid }) => kid);
};

/** Keys that their file has as an authority's, beside others: a bare JWK is the key of a gateway, which vouches for nobody. */
const authorityOf = (file: string): TrustedKeys => {
  const keys = keysOf(file);
  const others = [...keys.values()].map((key) => otherRole(key, 'authority'));
  const [problem] = others;
  if (problem === undefined || others.includes(undefined)) return keys;
  throw new AgentError({ code: 'usage.authority', message: `${file}: ${problem.message}`, remedy: problem.remedy });
};

const keysOf = (file: string): TrustedKeys => {
  try {
    return parseTrustedKeys(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    const isExpected =
      cause instanceof InvalidKey ||
      cause instanceof SyntaxError ||
      (cause as NodeJS.ErrnoException).code !== undefined;
    if (!isExpected) throw cause;
    throw new AgentError({
      code: 'usage.authority',
      message: `${file}: ${(cause as Error).message}`,
      remedy: 'give the public key that assayer keys new --role authority wrote, or {"keys":[{"role":"authority", …}]}',
      cause,
    });
  }
};

/** The bytes of the manifest that is given by hand. Throws `usage.manifest`. */
export const manifestOf = ({ manifest, authority }: CollectOptions): Buffer | undefined => {
  if (manifest === undefined) return undefined;
  try {
    if (authority === undefined) throw new Error('nobody is named whose signature it has to have');
    return readFileSync(manifest);
  } catch (cause) {
    throw new AgentError({
      code: 'usage.manifest',
      message: `cannot use the manifest ${manifest}: ${(cause as Error).message}`,
      remedy: 'name the file of the signed manifest, and with --authority the key that signed it',
      cause,
    });
  }
};

export const shareOf = ({ gateways, shard }: CollectOptions): Share => {
  if (gateways !== undefined) return listed(gateways);
  return shard === undefined ? EVERYTHING : sharded(shard);
};
