import type { Given } from '../command.ts';
import type { Finding } from '../report.ts';
import { finding, ok, reasonOf } from './check.ts';

const timeoutMs = 3_000;
const check = 'meta group of nats';

/** What one server's monitoring says; the rest of its answers is no matter here. */
interface Server {
  name: string;
  /** Servers that it is connected to. */
  routes: readonly string[];
  /** The group that places streams, as this server knows it. Only its leader lists the others. */
  meta?: { leader?: string; size: number; members: readonly { name: string; isOffline: boolean }[] };
}

/**
 * Whether every server of the cluster belongs to the group that places streams. NATS 2.10 forms it of two in about one
 * start of fifty when all three start within some hundred milliseconds, and leaves it so, with every probe content:
 * streams of three replicas are then refused.
 */
export async function checkMetaGroup(given: Given): Promise<Finding[]> {
  const findings: Finding[] = [];
  const servers: Server[] = [];
  for (const url of given.all('nats-monitor')) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- a few
      servers.push(await ask(url.replace(/\/+$/, '')));
    } catch (error) {
      const mend =
        'Is that server up, and its monitoring on (http_port)? In a cluster: kubectl port-forward nats-0 8222.';
      findings.push(finding(`nats at ${url}`, reasonOf(error), mend));
    }
  }
  return servers.length === 0 ? findings : [...findings, ...compare(servers)];
}

function compare(servers: readonly Server[]): Finding[] {
  const present = [...new Set(servers.flatMap(({ name, routes }) => [name, ...routes]))].toSorted();
  if (present.length === 1) return [ok(check, 'a single server needs none')];
  const leader = servers.find(({ name, meta }) => meta?.leader === name);
  if (leader === undefined) return [leaderless(servers, present)];
  const members = leader.meta!.members;
  const group = [leader.name, ...members.map(({ name }) => name)];
  const missing = present.filter((name) => !group.includes(name));
  // A server that was killed is not called offline for a while; that nobody has a route to it shows at once.
  const offline = members.filter(({ name, isOffline }) => isOffline || !present.includes(name)).map(({ name }) => name);
  const findings: Finding[] = [];
  if (missing.length > 0) {
    const says = `${missing.join(', ')} is up and no part of it: it has ${group.toSorted().join(' and ')}, and size ${leader.meta!.size}`;
    const mend =
      `Start ${missing.join(', ')} again (kubectl delete pod, or its process). When it is still missing half a minute later, ` +
      `start the leader ${leader.name} again. Until then streams of ${present.length} replicas are refused.`;
    findings.push(finding(check, says, mend));
  }
  if (offline.length > 0) {
    findings.push(finding(check, `${offline.join(', ')} is a part of it and down`, `Bring ${offline.join(', ')} up.`));
  }
  return findings.length > 0 ? findings : [ok(check, `all ${group.length} servers, led by ${leader.name}`)];
}

function leaderless(servers: readonly Server[], present: readonly string[]): Finding {
  const leader = servers.find(({ meta }) => meta?.leader)?.meta?.leader;
  if (leader !== undefined) {
    return finding(
      check,
      `only its leader ${leader} lists it, and was not asked`,
      `Name ${leader} with --nats-monitor too.`,
    );
  }
  const says = `it has no leader among ${present.join(', ')}`;
  return finding(
    check,
    says,
    'More than half of the servers have to be up and connected (port 6222). Streams can’t be made until then.',
  );
}

/** As `/jsz` spells it. */
interface MetaGroup {
  leader?: string;
  cluster_size?: number;
  replicas?: { name: string; offline?: boolean }[] | null;
}

async function ask(url: string): Promise<Server> {
  const [varz, routez, jsz] = await Promise.all([get(url, 'varz'), get(url, 'routez'), get(url, 'jsz')]);
  const meta = jsz['meta_cluster'] as MetaGroup | undefined;
  const routes = (routez['routes'] ?? []) as { remote_name?: string }[];
  return {
    name: String(varz['server_name']),
    routes: routes.flatMap(({ remote_name: name }) => (name === undefined ? [] : [name])),
    ...(meta === undefined ? {} : { meta: metaOf(meta) }),
  };
}

function metaOf({ leader, cluster_size: size = 0, replicas }: MetaGroup): NonNullable<Server['meta']> {
  const members = (replicas ?? []).map(({ name, offline }) => ({
    name,
    isOffline: offline === true,
  }));
  return { ...(leader ? { leader } : {}), size, members };
}

async function get(url: string, what: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}/${what}`, { signal: AbortSignal.timeout(timeoutMs) });
  if (!response.ok) throw new Error(`/${what} answers ${response.status}`);
  return (await response.json()) as Record<string, unknown>;
}
