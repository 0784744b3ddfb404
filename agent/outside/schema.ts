import { z } from 'zod';
import { FACTS, type FactName } from '../../shared/facts.ts';
import { PORTS, type PortName } from '../drivers/driver.ts';
import { READER_NAMES } from './readers.ts';

/**
 * A driver file: what an operator may say of a family that this program does not know. One schema that is type, bounds,
 * meanings and the JSON Schema for editors. What it cannot say (which reader fits which fact, what may be sent) is the
 * compiler's.
 */

/** Made by the agent itself. */
const DERIVED: ReadonlySet<string> = new Set([
  'family',
  'firmware.fingerprint',
  'access.open_ports',
  'access.default_login',
]);

export const OUTSIDE_FACTS: readonly FactName[] =
  // Object.keys gives text; the keys are those of the table.
  (Object.keys(FACTS) as FactName[]).filter((name) => !DERIVED.has(name));

/** No driver file asks over gRPC or through TLS. Object.keys gives text; the keys are those of the table. */
const PORTS_TO_ASK = Object.keys(PORTS).filter((name) => name !== 'grpc' && name !== 'https') as [
  PortName,
  ...PortName[],
];

const build = () => {
  const line = (most: number) =>
    z
      .string()
      .min(1)
      .max(most)
      .regex(/^\P{Cc}*$/u, 'a text without control characters');

  const family = z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/, 'lower-case letters, digits and dashes, at most 32, beginning with a letter');

  const queryName = z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,31}$/, 'lower-case letters, digits and underscores, at most 32, beginning with a letter');

  const partName = z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/, 'letters, digits, dots, dashes and underscores, at most 64');

  const query = queryName.describe('name of a query of this file');

  const pointer = z
    .string()
    .max(256)
    .regex(/^(?:\/(?:[^~]|~[01])*)?$/, 'a JSON Pointer (RFC 6901): empty, or beginning with a slash')
    .describe('JSON Pointer into the reply; empty is the whole reply');

  const at = z
    .union([pointer, z.array(pointer).min(1).max(8)])
    .describe('JSON Pointer into the reply, or several, of which the first that exists is read');

  const memberName = z
    .union([line(64), z.array(line(64)).min(1).max(8)])
    .describe('name of a member, or the spellings it may have');

  // ---- what is asked ---------------------------------------------------------------------------------------------------

  const asked = {
    cadence: z
      .enum(['pools', 'config'])
      .default('config')
      .describe('pools: asked at every poll, at most two queries; config: at a full look only'),
    port: z
      .enum(PORTS_TO_ASK)
      .optional()
      .describe('the port that is asked, by its name in the configuration, where it is not the usual one'),
  };

  const auth = z
    .enum(['none', 'basic-if-asked', 'basic', 'digest', 'bearer'])
    .default('none')
    .describe('how the device asks for the log-in of the operator; bearer: the password is the token');

  const queries = z
    .record(
      queryName,
      z.union([
        z.strictObject({
          cgminer: line(64).describe('command of the CGMiner API that only reads'),
          key: z.enum(['command', 'cmd', 'either']).default('command').describe('the member that carries the command'),
          ...asked,
        }),
        z.strictObject({
          check: z.literal('addpool').describe('the command of which is asked whether it would be let in: addpool'),
          ...asked,
        }),
        z.strictObject({ get: line(256).describe('path of a GET that only reads'), auth, ...asked }),
        z.strictObject({
          post: line(256).describe('path of a POST that is on the list of this program'),
          body: z.string().max(256).describe('body of that POST, as the list has it'),
          auth,
          ...asked,
        }),
        z.strictObject({
          framed: line(64).describe('command of WhatsMiner API 3 that begins with get.'),
          param: line(64).optional().describe('parameter of that command'),
          ...asked,
        }),
      ]),
    )
    .describe('what a device of this family is asked, by names of your choice');

  // ---- how it is recognised --------------------------------------------------------------------------------------------

  const words = {
    equals: line(256).optional().describe('the text is this'),
    begins: line(256).optional().describe('the text begins so'),
    ends: line(256).optional().describe('the text ends so'),
    contains: line(256).optional().describe('the text contains this'),
    ignore_case: z.boolean().default(false).describe('capitals do not matter'),
  };

  const sign = z.union([
    z.strictObject({ query, at: at.default(''), ...words }),
    z.strictObject({
      landing: z
        .enum(['body', 'realm', 'location'])
        .describe('of the page at /: its first 16 KiB, the realm that asks for a log-in, where it redirects to'),
      ...words,
    }),
  ]);

  const recognise = z
    .strictObject({
      all: z.array(sign).min(1).max(16).optional().describe('signs that must all be there'),
      any: z.array(sign).min(1).max(16).optional().describe('signs of which one must be there'),
    })
    .describe('how a device of this family is told from others, without a log-in');

  // ---- where the facts stand -------------------------------------------------------------------------------------------

  const members = z
    .strictObject({
      url: memberName,
      port: memberName.optional(),
      user: memberName.optional(),
      slot: memberName.optional(),
      priority: memberName.optional(),
      quota: memberName.optional(),
      tls: memberName.optional(),
      proxy: memberName.optional(),
      proxyType: memberName.optional(),
      status: memberName.optional(),
      active: memberName.optional(),
      host: memberName.optional(),
    })
    .describe('of a pool row: which member holds what');

  const reader = z.enum(READER_NAMES).describe('how the value there is read; docs/driver-readers.md has them all');

  /** One place in one reply. */
  const placed = z.strictObject({
    query,
    at: at.default(''),
    read: reader,
    factor: z.number().positive().max(1e18).optional().describe('of `scaled`: what one unit of the device is in ours'),
    words: z
      .record(line(64), line(64))
      .optional()
      .describe('of `words`: our word for each word of the device; others stay as they are'),
    member: line(64).optional().describe('of a reader of rows: the member of each row'),
    each: z.enum(READER_NAMES).optional().describe('of a reader of lists and rows: how each element is read'),
    members: z
      .union([z.literal('cgminer'), members])
      .optional()
      .describe('of a pool list: cgminer for rows as the CGMiner API has them, or which member holds what'),
    except: z.array(line(64)).max(64).optional().describe('of `settings`: members that are facts of their own'),
  });

  const said = z.strictObject({
    query,
    value: z
      .union([line(128), z.int(), z.boolean()])
      .describe('what is known of every device of the family, once it answers the query'),
  });

  const letIn = z.strictObject({
    query,
    let_in: z.literal(true).describe('whether the device answers the query, or denies it to this gateway'),
  });

  const single = z.union([placed, said, letIn]);

  const several = z.array(single).min(2).max(8);

  const named = (meaning: string) => z.record(partName, single).describe(meaning);

  const keys = z.strictObject({
    query,
    keys: z.array(pointer).min(1).max(16).describe('objects whose member names belong to the firmware'),
    passing: z.array(line(64)).max(64).optional().describe('members that come and go'),
  });

  const fact = z.union([
    placed,
    said,
    letIn,
    z.strictObject({ first_of: several.describe('the first place that has the fact; a lost answer ends the search') }),
    z.strictObject({ any_of: several.describe('of a measured value: whichever place answers') }),
    z.strictObject({
      components: z
        .record(partName, z.union([placed, said, letIn, keys]))
        .describe('parts of the fingerprint, by name'),
    }),
    z.strictObject({ settings_of: named('further settings, by name') }),
    z.strictObject({
      stored: placed.describe('the pools that the device has stored'),
      running: placed.describe('the pools that its miner program has now'),
    }),
  ]);

  const facts = z
    .strictObject(
      Object.fromEntries(OUTSIDE_FACTS.map((name) => [name, fact.optional().describe(FACTS[name].meaning)])) as {
        [Name in FactName]: z.ZodOptional<typeof fact>;
      },
    )
    .describe('where each fact stands; a fact that is not here is not read');

  const sentences = z.array(line(400)).max(64).default([]);

  return z.strictObject({
    family: family.describe('id of the family; none that this program has'),
    title: line(128).describe('name of the family, for people'),
    source: line(400).describe('where the knowledge comes from'),
    queries,
    recognise,
    facts,
    secrets: z
      .array(line(64))
      .max(64)
      .default([])
      .describe('members whose values are secret wherever they stand, beside the common names'),
    default_pool_port: z.int().min(1).max(65535).optional().describe('port of a pool URL that names none'),
    pause_ms: z
      .int()
      .min(0)
      .max(5000)
      .optional()
      .describe('how long the device wants to be left alone between two connections to its CGMiner API, ms'),
    quirks: sentences.describe('oddities, for people: one sentence each'),
    close: sentences.describe('what should be closed or changed on such a device, for people: one sentence each'),
    unverified: z
      .array(z.enum(OUTSIDE_FACTS as [FactName, ...FactName[]]))
      .default([])
      .describe('facts whose place no reply of a device showed yet'),
  });
};

type DriverSchema = ReturnType<typeof build>;

let built: DriverSchema | undefined;

/** The schema is made when it is first needed: most runs of this program read no driver file. */
export const driverSchema = (): DriverSchema => {
  built ??= build();
  return built;
};

export type DriverText = z.infer<DriverSchema>;
export type QueryText = DriverText['queries'][string];
export type FactText = NonNullable<DriverText['facts'][FactName]>;
export type PlacedText = Extract<FactText, { readonly read: unknown }>;
export type SingleText = Extract<FactText, { readonly query: string }>;
export type KeysText = Extract<
  Extract<FactText, { readonly components: unknown }>['components'][string],
  { readonly keys: unknown }
>;
export type SignText = NonNullable<DriverText['recognise']['all']>[number];
