/**
 * NATS behind one door; nothing else in the repo imports its client.
 *
 * - **Core**: `publish` and `subscribe`, at most once, for hints and ephemeral traffic.
 * - **Into streams**: `publisher()`, acknowledged, in a window; every failure says whether the stream may hold the
 *   message all the same.
 * - **Out of streams**: `consumeOrdered` (in order, each message once, no state on the server) and `consumeDurable`
 *   (delivered until acknowledged, may repeat). Both go on by themselves after a break, within about two seconds, and
 *   notice a stream that was deleted and recreated.
 *
 * Callbacks run synchronously in the reader of the connection: they must be quick. A bus lives as long as its process;
 * close publishers and consumptions first, then the bus.
 */
export { connectBus, Bus } from './bus.ts';
export type { ConnectionOptions } from './connection.ts';
export { NotConnected } from './connection.ts';
export {
  AckedPublisher,
  PublishFailed,
  type AckedPublisherOptions,
  type PublishAck,
  type PublishFailure,
  type PublishSettled,
} from './acked-publisher.ts';
export type { DurableConsumption, DurableConsumptionOptions } from './durable-consumption.ts';
export type { BusLogger } from './logger.ts';
export type { BusMessage, MessageHeaders } from './message.ts';
export type { OrderedConsumption, OrderedConsumptionOptions } from './ordered-consumption.ts';
export type { StreamAdmin, StreamInfo } from './stream-admin.ts';
