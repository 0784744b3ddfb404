import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

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
