import type { ServerFrame } from '@boardwire/contracts';
import type { Gateway } from '../gateway.ts';
import { knownSlug } from '../http/boards.controller.ts';
import { draftOf } from '../publish/draft-event.ts';
import type { Access } from '../rights/access.ts';
import type { FrameOf } from './client-frames.ts';

/** Publishes what a frame brings and answers it. @throws AppError */
export async function publishFrame(gateway: Gateway, access: Access, frame: FrameOf<'publish'>): Promise<ServerFrame> {
  const board = knownSlug(frame.board);
  gateway.publisher.takeRate(access, 1);
  const shape = isStructured(frame.event) ? 'structured' : 'plain';
  const draft = draftOf(shape, frame.event, access.userId);
  const { board: _board, ...receipt } = await gateway.publisher.publish(access, board, draft);
  return { type: 'ack', req: frame.req, ...receipt };
}

function isStructured(event: unknown): boolean {
  return typeof event === 'object' && event !== null && 'specversion' in event;
}
