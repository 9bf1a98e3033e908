import { jwksSchema } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import type { JSONWebKeySet } from 'jose';

const timeoutMs = 3_000;
const bytesMax = 256 * 1024;

/** Fetches a key set from a foreign address: in bounded time, of bounded size, and from nowhere else. */
export async function fetchRemoteKeys(url: string): Promise<JSONWebKeySet> {
  try {
    const response = await fetch(url, {
      headers: { accept: 'application/json' },
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok) throw new Error(`answered ${response.status}`);
    return jwksSchema.parse(JSON.parse(await boundedText(response))) as JSONWebKeySet;
  } catch (error) {
    throw new AppError('upstream_unavailable', { detail: 'the issuer’s keys can’t be fetched', cause: error });
  }
}

async function boundedText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += (part as Uint8Array).length;
    if (bytes > bytesMax) throw new Error('the key set is too large');
    parts.push(part as Uint8Array);
  }
  return Buffer.concat(parts).toString();
}
