import ipaddr from 'ipaddr.js';

/** Loopback by address, or the one name that RFC 6761 reserves for it. What goes there leaves this host never. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || (isAddress(host) && ipaddr.process(host).range() === 'loopback');

/** Only the usual form of an address: others mean different things to different programs. */
const isAddress = (host: string): boolean => ipaddr.IPv4.isValidFourPartDecimal(host) || ipaddr.IPv6.isValid(host);
