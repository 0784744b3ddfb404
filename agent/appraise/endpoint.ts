import type { FirmwareComponent } from '../../shared/facts.ts';
import { type EndpointReading, FILTERED, SILENT, SURFACES, type Surface } from '../probe/capture.ts';
import { type DeviceState, type EndpointMarks, isJustBack, type Track } from './device.ts';
import { remoteControlManagementPortOpen } from './rules/remote-control-management-port-open.ts';
import { isDark } from './rules/visibility-device-dark.ts';
import { isUndecided } from './track.ts';

/** What decides which surfaces of a device a full look reads anew. */
export interface EndpointTurns {
  /** The last turn that the device had for this surface, Unix milliseconds; undefined where it is never to be looked at. */
  readonly lastMs: (surface: Surface) => number | undefined;
  readonly nowMs: number;
  /** Until when a former process looked at devices: what it saw may have been the same as before, and is then not stored. */
  readonly ranUntilMs: number;
}

/**
 * The surfaces that a full look of this device reads anew: each at its turn; all of them after a reboot or a silence, and
 * as long as it is not decided what became of the firmware or which machine it is. A first look reads none, so that a
 * fleet is seen soon.
 */
export const dueSurfaces = (state: DeviceState, turns: EndpointTurns): readonly Surface[] =>
  state.attested === undefined ? NONE : SURFACES.filter((surface) => isDue(surface, state, turns));

const isDue = (surface: Surface, state: DeviceState, { lastMs, nowMs, ranUntilMs }: EndpointTurns): boolean => {
  const turnMs = lastMs(surface);
  if (turnMs === undefined) return false;
  const atS = state.marks.endpoint?.atS[surface];
  if (surface === 'ports' || surface === 'login') return isDueSeldom(surface, atS, turnMs, state, nowMs, ranUntilMs);
  // A time to come is of a clock that was set back since.
  if (atS === undefined || atS > seconds(nowMs) || isUnsure(state)) return true;
  return Math.max(atS * 1000, ranUntilMs) < turnMs || atS * 1000 < (state.rebootsMs.at(-1) ?? 0);
};

/** What is seldom tried has its turn and no other, but for ports while a finding about them is undecided. */
const isDueSeldom = (
  surface: Surface,
  atS: number | undefined,
  turnMs: number,
  { firstSeenMs = 0, tracks }: DeviceState,
  nowMs: number,
  ranUntilMs: number,
): boolean => {
  const inQuestion = (track: Track): boolean =>
    track.finding.ruleId === remoteControlManagementPortOpen.id && isUndecided(track);
  if (surface === 'ports' && tracks.some(inQuestion)) return true;
  const isToCome = atS !== undefined && atS > seconds(nowMs);
  // It was tried, whenever that was: some devices count how often.
  if (surface === 'login' && isToCome) return false;
  const lastMs = atS === undefined || isToCome ? firstSeenMs : atS * 1000;
  return Math.max(lastMs, ranUntilMs) < turnMs;
};

const seconds = (ms: number): number => Math.ceil(ms / 1000);

const isUnsure = (state: DeviceState): boolean =>
  isDark(state) ||
  isJustBack(state) ||
  state.tracks.some((track) => /^(?:firmware|identity)\./.test(track.finding.ruleId) && isUndecided(track));

/** Notes what this look read of the endpoint, and forgets what is not to be looked at any more. */
export const noteEndpoint = (
  state: DeviceState,
  reading: EndpointReading,
  { lastMs, nowMs }: Pick<EndpointTurns, 'lastMs' | 'nowMs'>,
): void => {
  const { marks } = state;
  const known = marks.endpoint?.atS ?? {};
  const off = SURFACES.filter((surface) => known[surface] !== undefined && lastMs(surface) === undefined);
  if (reading.size === 0 && off.length === 0) return;
  const anew = new Set<Surface>([...reading.keys(), ...off]);
  const before = endpointShown(state);
  const shown = [
    ...before.filter(({ name }) => !anew.has(surfaceOf(name))),
    ...[...reading.values()].flat().map((part) => (isSilentAgain(part, before) ? { ...part, value: FILTERED } : part)),
  ];
  const kept = Object.entries(known).filter(([surface]) => !anew.has(surface as Surface));
  const atS = Object.fromEntries([...kept, ...[...reading.keys()].map((surface) => [surface, seconds(nowMs)])]);
  marks.endpoint = { atS, shown: shown.length === 0 ? '' : JSON.stringify(shown) };
};

/**
 * A port that gave no answer once may be one whose packets got lost; of one that gave none twice in a row a firewall keeps
 * everybody away who stands where this gateway does.
 */
const isSilentAgain = ({ name, value }: FirmwareComponent, before: readonly FirmwareComponent[]): boolean =>
  value === SILENT && before.some((part) => part.name === name && (part.value === SILENT || part.value === FILTERED));

/** Every component of an endpoint is named so by the surface that shows it. */
const surfaceOf = (name: string): Surface => SURFACE_OF[name.slice(0, name.indexOf('.'))] ?? 'ssh';

const SURFACE_OF: { readonly [prefix: string]: Surface } = {
  asset: 'web',
  tls: 'tls',
  ssh: 'ssh',
  port: 'ports',
  login: 'login',
};

/** When the surface that shows a component was last read, Unix seconds: 0 where never. Undefined of what is read at every full look. */
export const surfaceReadS = (name: string, endpoint: EndpointMarks | undefined): number | undefined =>
  /^(?:asset|tls|ssh)\./.test(name) ? (endpoint?.atS[surfaceOf(name)] ?? 0) : undefined;

/** All that the endpoint showed, each surface when it was last looked at. */
export const endpointShown = ({ marks: { endpoint } }: DeviceState): readonly FirmwareComponent[] =>
  // Written by `noteEndpoint`.
  endpoint === undefined || endpoint.shown === '' ? NONE : (JSON.parse(endpoint.shown) as FirmwareComponent[]);

/** The surfaces that showed something. */
export const surfacesShown = (state: DeviceState): readonly Surface[] => [
  ...new Set(endpointShown(state).map(({ name }) => surfaceOf(name))),
];

/**
 * Whether a surface was looked at for the first time since `before`: to be stored even where it showed nothing, else the
 * next process would look at the whole fleet again.
 */
export const isFirstReading = ({ marks: { endpoint } }: DeviceState, before: EndpointMarks | undefined): boolean =>
  endpoint !== undefined && Object.keys(endpoint.atS).some((surface) => before?.atS[surface as Surface] === undefined);

const NONE: readonly never[] = [];
