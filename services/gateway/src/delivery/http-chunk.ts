/** HTTP/1.1 bodies of unknown length are chunked (RFC 9112, 7.1); an HTTP/1.0 client reads until the end. */
export type Framing = 'chunked' | 'plain';

const lineEnd = '\r\n';

/** One Buffer that already is an HTTP chunk: `fill` writes exactly `length` bytes from `start` on. */
export function asHttpChunk(framing: Framing, length: number, fill: (target: Buffer, start: number) => void): Buffer {
  if (framing === 'plain') {
    const body = Buffer.allocUnsafe(length);
    fill(body, 0);
    return body;
  }
  // An empty chunk would end the body.
  if (length === 0) return Buffer.alloc(0);
  const head = length.toString(16) + lineEnd;
  const chunk = Buffer.allocUnsafe(head.length + length + lineEnd.length);
  chunk.write(head, 0, 'latin1');
  fill(chunk, head.length);
  chunk.write(lineEnd, head.length + length, 'latin1');
  return chunk;
}
