import { federationLimits, federationPaths, feedHeaderType, noPrevious, type WireItem } from '@boardwire/contracts';
import { preAuthenticationEncoding } from '@boardwire/signing';
import { expectEqual, expectThat, NotApplicable, type Rule } from '../rule.ts';
import { readSiteDocument } from '../site-document.ts';
import { sha256, type Written } from '../sites/foreign-site.ts';
import type { Member } from '../sites/member.ts';
import type { FrameStream } from '../wire/frame-stream.ts';
import { checkHead } from './room-rules.ts';

const slackMs = 2_000;

/** Waits for these items, and for nothing missing, doubled, moved or changed on the way. */
async function brings(stream: FrameStream, wanted: readonly Written[], origin: Member): Promise<void> {
  const items = () => stream.named('ev').map(({ item }) => item);
  const wrongAt = () => items().findIndex(({ h }, at) => h !== wanted[at]?.wire.h);
  await stream.until(`${wanted.length} items of a stream`, () => wrongAt() >= 0 || items().length >= wanted.length);
  if (wrongAt() >= 0)
    expectEqual(placeOf(items()[wrongAt()]!), wanted[wrongAt()]?.header.oseq ?? 'none', 'the next place');
  for (const [at, { data, salt, via }] of items().entries()) {
    const { wire } = wanted[at]!;
    expectEqual([data, salt], [wire.data, wire.salt], `data and salt at ${wanted[at]!.header.oseq}`);
    expectEqual(via[0], origin.site.id, 'the first carrier');
  }
}

const placeOf = ({ h }: WireItem) => (JSON.parse(Buffer.from(h, 'base64url').toString()) as { oseq: unknown }).oseq;

export const streamRules: Rule[] = [
  {
    name: 'stream.hello',
    says: 'a stream begins with a hello signed for this very request, then every member, before any item',
    async check(kit) {
      const [first, second] = [await kit.member('first'), await kit.member('second')];
      await first.say(1);
      const stream = await second.stream({}, [first.site.id]);
      await stream.until('an item', () => stream.named('ev').length > 0);
      const kinds = stream.frames.map(({ t }) => t);
      expectThat(kinds.lastIndexOf('member') < kinds.indexOf('ev'), 'an item before the members');
      const ids = stream.named('member').map(({ member }) => readSiteDocument(member.document).site);
      expectThat(
        ids.includes(kit.target.site) && ids.includes(first.site.id),
        'the members lack the site, or an origin',
      );
      stream.close();
    },
  },
  {
    name: 'stream.order',
    says: 'a stream brings every item of the feed once, in its order, as its origin has signed it',
    async check(kit) {
      const [first, second] = [await kit.member('first'), await kit.member('second')];
      await first.say(20);
      const stream = await second.stream({}, [first.site.id]);
      await brings(stream, first.feed, first);
      const { via } = stream.named('ev')[0]!.item;
      expectEqual(via.at(-1), kit.target.site, 'the last carrier');
      stream.close();
    },
  },
  {
    name: 'stream.live',
    says: 'what is said later comes by the same stream',
    async check(kit) {
      const [first, second] = [await kit.member('first'), await kit.member('second')];
      await first.say(1);
      const stream = await second.stream({}, [first.site.id]);
      await brings(stream, first.feed, first);
      for (let turn = 0; turn < 3; turn += 1) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await first.say(2);
        // oxlint-disable-next-line no-await-in-loop
        await brings(stream, first.feed, first);
      }
      stream.close();
    },
  },
  {
    name: 'stream.resume',
    says: 'a stream goes on behind what the peer has, and with its own header where the peer has another one',
    async check(kit) {
      const [first, second] = [await kit.member('first'), await kit.member('second')];
      await first.say(4);
      const { id, epoch } = first.site;
      const [, before, ...after] = first.feed;
      const stream = await second.stream({ [id]: { epoch, n: 2, hash: before!.hash } }, [id]);
      await brings(stream, after, first);
      stream.close();
      const forked = await second.stream({ [id]: { epoch, n: 2, hash: 'a'.repeat(64) } }, [id]);
      await brings(forked, [before!, ...after], first);
      forked.close();
    },
  },
  {
    name: 'stream.heartbeat',
    says: 'a heartbeat says in time how far every feed is, and claims no more than was served',
    async check(kit) {
      const [first, second] = [await kit.member('first'), await kit.member('second')];
      await first.say(1);
      const stream = await second.stream({}, [first.site.id]);
      await brings(stream, first.feed, first);
      const from = stream.named('hb').length;
      await stream.until('a heartbeat', () => stream.named('hb').length > from, federationLimits.heartbeatMs + slackMs);
      const { vector, head } = stream.named('hb').at(-1)!;
      const last = first.feed.at(-1)!;
      expectEqual(
        vector[first.site.id],
        { epoch: 'e1', n: first.feed.length, hash: last.hash },
        'the place of the feed',
      );
      checkHead(head, kit.target, vector[kit.target.site]);
      stream.close();
    },
  },
  {
    name: 'stream.no_echo',
    says: 'a peer isn’t sent its own feed, nor what came through it',
    async check(kit) {
      const [first, second] = [await kit.member('first'), await kit.member('second')];
      await first.say(1);
      const stream = await first.stream({}, [first.site.id]);
      await stream.until('a heartbeat', () => stream.named('hb').length > 0, federationLimits.heartbeatMs + slackMs);
      expectEqual(stream.named('ev').length, 0, 'items of the peer’s own feed');
      stream.close();
      const item = first.write('carried');
      await second.outcomes([{ ...item.wire, via: [first.site.id, second.site.id] }]);
      first.feed.push(item);
      await first.say(1);
      const { id, epoch } = first.site;
      const before = first.feed.at(-3)!;
      const have = { [id]: { epoch, n: before.header.oseq, hash: before.hash } };
      const other = await second.stream(have, [id]);
      await brings(other, first.feed.slice(-1), first);
      other.close();
    },
  },
  {
    name: 'stream.own_feed',
    says: 'the site’s own feed is dense, linked and signed, as far as its head says',
    async check(kit) {
      const second = await kit.member('second');
      const stream = await second.stream({}, [kit.target.site]);
      const heads = () => stream.named('hb');
      await stream.until('a heartbeat', () => heads().length > 0, federationLimits.heartbeatMs + slackMs);
      const { n = 0 } = heads().at(-1)!.vector[kit.target.site] ?? {};
      if (n === 0) throw new NotApplicable('nothing was said there yet');
      let [oseq, prev] = [0, noPrevious];
      for (const { item } of stream.named('ev')) {
        const bytes = Buffer.from(item.h, 'base64url');
        const header = JSON.parse(bytes.toString()) as { oseq: number; prev: string; kid: string; datahash: string };
        const key = kit.target.eventKeys.get(header.kid);
        const sig = Buffer.from(item.sigs[0]!.sig, 'base64url');
        expectEqual([header.oseq, header.prev], [oseq + 1, prev], 'the next place and what it links to');
        // One that was rotated away isn't in the document any more.
        const holds = key === undefined || key.verify(preAuthenticationEncoding(feedHeaderType, bytes), sig);
        expectThat(holds, `the signature at ${header.oseq} does not hold`);
        if (item.data !== null && item.salt !== null) {
          const hash = sha256(Buffer.from(item.salt, 'base64url'), Buffer.from(item.data, 'base64url'));
          expectEqual(hash, header.datahash, `the hash of the data at ${header.oseq}`);
        }
        [oseq, prev] = [header.oseq, sha256(bytes)];
      }
      expectEqual(oseq, n, 'items before the heartbeat, and what it claims');
      stream.close();
    },
  },
  {
    name: 'stream.superseded',
    says: 'a fifth stream of a room ends the oldest',
    async check(kit) {
      const second = await kit.member('second');
      const streams: FrameStream[] = [];
      for (let at = 0; at <= federationLimits.streamsPerPeerMax; at += 1) {
        // oxlint-disable-next-line no-await-in-loop -- the oldest has to be the first
        streams.push(await second.stream({}, [kit.target.site]));
      }
      const [oldest, ...others] = streams;
      await oldest!.until('bye on the oldest', () => oldest!.named('bye').length > 0);
      expectEqual(oldest!.named('bye')[0]!.code, 'superseded', 'why the oldest ends');
      await oldest!.until('the end of the oldest', () => oldest!.isEnded);
      expectEqual(others.filter(({ isEnded }) => isEnded).length, 0, 'others that ended');
      for (const stream of streams) stream.close();
    },
  },
  {
    name: 'stream.malformed',
    says: 'a stream of no feeds, or of what is no vector, is malformed',
    async check(kit) {
      const { client, room, site } = await kit.member('second');
      const path = federationPaths.stream(room);
      for (const body of [
        {},
        { have: {}, feeds: [] },
        { have: { x: 1 }, feeds: [site.id] },
        { have: {}, feeds: ['x'] },
      ]) {
        // oxlint-disable-next-line no-await-in-loop
        (await client.post(path, body)).refuses('malformed', JSON.stringify(body));
      }
    },
  },
];
