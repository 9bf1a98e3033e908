import { frameOf } from '../delivery/ws-format.ts';
import type { PresenceChange } from '../presence/presence-view.ts';

const encoded = new WeakMap<PresenceChange, Map<string, Buffer>>();

/** A `presence` frame; sockets that use the same name for their subscription share its bytes. */
export function presenceFrame(sub: string, change: PresenceChange): Buffer {
  let bySub = encoded.get(change);
  if (bySub === undefined) encoded.set(change, (bySub = new Map()));
  let bytes = bySub.get(sub);
  if (bytes === undefined) bySub.set(sub, (bytes = frameOf({ type: 'presence', sub, ...change })));
  return bytes;
}
