import process from 'node:process';
import { parseArgs } from 'node:util';
import { runTask } from '@boardwire/service-kit';
import { rebuildMirror } from './operator/rebuild-mirror.ts';

/** `boardwire rebuild-stream` and `resync` where nothing but this service is, as in its container. */
await runTask('rebuild-stream', async (env, logger) => {
  const { board } = parseArgs({ options: { board: { type: 'string' } } }).values;
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  const boards = await rebuildMirror(env, { ...(board === undefined ? {} : { board }), signal: stop.signal });
  if (stop.signal.aborted) throw new Error('it was ended before all was published; the leader of the relay goes on');
  logger.info({ event: 'stream.rebuilt', boards });
});
