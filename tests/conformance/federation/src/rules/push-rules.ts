import { federationPaths, pushAnswerSchema } from '@boardwire/contracts';
import { generateSigningKey } from '@boardwire/signing';
import type { Kit } from '../kit.ts';
import { expectEqual, type Rule } from '../rule.ts';
import { ForeignSite, type Written } from '../sites/foreign-site.ts';
import type { Member } from '../sites/member.ts';
import type { FrameStream } from '../wire/frame-stream.ts';

/** The same place again, with header bytes that were changed before they were signed. */
function respelled({ site }: Member, item: Written, change: (text: string) => string) {
  const { salt, data } = {
    salt: Buffer.from(item.wire.salt!, 'base64url'),
    data: Buffer.from(item.wire.data!, 'base64url'),
  };
  const bytes = Buffer.from(change(Buffer.from(item.wire.h, 'base64url').toString()));
  return site.sign(bytes, { header: item.header, salt, data }).wire;
}

/** Everything that no honest carrier brings, each beside a good item, in one push; what became of each by its name. */
function badItems(kit: Kit): Promise<{ outcomes: Map<string, string>; stream: FrameStream }> {
  return kit.once('bad items', async () => {
    const culprit = await kit.member('culprit');
    const stream = await culprit.stream({}, [kit.target.site]);
    const good = culprit.write('good');
    const { wire } = good;
    const [salt, data] = [Buffer.from(wire.salt!, 'base64url'), Buffer.from(wire.data!, 'base64url')];
    const bytes = Buffer.from(wire.h, 'base64url');
    const stranger = new ForeignSite(culprit.room);
    const bad: Record<string, unknown> = {
      'swapped data': { ...wire, data: Buffer.from('{"text":"another"}').toString('base64url') },
      'a forged signature': culprit.site.sign(bytes, { header: good.header, salt, data }, generateSigningKey()).wire,
      'a name twice': respelled(culprit, good, (text) => text.replace('{', '{"author":"2",')),
      'a lone surrogate': respelled(culprit, good, (text) => text.replace('"Ann"', String.raw`"\ud800"`)),
      'other spelling': respelled(culprit, good, (text) => text.replace('{', '{ ')),
      'another room': culprit.site.inRoom(`br1${'a'.repeat(52)}`).write(undefined, 'x').wire,
      'a site that is no member': stranger.write(undefined, 'x', { subject: culprit.subject }).wire,
      'no item at all': 'junk',
      'data beyond 64 KiB': { ...wire, data: 'A'.repeat(90_000) },
      'back at this site': { ...wire, via: [culprit.site.id, kit.target.site] },
      'too many carriers': { ...wire, via: Array.from({ length: 9 }, () => culprit.site.id) },
    };
    const outcomes = await culprit.outcomes([...Object.values(bad), wire]);
    const found = new Map(Object.keys(bad).map((name, at) => [name, outcomes[at]!.outcome]));
    return { outcomes: found.set('the good one behind them', outcomes.at(-1)!.outcome), stream };
  });
}

async function expectOutcomes(kit: Kit, wanted: string, names: readonly string[]): Promise<void> {
  const { outcomes } = await badItems(kit);
  for (const name of names) expectEqual(outcomes.get(name), wanted, name);
}

export const pushRules: Rule[] = [
  {
    name: 'push.accepted',
    says: 'good items are accepted in their order, and the answer has the vector',
    async check(kit) {
      const first = await kit.member('first');
      const items = [first.write('one')];
      items.push(first.site.write(items[0], `two-${items[0]!.header.id}`, { subject: first.subject }));
      const { outcomes, vector } = (await first.push(items.map(({ wire }) => wire))).as(pushAnswerSchema);
      first.feed.push(...items);
      expectEqual(
        outcomes.map(({ outcome, oseq }) => [outcome, oseq]),
        items.map(({ header }) => ['accepted', header.oseq]),
        'outcomes',
      );
      expectEqual(vector[first.site.id], { epoch: 'e1', n: first.feed.length, hash: items[1]!.hash }, 'the vector');
    },
  },
  {
    name: 'push.duplicate',
    says: 'what comes again is a duplicate, whoever brings it',
    async check(kit) {
      const [first, second] = [await kit.member('first'), await kit.member('second')];
      const [item] = await first.say(1);
      expectEqual(
        (await first.outcomes([item!.wire])).map(({ outcome }) => outcome),
        ['duplicate'],
        'by its origin',
      );
      const carried = { ...item!.wire, via: [first.site.id, second.site.id] };
      expectEqual(
        (await second.outcomes([carried])).map(({ outcome }) => outcome),
        ['duplicate'],
        'by another',
      );
    },
  },
  {
    name: 'push.gap',
    says: 'nothing is taken past a gap, and the answer says what is expected',
    async check(kit) {
      const first = await kit.member('first');
      const one = first.write('gap');
      const two = first.site.write(one, `gap-${one.header.id}`, { subject: first.subject });
      const [gap] = await first.outcomes([two.wire]);
      expectEqual([gap!.outcome, gap!.expected], ['gap', one.header.oseq], 'the outcome');
      expectEqual(
        (await first.outcomes([one.wire, two.wire])).map(({ outcome }) => outcome),
        ['accepted', 'accepted'],
        'filled',
      );
      first.feed.push(one, two);
    },
  },
  {
    name: 'push.relayed',
    says: 'items of one member are taken from another',
    async check(kit) {
      const [first, carrier] = [await kit.member('first'), await kit.member('forker')];
      const item = first.write('relayed');
      const carried = { ...item.wire, via: [first.site.id, carrier.site.id] };
      expectEqual(
        (await carrier.outcomes([carried])).map(({ outcome }) => outcome),
        ['accepted'],
        'the outcome',
      );
      first.feed.push(item);
    },
  },
  {
    name: 'push.unverifiable',
    says: 'items that don’t prove themselves are unverifiable',
    check: (kit) =>
      expectOutcomes(kit, 'unverifiable', [
        'swapped data',
        'a forged signature',
        'a name twice',
        'a lone surrogate',
        'other spelling',
        'another room',
        'a site that is no member',
        'no item at all',
        'data beyond 64 KiB',
      ]),
  },
  {
    name: 'push.loops',
    says: 'what was here already, or went through more than eight sites, is dropped',
    check: (kit) => expectOutcomes(kit, 'dropped', ['back at this site', 'too many carriers']),
  },
  {
    name: 'push.bad_beside_good',
    says: 'a bad item never fails its batch',
    check: (kit) => expectOutcomes(kit, 'accepted', ['the good one behind them']),
  },
  {
    name: 'peer.suspended',
    says: 'who brings three bad items is suspended: its stream ends within a second, it may do nothing more',
    async check(kit) {
      const { stream } = await badItems(kit);
      const culprit = await kit.member('culprit');
      await stream.until('bye on its open stream', () => stream.named('bye').length > 0, 2_000);
      expectEqual(
        stream.named('bye').map(({ code }) => code),
        ['peer_suspended'],
        'why its stream ends',
      );
      await stream.until('the end of its stream', () => stream.isEnded, 2_000);
      (await culprit.push([])).refuses('peer_suspended', 'a push');
      (await culprit.client.get(federationPaths.head(culprit.room))).refuses('peer_suspended', 'head');
    },
  },
  {
    name: 'push.refused_by_rules',
    says: 'direct messages never enter: refused, and the feed goes on over a hole that isn’t served',
    async check(kit) {
      const [first, second] = [await kit.member('first'), await kit.member('forker')];
      const wrong = second.write('direct', { subject: 'dm.a' });
      const next = second.site.write(wrong, `behind-${wrong.header.id}`, { subject: second.subject });
      const outcomes = await second.outcomes([wrong.wire, next.wire]);
      expectEqual(
        outcomes.map(({ outcome }) => outcome),
        ['refused', 'accepted'],
        'outcomes',
      );
      second.feed.push(wrong, next);
      const { id: site, epoch } = second.site;
      const answer = await first.page({ site, epoch, from: wrong.header.oseq, limit: 5 });
      answer.refuses('feed_pruned', 'the place of what was refused');
    },
  },
  {
    name: 'push.direction',
    says: 'who may only read brings nothing, who may only write reads nothing, and relays nothing: direction_denied',
    async check(kit) {
      const reader = await kit.member('reader');
      (await reader.push([])).refuses('direction_denied', 'a push of who may only read');
      const writer = await kit.member('writer');
      (await writer.client.get(federationPaths.head(writer.room))).refuses(
        'direction_denied',
        'head for who may only write',
      );
      const stranger = new ForeignSite(writer.room).write(undefined, 'x');
      (await writer.push([stranger.wire])).refuses('direction_denied', 'another’s item of who may not relay');
      await writer.say(1);
    },
  },
];
