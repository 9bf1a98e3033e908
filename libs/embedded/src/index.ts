export { cacheFolders, checkoutFolder, type Environment } from './checkout.ts';
export type { ControlledServer } from './controlled-server.ts';
export { withDebianArchive, type DebianArchive, type DebianSource } from './debian/debian-archive.ts';
export { freePort, isPortFree, whyPortIsNotFree } from './free-port.ts';
export { tailOf } from './log-tail.ts';
export {
  commandLine,
  isAlive,
  parentOf,
  processStart,
  signalProcess,
  stopOrphan,
  waitUntilGone,
} from './process-table.ts';
export { randomSecret, secretFile } from './secret-file.ts';
export { ServerProcess, type ServerCommand } from './server-process.ts';
export { timedStep, type Step, type StepListener } from './step.ts';
export { findNatsServer, type FindNatsOptions, type NatsFetcher } from './nats/find-nats-server.ts';
export type { NatsBinary } from './nats/nats-binary.ts';
export type { NatsServer } from './nats/embedded-nats.ts';
export { provideNats, type ProvideNatsOptions } from './nats/provide-nats.ts';
export type { PostgresServer } from './postgres/embedded-postgres.ts';
export { createClusterTemplate, providePostgres, type ProvidePostgresOptions } from './postgres/provide-postgres.ts';
export { stopServersIn } from './stop-servers-in.ts';
export { natsAnswers, postgresAnswers } from './server-answers.ts';
