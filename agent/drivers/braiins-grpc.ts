import { inBos, inStatic } from './braiins-graphql.ts';
import { DETAILS, NETWORK_INFO } from './braiins-messages.ts';
import { hasNoRest, inDetails } from './braiins-rest.ts';
import { type GrpcLogin, grpc, PASSWORD, type Replies, USER } from './driver.ts';
import { firstOf, type Reader, text } from './readers.ts';
import { ifServed } from './served.ts';

/**
 * gRPC of Braiins OS, from 23.03 on, for what no other surface tells where there is no REST API. Its documents have the names
 * of the REST API.
 */

/** A fact of the machine. */
export const inCall = <T>(pointer: string, reader: Reader<T>) => ifServed('grpc_details', pointer, reader);

/** A fact of the network. */
export const inCallOfNetwork = <T>(pointer: string, reader: Reader<T>) => ifServed('grpc_network', pointer, reader);

/** The full name of the build, by the surfaces that tell it without gRPC. */
export const VERSIONS = [inDetails('/bos_version/current', text), inBos('/info/version/full', text)] as const;

const fullVersion = firstOf(...VERSIONS);

/** `2024-09-30-0-1b2c3d4e-24.09-plus`. */
const RELEASE = /-(\d\d)\.(\d\d)(?:[.-]|$)/;
const FIRST_WITH_GRPC = 2303;

/** gRPC came with 23.03, and what it tells stands in the REST API where there is one. */
const needsNoCall = (replies: Replies): boolean => {
  if (!hasNoRest(replies)) return true;
  const version = fullVersion.read(replies);
  if (version.kind !== 'present') return true;
  const release = RELEASE.exec(version.value);
  // A build that names no release may have it.
  return release !== null && Number(`${release[1]}${release[2]}`) < FIRST_WITH_GRPC;
};

/** The address is fixed, and GraphQL has told it. */
const hasAddress = (replies: Replies): boolean => inStatic('address', text).read(replies).kind === 'present';

/** The log-in of the REST API, over gRPC. Before API 1.1.0 the token stands in the metadata alone. */
const callLogin: GrpcLogin = {
  kind: 'grpc-login',
  method: 'braiins.bos.v1.AuthenticationService/Login',
  fields: { 1: USER, 2: PASSWORD },
  metadata: 'authorization',
  field: 1,
};

/** What full looks ask where the REST API is not. */
export const CALL_QUERIES = {
  grpc_details: grpc('braiins.bos.v1.MinerService/GetMinerDetails', DETAILS, {
    cadence: 'config',
    auth: callLogin,
    unless: needsNoCall,
  }),
  grpc_network: grpc('braiins.bos.v1.NetworkService/GetNetworkInfo', NETWORK_INFO, {
    cadence: 'config',
    auth: callLogin,
    unless: (replies) => needsNoCall(replies) || hasAddress(replies),
  }),
} as const;
