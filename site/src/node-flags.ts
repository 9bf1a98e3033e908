import type { ServiceKind } from './service-name.ts';

/**
 * Events live for milliseconds: with the default 16 MiB many of them outlive a scavenge and cost a few percent more CPU.
 * Not in gateways, whose memory is counted by the connection: what a larger young generation holds is 2 KB of each.
 */
export const nodeFlagsOf = (kind: ServiceKind): string[] => (kind === 'gateway' ? [] : ['--max-semi-space-size=32']);
