import { payeeOf } from '../../shared/pool-user.ts';

/** Users of pools as findings compare and merge them. */

/** A value with each user cut down to its account, where it tells one; `isUser` where a text is one. */
export const byAccount = (value: unknown, isUser: boolean): unknown => {
  if (typeof value === 'string') return isUser ? payeeOf(value) : value;
  if (Array.isArray(value)) return value.map((item) => byAccount(item, false));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, byAccount(member, name === 'user')]));
};

const SEPARATORS = ['.', 'x', '-', '_'];

/** How workers are commonly named after an address: its last octets, joined by one of a few characters. Longest first. */
export const addressSpellings = (address: string): readonly string[] => {
  const octets = address.split('.');
  if (octets.length !== 4) return [];
  return [4, 3, 2, 1].flatMap((count) => SEPARATORS.map((separator) => octets.slice(-count).join(separator)));
};

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Whether two workers follow one template made of the device's own address: `rig.14x7` and, after a move, `rig.14x9`. */
export const sameTemplate = (before: string, after: string, address: string): boolean =>
  addressSpellings(address).some((spelling) => {
    const at = after.lastIndexOf(spelling);
    if (at === -1) return false;
    const numbers = escaped(spelling).replace(/\d+/g, '\\d{1,3}');
    const [head, tail] = [after.slice(0, at), after.slice(at + spelling.length)];
    return new RegExp(`^${escaped(head)}${numbers}${escaped(tail)}$`).test(before);
  });
