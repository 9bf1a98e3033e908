import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from '@boardwire/embedded';
import { ServiceTokens } from '@boardwire/service-kit';
import { dataFolder } from './data-folder.ts';
import { parseLauncherArguments } from './launcher-arguments.ts';
import { readSiteRecord } from './site-state.ts';

const timeoutMs = 5_000;

// npm run restored: tells a running site that a backup of its database was put back. Boards and the audit log begin new
// epochs, so that no number ever stands for two things. Most restores are found without it.
const { name } = parseLauncherArguments(process.argv.slice(2));
const dataDir = dataFolder(process.env, name);
const record = await readSiteRecord(dataDir);
if (!record || !(await isAlive(record.pid))) {
  process.stderr.write(`No site runs on ${dataDir}. Start one: npm start\n`);
  process.exit(1);
}
const secret =
  process.env['INTERNAL_SECRET'] || (await readFile(join(dataDir, 'secrets', 'internal-secret'), 'utf8')).trim();
const tokens = new ServiceTokens('operator', secret);
let hasFailed = false;
for (const { kind, internalUrl } of record.services) {
  if (kind !== 'chat' && kind !== 'audit') continue;
  // oxlint-disable-next-line no-await-in-loop -- two
  const problem = await tell(internalUrl, kind);
  hasFailed ||= problem !== undefined;
  process.stdout.write(problem === undefined ? `  ✔ ${kind}: a new epoch begins\n` : `  ! ${kind}: ${problem}\n`);
}
process.exit(hasFailed ? 1 : 0);

/** Why it could not be told, or undefined. */
async function tell(internalUrl: string, kind: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${internalUrl}/internal/v1/restored`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await tokens.issue(kind)}` },
      signal: AbortSignal.timeout(timeoutMs),
    });
    return response.status === 204 ? undefined : `answers ${response.status}`;
  } catch (error) {
    return `does not answer (${((error as Error).cause as Error | undefined)?.message ?? (error as Error).message})`;
  }
}
