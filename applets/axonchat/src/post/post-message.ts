import { randomUUID } from 'node:crypto';
import { accountSource, mayPublish, type AppendItem, type ForwardedIdentity } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import type { AxonchatMetrics } from '../metrics.ts';
import { messageText } from './message-text.ts';

/** Where messages go. */
export interface Boards {
  /** Appends one event and answers the numeric id that streams of this wire show. */
  append(board: string, item: AppendItem): Promise<number | string>;
}

const board = 'events';
const subject = 'AxonChat.lobby';

/** Posts a message in the lobby for whoever the gateway authenticated, with that identity's rights and source. */
export class PostMessage {
  readonly #boards: Boards;
  readonly #metrics: AxonchatMetrics;

  constructor(boards: Boards, metrics: AxonchatMetrics) {
    this.#boards = boards;
    this.#metrics = metrics;
  }

  async run(identity: ForwardedIdentity, givenText: string): Promise<number | string> {
    try {
      const messageId = await this.#post(identity, givenText);
      this.#metrics.posted();
      return messageId;
    } catch (error) {
      this.#metrics.refused(error instanceof AppError ? error.code : 'internal');
      throw error;
    }
  }

  #post(identity: ForwardedIdentity, givenText: string): Promise<number | string> {
    if (!mayPublish(identity.boards, board, subject)) {
      throw new AppError('forbidden', { detail: 'This account may not post here.' });
    }
    const text = messageText(givenText);
    if (text === undefined) throw new AppError('invalid', { detail: 'Message text cannot be empty.' });
    return this.#boards.append(board, {
      id: randomUUID(),
      source: accountSource(identity.userId),
      type: 'chat.message.posted',
      subject,
      data: { text },
      author: identity.userId,
      authorname: identity.name,
    });
  }
}
