import {
  createContext,
  InternalClient,
  readConfig,
  runningService,
  startInternalServer,
  type Environment,
  type RunningService,
} from '@boardwire/service-kit';
import { axonchatModule } from './axonchat.module.ts';
import { configSchema } from './config.ts';
import { AxonchatErrors } from './http/axonchat-errors.ts';
import { axonchatMetrics } from './metrics.ts';
import { ChatBoards } from './post/chat-boards.ts';
import { PostMessage } from './post/post-message.ts';

/** The audience of the tokens that the gateway sends: all applets are called by this name. */
const serviceName = 'applets';

/** Starts AxonChat's commands on their internal port. Needs nothing but chat, and starts without it. */
export async function boot(env: Environment): Promise<RunningService> {
  const config = readConfig(configSchema, env);
  const context = createContext(serviceName, config);
  const client = new InternalClient({ context, service: 'chat', baseUrl: config.CHAT_URL });
  const chat = new ChatBoards(client);
  context.health.soft('chat', () => (chat.isReachable ? undefined : 'did not answer the last post'));
  const postMessage = new PostMessage(chat, axonchatMetrics(context.metrics));
  const server = await startInternalServer(context, axonchatModule(postMessage), {
    host: config.HOST,
    port: config.INTERNAL_PORT,
    errors: new AxonchatErrors(context.logger),
  });
  context.health.ready();
  return runningService(context, { internalUrl: server.url }, [
    { name: 'http', run: () => server.close() },
    { name: 'loops', run: () => context.supervisor.stop() },
    { name: 'chat', run: () => client.close() },
  ]);
}
