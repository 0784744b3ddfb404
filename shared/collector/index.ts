/** A collector without its network and its database: `Collector` takes messages, `CollectorStore` is what it needs. */
export { type Arrived, Collector, type CollectorOptions, type LogReport } from './collector.ts';
export { MemoryStore } from './memory-store.ts';
export {
  type Ack,
  type Answer,
  ackSchema,
  answerSchema,
  type CollectorPresence,
  collectorPresenceSchema,
  type GatewayPresence,
  gatewayPresenceSchema,
  type Outgoing,
  type Presence,
  pageSchema,
  parsePresence,
  presenceSchema,
  type Request,
  type Rollcall,
  requestSchema,
  rollcallSchema,
} from './messages.ts';
export { type Expected, errorsOf, type Notice } from './notice.ts';
export * from './store.ts';
export { type Channel, type CollectorTopics, collectorTopics } from './topics.ts';
export type { TrustSource } from './trust-and-time.ts';
export type { Placed, Report } from './work.ts';
