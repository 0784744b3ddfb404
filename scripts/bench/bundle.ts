import { join } from 'node:path';
import { build } from 'esbuild';
import { NATIVE } from '../bundle.ts';

/** Lets packages that call `require` run inside a module. */
const BANNER = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;

/**
 * `worker.ts` and everything it imports as one file in `folder`. What is measured runs as it is delivered: Node's own
 * removal of types alone would cost 50 MB and a tenth of a second.
 */
export const bundleWorker = async (folder: string): Promise<string> => {
  const outfile = join(folder, 'worker.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'worker.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node26',
    minifyWhitespace: true,
    lineLimit: 120,
    external: [...NATIVE],
    banner: { js: BANNER },
    logLevel: 'warning',
  });
  return outfile;
};
