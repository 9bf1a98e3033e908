import { federationLimits } from '@boardwire/contracts';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DialError } from './dial-error.ts';

const gunzipInPool = promisify(gunzip);

/**
 * The decoded form of a body that was checked as it came. Bounded twice: a small body can't become a big one (a bomb),
 * and no body becomes bigger than `bytesMax`.
 * @throws DialError `inflated`, `too_large`, `bad_encoding`
 */
export async function inflate(raw: Buffer, encoding: string | undefined, bytesMax: number): Promise<Buffer> {
  if (encoding === undefined || encoding === 'identity') return bounded(raw, bytesMax);
  if (encoding !== 'gzip') throw new DialError('bad_encoding', 'neither gzip nor plain');
  const inflatedMax = raw.length * federationLimits.inflationMax;
  try {
    return bounded(
      await gunzipInPool(raw, { maxOutputLength: Math.max(1, Math.min(bytesMax, inflatedMax)) }),
      bytesMax,
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') {
      throw error instanceof DialError ? error : new DialError('bad_encoding', 'not gzip', error);
    }
    if (inflatedMax < bytesMax)
      throw new DialError('inflated', `more than ${federationLimits.inflationMax} times itself`);
    throw tooLarge(bytesMax);
  }
}

function bounded(body: Buffer, bytesMax: number): Buffer {
  if (body.length > bytesMax) throw tooLarge(bytesMax);
  return body;
}

export function tooLarge(bytesMax: number): DialError {
  return new DialError('too_large', `a body of more than ${bytesMax} bytes`);
}
