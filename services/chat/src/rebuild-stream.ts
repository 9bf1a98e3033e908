import { parseArgs } from 'node:util';
import { runTask } from '@boardwire/service-kit';
import { rebuildMirror } from './operator/rebuild-mirror.ts';

/** `boardwire rebuild-stream` and `resync` where nothing but this service is, as in its container. */
await runTask('rebuild-stream', async (env, logger) => {
  const { board } = parseArgs({ options: { board: { type: 'string' } } }).values;
  const { signal } = new AbortController();
  const boards = await rebuildMirror(env, { ...(board === undefined ? {} : { board }), signal });
  logger.info({ event: 'stream.rebuilt', boards });
});
