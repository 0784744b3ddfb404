import { type FeePool, present } from '../../shared/facts.ts';
import type { JsonObject } from '../probe/capture.ts';
import { lastShareAge, shareDifficulty, sumOfRows } from './cgminer-api.ts';
import { type PoolMembers, poolList } from './pools.ts';
import { asArray, asObject, at, integer, type MemberName, memberIn, type Reader, whenPresent } from './readers.ts';

/** Runtime pool lists in which the firmware shows the pools that it mines for its maker: they are never the operator's. */

/** Tells a row of the maker's. */
export type FeeTest = (row: JsonObject) => boolean;

/** Firmware puts its maker's pools behind all that an operator can have. */
export const priorityFrom =
  (least: number, name: MemberName = 'Priority'): FeeTest =>
  (row) => {
    const priority = memberIn(row, name, integer);
    return priority.kind === 'present' && priority.value >= least;
  };

/** The list without the maker's rows. A row that is none is left to the reader. */
export const operatorPools =
  <T>(isFee: FeeTest, reader: Reader<T>): Reader<T> =>
  (list) =>
    reader(
      asArray(list)?.filter((row) => {
        const object = asObject(row);
        return object === undefined || !isFee(object);
      }) ?? list,
    );

/** A reply of port 4028 without the maker's rows of its POOLS. */
const inOperatorPools =
  <T>(isFee: FeeTest, read: Reader<T>): Reader<T> =>
  (reply) => {
    const object = asObject(reply);
    return object === undefined
      ? read(reply)
      : operatorPools(isFee, (rows) => read({ ...object, POOLS: rows }))(object.POOLS ?? null);
  };

/**
 * What port 4028 says of shares, for the operator's pools alone. SUMMARY counts those for the maker with them, so that a
 * machine which works for its maker only would look as if all were well.
 */
export const operatorShares = (isFee: FeeTest) => ({
  'telemetry.accepted': at('pools', '/POOLS', operatorPools(isFee, sumOfRows('Accepted'))),
  'telemetry.rejected': at('pools', '/POOLS', operatorPools(isFee, sumOfRows('Rejected'))),
  'telemetry.last_share_age_s': at('pools', '', inOperatorPools(isFee, lastShareAge('Last Share Time'))),
  'telemetry.share_difficulty': at('pools', '/POOLS', operatorPools(isFee, shareDifficulty)),
});

/**
 * The maker's rows of a list that can be read whole: a row that cannot may be one of them. None is an answer, too: one that
 * comes later was not there before.
 */
export const feePools =
  (isFee: FeeTest, members: PoolMembers): Reader<readonly FeePool[]> =>
  (list) =>
    whenPresent(poolList(members)(list), () => {
      const fees = (asArray(list) ?? []).filter((row) => isFee(asObject(row) ?? {}));
      if (fees.length === 0) return present([]);
      return whenPresent(poolList(members)(fees), (slots) =>
        present(slots.map(({ url, user }) => (user === undefined ? { url } : { url, user }))),
      );
    });
