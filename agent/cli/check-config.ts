import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { parseConfigFile } from '../config/load.ts';
import { checkCertificates } from '../config/meaning.ts';
import { describeProblem } from '../config/problems.ts';
import { configSchema } from '../config/schema.ts';
import { unseenIds, warningsOf } from '../config/warnings.ts';
import { AgentError } from '../platform/errors.ts';
import { placesOf } from '../schedule/places.ts';
import { EXIT, type Io, printable, printJson, setExit } from './io.ts';

/** `check-config`: every problem of a configuration file with line, nearest known setting and remedy. */
export const checkConfigVerb = (program: Command, io: Io): void => {
  program
    .command('check-config')
    .description('check a configuration file without starting anything')
    .argument('[file]', 'the same as --config')
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--schema', 'print the JSON Schema of the file, for editors')
    .option('--json', 'print the result as JSON')
    .action((file: string | undefined, options: { config: string; schema?: boolean; json?: boolean }) => {
      if (options.schema) io.out.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
      else checkFile(resolve(file ?? options.config), options.json === true, io);
    });
};

/** JSON Schema 2020-12 of the configuration file, for what an operator writes (defaults may be left out). */
export const configJsonSchema = (): object => z.toJSONSchema(configSchema, { io: 'input' });

const checkFile = (file: string, json: boolean, io: Io): void => {
  const parsed = parseConfigFile(readBytes(file), dirname(file), checkCertificates);
  if (parsed.kind === 'bad') {
    setExit(EXIT.usage);
    if (json) printJson(io, { ok: false, file, problems: parsed.problems });
    else for (const problem of parsed.problems) io.err.write(`${printable(describeProblem(file, problem))}\n`);
    return;
  }
  const places = placesOf(parsed.config).length;
  const drivers = parsed.outside.map(({ driver }) => driver.family);
  const further = drivers.length === 0 ? '' : ` Families of driver files: ${drivers.join(', ')}.`;
  const summary = `Gateway ${parsed.config.gateway}, ${places} address${places === 1 ? '' : 'es'} to look at.${further}`;
  const warnings = [...warningsOf(parsed.config), ...unseenIds(parsed.config)];
  if (json) {
    printJson(io, { ok: true, file, gateway: parsed.config.gateway, places, drivers, warnings });
    return;
  }
  io.out.write(`${file}: good. ${summary}\n`);
  for (const { message, remedy } of warnings)
    io.err.write(`${file}: warning: ${printable(`${message} (${remedy})`)}\n`);
};

const readBytes = (file: string): Uint8Array => {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new AgentError({
      code: 'config.unreadable',
      message: `cannot read ${file}: ${(cause as NodeJS.ErrnoException).code}`,
      remedy: 'name an existing file with -c, or make one: assayer init',
      cause,
    });
  }
};
