import type { MsgHdrs } from '@nats-io/transport-node';

/** Headers as the client takes them, at a fraction of what its own map costs: it asks them only for their bytes. */
export function encodedHeaders(headers: Record<string, string>): MsgHdrs {
  return new EncodedHeaders(headers) as unknown as MsgHdrs;
}

class EncodedHeaders {
  constructor(private readonly headers: Record<string, string>) {}

  encode(): Uint8Array {
    let text = 'NATS/1.0\r\n';
    for (const name in this.headers) text += `${name}: ${this.headers[name]}\r\n`;
    const lines = Object.keys(this.headers).length + 2;
    // A line break inside a value would let it forge further headers.
    if (text.split('\n').length !== lines) throw new Error('a header value holds a line break');
    return Buffer.from(`${text}\r\n`);
  }
}
