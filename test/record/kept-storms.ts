import type { KeptStorm } from '../../agent/record/tables/storms.ts';

/** The tables of storms, in memory. */
export class KeptStorms {
  readonly #storms = new Map<number, KeptStorm<string>>();
  readonly #members = new Map<number, Map<string, string>>();
  /** Members that were written or removed so far. */
  written = 0;

  saveStorm(storm: KeptStorm<string>): void {
    this.#storms.set(storm.id, storm);
  }

  removeStorm(id: number): void {
    this.#storms.delete(id);
    this.#members.delete(id);
  }

  saveMember(storm: number, name: string, member: string): void {
    this.written += 1;
    const members = this.#members.get(storm) ?? new Map<string, string>();
    this.#members.set(storm, members.set(name, member));
  }

  removeMember(storm: number, name: string): void {
    this.written += 1;
    this.#members.get(storm)?.delete(name);
  }

  storms<T>(read: (storm: string) => T): readonly KeptStorm<T>[] {
    return [...this.#storms.values()].map(({ storm, ...kept }) => ({ ...kept, storm: read(storm) }));
  }

  members<T>(storm: number, read: (member: string) => T): readonly (readonly [string, T])[] {
    return [...(this.#members.get(storm) ?? [])].map(([name, member]) => [name, read(member)] as const);
  }
}
