import { decodeIdentity, internalHeaders } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import { Body, Controller, Headers, HttpCode, Inject, Post } from '@nestjs/common';
import { PostMessage } from '../post/post-message.ts';

/** `POST /api/chat/post/`, as the gateway forwards it. */
@Controller('/internal/v1/applets/axonchat')
export class PostController {
  readonly #postMessage: PostMessage;

  constructor(@Inject(PostMessage) postMessage: PostMessage) {
    this.#postMessage = postMessage;
  }

  @Post('post')
  @HttpCode(201)
  async post(@Headers(internalHeaders.identity) header: string | undefined, @Body() body: unknown) {
    const identity = decodeIdentity(header);
    if (identity === undefined) throw new AppError('token_missing', { detail: 'A token is needed to post.' });
    const messageId = await this.#postMessage.run(identity, textOf(body));
    return { status: 'message posted', message_id: messageId };
  }
}

/** Clients of this wire send more than they need; only `text` counts. */
function textOf(body: unknown): string {
  const text = typeof body === 'object' && body !== null && 'text' in body ? body.text : '';
  if (typeof text !== 'string') throw new AppError('invalid', { detail: 'Message text must be a string.' });
  return text;
}
