import { hash } from 'node:crypto';
import type { FirmwareComponent } from './facts.ts';
import { canonicalJson } from './jcs.ts';

/** By name: the order in which components are listed and digested. */
export const sortedComponents = (components: readonly FirmwareComponent[]): readonly FirmwareComponent[] =>
  components.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));

/** `firmware.fingerprint` of sorted components: SHA-256 (b64u) of their canonical form. */
export const fingerprintOf = (components: readonly FirmwareComponent[]): string =>
  hash('sha256', canonicalJson(components), 'base64url');
