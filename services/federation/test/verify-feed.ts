import { createHash, createPublicKey, verify } from 'node:crypto';
import type { FeedHeader, WireItem } from '@boardwire/contracts';

/** Written from the specification, with nothing of the service: what any other site would check. */
export function verifyFeed(items: readonly WireItem[], publicKey: Buffer): FeedHeader[] {
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), publicKey]);
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  let prev = '0'.repeat(64);
  return items.map(({ h, sigs, salt, data }, at) => {
    const bytes = Buffer.from(h, 'base64url');
    const type = 'application/vnd.boardwire.feed+json';
    const message = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${bytes.length} `), bytes]);
    if (!verify(null, message, key, Buffer.from(sigs[0]!.sig, 'base64url'))) throw new Error(`signature at ${at}`);
    const header = JSON.parse(bytes.toString()) as FeedHeader;
    if (header.oseq !== at + 1 || header.prev !== prev) throw new Error(`link at ${at}`);
    prev = createHash('sha256').update(bytes).digest('hex');
    if (data === null || salt === null) return header;
    const [salted, content] = [Buffer.from(salt, 'base64url'), Buffer.from(data, 'base64url')];
    const datahash = createHash('sha256').update(salted).update(content).digest('hex');
    if (datahash !== header.datahash || content.length !== header.dsize) throw new Error(`data at ${at}`);
    return header;
  });
}
