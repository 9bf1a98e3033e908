import type { Readable } from 'node:stream';
import { AppError } from '@boardwire/service-kit';
import type { Gateway } from '../gateway.ts';
import type { Access } from '../rights/access.ts';

const everyMs = 1_000;

/**
 * An answer that goes on for long must not outlive the rights it was asked with: it is cut within about a second when its
 * reader's session ends or a role is taken. A stream that never ends by itself also ends with its token; a file that was
 * begun in time may be finished.
 */
export function watchForward(gateway: Gateway, access: Access, body: Readable, { isEndless }: { isEndless: boolean }) {
  const timer = setInterval(() => {
    if (!stands(gateway, access, isEndless)) body.destroy();
  }, everyMs);
  body.once('close', () => clearInterval(timer));
}

function stands(gateway: Gateway, access: Access, isEndless: boolean): boolean {
  try {
    const { roles } = gateway.verifier.current(access);
    return access.roles.every((role) => roles.includes(role));
  } catch (error) {
    if (!isEndless && error instanceof AppError && error.code === 'token_expired') return true;
    return false;
  }
}
