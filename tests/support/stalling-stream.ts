import { request, type IncomingMessage } from 'node:http';
import { BlockReader, type Block } from './stream-recorder.ts';

/** A reader of an event stream that stops taking bytes when told to, as a busy or sleeping page does. */
export class StallingStream {
  readonly blocks: Block[] = [];
  hasEnded = false;
  readonly #reader = new BlockReader();

  private constructor(private readonly response: IncomingMessage) {
    response.setEncoding('utf8');
    response.on('data', (text: string) => this.blocks.push(...this.#reader.push(text)));
    response.once('close', () => (this.hasEnded = true));
    response.on('error', () => undefined);
  }

  static open(url: string, token: string): Promise<StallingStream> {
    return new Promise((resolve, reject) => {
      const headers = { accept: 'text/event-stream', authorization: `Bearer ${token}` };
      const call = request(url, { headers, agent: false }, (response) => resolve(new StallingStream(response)));
      call.on('error', reject);
      call.end();
    });
  }

  /** Application events: data and no name. */
  get events(): Block[] {
    return this.blocks.filter((block) => block.data !== undefined && block.event === undefined);
  }

  named(name: string): Block[] {
    return this.blocks.filter((block) => block.event === name);
  }

  stall(): void {
    this.response.pause();
  }

  goOn(): void {
    this.response.resume();
  }

  close(): void {
    this.response.destroy();
  }
}
