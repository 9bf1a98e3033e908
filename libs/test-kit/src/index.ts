export { eventually, type EventuallyOptions } from './eventually.ts';
export { freePort } from '@boardwire/embedded';
export { Inbox, type WaitOptions } from './inbox.ts';
export { findNginx, type NginxProgram } from './nginx/find-nginx.ts';
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
