export { eventually, type EventuallyOptions } from './eventually.ts';
export { freePort } from '@boardwire/embedded';
export { Inbox, type WaitOptions } from './inbox.ts';
export { PrometheusServer, promtool, type Sample } from './prometheus/prometheus-server.ts';
export { findProgram, programEnvironment, type FoundProgram } from './programs/find-program.ts';
export { microsocksPackage, nginxPackage, prometheusPackage } from './programs/programs.ts';
export { MicrosocksServer } from './microsocks/microsocks-server.ts';
export { NginxServer } from './nginx/nginx-server.ts';
export { seededRandom, type SeededRandom } from './seeded-random.ts';
export { parseSseBlock, SseReader, type SseBlock, type SseOptions } from './sse-reader.ts';
export {
  startTestInfrastructure,
  startTestNats,
  startTestPostgres,
  type TestInfrastructure,
} from './start-test-infrastructure.ts';
export { testFolder } from './test-folder.ts';
export { WsReader, WsRefused, type WsOptions } from './ws-reader.ts';
