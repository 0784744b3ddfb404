import type { FirmwareComponent } from '../../../shared/facts.ts';
import { defineRule } from '../rule.ts';
import { compareVersions } from '../version.ts';

/** Surfaces of one device disagree about what it is (catalogue 5.2). */
export const firmwareInconsistent = defineRule({
  id: 'firmware.inconsistent',
  title: 'Surfaces disagree about the firmware',
  meaning:
    'Two interfaces of the device, which say the same on a sound one, name different models, programs or versions. Not within a quarter of an hour of a start.',
  benign: ['half-finished update', 'an interface that was replaced alone'],
  severity: 'medium',
  basis: 'multi-surface',
  confirm: 'C3',
  approval: 'A1',
  version: 1,
  against: 'policy',
  reads: ['firmware.components'],
  sees: (what, observed) => saidOf(what, observed['firmware.components'] ?? []).length > 1,
  appraise: ({ 'firmware.components': components }, _approved, { device: { facts } }) => {
    const { 'telemetry.uptime_s': uptime, 'telemetry.elapsed_s': elapsed } = facts;
    if ((uptime ?? elapsed ?? STARTED_S) < STARTED_S) return 'unknown';
    return Object.keys(SAID).flatMap((what) => {
      const said = saidOf(what, components);
      if (said.every(({ value }) => isSame(value, said[0]?.value ?? ''))) return [];
      return [{ part: what, after: said.map(({ name: key, value }) => ({ key, value })) }];
    });
  },
});

const STARTED_S = 900;

/** Components that are one thing, told by several interfaces: those of families whose interfaces agree on every device seen. */
const SAID: { readonly [what: string]: readonly string[] } = {
  // The web pages and port 4028 of Bitmain's lineage (its statistics page names a KS5 Pro a KS5); the program of its relatives.
  model: ['4028.type', 'system.model', 'overview.model', 'program.type'],
  program: ['4028.program', 'system.miner', 'program.version'],
  build: ['4028.build', 'web.build'],
  // Four questions to a WhatsMiner.
  version: ['fw_ver', 'status.firmware_version', 'summary.firmware_version', 'api3.fwversion'],
};

const saidOf = (what: string, components: readonly FirmwareComponent[]): readonly FirmwareComponent[] =>
  components.filter(({ name }) => SAID[what]?.includes(name));

/** VNish names itself behind the model at one interface only; dates are written in several ways. */
const isSame = (a: string, b: string): boolean => {
  const [one, other] = [a, b].map((text) => text.replace(/\s*\([^)]*\)\s*$/, '').trim());
  return compareVersions(one ?? '', other ?? '') === 'same';
};
