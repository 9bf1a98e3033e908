import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** A request exactly as it goes out. */
export interface Sent {
  method: 'GET' | 'POST';
  /** Below the site's address, with the query. */
  path: string;
  headers: Record<string, string | string[]>;
  body?: Uint8Array;
}

export interface Received {
  status: number;
  headers: NodeJS.Dict<string[]>;
  body: Buffer;
}

const answerMs = 15_000;
const answerBytesMax = 16 * 1024 * 1024;

/** Follows no redirect, inflates nothing, repeats nothing. */
export async function exchange(base: string, sent: Sent): Promise<Received> {
  const outgoing = begin(base, sent);
  outgoing.end(sent.body ?? '');
  return received(await answerOf(outgoing));
}

/** Sends the headers and leaves the body to the caller. */
export function begin(base: string, { method, path, headers, body }: Sent): ClientRequest {
  const url = new URL(base + path);
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const length =
    headers['content-length'] === undefined && method === 'POST' ? { 'content-length': lengthOf(body) } : {};
  // The target as it was signed: URL would write some of it otherwise.
  const target = prefixOf(base) + path;
  return request(url, { method, path: target, headers: { ...length, ...headers }, agent: false });
}

export const prefixOf = (base: string) => new URL(base).pathname.replace(/\/+$/, '');
const lengthOf = (body: Uint8Array | undefined) => String(body?.length ?? 0);

export function answerOf(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => outgoing.destroy(new Error(`no answer in ${answerMs / 1_000} s`)), answerMs);
    outgoing.on('response', (incoming) => {
      clearTimeout(timer);
      resolve(incoming);
    });
    outgoing.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

export async function received(incoming: IncomingMessage): Promise<Received> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of incoming as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > answerBytesMax) throw new Error(`an answer of more than ${answerBytesMax} bytes`);
    parts.push(part);
  }
  return { status: incoming.statusCode ?? 0, headers: incoming.headersDistinct, body: Buffer.concat(parts) };
}
