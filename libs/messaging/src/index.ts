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
