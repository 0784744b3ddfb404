import type { Assignment } from '../appraise/tenancy.ts';
import type { Config } from '../config/schema.ts';
import { parseRange } from './range.ts';

/** What says whose a device is. */
export interface Assignable {
  readonly id: string;
  readonly address: string;
  /** As the configuration has them. */
  readonly labels: { readonly [name: string]: string };
}

type Entry = Config['tenants'][string]['devices'][number];

interface Rule extends Assignment {
  readonly fits: (device: Assignable) => boolean;
}

/**
 * Which tenant a device works for, and when: the entries of `tenants.<name>.devices` that fit it and are in force, of these the
 * one that began last; without one, its label `tenant`.
 */
export class Tenants {
  readonly #rules: readonly Rule[];
  /** When an entry begins or ends, in order, Unix milliseconds. */
  readonly #turnsMs: readonly number[];
  /** What was found out since the last turn, by device. */
  readonly #known = new Map<string, { readonly address: string; readonly assignment: Assignment | undefined }>();
  #knownEpoch = -1;
  readonly #labelled = new WeakMap<Assignable['labels'], Map<string | undefined, Assignable['labels']>>();

  constructor({ tenants }: Pick<Config, 'tenants'>) {
    this.#rules = Object.entries(tenants)
      .flatMap(([tenant, { devices }]) => devices.map((entry) => ruleOf(tenant, entry)))
      // Stable: of those that begin together the first of the file.
      .sort((a, b) => (b.fromMs ?? 0) - (a.fromMs ?? 0));
    const turns = this.#rules.flatMap(({ fromMs, untilMs }) => [fromMs ?? [], untilMs ?? []].flat());
    this.#turnsMs = [...new Set(turns)].sort((a, b) => a - b);
  }

  /** How many entries have begun or ended by then: changes whenever anybody's tenant may. */
  epoch(nowMs: number): number {
    const next = this.#turnsMs.findIndex((atMs) => atMs > nowMs);
    return next === -1 ? this.#turnsMs.length : next;
  }

  of(device: Assignable, nowMs: number): Assignment | undefined {
    const { tenant } = device.labels;
    if (this.#rules.length === 0) return tenant === undefined ? undefined : { tenant };
    const epoch = this.epoch(nowMs);
    if (epoch !== this.#knownEpoch) this.#known.clear();
    this.#knownEpoch = epoch;
    const known = this.#known.get(device.id);
    if (known !== undefined && known.address === device.address) return known.assignment;
    const rule = this.#rules.find((one) => isInForce(one, nowMs) && one.fits(device));
    const assignment = rule === undefined ? labelled(tenant) : termsOf(rule);
    this.#known.set(device.id, { address: device.address, assignment });
    return assignment;
  }

  /** The labels of a device as statements carry them: with the tenant that it works for now. */
  labelsOf(device: Assignable, nowMs: number): Assignable['labels'] {
    if (this.#rules.length === 0) return device.labels;
    const tenant = this.of(device, nowMs)?.tenant;
    if (tenant === device.labels.tenant) return device.labels;
    const made = this.#labelled.get(device.labels) ?? new Map<string | undefined, Assignable['labels']>();
    this.#labelled.set(device.labels, made);
    const { tenant: _, ...others } = device.labels;
    return made.getOrInsertComputed(tenant, () => (tenant === undefined ? others : { ...others, tenant }));
  }
}

const labelled = (tenant: string | undefined): Assignment | undefined =>
  tenant === undefined ? undefined : { tenant };

const termsOf = ({ tenant, fromMs, untilMs }: Rule): Assignment => ({
  tenant,
  ...(fromMs === undefined ? {} : { fromMs }),
  ...(untilMs === undefined ? {} : { untilMs }),
});

const isInForce = ({ fromMs = 0, untilMs = Number.POSITIVE_INFINITY }: Assignment, nowMs: number): boolean =>
  fromMs <= nowMs && nowMs < untilMs;

/** Every member that an entry has must fit. */
const ruleOf = (tenant: string, { device, range, labels = {}, from, until }: Entry): Rule => {
  const parsed = range === undefined ? undefined : parseRange(range);
  const addresses = parsed?.kind === 'good' ? new Set(parsed.addresses) : undefined;
  const wanted = Object.entries(labels);
  return {
    tenant,
    ...(from === undefined ? {} : { fromMs: Date.parse(from) }),
    ...(until === undefined ? {} : { untilMs: Date.parse(until) }),
    fits: (one) =>
      (device === undefined || device === one.id) &&
      (range === undefined || addresses?.has(one.address) === true) &&
      wanted.every(([name, value]) => one.labels[name] === value),
  };
};
