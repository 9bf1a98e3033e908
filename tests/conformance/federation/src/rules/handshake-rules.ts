import {
  federationPaths,
  handshakeAnswerSchema,
  roomGenesisSchema,
  roomGenesisType,
  signedSiteDocumentSchema,
} from '@boardwire/contracts';
import { encodeBase32, generateSigningKey, importVerifyingKey, verifyEnvelope } from '@boardwire/signing';
import { createHash } from 'node:crypto';
import type { Kit } from '../kit.ts';
import { expectEqual, expectThat, NotApplicable, type Rule } from '../rule.ts';
import { keysOf, readSiteDocument } from '../site-document.ts';
import { ForeignSite } from '../sites/foreign-site.ts';
import { roleNames } from '../sites/roles.ts';

/** Whichever site of the kit has an invitation. */
function invited(kit: Kit) {
  for (const role of roleNames) {
    try {
      return { role, ...kit.guest(role) };
    } catch {
      continue;
    }
  }
  throw new NotApplicable('no invitation at all');
}

const json = (value: unknown) => Buffer.from(JSON.stringify(value));

export const handshakeRules: Rule[] = [
  {
    name: 'document.proves_itself',
    says: '/.well-known/boardwire is signed by the root key that the site id is made of, and names this version',
    async check({ target }) {
      expectThat(target.document.protocols.includes('boardwire-fed/1'), 'protocols do not name boardwire-fed/1');
      expectThat(target.hopKeys.size > 0 && target.eventKeys.size > 0, 'no hop key or no event key');
    },
  },
  {
    name: 'handshake.wrong_secret',
    says: 'a secret that nobody was given is room_unknown',
    async check(kit) {
      const { invitation } = invited(kit);
      const stranger = new ForeignSite(invitation.room);
      const body = { room: invitation.room, secret: 'x'.repeat(43), document: stranger.document() };
      (await kit.client(stranger).post(federationPaths.handshake, body)).refuses('room_unknown', 'a guessed secret');
    },
  },
  {
    name: 'handshake.document_of_another',
    says: 'whoever brings another site’s document, or one that was changed, is sig_invalid',
    async check(kit) {
      const { invitation } = invited(kit);
      const [stranger, other] = [new ForeignSite(invitation.room), new ForeignSite(invitation.room)];
      const { room, secret } = { room: invitation.room, secret: 'x'.repeat(43) };
      const foreign = json({ room, secret, document: other.document() });
      const client = kit.client(stranger);
      const answer = await client.send(federationPaths.handshake, { body: foreign });
      answer.refuses('sig_invalid', 'another site’s document');
      const document = stranger.document();
      const changed = Buffer.from(document.payload, 'base64url').toString().replace('"Peer"', '"Deer"');
      const body = json({
        room,
        secret,
        document: { ...document, payload: Buffer.from(changed).toString('base64url') },
      });
      (await client.send(federationPaths.handshake, { body })).refuses('sig_invalid', 'a changed document');
    },
  },
  {
    name: 'handshake.unknown_key',
    says: 'a handshake that the document’s own hop key has not signed is sig_invalid',
    async check(kit) {
      const { site, client, invitation } = invited(kit);
      const { room, secret } = invitation;
      const body = json({ room, secret, document: site.document() });
      const answer = await client.send(federationPaths.handshake, { body, key: generateSigningKey() });
      answer.refuses('sig_invalid', 'a key that the document does not name');
    },
  },
  {
    name: 'handshake.malformed',
    says: 'a handshake without a document is malformed',
    async check(kit) {
      const { client } = invited(kit);
      (await client.send(federationPaths.handshake, { body: json({}) })).refuses('malformed', 'an empty handshake');
    },
  },
  {
    name: 'handshake.admitted',
    says: 'an invited site is let in with all it takes to be a member, as often as it asks',
    async check(kit) {
      const { role, site, invitation } = invited(kit);
      await kit.member(role);
      const answer = await kit.shake(role);
      if (answer.state !== 'admitted') throw new NotApplicable('not confirmed');
      expectEqual(readSiteDocument(answer.document).site, kit.target.site, 'the document of the answer');
      expectEqual([...answer.scopes].toSorted(), [...invitation.scopes].toSorted(), 'what was granted');
      const genesis = Buffer.from(answer.genesis.payload, 'base64url');
      const room = `br1${encodeBase32(createHash('sha256').update(genesis).digest())}`;
      expectEqual(room, invitation.room, 'the room of the genesis');
      const { creator } = roomGenesisSchema.parse(JSON.parse(genesis.toString()));
      const documents = answer.members.map(({ document }) =>
        readSiteDocument(signedSiteDocumentSchema.parse(document)),
      );
      const made = documents.find((one) => one.site === creator);
      const root = made?.keys.find(({ use }) => use === 'root');
      expectThat(root !== undefined, 'the creator of the room is no member');
      const key = importVerifyingKey(Buffer.from(root.public, 'base64url'));
      expectThat(
        verifyEnvelope(answer.genesis, roomGenesisType, key) !== undefined,
        'its creator has not signed the genesis',
      );
      expectThat(keysOf(made!, 'event').size > 0, 'the creator has no event key');
      const ids = documents.map((document) => document.site);
      expectThat(ids.includes(site.id) && ids.includes(kit.target.site), 'the members lack the new one, or the site');
    },
  },
  {
    name: 'handshake.used_invitation',
    says: 'an invitation that one site has used is worth nothing to another, nor for another room',
    async check(kit) {
      const { role, invitation, client, site } = invited(kit);
      await kit.member(role);
      const stranger = new ForeignSite(invitation.room);
      const { room, secret } = invitation;
      const again = await kit
        .client(stranger)
        .post(federationPaths.handshake, { room, secret, document: stranger.document() });
      again.refuses('room_unknown', 'an invitation for a second site');
      const elsewhere = { room: `br1${'a'.repeat(52)}`, secret, document: site.document() };
      (await client.post(federationPaths.handshake, elsewhere)).refuses(
        'room_unknown',
        'an invitation for another room',
      );
    },
  },
  {
    name: 'handshake.newer_document',
    says: 'a member shows a newer document without a secret; an older one is sig_invalid, and lets nobody in',
    async check(kit) {
      const { site, client, room } = await kit.member('second');
      const show = (ver: number) => client.post(federationPaths.handshake, { room, document: site.document(ver) });
      expectEqual((await show(2)).as(handshakeAnswerSchema).state, 'admitted', 'the answer to a newer document');
      (await show(1)).refuses('sig_invalid', 'an older document');
      const stranger = new ForeignSite(room);
      const shown = { room, document: stranger.document() };
      (await kit.client(stranger).post(federationPaths.handshake, shown)).refuses('room_unknown', 'no member');
    },
  },
];
