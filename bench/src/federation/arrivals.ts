import { request, type ClientRequest } from 'node:http';

const numberOf = /"number":([0-9]+)\}/g;
/** Longer than what is looked for, which may be cut in two. */
const tailChars = 64;

/** When each event of a stream came that carries a number, by the clock of this process. */
export class Arrivals {
  readonly at = new Map<number, number>();
  readonly #request: ClientRequest;
  #repeats = 0;
  #tail = '';

  private constructor(url: string, token: string, opened: (status: number) => void) {
    this.#request = request(url, { agent: false, headers: { authorization: `Bearer ${token}` } });
    this.#request.on('error', () => undefined);
    this.#request.on('response', (response) => {
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => this.#take(chunk, performance.now()));
      response.on('error', () => undefined);
      opened(response.statusCode ?? 0);
    });
    this.#request.end();
  }

  static async open(url: string, token: string): Promise<Arrivals> {
    let arrivals: Arrivals | undefined;
    const status = await new Promise<number>((resolve) => {
      arrivals = new Arrivals(url, token, resolve);
    });
    if (status !== 200) throw new Error(`the stream answered ${status}`);
    return arrivals!;
  }

  get repeats(): number {
    return this.#repeats;
  }

  close(): void {
    this.#request.destroy();
  }

  #take(chunk: string, nowMs: number): void {
    const text = this.#tail + chunk;
    let end = 0;
    for (const match of text.matchAll(numberOf)) {
      const number = Number(match[1]);
      if (this.at.has(number)) this.#repeats += 1;
      else this.at.set(number, nowMs);
      end = match.index + match[0].length;
    }
    this.#tail = text.slice(Math.max(end, text.length - tailChars));
  }
}
