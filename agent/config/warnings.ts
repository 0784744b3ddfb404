import { setByHolder } from '../../shared/open-values.ts';
import { parseEndpoint } from '../appraise/pool-url.ts';
import { machineKey, positionId } from '../schedule/places.ts';
import { seldomLooks } from './cadence.ts';
import { allowLists, type Contradiction, hasRange, idsOfNoHost, shownToAll } from './meaning.ts';
import { shadowedRanges } from './overlaps.ts';
import type { Config } from './schema.ts';

/** What works, and hardly is what the operator wants. */
export const warningsOf = (config: Config): readonly Omit<Contradiction, 'path'>[] => [
  ...shownToAll(config),
  ...listedTwice(config),
  ...shadowedRanges(config),
  ...seldomLooks(config),
  ...openLists(config),
  ...openAccounts(config),
];

/** Most names in a sentence. */
const MOST_NAMES = 6;

/**
 * Positions of one address that are most likely one machine. That they are not only who wired them knows: a WhatsMiner needs no more than
 * a port of its own for API 3.
 */
export const listedTwice = ({ devices }: Pick<Config, 'devices'>): readonly Omit<Contradiction, 'path'>[] =>
  [
    ...Map.groupBy(
      devices.filter((entry) => 'host' in entry),
      ({ host, ports }) => machineKey(host, ports),
    ).values(),
  ].flatMap((entries) => {
    const [first] = entries;
    if (first === undefined || entries.length === 1) return [];
    const { host, ports } = first;
    const ids = entries.map(positionId);
    const more = ids.length > MOST_NAMES ? ` and ${ids.length - MOST_NAMES} more` : '';
    return [
      {
        message: `${host.toLowerCase()} is ${ids.slice(0, MOST_NAMES).join(', ')}${more} with the same ports, cgminer ${ports.cgminer} and http ${ports.http}: if that is one machine it counts as ${ids.length} devices, each with a history, findings and log-ins of its own; they are asked one after the other`,
        remedy:
          'list the machine once; where several stand behind this address give each an http or cgminer port of its own, ports: { http: 8081 }, also where nothing listens there',
      },
    ];
  });

/** The same where nobody looks into the store: whether a machine of a range has these ids only that tells. */
export const unseenIds = (config: Config): readonly Omit<Contradiction, 'path'>[] => {
  const ids = new Set(hasRange(config) ? idsOfNoHost(config).map(({ id }) => id) : []);
  if (ids.size === 0) return [];
  return [
    {
      message: `no host entry has the id ${[...ids].join(', ')}, which tenants have devices by: it has to be that of a machine in a range`,
      remedy: 'assayer doctor says which of them no device has; ids come from the machines there: assayer status',
    },
  ];
};

type Line = NonNullable<Config['pools']['allow']>[number];

/** Lists of pools with a line under which no pool is strange. */
const openLists = (config: Config): readonly Omit<Contradiction, 'path'>[] =>
  allowLists(config)
    .filter(([, allow]) => allow.some(allowsAll))
    .map(([path]) => ({
      message: `${path.join('.')} has a line that allows every pool for every user: no pool is found to be outside of it`,
      remedy: 'name the pools, "*.pool.example", or at least the account, user: "acme.*"; or leave the list out',
    }));

/** A scheme or a port alone keeps nobody out. */
const allowsAll = ({ url, user }: Line): boolean => {
  const { account, host, path } = parseEndpoint(url);
  return host === '*' && account === undefined && path === '' && (user === undefined || /^\*+$/.test(user));
};

/** Lists of pools with users whose account is as good as anybody's. */
const openAccounts = (config: Config): readonly Omit<Contradiction, 'path'>[] =>
  allowLists(config).flatMap(([path, allow]) =>
    [...new Set(allow.flatMap(({ user = '' }) => (setByHolder(user).length === 0 ? [] : [user])))].map((user) => ({
      message: `${path.join('.')} has ${user}, whose account is made of ${setByHolder(user).join(', ')}, which whoever holds a machine can set: any account that fits it is allowed there`,
      remedy:
        'name the account, and write what the machine says of itself behind it, user: "acme.{hostname}"; a label, {serial} or {mac} may stand in the account',
    })),
  );
