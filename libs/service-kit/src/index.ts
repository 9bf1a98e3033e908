/**
 * What every service stands on: configuration, logger, metrics, health, supervised loops, HTTP server and client,
 * errors, start and drain. Holds no state of its own: several services can run in one process.
 */
export { AppError, type AppErrorOptions } from './app-error.ts';
export { appErrorFrom, invalid } from './app-error-from.ts';
export { boundedSignal, type BoundedSignal } from './bounded-signal.ts';
export {
  ConfigError,
  baseUrlKey,
  commonConfig,
  drainMs,
  lameDuckMs,
  migrationsKey,
  portKey,
  readConfig,
  stopMaxMs,
  type BadKey,
  type CommonConfig,
  type Environment,
} from './config.ts';
export { correlationOf, currentCorrelation, newCorrelation, traceparent, withCorrelation } from './correlation.ts';
export { DecisionDelivery, type DecisionDeliveryOptions } from './decision-delivery.ts';
export { DecisionReporter, type DecisionReporterOptions, type ReportedDecision } from './decision-reporter.ts';
export { Health, type HealthCheck, type HealthReport, type HealthStatus } from './health.ts';
export { closeHttp, configureHttp, createHttpApp, listen, type HttpOptions } from './http-app.ts';
export {
  InternalClient,
  type InternalClientOptions,
  type InternalRequest,
  type InternalResponse,
} from './internal-client.ts';
export { startInternalServer, type InternalServer, type InternalServerOptions } from './internal-server.ts';
export { jsonDepthMax } from './json-body.ts';
export { createLogger, nestLogger, type Logger, type LoggerOptions } from './logger.ts';
export { Metrics, secondsBuckets } from './metrics.ts';
export { ProblemFilter } from './problem-filter.ts';
export { problemHeaders, replyProblem, replyRawProblem } from './problem-reply.ts';
export { runMain } from './run-main.ts';
export { runTask, type Task } from './run-task.ts';
export { runningService, startService, type Boot, type RunningService, type StopStep } from './running-service.ts';
export { SchemaPipe } from './schema-pipe.ts';
export { createContext, type ServiceContext } from './service-context.ts';
export { callerOf, deadlineMsOf } from './service-token-guard.ts';
export { ServiceTokens } from './service-tokens.ts';
export { Supervisor, type Loop, type LoopBody } from './supervisor.ts';
export { watchDatabase, type WatchedDatabase } from './watch-database.ts';
export { watchDisk } from './watch-disk.ts';
