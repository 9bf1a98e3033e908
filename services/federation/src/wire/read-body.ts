import type { IncomingMessage } from 'node:http';
import { FedError } from './fed-error.ts';

/**
 * A request's body as it travels. What is refused is left unread, and the connection open for the refusal.
 * @throws FedError `too_large`, `malformed` when it stops coming
 */
export function readBody(
  request: IncomingMessage,
  { bytesMax, withinMs }: { bytesMax: number; withinMs: number },
): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) return Promise.reject(tooLarge(bytesMax));
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => settle(() => reject(stopped('the body did not come in time'))), withinMs);
    const onData = (part: Buffer) => {
      size += part.length;
      if (size > bytesMax) settle(() => reject(tooLarge(bytesMax)));
      else parts.push(part);
    };
    const onEnd = () => settle(() => resolve(Buffer.concat(parts, size)));
    const onGone = () => settle(() => reject(stopped('the body ended early')));
    const settle = (end: () => void) => {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
      // Whatever the connection still says is nobody's any more, and must not hold up the answer.
      request.on('error', () => undefined).resume();
      end();
    };
    request.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
  });
}

const tooLarge = (bytesMax: number) => new FedError('too_large', { detail: `a body of more than ${bytesMax} bytes` });
const stopped = (detail: string) => new FedError('malformed', { detail });
