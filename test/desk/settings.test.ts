import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { z } from 'zod';
import { configSchema } from '../../agent/config/schema.ts';
import { SETTINGS } from '../../agent/desk/settings.ts';

/** As much of a JSON Schema as says where settings stand. */
interface Shape {
  readonly properties?: { readonly [name: string]: Shape };
  readonly additionalProperties?: Shape | false;
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
}

/** The paths of all settings without settings below them. */
const settingsOf = (
  { properties = {}, additionalProperties, items, anyOf = [] }: Shape,
  path = '',
): readonly string[] => {
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const below = [
    ...Object.entries(properties).flatMap(([name, shape]) => settingsOf(shape, at(name))),
    ...(additionalProperties ? settingsOf(additionalProperties, at('*')) : []),
    ...(items === undefined ? [] : settingsOf(items, at('*'))),
    ...anyOf.flatMap((shape) => settingsOf(shape, path)),
  ];
  return below.length === 0 ? [path] : [...new Set(below)];
};

const settings = settingsOf(z.toJSONSchema(configSchema, { io: 'input' }) as Shape);

/** Whether a setting is that of a row, or lies under it; any member of a map may have a row of its own. */
const isUnder = (setting: string, row: string): boolean => {
  const [names, of] = [setting.split('.'), row.split('.')];
  return of.every((name, at) => names[at] === name || names[at] === '*');
};

suite('who tells of an edit of which setting', () => {
  test('the settings of the schema are seen, down to the last', () => {
    for (const known of ['log_level', 'devices.*.host', 'devices.*.ports.http', 'tenants.*.devices.*.labels.*'])
      assert.ok(settings.includes(known), known);
    assert.ok(settings.length > 100, String(settings.length));
  });

  test('every setting has a row: a new one is put into the table before it can be edited in silence', () => {
    const rows = Object.keys(SETTINGS);
    assert.deepEqual(
      settings.filter((setting) => !rows.some((row) => isUnder(setting, row))),
      [],
    );
    assert.ok(!rows.some((row) => isUnder('devices.*.newly_added', row)), 'an entry of devices has no row as a whole');
  });

  test('every row is about a setting, and says by a part, a place or a reason who tells of it', () => {
    for (const [row, teller] of Object.entries(SETTINGS)) {
      assert.ok(
        settings.some((setting) => isUnder(setting, row)),
        row,
      );
      const { kind: _, ...says } = teller;
      assert.ok(
        Object.values(says).every((value) => value !== ''),
        row,
      );
    }
  });
});
