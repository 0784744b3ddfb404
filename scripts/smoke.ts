/**
 * `npm run smoke`: builds the binaries if the sources changed since, and lets them do the whole job alone. The same tests are part
 * of `npm test`.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const words = ['scripts/test.ts', '--no-coverage', 'test/journeys/binary.test.ts'];
process.exitCode = spawnSync(process.execPath, words, { cwd: root, stdio: 'inherit' }).status ?? 1;
