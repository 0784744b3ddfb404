import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Command } from 'commander';
import { z } from 'zod';
import { FACTS, type FactName, type Facts } from '../../shared/facts.ts';
import type { Driver } from '../drivers/driver.ts';
import { lookOf } from '../outside/record.ts';
import { type RecordedDevice, type Recording, readRecording } from '../outside/recording.ts';
import { cluesOfRecording, lookAtRecording } from '../outside/replay.ts';
import { driverSchema } from '../outside/schema.ts';
import { AgentError } from '../platform/errors.ts';
import { surest } from '../probe/identify.ts';
import { EXIT, type Io, printable, printJson, setExit } from './io.ts';
import { collect, driversWith, familyNamed } from './probe.ts';
import { wideTable } from './table.ts';
import { factText } from './view.ts';

interface TestOptions {
  readonly driver?: readonly string[];
  readonly json?: boolean;
}

/** `driver`: for who writes a driver file. */
export const driverVerb = (program: Command, io: Io): void => {
  const verb = program.command('driver').description('test a driver against recorded replies, or print its schema');
  verb
    .command('test')
    .description(
      'read a folder of recorded replies with its driver, and compare the facts with what device.json expects; ends with 1 on a difference',
    )
    .argument('<folder>', 'with device.json, its reply files, and driver.yaml where the family is not built in')
    .option('--driver <file>', 'driver file in place of driver.yaml; may be repeated', collect)
    .option('--json', 'print the result as one JSON object')
    .action((folder: string, options: TestOptions) => testDriver(resolve(folder), options, io));
  verb
    .command('schema')
    .description('print the JSON Schema of driver files, for editors')
    .action(() => void io.out.write(`${JSON.stringify(driverJsonSchema(), null, 2)}\n`));
};

/** JSON Schema 2020-12 of a driver file, for what an operator writes (defaults may be left out). */
export const driverJsonSchema = (): object => z.toJSONSchema(driverSchema(), { io: 'input', reused: 'ref' });

/** What a full look gave, and where that is not what was expected. */
interface Tested {
  readonly credentials: boolean;
  readonly facts: { readonly [name: string]: unknown };
  readonly readings: { readonly [name: string]: string };
  readonly differences: readonly Difference[];
}

interface Difference {
  readonly fact: string;
  readonly found: unknown;
  readonly expected: unknown;
}

const testDriver = (folder: string, { driver: files = [], json }: TestOptions, io: Io): void => {
  const recording = readRecording(folder);
  const own = join(folder, 'driver.yaml');
  const drivers = driversWith(files.length === 0 && existsSync(own) ? [own] : files);
  const driver = driverOf(folder, recording.device, drivers);
  const recognised = surest(drivers, cluesOfRecording(recording, drivers)).drivers.map(({ family }) => family);
  const looks = looksOf(recording.device).map((look) => testLook(recording, driver, look));
  const problems = problemsOf(recording.device, driver, recognised, looks);
  setExit(problems.length === 0 ? EXIT.ok : EXIT.failed);
  if (json) {
    const { left_out } = recording.device;
    printJson(io, { ok: problems.length === 0, folder, family: driver.family, recognised, left_out, looks, problems });
    return;
  }
  io.out.write(`${folder}: ${driver.title}\n`);
  for (const look of looks) io.out.write(`\n${lookTable(look, io)}`);
  for (const [question, reason] of Object.entries(recording.device.left_out))
    io.err.write(`not in the recording: ${printable(question)} (${reason})\n`);
  for (const problem of problems) io.err.write(`${printable(problem)}\n`);
  io.out.write(problems.length === 0 ? '\nOK\n' : '\nFAILED\n');
};

const driverOf = (folder: string, { family }: RecordedDevice, drivers: readonly Driver[]): Driver => {
  if (family !== undefined) return familyNamed(family, drivers);
  const [only, ...others] = drivers.filter(({ outside }) => outside);
  if (only !== undefined && others.length === 0) return only;
  throw new AgentError({
    code: 'driver.missing',
    message: `${folder} says no family, and ${only === undefined ? 'has no driver.yaml' : 'there is more than one driver file'}`,
    remedy: `write ${join(folder, 'driver.yaml')}, or say the "family" in device.json; docs/write-a-driver.md shows how`,
  });
};

type Expected = Pick<RecordedDevice['expect'][number], 'credentials' | 'readings'> & {
  readonly facts: { readonly [name: string]: unknown } | undefined;
};

/** Without expectations one look, with whatever log-in the replies needed. */
const looksOf = ({ expect }: RecordedDevice): readonly Expected[] =>
  expect.length === 0 ? [{ credentials: true, facts: undefined, readings: {} }] : expect;

const testLook = (recording: Recording, driver: Driver, expected: Expected): Tested => {
  const { credentials } = expected;
  const found = lookOf(driver, lookAtRecording(recording, driver, credentials));
  return { credentials, ...found, differences: differencesOf(found, expected) };
};

const differencesOf = (found: Pick<Tested, 'facts' | 'readings'>, expected: Expected): readonly Difference[] => {
  const stated = expected.facts;
  const names = stated === undefined ? [] : [...new Set([...Object.keys(stated), ...Object.keys(found.facts)])];
  return [
    ...names
      .filter((fact) => !isDeepStrictEqual(found.facts[fact], stated?.[fact]))
      .map((fact) => ({
        fact,
        found: found.facts[fact] ?? found.readings[fact] ?? null,
        expected: stated?.[fact] ?? null,
      })),
    ...Object.entries(expected.readings)
      .filter(([fact, reading]) => found.readings[fact] !== reading && !names.includes(fact))
      .map(([fact, reading]) => ({
        fact,
        found: found.readings[fact] ?? found.facts[fact] ?? null,
        expected: reading,
      })),
  ];
};

/** Why the driver does not pass, in words. */
const problemsOf = (
  { left_out, passive }: RecordedDevice,
  { family }: Driver,
  recognised: readonly string[],
  looks: readonly Tested[],
): readonly string[] => {
  const problems: string[] = [];
  // What was not kept may be the very sign.
  const isExcused = recognised.length === 0 && Object.keys(left_out).length > 0;
  if (passive === undefined && !isExcused && !isDeepStrictEqual(recognised, [family]))
    problems.push(`recognised as ${recognised.join(' or ') || 'nothing'}, not as ${family}`);
  for (const { differences, credentials, facts } of looks) {
    const how = credentials ? 'with' : 'without';
    if (Object.keys(facts).every((fact) => fact === 'family') && differences.length === 0)
      problems.push(`no fact is read ${how} the log-in`);
    for (const { fact, found, expected } of differences)
      problems.push(`${fact} ${how} the log-in: ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`);
  }
  return problems;
};

const lookTable = ({ credentials, facts, readings, differences }: Tested, io: Io): string => {
  const expected = new Map(differences.map((one) => [one.fact, JSON.stringify(one.expected)]));
  const names = Object.keys(FACTS).filter(
    (name) => facts[name] !== undefined || readings[name] !== undefined || expected.has(name),
  ) as FactName[];
  // The names are those of the table, and the facts were made by `normalise`.
  const rows = names.map((name) => [
    name,
    printable(facts[name] === undefined ? (readings[name] ?? '') : factText(name, facts as Facts)),
    printable(expected.get(name) ?? ''),
  ]);
  const heading = ['fact', credentials ? 'with the log-in' : 'without a log-in'];
  return expected.size === 0
    ? wideTable(
        io,
        heading,
        rows.map((row) => row.slice(0, 2)),
      )
    : wideTable(io, [...heading, 'expected'], rows);
};
