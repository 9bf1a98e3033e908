import type { BusLogger } from '@boardwire/messaging';

/** Keeps the names of what was logged. */
export class RecordingLogger implements BusLogger {
  readonly events: string[] = [];
  info = ({ event }: { event: string }) => void this.events.push(event);
  warn = ({ event }: { event: string }) => void this.events.push(event);
  error = ({ event }: { event: string }) => void this.events.push(event);
}
