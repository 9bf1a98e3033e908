import type { Bus } from '@boardwire/messaging';
import { randomUUID } from 'node:crypto';
import type { Gateway } from '../../gateway.ts';
import { Gossip } from './gossip.ts';

/** Speaks with the other gateways from now on, under the supervisor. */
export function startGossip({ pod, config, context, metrics, presence }: Gateway, bus: Bus): Gossip {
  const gossip = new Gossip({
    pod,
    incarnation: randomUUID(),
    bus,
    presence,
    beatMs: config.PRESENCE_BEAT_MS,
    observer: {
      onSent: (kind) => metrics.gossipSent(kind),
      onDropped: (reason) => metrics.podDropped(reason),
      onRefused: () => metrics.gossipRefused(),
    },
  });
  metrics.watchPods({ heard: () => gossip.pods, behind: () => gossip.podsBehind });
  gossip.start();
  context.supervisor.run('presence', { beatEveryMs: 1_000 }, (loop) => gossip.run(loop));
  return gossip;
}
