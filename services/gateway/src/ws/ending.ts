import type { CloseName, ServerFrame } from '@boardwire/contracts';
import type { EndReason } from '../connections/open-connection.ts';

/** How a socket closes for a reason of this side: its code, and what is said before. */
export function endingOf(reason: EndReason, afterMs: number): { name: CloseName; last?: ServerFrame } {
  switch (reason) {
    case 'revoked':
      return { name: 'unauthenticated', last: { type: 'revoked' } };
    case 'nameless':
      return { name: 'unauthenticated' };
    case 'drain':
    case 'rotate':
      return { name: 'restart', last: { type: 'reconnect', reason, afterMs } };
    case 'slow':
      return { name: 'too_slow' };
    case 'gone':
      return { name: 'forbidden' };
    case 'replaced':
      return { name: 'normal' };
    case 'fault':
      return { name: 'restart', last: { type: 'reconnect', reason: 'busy', afterMs } };
  }
}
