import { createHash, randomBytes } from 'node:crypto';
import type { AppendItem, ForeignItem } from '@boardwire/contracts';
import { event } from './chat-site.ts';

export const otherSite = `bs1${'b'.repeat(52)}`;
export const thirdSite = `bs1${'c'.repeat(52)}`;

/** An event as another site accepted it, with the hash that its data makes there. */
export function foreignItem(overrides: Partial<ForeignItem> = {}): ForeignItem {
  const item = event({ author: 'u-bea', authorname: 'Bea', source: '/users/u-bea', ...overrides });
  const salt = overrides.salt ?? randomBytes(16).toString('hex');
  return {
    ...item,
    origin: otherSite,
    time: '2026-02-03T04:05:06.789Z',
    salt,
    datahash: hashOf(salt, item),
    ...overrides,
  };
}

export function hashOf(salt: string, { data, data_base64: bytes }: AppendItem): string {
  const text = data === undefined ? '' : JSON.stringify(data);
  const given = bytes === undefined ? Buffer.from(text) : Buffer.from(bytes, 'base64');
  return createHash('sha256').update(Buffer.from(salt, 'hex')).update(given).digest('hex');
}
