import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configJsonSchema } from '../../agent/cli/check-config.ts';
import { configurationPage } from '../../scripts/docs/configuration.ts';

interface Node {
  readonly properties?: { readonly [name: string]: Node };
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
}

/** Every setting that has no settings in it, as the page spells its path. */
const leaves = (node: Node, path: string): readonly string[] => {
  const { properties, additionalProperties: entry, items, anyOf } = node;
  if (anyOf !== undefined) return anyOf.flatMap((one) => leaves(one, path));
  if (properties !== undefined)
    return Object.entries(properties).flatMap(([name, one]) => leaves(one, path === '' ? name : `${path}.${name}`));
  if (items !== undefined && hasSettings(items)) return leaves(items, `${path}[]`);
  if (typeof entry === 'object' && hasSettings(entry)) return leaves(entry, `${path}.<name>`);
  return [path];
};

const hasSettings = ({ properties, anyOf }: Node): boolean => properties !== undefined || anyOf !== undefined;

test('every setting, however deep, stands on the page with what it takes and means', () => {
  const schema = configJsonSchema();
  const rows = configurationPage(schema).split('\n');
  const all = [...new Set(leaves(schema as Node, ''))];
  assert.ok(all.length > 100 && all.includes('provenance.lists.<name>.maker'), all.join(' '));
  for (const path of all) {
    const row = rows.find((line) => line.startsWith(`| \`${path}\` |`)) ?? '';
    const [, , kind = '', , meaning = ''] = row.split(/(?<!\\)\|/).map((cell) => cell.trim());
    assert.ok(kind !== '' && kind !== 'list' && meaning !== '', `${path}: ${row}`);
  }
});
