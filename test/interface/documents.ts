import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { PAYLOAD_NAMES, type PayloadName } from '../../scripts/docs/interface/payloads.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'docs', 'interface');

interface Ref {
  readonly $ref: string;
}

interface Operation {
  readonly action: 'send' | 'receive';
  readonly channel: Ref;
  readonly messages: readonly Ref[];
  readonly tags: readonly { readonly name: string }[];
  readonly bindings: {
    readonly mqtt: { readonly qos: number; readonly retain?: boolean; readonly messageExpiryInterval?: number };
  };
}

interface Channel {
  readonly address: string;
  readonly parameters: { readonly [name: string]: Ref };
  readonly messages: { readonly [name: string]: Ref };
}

/** What tests read of the AsyncAPI document. */
interface AsyncApi {
  readonly channels: { readonly [name: string]: Channel };
  readonly operations: { readonly [name: string]: Operation };
  readonly components: {
    readonly messages: { readonly [name: string]: { readonly contentType: string; readonly payload: Ref } };
    readonly parameters: { readonly [name: string]: { readonly enum?: readonly string[] } };
  };
}

/** The AsyncAPI document as it is published. */
export const readAsyncApi = (): AsyncApi => parse(readFileSync(join(FOLDER, 'asyncapi.yaml'), 'utf8'));

const readSchema = (name: string): string => readFileSync(join(FOLDER, 'schemas', `${name}.json`), 'utf8');

/** Names of the files of schemas. */
export const schemaFiles = (): string[] => readdirSync(join(FOLDER, 'schemas'));

const compile = (schema: string): ValidateFunction =>
  new Ajv2020({ strict: true, strictTypes: false }).compile(JSON.parse(schema));

/** The published JSON Schema of each payload, compiled by a validator that has nothing of ours. */
export const validators: ReadonlyMap<PayloadName, ValidateFunction> = new Map(
  PAYLOAD_NAMES.map((name) => [name, compile(readSchema(name))]),
);

/** The validator of a payload by its name. Throws for a name that no schema has. */
export const validatorOf = (name: string): ValidateFunction => {
  const found = validators.get(name as PayloadName);
  if (found === undefined) throw new Error(`no schema ${name}`);
  return found;
};

/** What says whether a payload has only members that its schema names, also where the schema leaves room for more. */
export const namesNothingElse = (name: string): ValidateFunction =>
  compile(readSchema(name).replaceAll('"additionalProperties": {}', '"additionalProperties": false'));

const ID = '[a-z0-9][a-z0-9-]{0,62}';

/** The channels of a document by topic: what an address with its parameters matches. */
export const channelsOf = ({ channels, components }: AsyncApi) => {
  const patterns = Object.entries(channels).map(([name, { address }]) => {
    const pattern = address.replaceAll(/\{(\w+)\}/g, (_braced, parameter: string) => {
      const values = components.parameters[parameter]?.enum;
      if (values !== undefined) return `(?:${values.join('|')})`;
      return parameter === 'prefix' ? `${ID}(?:/${ID})?` : ID;
    });
    return { name, pattern: new RegExp(`^${pattern}$`) };
  });
  return (topic: string): readonly string[] =>
    patterns.flatMap(({ name, pattern }) => (pattern.test(topic) ? [name] : []));
};
