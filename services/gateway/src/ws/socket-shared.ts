import type { Deadlines } from '../connections/deadlines.ts';
import type { Wheel } from '../connections/wheel.ts';
import type { Pulse } from './pulse.ts';
import type { SocketFormats } from './socket-formats.ts';

/** What the WebSockets of a pod share. */
export interface SocketShared {
  formats: SocketFormats;
  pings: Wheel<{ checkPulse(): void }>;
  /** Those who were asked how far they have read. */
  asked: Deadlines<Pulse>;
  /** More than that unread by then, and a socket is too slow. */
  unreadBytesMax: number;
}
