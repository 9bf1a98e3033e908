import process from 'node:process';
import { parseArgs } from 'node:util';
import { runTask } from '@boardwire/service-kit';
import { rotatedUses, type RotatedUse } from './identity/rotate-site-keys.ts';
import { rotateKeys } from './operator/rotate-keys.ts';

const usualS = '120';

/** `boardwire rotate-keys` where nothing but this service is, as in its container. */
await runTask('rotate-keys', async (env, logger) => {
  const { values } = parseArgs({
    options: {
      use: { type: 'string', multiple: true },
      'sign-after': { type: 'string', default: usualS },
      'dry-run': { type: 'boolean', default: false },
    },
  });
  const uses = [...new Set(values.use ?? [])];
  const isDryRun = values['dry-run'];
  if (!uses.every(isRotated) || (uses.length === 0 && !isDryRun)) {
    throw new Error(`--use ${rotatedUses.join(' or --use ')}`);
  }
  if (!/^\d{1,6}$/.test(values['sign-after'])) throw new Error('--sign-after: seconds');
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  const signAfterMs = Number(values['sign-after']) * 1_000;
  const found = await rotateKeys(env, { uses, signAfterMs, isDryRun, signal: stop.signal });
  logger.info({ event: isDryRun ? 'keys.known' : 'keys.rotated', ...found });
});

// Hoisted: the task above runs before the end of this file.
function isRotated(use: string): use is RotatedUse {
  return (rotatedUses as readonly string[]).includes(use);
}
