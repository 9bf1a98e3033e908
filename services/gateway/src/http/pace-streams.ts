import type { FastifyInstance } from 'fastify';
import type { Pace } from '../connections/pace.ts';
import { streamRoute } from './stream.controller.ts';

/**
 * Lets requests for streams in by portions, before most else is done for them: when thousands come back at once,
 * hundreds are readable in the same turn, and what the framework does for each would hold everybody else up for it.
 */
export function paceStreams(fastify: FastifyInstance, pace: Pace): void {
  fastify.addHook('onRoute', (route) => {
    if (route.url !== streamRoute) return;
    route.onRequest = async () => {
      await pace.next();
    };
  });
}
