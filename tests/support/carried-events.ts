/** Lines of a body as they become whole; JSON that no line ends is one as well. */
export class LineReader {
  #rest: Buffer[] = [];

  constructor(private readonly onLine: (line: string) => void) {}

  push(bytes: Buffer): void {
    let from = 0;
    for (let end = bytes.indexOf('\n'); end !== -1; end = bytes.indexOf('\n', from)) {
      this.#rest.push(bytes.subarray(from, end));
      this.end();
      from = end + 1;
    }
    this.#rest.push(bytes.subarray(from));
  }

  end(): void {
    const line = Buffer.concat(this.#rest).toString('utf8');
    this.#rest = [];
    if (line.trim() !== '') this.onLine(line);
  }
}

/** The events that a line of JSON carries, wherever in it; undefined for what is not JSON. Proves nothing. */
export function eventsIn(line: string): { origin: string; id: string }[] | undefined {
  try {
    return [...itemsIn(JSON.parse(line))].map(({ h }) => {
      const { site, id } = JSON.parse(Buffer.from(h, 'base64url').toString('utf8')) as { site: string; id: string };
      return { origin: site, id };
    });
  } catch {
    return undefined;
  }
}

/** Whose feeds the request for a stream asks for. */
export const streamedFeedsIn = (line: string) => (JSON.parse(line) as { feeds: string[] }).feeds;

/** A header and its signatures are an item, in whichever frame or list they stand. */
function* itemsIn(json: unknown): Generator<{ h: string }> {
  if (typeof json !== 'object' || json === null) return;
  if ('h' in json && typeof json.h === 'string' && 'sigs' in json) yield { h: json.h };
  else for (const value of Object.values(json)) yield* itemsIn(value);
}
