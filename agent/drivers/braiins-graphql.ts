import { ABSENT } from '../../shared/facts.ts';
import { inSolver, ofRows } from './braiins-readers.ts';
import { hasDetails, hasStored } from './braiins-rest.ts';
import { httpPost, type Replies } from './driver.ts';
import { inGraph } from './graphql.ts';
import { within } from './nested.ts';
import { alike, asArray, asObject, count, memberIn, type Reader, text, UNREADABLE } from './readers.ts';
import { eachOnce, sum } from './rows.ts';
import { isServed } from './served.ts';

/** GraphQL of Braiins OS, from 21.09 on: whether a device has it, what it is asked, and where its answers hold things. */

/** A fact of the system, from whichever of the two documents that ask for it was answered. */
export const inBos = <T>(pointer: string, reader: Reader<T>) =>
  alike(inGraph('gql_bos', `/bos${pointer}`, reader), inGraph('gql_system', `/bos${pointer}`, reader));

/** A measurement of the whole machine. */
export const inSystem = <T>(pointer: string, reader: Reader<T>) =>
  inGraph('gql_system', `/bosminer/info${pointer}`, reader);

/** Something of all boards. */
export const inSolvers = <T>(reader: Reader<T>) =>
  inGraph('gql_boards', '/bosminer/info/workSolver/childSolvers', reader);

/** What GraphQL says of the machine itself, from 25.05 on. */
export const inUnit25 = <T>(pointer: string, reader: Reader<T>) => inGraph('gql_unit', `/bos${pointer}`, reader);

/** A network setting; GraphQL has them for a fixed address only, not under DHCP. */
export const inStatic = <T>(name: string, reader: Reader<T>) =>
  inGraph('gql_network', '/bos/network', within(name, reader));

/** A member of all boards, each value once. */
export const kindsOfSolvers = (name: string) =>
  inGraph(
    'gql_parts',
    '/bosminer/info/workSolver/childSolvers',
    ofRows((rows) => eachOnce(rows.map((row) => inSolver(row, name, text)))),
  );

/** A setting of the tuner; absent where none is configured. */
export const inTuning = <T>(name: string, reader: Reader<T>) =>
  inGraph('gql_tuning', '/bosminer/config/autotuning', (value) => {
    if (value === null) return ABSENT;
    const object = asObject(value);
    return object === undefined ? UNREADABLE : memberIn(object, name, reader);
  });

/** Shares of all pools of all groups. */
export const shares = (name: string) =>
  inGraph(
    'gql_pools',
    '/bosminer/info/poolGroups',
    ofRows((groups) =>
      sum(
        groups.flatMap((group) => asArray(group.pools) ?? group.pools ?? []).map(within('shares', within(name, count))),
      ),
    ),
  );

const hasNoGraph = (replies: Replies): boolean => !isServed(replies.get('gql_bos'));

/** What the REST API has told is not asked again. */
const needsNoGraph = (replies: Replies): boolean => hasDetails(replies) || hasNoGraph(replies);

/** A document of a full look. */
const graph = (document: string, unless?: (replies: Replies) => boolean) =>
  httpPost('/graphql', `{"query":"${document}"}`, { cadence: 'config', ...(unless === undefined ? {} : { unless }) });

/** The pools that are stored and that run; asked where the REST API has no list. */
export const GRAPH_POOLS = {
  ...graph(
    '{bosminer{config{... on BosminerConfig{groups{id pools{url user} strategy{... on QuotaStrategy{quota} ... on FixedShareRatioStrategy{fixedShareRatio}}}}} info{poolGroups{name pools{url user status active shares{acceptedSolutions rejectedSolutions}}}}}}',
    hasStored,
  ),
  cadence: 'pools',
} as const;

/** What full looks ask. */
export const GRAPH_QUERIES = {
  gql_bos: graph('{bos{hostname info{version{full}} uptime{durationS}}}'),
  gql_more: graph('{bos{hwid autoUpgrade info{mode} network{__typename}}}', hasNoGraph),
  gql_network: graph('{bos{network{... on StaticIp{address netmask gateway dnsServers}}}}', needsNoGraph),
  gql_telemetry: graph('{bosminer{config{... on BosminerConfig{management{telemetryEnabled}}}}}', hasNoGraph),
  // Members of their own requests: an older schema that lacks one of them answers nothing else of a document either.
  gql_unit: graph('{bos{serialNumber info{controlBoardSocFamily platform}}}', needsNoGraph),
  gql_parts: graph('{bosminer{info{workSolver{childSolvers{name hwDetails{hashboardName chipType}}}}}}', needsNoGraph),
  gql_manager: graph('{bos{macAddress manager{managementId}}}', hasNoGraph),
  gql_model: graph('{bosminer{info{modelName}}}', needsNoGraph),
  gql_system: graph(
    '{bos{hostname info{version{full}} uptime{durationS}} bosminer{info{workSolver{realHashrate{mhs5S} nominalMhs} fans{name speed rpm} summary{power{limitW approxConsumptionW}}}}}',
    needsNoGraph,
  ),
  gql_boards: graph(
    '{bosminer{info{workSolver{childSolvers{name realHashrate{mhs5S} nominalMhs hwDetails{chips frequencyMhz voltageV} temperatures{name degreesC}}}}}}',
    needsNoGraph,
  ),
  gql_serials: graph('{bosminer{info{workSolver{childSolvers{name hwDetails{hbSerialNumber}}}}}}', needsNoGraph),
  gql_tuning: graph(
    '{bosminer{config{... on BosminerConfig{autotuning{enabled mode powerTarget hashrateTarget}}}}}',
    needsNoGraph,
  ),
} as const;
