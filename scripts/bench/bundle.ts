import { join } from 'node:path';
import { build } from 'esbuild';
import { NATIVE } from '../bundle.ts';

/** Lets packages that call `require` run inside a module. */
const BANNER = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;

/**
 * One file of `entry` (relative to the repository) and everything it imports, in `folder`. What is measured runs as it is
 * delivered: Node's own removal of types alone would cost 50 MB and a tenth of a second.
 */
export const bundle = async (entry: string, folder: string): Promise<string> => {
  const outfile = join(folder, `${entry.replaceAll(/[/.]/g, '-')}.mjs`);
  await build({
    entryPoints: [join(import.meta.dirname, '..', '..', entry)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node26',
    external: [...NATIVE],
    banner: { js: BANNER },
    logLevel: 'warning',
  });
  return outfile;
};
