import { ServiceTokens } from '@boardwire/service-kit';
import type { Command, Given } from '../command.ts';

const timeoutMs = 5_000;

/** Whose numbers start again, and where it is found. */
const services = [
  { service: 'chat', key: 'CHAT_URL', says: 'every board has begun a new epoch' },
  { service: 'audit', key: 'AUDIT_URL', says: 'the audit log begins a new epoch' },
] as const;

export const restored: Command = {
  name: 'restored',
  summary: 'tells a running site that a backup of its database was put back',
  options: {},
  explains: `Boards and the audit log begin new epochs, so that no number ever stands for two things; readers who come with a cursor of before
are told to reload. Most restores are found without it. Telling is never wrong, but each time all readers reload.`,
  examples: ['boardwire restored', 'boardwire restored --env      # in the container of a gateway'],
  async run({ settings, report }: Given) {
    // Gateways know where everybody is.
    const env = settings.envOf('gateway');
    const tokens = new ServiceTokens('operator', env['INTERNAL_SECRET'] ?? '');
    for (const { service, key, says } of services) {
      // oxlint-disable-next-line no-await-in-loop -- boards first: the audit log follows them
      const problem = await tell(env[key], await tokens.issue(service));
      const mend = `Is it running? It is expected at ${key}. Give the command again when it is.`;
      if (problem === undefined) report.add({ check: service, verdict: 'ok', says });
      else report.add({ check: service, verdict: 'finding', says: problem, mend });
    }
  },
};

/** Why it could not be told, or undefined. */
async function tell(url: string | undefined, token: string): Promise<string | undefined> {
  if (url === undefined) return 'its address is not known here';
  try {
    const response = await fetch(`${url}/internal/v1/restored`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(timeoutMs),
    });
    return response.status === 204 ? undefined : `answers ${response.status}`;
  } catch (error) {
    return `does not answer (${((error as Error).cause as Error | undefined)?.message ?? (error as Error).message})`;
  }
}
