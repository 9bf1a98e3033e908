import { subjectSchema } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import type { Gateway } from '../gateway.ts';
import { knownSlug } from '../http/boards.controller.ts';
import type { Access } from '../rights/access.ts';
import type { Hand } from '../typing/keystrokes.ts';
import type { FrameOf } from './client-frames.ts';

/** A keystroke of a connection, or the end of typing. @throws AppError, also `forbidden` for who may not post there */
export async function typingFrame(
  { boards, publisher, typing }: Gateway,
  access: Access,
  { board, subject, on }: FrameOf<'typing'>,
  hand: Hand,
): Promise<void> {
  if (!subjectSchema.safeParse(subject).success) {
    throw new AppError('invalid_subject', { detail: subject.slice(0, 100) });
  }
  const channel = boards.channel(board) ?? (await boards.find(knownSlug(board)));
  if (!publisher.mayPost(access, channel, subject)) {
    throw new AppError('forbidden', { detail: `may not publish on ${subject}` });
  }
  // A connection that ended while its board was looked for types on until it runs out.
  typing.typed(hand, { board, subject, user: { id: access.userId, name: access.name } }, on);
}
