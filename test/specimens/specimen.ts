import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { filesOf, recordingParts } from '../../agent/outside/recording.ts';

export { knowsBy, realmOf, replyBytes } from '../../agent/outside/replay.ts';

const { common, look } = recordingParts();

/** `device.json` of a specimen. */
export const deviceSchema = z.union([
  z.strictObject({ ...common, family: z.string(), expect: z.array(look).min(1) }),
  z.strictObject({ ...common, passive: z.literal(true) }),
]);

export type SpecimenDevice = z.infer<typeof deviceSchema>;

/** A device that exists only here, with the bytes of its replies by file name. */
export interface Specimen {
  /** Folder of the family and of the case: `antminer-stock/s21`. */
  readonly name: string;
  readonly device: SpecimenDevice;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

const root = dirname(fileURLToPath(import.meta.url));

const folders = (path: string): readonly string[] =>
  readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();

const loadSpecimen = (name: string): Specimen => {
  const folder = join(root, name);
  const device = deviceSchema.parse(JSON.parse(readFileSync(join(folder, 'device.json'), 'utf8')));
  const files = new Map(filesOf(device).map((file) => [file, new Uint8Array(readFileSync(join(folder, file)))]));
  return { name, device, files };
};

/** Every specimen, in order of its name. Throws where a folder is wrong, so that none is skipped. */
export const loadSpecimens = (): readonly Specimen[] =>
  folders(root).flatMap((family) => folders(join(root, family)).map((name) => loadSpecimen(`${family}/${name}`)));
