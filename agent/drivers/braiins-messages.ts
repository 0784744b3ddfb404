import type { Message } from './driver.ts';

/**
 * Answers of Braiins OS over gRPC: of the messages of `bos-plus-api` (`proto/bos/v1`) the fields that a fact is read from,
 * with the names that the REST API gives them too. From when each is there, by version of the API.
 */

/** `PsuInfo` of `miner.proto`. */
const PSU: Message = { 3: ['serial_number', 'text'], 4: ['model_name', 'text'] };

/** `GetMinerDetailsResponse` of `miner.proto`. */
export const DETAILS: Message = {
  // 1.0.0-alpha
  7: ['mac_address', 'text'],
  // 1.1.0
  13: ['kernel_version', 'text'],
  // After 1.4.0
  14: ['psu_info', PSU],
  15: ['control_board_soc_family', 'number'],
  16: ['serial_number', 'text'],
};

/** `IpNetwork` of `network.proto`. */
const NETWORK: Message = { 1: ['address', 'text'], 2: ['netmask', 'text'] };

/** `GetNetworkInfoResponse` of `network.proto`; the method came with 1.1.0. */
export const NETWORK_INFO: Message = {
  5: ['dns_servers', 'text', 'list'],
  6: ['networks', NETWORK, 'list'],
  7: ['default_gateway', 'text'],
};
