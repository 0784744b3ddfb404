import { BlockList, isIP } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

/**
 * The address of this machine on the network that `address` belongs to: what a device there sees us as. Undefined where a
 * router stands between, which may put any address in its place.
 */
export const vantageTo = (
  address: string,
  interfaces: readonly NetworkInterfaceInfo[] = Object.values(networkInterfaces()).flatMap((list) => list ?? []),
): string | undefined => {
  if (isIP(address) === 0) return undefined;
  const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
  return interfaces.find((one) => one.family.toLowerCase() === family && isOn(one, address, family))?.address;
};

const isOn = ({ address: own, cidr }: NetworkInterfaceInfo, address: string, family: 'ipv4' | 'ipv6'): boolean => {
  if (cidr === null) return false;
  const network = new BlockList();
  network.addSubnet(own, Number(cidr.slice(cidr.indexOf('/') + 1)), family);
  return network.check(address, family);
};
