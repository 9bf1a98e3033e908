import { federationLimits, federationPaths, type FederationErrorCode } from '@boardwire/contracts';
import { generateSigningKey } from '@boardwire/signing';
import type { Kit } from '../kit.ts';
import { expectEqual, type Rule } from '../rule.ts';
import { ForeignSite } from '../sites/foreign-site.ts';
import type { Changes } from '../wire/fed-client.ts';
import { newNonce, requestCover } from '../wire/hop-signature.ts';

/** A push of nothing by the first member, changed in one way; refused for it. */
async function refuses(kit: Kit, code: FederationErrorCode, changed: readonly [what: string, changes: Changes][]) {
  const { client, room } = await kit.member('first');
  for (const [what, changes] of changed) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    (await client.send(federationPaths.events(room), changes)).refuses(code, what);
  }
}

const sent = (headers: Record<string, string | string[] | undefined>): Changes => ({ sent: { headers } });
const skewed = (ms: number): Changes => ({ createdMs: Date.now() + ms });

export const hopRules: Rule[] = [
  {
    name: 'hop.good',
    says: 'a request of the profile is answered',
    async check(kit) {
      const { client, room } = await kit.member('first');
      expectEqual((await client.send(federationPaths.events(room))).status, 200, 'the status of an empty push');
    },
  },
  {
    name: 'hop.unknown_site',
    says: 'a site that nobody knows is sig_invalid, as a wrong signature is',
    async check(kit) {
      const { room } = await kit.member('first');
      const stranger = kit.client(new ForeignSite(room));
      (await stranger.send(federationPaths.events(room))).refuses('sig_invalid', 'an unknown site');
    },
  },
  {
    name: 'hop.key_substitution',
    says: 'keys that the site’s document doesn’t name for hops are sig_invalid',
    async check(kit) {
      const { site } = await kit.member('first');
      const other = new ForeignSite(site.room);
      await refuses(kit, 'sig_invalid', [
        ['another key under the known id', { key: generateSigningKey() }],
        ['a key with an id of its own', { key: other.hop, kid: other.keyId('hop') }],
        ['the event key', { key: site.event, kid: site.keyId('event') }],
        ['the event key under the id of the hop key', { key: site.event }],
      ]);
    },
  },
  {
    name: 'hop.missing_part',
    says: 'every part of the profile is needed: sig_missing',
    check: (kit) =>
      refuses(
        kit,
        'sig_missing',
        ['signature', 'signature-input', 'content-digest', 'content-type', 'bf-destination', 'bf-protocol'].map(
          (name) => [`without ${name}`, sent({ [name]: undefined })] as const,
        ),
      ),
  },
  {
    name: 'hop.two_signatures',
    says: 'exactly one signature: sig_invalid',
    async check(kit) {
      const { client, room } = await kit.member('first');
      const { headers } = client.request(federationPaths.events(room));
      const [input, signature] = [String(headers['signature-input']), String(headers['signature'])];
      await refuses(kit, 'sig_invalid', [
        ['each header twice', sent({ 'signature-input': [input, input], signature: [signature, signature] })],
        [
          'two labels',
          sent({
            'signature-input': `${input}, ${input.replace('bw=', 'b2=')}`,
            signature: `${signature}, ${signature.replace('bw=', 'b2=')}`,
          }),
        ],
      ]);
    },
  },
  {
    name: 'hop.swapped_algorithm',
    says: 'another algorithm or another tag is sig_invalid, whoever has signed it',
    check: (kit) =>
      refuses(kit, 'sig_invalid', [
        ['hmac-sha256', { algorithm: 'hmac-sha256' }],
        ['no tag of this profile', { tag: 'boardwire-fed/0' }],
      ]),
  },
  {
    name: 'hop.covers_less',
    says: 'a signature over less than the profile covers is sig_invalid',
    check: (kit) =>
      refuses(
        kit,
        'sig_invalid',
        requestCover.map(
          (left) => [`not over ${left}`, { cover: requestCover.filter((name) => name !== left) }] as const,
        ),
      ),
  },
  {
    name: 'hop.tampered',
    says: 'a signature holds for its method, path, query and headers alone: sig_invalid',
    async check(kit) {
      const { client, room } = await kit.member('first');
      const path = federationPaths.events(room);
      const { headers } = client.request(path);
      const signature = String(headers['signature']);
      const flipped = signature.replace(/[A-Za-z0-9+/]/g, (one, at: number) =>
        at === 10 ? (one === 'A' ? 'B' : 'A') : one,
      );
      await refuses(kit, 'sig_invalid', [
        ['one digit of the signature', { sent: { headers: { ...headers, signature: flipped } } }],
        ['another path', { sent: { path: federationPaths.reconcile(room) } }],
        ['another query', { sent: { path: `${path}?a=1` } }],
        ['another content type', sent({ 'content-type': 'text/plain' })],
      ]);
      const head = federationPaths.head(room);
      const other = await client.send(head, { body: new Uint8Array(), sent: { method: 'GET' } });
      other.refuses('sig_invalid', 'another method');
    },
  },
  {
    name: 'hop.swapped_body',
    says: 'a body that isn’t the digest’s is digest_mismatch',
    check: (kit) =>
      refuses(kit, 'digest_mismatch', [['another body', { sent: { body: Buffer.from('{"items":[1]}') } }]]),
  },
  {
    name: 'hop.replayed_nonce',
    says: 'a nonce counts once, whatever it asks for: nonce_replayed',
    async check(kit) {
      const { client, room } = await kit.member('first');
      const nonce = newNonce();
      const path = federationPaths.events(room);
      const captured = client.request(path, { nonce });
      expectEqual((await client.send(path, { sent: { headers: captured.headers } })).status, 200, 'the first time');
      await refuses(kit, 'nonce_replayed', [
        ['the very same request', { sent: { headers: captured.headers } }],
        ['signed anew', { nonce }],
      ]);
      const elsewhere = await client.send(federationPaths.reconcile(room), { nonce });
      elsewhere.refuses('nonce_replayed', 'at another place');
    },
  },
  {
    name: 'hop.clock',
    says: 'clocks may differ by five minutes: sig_expired behind that, clock_skew ahead of it',
    async check(kit) {
      const { client, room } = await kit.member('first');
      const { clockSkewMs, signatureLifetimeMs } = federationLimits;
      for (const ms of [clockSkewMs - 30_000, -clockSkewMs - signatureLifetimeMs + 30_000]) {
        // oxlint-disable-next-line no-await-in-loop
        const { status } = await client.send(federationPaths.events(room), skewed(ms));
        expectEqual(status, 200, `a clock that is off by ${ms / 1_000} s`);
      }
      await refuses(kit, 'clock_skew', [['made in the future', skewed(clockSkewMs + 30_000)]]);
      await refuses(kit, 'sig_expired', [['expired long ago', skewed(-clockSkewMs - signatureLifetimeMs - 30_000)]]);
      await refuses(kit, 'sig_invalid', [
        ['valid for longer than a minute', { lifetimeSeconds: 61 }],
        ['expires before it begins', { lifetimeSeconds: -1 }],
      ]);
    },
  },
  {
    name: 'hop.wrong_destination',
    says: 'what was signed for another site is wrong_destination',
    async check(kit) {
      const { room } = await kit.member('first');
      await refuses(kit, 'wrong_destination', [['for another site', { destination: new ForeignSite(room).id }]]);
    },
  },
  {
    name: 'hop.version',
    says: 'another version, and a place that this one doesn’t have, are upgrade_required',
    async check(kit) {
      const { client } = await kit.member('first');
      await refuses(kit, 'upgrade_required', [['boardwire-fed/2', { protocol: 'boardwire-fed/2' }]]);
      (await client.send('/fed/v1/nothing')).refuses('upgrade_required', 'an unknown place');
    },
  },
];
