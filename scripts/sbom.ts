import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '..');

interface Sbom {
  readonly metadata: { readonly component: { readonly 'bom-ref': string } };
  readonly components: readonly object[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

/** Writes the CycloneDX bill of materials: the production dependencies as locked, and the Node they run on. */
export const writeSbom = async (file: string, nodeVersion: string): Promise<void> => {
  await promisify(execFile)(
    process.execPath,
    [
      join(root, 'node_modules', '@cyclonedx', 'cyclonedx-npm', 'bin', 'cyclonedx-npm-cli.js'),
      ...['--package-lock-only', '--omit', 'dev', '--omit', 'optional', '--output-reproducible'],
      ...['--mc-type', 'application', '--output-format', 'JSON', '--output-file', file],
    ],
    { cwd: root, timeout: PATIENCE_MS },
  );
  // Written by the tool above.
  const sbom = JSON.parse(await readFile(file, 'utf8')) as Sbom;
  await writeFile(file, `${JSON.stringify(withNode(sbom, nodeVersion), null, 2)}\n`);
};

const PATIENCE_MS = 120_000;

const withNode = (sbom: Sbom, version: string): Sbom => {
  const node = nodeComponent(version);
  const subject = sbom.metadata.component['bom-ref'];
  return {
    ...sbom,
    components: [...sbom.components, node],
    dependencies: [
      ...sbom.dependencies.map((edge) =>
        edge.ref === subject ? { ...edge, dependsOn: [...(edge.dependsOn ?? []), node['bom-ref']] } : edge,
      ),
      { ref: node['bom-ref'] },
    ],
  };
};

const nodeComponent = (version: string) => ({
  type: 'platform',
  'bom-ref': `node@${version}`,
  name: 'node',
  version,
  description: 'JavaScript runtime, inside the binary',
  licenses: [{ license: { id: 'MIT' } }],
  cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:-:*:*:*`,
  purl: `pkg:generic/node@${version}`,
});
