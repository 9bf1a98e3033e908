import { createHash, randomBytes } from 'node:crypto';
import type { SigningKey, VerifyingKey } from '@boardwire/signing';

/** What a request is signed with; a hostile one differs from the profile in any part. */
export interface Signing {
  site: string;
  kid: string;
  key: SigningKey;
  destination: string;
  nonce?: string;
  createdMs?: number;
  lifetimeSeconds?: number;
  algorithm?: string;
  tag?: string;
  protocol?: string;
  cover?: readonly string[];
}

export interface Signed {
  method: string;
  /** As it is sent, with the path that the site stands under. */
  target: string;
  body?: Uint8Array;
}

export const profile = 'boardwire-fed/1';
export const requestCover = [
  '@method',
  '@path',
  '@query',
  'content-digest',
  'content-type',
  'bf-destination',
  'bf-protocol',
] as const;
const answerCover = '("@status" "content-digest" "content-type" "signature";req;key="bw")';

export const newNonce = () => randomBytes(16).toString('hex');

/**
 * The kit's own reading of the profile, apart from the one that sites run: two that agree say more than one that agrees
 * with itself.
 */
export function signedHeaders(
  { method, target, body = new Uint8Array() }: Signed,
  how: Signing,
): Record<string, string> {
  const {
    createdMs = Date.now(),
    lifetimeSeconds = 60,
    algorithm = 'ed25519',
    tag = profile,
    protocol = profile,
  } = how;
  const { site, kid, key, destination, nonce = newNonce(), cover = requestCover } = how;
  const [path, query] = target.includes('?')
    ? [target.slice(0, target.indexOf('?')), target.slice(target.indexOf('?'))]
    : [target, '?'];
  const headers: Record<string, string> = {
    'content-digest': digestOf(body),
    'content-type': 'application/json',
    'bf-destination': destination,
    'bf-protocol': protocol,
  };
  const values: Record<string, string> = { ...headers, '@method': method, '@path': path!, '@query': query! };
  const created = Math.floor(createdMs / 1_000);
  const parameters =
    `(${cover.map((name) => `"${name}"`).join(' ')});created=${created};expires=${created + lifetimeSeconds}` +
    `;nonce="${nonce}";keyid="${site}/${kid}";alg="${algorithm}";tag="${tag}"`;
  const lines = [...cover.map((name) => `"${name}": ${values[name]}`), `"@signature-params": ${parameters}`];
  const signature = key.sign(Buffer.from(lines.join('\n'), 'latin1')).toString('base64');
  return { ...headers, 'signature-input': `bw=${parameters}`, signature: `bw=:${signature}:` };
}

export const digestOf = (body: Uint8Array) => `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;

/** What is wrong with an answer's signature; undefined when it is the site's, and to this very request. */
export function answerFault(
  { status, headers, body }: { status: number; headers: NodeJS.Dict<string[]>; body: Buffer },
  { site, keys, requestSignature }: { site: string; keys: ReadonlyMap<string, VerifyingKey>; requestSignature: string },
): string | undefined {
  const one = (name: string) => (headers[name]?.length === 1 ? headers[name][0]! : '');
  const parameters = one('signature-input').startsWith(`bw=${answerCover};`)
    ? one('signature-input').slice(3)
    : undefined;
  if (parameters === undefined)
    return one('signature') === '' ? 'it carries no signature' : 'its signature is not of the profile';
  const kid = new RegExp(`;keyid="${site}/([\\w-]+)";alg="ed25519";tag="${profile}"$`).exec(parameters)?.[1];
  const key = keys.get(kid ?? '');
  if (key === undefined) return 'it is signed with a key that the site document does not name';
  if (one('content-digest') !== digestOf(body)) return 'its digest is not that of its body';
  const base =
    `"@status": ${status}\n"content-digest": ${one('content-digest')}\n"content-type": ${one('content-type')}\n` +
    `"signature";req;key="bw": ${requestSignature.slice('bw='.length)}\n"@signature-params": ${parameters}`;
  const signature = Buffer.from(/^bw=:(.+):$/.exec(one('signature'))?.[1] ?? '', 'base64');
  return key.verify(Buffer.from(base, 'latin1'), signature)
    ? undefined
    : 'its signature does not hold for this request';
}
