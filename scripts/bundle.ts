import { readFile, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';

const root = join(import.meta.dirname, '..');

/** Packages that a library looks for and does without: it asks inside a `try`. */
const DISPENSABLE: ReadonlySet<string> = new Set([
  './crypto/build/Release/sshcrypto.node',
  'bufferutil',
  'cpu-features',
  'macos-temperature-sensor',
  'osx-temperature-sensor',
  'pg-native',
  'supports-color',
  'utf-8-validate',
]);

/** Native code that its package does without, and that no install script may compile. */
export const NATIVE: readonly string[] = ['*/sshcrypto.node', 'cpu-features'];

/** Writes the agent and everything it imports as one CommonJS file, which is what Node embeds. Returns the file. */
export const bundleAgent = async (folder: string): Promise<string> => {
  const outfile = join(folder, 'assayer.cjs');
  const { metafile, outputFiles } = await build({
    write: false,
    absWorkingDir: root,
    entryPoints: ['agent/main.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node26',
    format: 'cjs',
    metafile: true,
    external: [...NATIVE],
    logLevel: 'warning',
    // Names stay, for stack traces, and so do lines.
    minifyWhitespace: true,
    minifySyntax: true,
    plugins: [ENGLISH_ONLY, AT_ONCE],
    lineLimit: 120,
    define: { 'import.meta.url': 'bundleUrl' },
    banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
  });
  const missing = outside(metafile);
  if (missing.length > 0) throw new Error(`not in the bundle and not in Node: ${missing.join(', ')}`);
  for (const { text } of outputFiles) await writeFile(outfile, inAscii(text), { mode: 0o755 });
  return outfile;
};

/** The messages of zod in forty languages are a sixteenth of the bundle, which whoever runs it holds more than once. */
const ENGLISH_ONLY: Plugin = {
  name: 'english-only',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};

/**
 * Verbs are loaded where they are typed. In one file that would save nothing, and cost a start: what comes later is a function there, and the
 * code that Node compiles into the binary is that of the top level.
 */
const AT_ONCE: Plugin = {
  name: 'at-once',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]agent[\\/]cli[\\/]program\.ts$/ }, async ({ path }) => {
      const verbs: string[] = [];
      const text = (await readFile(path, 'utf8')).replace(
        /\bimport\(('[^']+')\)/g,
        (_, file: string) => `verb${verbs.push(file) - 1}`,
      );
      const imports = verbs.map((file, index) => `import * as verb${index} from ${file};\n`);
      return { contents: `${imports.join('')}${text}`, loader: 'ts' };
    });
  },
};

/** V8 keeps a text with one other character in twice the memory. esbuild leaves those of regular expressions. */
const inAscii = (text: string): string =>
  text.replace(/[^\0-\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** What the bundle would still load at run time, beyond Node's own modules: nothing is installed beside the binary. */
const outside = ({ outputs }: Metafile): readonly string[] =>
  Object.values(outputs)
    .flatMap(({ imports }) => imports)
    .filter(({ path, external }) => external === true && !isBuiltin(path) && !DISPENSABLE.has(path))
    .map(({ path }) => path);
