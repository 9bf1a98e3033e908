import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serviceStatusSchema, type ServiceStatus } from '@boardwire/contracts';
import { isAlive } from '@boardwire/embedded';
import { ServiceTokens } from '@boardwire/service-kit';
import { dataFolder } from './data-folder.ts';
import { parseLauncherArguments } from './launcher-arguments.ts';
import { readSiteRecord, type SiteRecord } from './site-state.ts';
import { statusText } from './status-text.ts';

const answerTimeoutMs = 3_000;

// npm run status: what every service of the running site says of itself.
const { name } = parseLauncherArguments(process.argv.slice(2));
const dataDir = dataFolder(process.env, name);
const record = await readSiteRecord(dataDir);
if (!record || !(await isAlive(record.pid))) {
  process.stderr.write(`No site runs on ${dataDir}. Start one: npm start\n`);
  process.exit(1);
}
const secret =
  process.env['INTERNAL_SECRET'] || (await readFile(join(dataDir, 'secrets', 'internal-secret'), 'utf8')).trim();
const tokens = new ServiceTokens('status', secret);
const answers = await Promise.all(
  record.services.map(async (service) => ({ service, status: await ask(service, tokens) })),
);
process.stdout.write(statusText(record, answers));
process.exit(answers.every(({ status }) => typeof status !== 'string') ? 0 : 1);

/** The service's answer, or why there is none. */
async function ask(service: SiteRecord['services'][number], signer: ServiceTokens): Promise<ServiceStatus | string> {
  try {
    const response = await fetch(`${service.internalUrl}/internal/v1/status`, {
      headers: { authorization: `Bearer ${await signer.issue(service.kind)}` },
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
    if (!response.ok) return `answers ${response.status}`;
    return serviceStatusSchema.parse(await response.json());
  } catch (error) {
    return `does not answer (${((error as Error).cause as Error | undefined)?.message ?? (error as Error).message})`;
  }
}
