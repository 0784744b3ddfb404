import { createHash } from 'node:crypto';
import { canonicalJson } from '../../shared/jcs.ts';
import type { DeviceState } from '../appraise/device.ts';
import { poolsBefore } from '../appraise/replaced.ts';
import { keptFacts } from '../baseline/kept.ts';
import { type Difference, diffReference, only } from '../baseline/reference.ts';
import type { Adoption } from '../record/orders.ts';
import type { Settled } from './adoption.ts';
import { type OpenFinding, openFinding } from './preview.ts';

/** What a person at the gateway is shown of a document before it comes into force, and what is said of it afterwards. */

/** A device that the document names by an attestation, or of which it ends findings. */
export interface AdoptedDevice {
  readonly device: string;
  /** Where what the document approves of it is another value than its reference has: attestations of which the gateway has the values. */
  readonly differences: readonly Difference[];
  readonly findings: readonly OpenFinding[];
}

/** All of them, and a text that is another one when the adoption would end other findings. */
export interface AdoptionPreview {
  readonly devices: readonly AdoptedDevice[];
  readonly ends: string;
}

/** A finding that an adoption ended. */
export type EndedFinding = Omit<OpenFinding, 'closes'> & { readonly device: string };

/** What the adoption would come to. */
export const previewAdoption = (
  { entries, settles }: Pick<Adoption, 'entries' | 'settles'>,
  settled: Settled,
  { state, people }: { readonly state: (device: string) => DeviceState | undefined; readonly people: number },
): AdoptionPreview => ({
  devices: [...new Set([...entries.map(({ device }) => device), ...settles])].flatMap((device) => {
    const known = state(device);
    if (known === undefined) return [];
    const own = entries.filter((entry) => entry.device === device);
    const covered = settled.get(device) ?? [];
    return {
      device,
      differences: own.flatMap((entry) => differencesOf(known, entry)),
      findings: known.tracks
        .filter(({ finding }) => finding.state !== 'provisional')
        .map((track) => openFinding(track, { closes: covered.includes(track), people })),
    };
  }),
  ends: endsText(settled),
});

const differencesOf = (state: DeviceState, { claims, facts }: Adoption['entries'][number]): readonly Difference[] =>
  diffReference(
    { ...keptFacts(state.reference?.facts), ...poolsBefore(state) },
    facts === undefined ? claims : only(claims, facts),
    { adopting: true, absent: state.reference?.absent },
  );

/** What would end, as text: somebody who was asked about it agreed to nothing else. */
export const endsText = (settled: Settled): string => {
  const ending = [...settled].map(([device, tracks]) => [
    device,
    tracks.map(({ finding: { ruleId, part, openedSeq, parent, after } }) => [
      ruleId,
      part ?? null,
      openedSeq ?? parent ?? null,
      after ?? null,
    ]),
  ]);
  return createHash('sha256').update(canonicalJson(ending)).digest('base64url');
};

/** The findings that an adoption ended, each with its device. */
export const endedBy = (settled: Settled, people: number): readonly EndedFinding[] =>
  [...settled].flatMap(([device, tracks]) =>
    tracks.map((track) => {
      const { closes: _, ...finding } = openFinding(track, { closes: true, people });
      return { device, ...finding };
    }),
  );
