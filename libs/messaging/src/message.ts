import type { Msg } from '@nats-io/transport-node';

/** The values of a message's headers. Names are matched exactly, as the contracts spell them. */
export interface MessageHeaders {
  /** The first value of a header, or '' when the message has none. */
  get(name: string): string;
}

export interface BusMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: MessageHeaders;
  /** Position in its stream; absent on core messages. */
  readonly streamSequence?: number;
  /** When this process received it, milliseconds since the Unix epoch. */
  readonly receivedAt: number;
}

/** Where a delivered message stands, read from the subject its acknowledgement goes to. */
export interface Delivery {
  streamSequence: number;
  /** Counts this consumer's deliveries: 1, 2, 3 … */
  consumerSequence: number;
  /** Messages of the stream that wait behind this one. */
  pending: number;
}

export class ReceivedMessage implements BusMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly receivedAt = Date.now();
  readonly #raw: Msg;
  #headers: MessageHeaders | undefined;

  constructor(raw: Msg) {
    this.#raw = raw;
    this.subject = raw.subject;
    this.data = raw.data;
  }

  get headers(): MessageHeaders {
    return (this.#headers ??= readHeaders(this.#raw));
  }
}

/** A message of a stream, together with what its consumer knows about it. */
export class StreamMessage extends ReceivedMessage {
  readonly streamSequence: number;

  constructor(
    raw: Msg,
    readonly delivery: Delivery,
    /** Where to acknowledge it. */
    readonly ackSubject: string,
    /** Names the incarnation of the stream it came from. */
    readonly incarnation: string,
  ) {
    super(raw);
    this.streamSequence = delivery.streamSequence;
  }
}

/**
 * Reads `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>`; newer servers put
 * domain and account hash behind `ACK`.
 */
export function parseDelivery(ackSubject: string): Delivery | undefined {
  if (!ackSubject.startsWith('$JS.ACK.')) return undefined;
  const tokens = ackSubject.split('.');
  const at = tokens.length >= 11 ? 7 : 5;
  const delivery = {
    streamSequence: Number(tokens[at]),
    consumerSequence: Number(tokens[at + 1]),
    pending: Number(tokens[at + 3]),
  };
  return Number.isSafeInteger(delivery.streamSequence) && Number.isSafeInteger(delivery.consumerSequence)
    ? delivery
    : undefined;
}

/** The bytes as the client holds them: the header block, then the payload. */
interface RawParts {
  _rdata?: Uint8Array;
  _msg?: { hdr: number };
}

/**
 * The client's own decoding builds a map and checks every name, several times the cost of the few values we look up.
 * So the header block is read as one string; should the client ever hold it elsewhere, its decoder is used.
 */
function readHeaders(raw: Msg): MessageHeaders {
  const { _rdata: bytes, _msg: lengths } = raw as unknown as RawParts;
  if (bytes === undefined || lengths === undefined) return { get: (name) => raw.headers?.get(name) ?? '' };
  if (lengths.hdr <= 0) return noHeaders;
  return new HeaderBlock(Buffer.from(bytes.buffer, bytes.byteOffset, lengths.hdr).toString('utf8'));
}

const noHeaders: MessageHeaders = { get: () => '' };

class HeaderBlock implements MessageHeaders {
  constructor(private readonly text: string) {}

  get(name: string): string {
    const line = this.text.indexOf(`\r\n${name}:`);
    if (line < 0) return '';
    const start = line + name.length + 3;
    return this.text.slice(start, this.text.indexOf('\r\n', start)).trim();
  }
}
