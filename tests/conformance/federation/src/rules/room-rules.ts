import {
  federationPaths,
  feedHeadSchema,
  feedHeadType,
  feedPageSchema,
  headAnswerSchema,
  type FeedPosition,
  reconcileAnswerSchema,
} from '@boardwire/contracts';
import { verifyEnvelope, type Envelope } from '@boardwire/signing';
import { expectEqual, expectThat, type Rule } from '../rule.ts';
import { readSiteDocument } from '../site-document.ts';
import type { Target } from '../target.ts';

/** The site's signed word of its own feed has to be what its vector says. */
export function checkHead(head: Envelope | null, target: Target, place: FeedPosition | undefined) {
  if (head === null) {
    expectEqual(place?.n ?? 0, 0, 'a feed without a signed head has');
    return;
  }
  const keys = [...target.eventKeys.values()];
  const payload = keys.map((key) => verifyEnvelope(head, feedHeadType, key)).find((bytes) => bytes !== undefined);
  expectThat(payload !== undefined, 'the event key has not signed the head');
  const { site, epoch, n, hash } = feedHeadSchema.parse(JSON.parse(payload.toString()));
  expectEqual(
    [site, epoch, n, hash],
    [target.site, place?.epoch, place?.n, place?.hash],
    'the signed head and the vector',
  );
}

export const roomRules: Rule[] = [
  {
    name: 'head.what_there_is',
    says: 'head tells of every feed, of who takes part, and has the site’s signed word of its own feed',
    async check(kit) {
      const first = await kit.member('first');
      await first.say(2);
      const { vector, head, members } = (await first.client.get(federationPaths.head(first.room))).as(headAnswerSchema);
      const last = first.feed.at(-1)!;
      expectEqual(vector[first.site.id], { epoch: 'e1', n: first.feed.length, hash: last.hash }, 'the place of a feed');
      checkHead(head, kit.target, vector[kit.target.site]);
      const ids = members.map(({ document }) => readSiteDocument(document).site);
      expectThat(
        ids.includes(kit.target.site) && ids.includes(first.site.id),
        'the members lack the site, or who asks',
      );
    },
  },
  {
    name: 'room.unknown_or_forbidden',
    says: 'a room that a peer has no part in is room_unknown, by every way',
    async check(kit) {
      const { client } = await kit.member('first');
      const room = `br1${'a'.repeat(52)}`;
      const feed = federationPaths.feed(room, kit.target.site, 'e1', { from: 1, limit: 1 });
      for (const path of [federationPaths.head(room), feed]) {
        // oxlint-disable-next-line no-await-in-loop
        (await client.get(path)).refuses('room_unknown', path);
      }
      for (const path of [
        federationPaths.events(room),
        federationPaths.reconcile(room),
        federationPaths.evidence(room),
      ]) {
        // oxlint-disable-next-line no-await-in-loop
        (await client.post(path, { items: [] })).refuses('room_unknown', path);
      }
      const stream = { have: {}, feeds: [kit.target.site] };
      (await client.post(federationPaths.stream(room), stream)).refuses('room_unknown', 'a stream');
    },
  },
  {
    name: 'backfill.pages',
    says: 'a page holds the feed’s own bytes from a place on, no more than was asked for',
    async check(kit) {
      const [first, second] = [await kit.member('first'), await kit.member('second')];
      await first.say(5);
      const { id, epoch } = first.site;
      const page = async (from: number, limit: number) =>
        (await second.page({ site: id, epoch, from, limit })).as(feedPageSchema);
      const { items, n } = await page(2, 3);
      expectEqual(n, first.feed.length, 'how far the feed is');
      expectEqual(
        items.map(({ h }) => h),
        first.feed.slice(1, 4).map(({ wire }) => wire.h),
        'three headers from the second on',
      );
      expectEqual(
        items.map(({ data, salt }) => [data, salt]),
        first.feed.slice(1, 4).map(({ wire }) => [wire.data, wire.salt]),
        'their data',
      );
      expectEqual((await page(n, 256)).items.length, 1, 'items from the last on');
      expectEqual(await page(n + 1, 10), { items: [], n }, 'a page behind the end');
      const unknown = (await second.page({ site: id, epoch: 'nowhere', from: 1, limit: 5 })).as(feedPageSchema);
      expectEqual(unknown, { items: [], n: 0 }, 'a feed that nobody knows');
    },
  },
  {
    name: 'backfill.bounds',
    says: 'a page of more than 256, from before the first, or of no number is malformed',
    async check(kit) {
      const { page, site } = await kit
        .member('first')
        .then((first) => ({ page: first.page.bind(first), site: first.site }));
      for (const [from, limit] of [
        [1, 257],
        [0, 5],
        [-1, 5],
        [1, 0],
        [1.5, 5],
        [Number.NaN, 5],
      ] as const) {
        // oxlint-disable-next-line no-await-in-loop
        (await page({ site: site.id, epoch: site.epoch, from, limit })).refuses(
          'malformed',
          `from ${from}, limit ${limit}`,
        );
      }
    },
  },
  {
    name: 'reconcile.heads',
    says: 'an equal place with another hash is a difference, a higher place is none',
    async check(kit) {
      const [first, second] = [await kit.member('first'), await kit.member('second')];
      await first.say(3);
      const path = federationPaths.reconcile(first.room);
      const { id: site, epoch } = first.site;
      const compare = async (n: number, hash: string) => {
        const answer = (await second.client.post(path, { heads: [{ site, epoch, n, hash }] })).as(
          reconcileAnswerSchema,
        );
        return 'differences' in answer ? answer.differences : undefined;
      };
      const [one, two] = first.feed;
      expectEqual(await compare(1, one!.hash), [], 'differences where both have the same');
      expectEqual(await compare(first.feed.length + 5, 'a'.repeat(64)), [], 'differences at a place that is not here');
      expectEqual(
        (await compare(2, 'a'.repeat(64)))?.map(({ n, hash }) => [n, hash]),
        [[2, two!.hash]],
        'the difference',
      );
    },
  },
  {
    name: 'reconcile.range',
    says: 'the hashes of a range are those of its headers',
    async check(kit) {
      const [first, second] = [await kit.member('first'), await kit.member('second')];
      await first.say(3);
      const { id: site, epoch } = first.site;
      const answer = await second.client.post(federationPaths.reconcile(first.room), { site, epoch, from: 1, to: 3 });
      expectEqual(
        answer.as(reconcileAnswerSchema),
        { hashes: first.feed.slice(0, 3).map(({ hash }) => hash) },
        'hashes',
      );
    },
  },
];
