import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Driver } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { parseDriver } from '../../agent/outside/load.ts';
import { compileAllowList } from '../../agent/probe/allow.ts';
import { IDENTIFICATION } from '../../agent/probe/identify.ts';
import { deviceSchema, type Specimen } from '../specimens/specimen.ts';

const PAGE = join(import.meta.dirname, '..', '..', 'docs', 'write-a-driver.md');

/** The files of the example in docs/write-a-driver.md, verbatim, by name. */
export const EXAMPLE: ReadonlyMap<string, string> = new Map(
  [...readFileSync(PAGE, 'utf8').matchAll(/^```[a-z]+ (\S+)\n(.*?)^```$/gms)].map(([, name = '', text = '']) => [
    name,
    text,
  ]),
);

assert.ok(EXAMPLE.has('driver.yaml') && EXAMPLE.has('device.json') && EXAMPLE.size > 5, 'the page has its example');

/** The driver of the example. */
export const ACME = EXAMPLE.get('driver.yaml') ?? '';

/** Writes the example into a new folder below `parent`, and gives it. */
export const writeExample = (parent: string, name = 'acme'): string => {
  const folder = join(parent, name);
  mkdirSync(folder);
  for (const [file, text] of EXAMPLE) writeFileSync(join(folder, file), text);
  return folder;
};

/** The device of the example, for the simulator. */
export const acmeSpecimen = (): Specimen => {
  const device = deviceSchema.parse(JSON.parse(EXAMPLE.get('device.json') ?? ''));
  const files = [...EXAMPLE].map(([file, text]): [string, Uint8Array] => [file, Buffer.from(text)]);
  return { name: 'acme/a1', device, files: new Map(files) };
};

/** The driver of the example, compiled. */
export const acmeDriver = (text: string = ACME): Driver => {
  const parsed = parseDriver(text, DRIVERS);
  assert.ok(parsed.kind === 'good', JSON.stringify(parsed));
  return parsed.driver;
};

/** Everything that an agent with the example may send. */
export const ALLOWED_WITH_ACME: readonly string[] = compileAllowList([...DRIVERS, acmeDriver()], IDENTIFICATION).listed;
