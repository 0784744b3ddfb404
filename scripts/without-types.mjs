/**
 * Loaded first by every Node process of a test run (`--import`), agents that tests start included. Taking the types out of
 * the sources and looking for them is half of the start of a process, and a run starts thousands: `scripts/test.ts` takes
 * them out once, into the folder that `from` names, and here the result is what is loaded. Lines and columns stay, so stacks
 * and coverage do, too. Anything that is not there is left to Node.
 *
 * Where coverage is counted, it is counted in libraries as well, and scrypt in JavaScript, made to be slow, then takes seven
 * times as long: there the scrypt of Node takes its place, which gives the same key.
 */
import { readFileSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const root = new URL('..', import.meta.url).href;
const folder = new URL(import.meta.url).searchParams.get('from');

const isOurs = (name) => name.startsWith(root) && name.endsWith('.ts');

/** The source without types; undefined where there is none. */
const withoutTypes = (url) => {
  try {
    return readFileSync(`${folder}/${fileURLToPath(url).slice(fileURLToPath(root).length)}`, 'utf8');
  } catch {
    return undefined;
  }
};

const SCRYPT = `
import { scryptSync } from 'node:crypto';
export const scrypt = (password, salt, { dkLen, ...cost }) =>
  new Uint8Array(scryptSync(password, salt, dkLen, { ...cost, maxmem: 2 ** 30 }));
`;
const isSlow = (url) => process.env.NODE_V8_COVERAGE !== undefined && url.endsWith('/@noble/hashes/scrypt.js');

// Not every Node has hooks: npm may run with another one.
module.registerHooks?.({
  resolve: (name, context, next) => {
    const url =
      /^\.\.?\//.test(name) && context.parentURL?.startsWith(root) ? new URL(name, context.parentURL).href : '';
    return isOurs(url) ? { url, shortCircuit: true } : next(name, context);
  },
  load: (url, context, next) => {
    const source = isSlow(url) ? SCRYPT : isOurs(url) ? withoutTypes(url) : undefined;
    return source === undefined ? next(url, context) : { format: 'module', source, shortCircuit: true };
  },
});
