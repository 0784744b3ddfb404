import ipaddr from 'ipaddr.js';

/** The addresses of a `range` entry, in order, or why it is not one. At most 65 536: a larger one is split by the operator. */
export type Range =
  | { readonly kind: 'good'; readonly addresses: readonly string[] }
  | { readonly kind: 'bad'; readonly message: string; readonly remedy: string };

const MOST_ADDRESSES = 65_536;

/** Parses `10.20.14.0/24` (network and broadcast address left out above /31), `10.20.14.10-10.20.14.90` or one address. */
export const parseRange = (text: string): Range => {
  const bounds = text.includes('/') ? blockBounds(text) : pairBounds(text);
  if (bounds === undefined)
    return bad(`"${text}" is not a range of IPv4 addresses`, 'write 10.20.14.0/24 or 10.20.14.10-10.20.14.90');
  const [first, last] = bounds;
  if (last < first) return bad(`"${text}" ends before it begins`, 'write the lower address first');
  const count = last - first + 1;
  if (count > MOST_ADDRESSES)
    return bad(`"${text}" has ${count} addresses`, `split it: at most ${MOST_ADDRESSES} in one range`);
  const nowhere = [first, last].map(dotted).find(isNoDevice);
  if (nowhere !== undefined) return { kind: 'bad', ...noDevice(nowhere) };
  return { kind: 'good', addresses: Array.from({ length: count }, (_, index) => dotted(first + index)) };
};

const bad = (message: string, remedy: string): Range => ({ kind: 'bad', message, remedy });

const blockBounds = (text: string): [number, number] | undefined => {
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(text)) return undefined;
  const bits = ipaddr.IPv4.parseCIDR(text)[1];
  const first = numeric(ipaddr.IPv4.networkAddressFromCIDR(text).toString());
  const last = numeric(ipaddr.IPv4.broadcastAddressFromCIDR(text).toString());
  return bits >= 31 ? [first, last] : [first + 1, last - 1];
};

const pairBounds = (text: string): [number, number] | undefined => {
  const [first, last = first, ...rest] = text.split('-').map((part) => part.trim());
  if (first === undefined || last === undefined || rest.length > 0) return undefined;
  if (!ipaddr.IPv4.isValidFourPartDecimal(first) || !ipaddr.IPv4.isValidFourPartDecimal(last)) return undefined;
  return [numeric(first), numeric(last)];
};

const numeric = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

const dotted = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');

/** Addresses at which no device can be: this network, multicast, what is reserved, and broadcast (RFC 6890); of IPv6 likewise. */
export const isNoDevice = (text: string): boolean => {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return /^(?:0|22[4-9]|2[3-5]\d)\./.test(text);
  return ipaddr.IPv6.isValid(text) && ['unspecified', 'multicast'].includes(ipaddr.IPv6.parse(text).range());
};

/** What to say of an address that no device can have. */
export const noDevice = (address: string): { readonly message: string; readonly remedy: string } => ({
  message: `no device can have the address ${address}`,
  remedy: 'write the address at which the device is asked, for example 10.20.15.7',
});

/**
 * How this program spells an address. With two spellings of one, its machine would be asked twice at a time and have two histories. A name
 * stays as it is.
 */
export const asSpelledHere = (host: string): string =>
  ipaddr.IPv4.isValidFourPartDecimal(host) || ipaddr.IPv6.isValid(host) ? ipaddr.process(host).toString() : host;

/** An address, or a name; what looks like an IPv4 address is none unless it has its four parts. */
export const isHost = (text: string): boolean =>
  /^[\d.]+$/.test(text)
    ? ipaddr.IPv4.isValidFourPartDecimal(text)
    : ipaddr.IPv6.isValid(text) || /^[a-z0-9_]([a-z0-9_.-]{0,252}[a-z0-9_])?$/i.test(text);
