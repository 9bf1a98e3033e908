import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Manifest, Selector } from './manifest.ts';
import { root } from './overlays.ts';

/** `gateway → chat:9100`: who opens a connection to whom. */
export type Arrow = string;
export const arrow = (from: string, to: string, port: number | string): Arrow => `${from} → ${to}:${port}`;

/** The tables of ARCHITECTURE.md: of every site, and what a Postgres cluster adds. */
export function arrowsOfTheTables(): { always: Arrow[]; withCluster: Arrow[] } {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  const section = text.slice(text.indexOf('## Who speaks to whom'), text.indexOf('## Life of an event'));
  const [always, withCluster] = section
    .split('With a Postgres cluster')
    .map((part) =>
      Array.from(part.matchAll(/^\| ([a-z][a-z -]*) \| ([a-z][a-z -]*) \| (\d+) \|/gm), ([, from, to, port]) =>
        arrow(from!, to!, port!),
      ),
    );
  return { always: always!, withCluster: withCluster! };
}

interface Peer {
  podSelector?: Selector;
  namespaceSelector?: Selector;
  ipBlock?: { cidr: string };
}
interface Rule {
  from?: Peer[];
  to?: Peer[];
  ports: { protocol: string; port: number }[];
}

/** Names for whom a policy can't select as a pod of this namespace. */
const outside: Readonly<Record<string, string>> = {
  'boardwire/access=ingress': 'ingress',
  'boardwire/access=monitoring': 'prometheus',
  'boardwire/access=scaling': 'keda',
  'kubernetes.io/metadata.name=cnpg-system': 'cloudnative-pg',
};

/** What the policies let in, and what they let out. DNS, which all may ask, stands in the one that selects every pod. */
export function arrowsOfThePolicies(manifests: readonly Manifest[]): { ingress: Arrow[]; egress: Arrow[] } {
  const policies = manifests.filter(
    ({ kind, spec }) => kind === 'NetworkPolicy' && Object.keys(spec.podSelector).length > 0,
  );
  const ingress: Arrow[] = [];
  const egress: Arrow[] = [];
  for (const { spec } of policies) {
    const own = nameOf({ podSelector: spec.podSelector });
    for (const rule of (spec.ingress ?? []) as Rule[]) {
      for (const [peer, port] of pairs(rule.from, rule)) ingress.push(arrow(peer, own, port));
    }
    for (const rule of (spec.egress ?? []) as Rule[]) {
      for (const [peer, port] of pairs(rule.to, rule)) egress.push(arrow(own, peer, port));
    }
  }
  return { ingress: [...new Set(ingress)], egress: [...new Set(egress)] };
}

function pairs(peers: Peer[] | undefined, { ports }: Rule): [string, number][] {
  const names = peers === undefined ? ['anywhere'] : peers.map(nameOf);
  return names.flatMap((name) => ports.map(({ port }) => [name, port] as [string, number]));
}

function nameOf({ podSelector, namespaceSelector, ipBlock }: Peer): string {
  if (ipBlock !== undefined) return 'other sites';
  const labels = Object.entries((namespaceSelector ?? podSelector)?.matchLabels ?? {});
  if (labels.length !== 1) throw new Error(`a selector of ${labels.length} labels`);
  const [key, value] = labels[0]!;
  if (namespaceSelector === undefined) return value;
  return outside[`${key}=${value}`] ?? `namespaces with ${key}=${value}`;
}
