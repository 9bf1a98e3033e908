import type { Readable } from 'node:stream';
import { BlockReader } from './stream-recorder.ts';
import type { RealClient } from './real-client.ts';

/** One answer to a request for a stream. */
export interface StreamAnswer {
  /** The body alone, without framing. */
  body: Readable;
  /** Resolves with its status when there is no more of it; 0 when there was no answer. */
  ended: Promise<number>;
  cut(): void;
}

const returnAfterMs = 200;

/**
 * A program that reads event streams without knowing what they are: it keeps the id of the last whole block and, when
 * its stream ends, asks again with `Last-Event-ID`, as the README says.
 */
export class EventStreamClient implements RealClient {
  readonly cursors: string[] = [];
  readonly names: string[] = [];
  readonly sentCursors: (string | undefined)[] = [];
  refusal: number | undefined;
  private isClosed = false;
  private lastEventId: string | undefined;
  private answer: StreamAnswer | undefined;

  constructor(private readonly ask: (lastEventId: string | undefined) => StreamAnswer) {
    this.connect();
  }

  close(): void {
    this.isClosed = true;
    this.answer?.cut();
  }

  private connect(): void {
    this.sentCursors.push(this.lastEventId);
    this.answer = this.ask(this.lastEventId);
    const { body, ended } = this.answer;
    const reader = new BlockReader();
    let isStream = true;
    body.setEncoding('utf8');
    body.on('error', () => undefined);
    body.on('data', (text: string) => {
      // A refusal is one JSON document.
      isStream &&= !text.startsWith('{');
      if (isStream) this.take(reader, text);
    });
    void ended.then((status) => this.comeBack(status));
  }

  private take(reader: BlockReader, text: string): void {
    for (const { id, event, data } of reader.push(text)) {
      if (id !== undefined) this.lastEventId = id;
      if (event !== undefined) this.names.push(event);
      else if (data !== undefined) this.cursors.push(id!);
    }
  }

  private comeBack(status: number): void {
    if (this.isClosed) return;
    if (status >= 400) this.refusal = status;
    else setTimeout(() => this.isClosed || this.connect(), returnAfterMs);
  }
}
