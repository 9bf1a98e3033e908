import {
  busHeaders,
  coreSubjects,
  eventJson,
  eventTypeSchema,
  isSubject,
  parseEphemeralSubject,
  type AppendItem,
  type EphemeralReceipt,
} from '@boardwire/contracts';
import type { Bus, BusMessage } from '@boardwire/messaging';
import { AppError } from '@boardwire/service-kit';
import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { BoardChannel } from '../delivery/board-channel.ts';
import type { Boards } from '../delivery/boards.ts';
import type { GatewayMetrics } from '../metrics.ts';

/**
 * Ephemeral events on their way to who is live: to this gateway's own clients at once, to the other gateways over core
 * NATS. Nothing is kept, so without NATS the others' clients miss them.
 */
export class EphemeralExchange {
  /** Names this process: what it sent itself comes back from the bus. */
  readonly #pod = randomUUID();
  readonly #boards: Boards;
  readonly #metrics: GatewayMetrics;
  #bus: Bus | undefined;
  #origin: string | undefined;

  constructor(boards: Boards, metrics: GatewayMetrics) {
    this.#boards = boards;
    this.#metrics = metrics;
  }

  attach(bus: Bus): void {
    this.#bus = bus;
    bus.subscribe(coreSubjects.ephemeralAll, (message) => this.#receive(message));
  }

  /** The id of this site, as chat tells it. */
  learnOrigin(origin: string | undefined): void {
    this.#origin = origin ?? this.#origin;
  }

  /** @throws AppError `starting` */
  publish(channel: BoardChannel, item: AppendItem): EphemeralReceipt {
    const origin = this.#origin;
    if (origin === undefined) throw new AppError('starting', { detail: 'the site has no identity yet' });
    const { id, subject, type, time = new Date().toISOString() } = item;
    const { board } = channel;
    const data = item.data === undefined ? '' : JSON.stringify(item.data);
    const bytes = Buffer.from(eventJson(item, { time, data, board, origin, class: 'ephemeral' }));
    channel.addEphemeral({ subject, type, bytes });
    this.#metrics.ephemeral('here');
    this.#send(coreSubjects.ephemeral(board, subject), bytes, type);
    return { id, board, time };
  }

  #send(busSubject: string, bytes: Buffer, type: string): void {
    const bus = this.#bus;
    if (bus?.connected !== true) {
      this.#metrics.ephemeralDropped('bus', 1);
      return;
    }
    bus.publish(busSubject, bytes, {
      [busHeaders.pod]: this.#pod,
      [busHeaders.type]: type,
      [busHeaders.class]: 'ephemeral',
    });
  }

  #receive({ subject: busSubject, headers, data }: BusMessage): void {
    const place = parseEphemeralSubject(busSubject);
    const type = headers.get(busHeaders.type);
    if (place === undefined || type === '' || headers.get(busHeaders.pod) === this.#pod) return;
    const channel = this.#boards.channel(place.board);
    if (channel === undefined) return;
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    if (!isEvent(place.subject, type, bytes)) {
      this.#metrics.ephemeralDropped('foreign', 1);
      return;
    }
    this.#metrics.ephemeral('elsewhere');
    channel.addEphemeral({ subject: place.subject, type, bytes });
  }
}

/** One that is no JSON, or has a line end in it, would break the connection of everybody who reads its subject. */
function isEvent(subject: string, type: string, bytes: Buffer): boolean {
  if (!isSubject(subject) || !eventTypeSchema.safeParse(type).success) return false;
  if (!isUtf8(bytes) || bytes.includes(0x0a) || bytes.includes(0x0d)) return false;
  try {
    const event = JSON.parse(bytes.toString()) as { subject?: unknown; type?: unknown } | null;
    return event?.subject === subject && event.type === type;
  } catch {
    return false;
  }
}
