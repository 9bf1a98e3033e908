import { federationPaths } from '@boardwire/contracts';
import type { Kit } from '../kit.ts';
import { expectEqual, type Rule } from '../rule.ts';
import type { Written } from '../sites/foreign-site.ts';
import type { Member } from '../sites/member.ts';

/** Another header for the place of one that was said. */
function forkOf({ site, feed, subject }: Member, oseq: number): Written {
  return site.write(feed[oseq - 2], `another-${feed[oseq - 1]!.header.id}`, { subject });
}

const tell = (kit: Kit, items: readonly Written[]) =>
  kit.member('second').then(({ client, room }) => {
    const stripped = items.map(({ wire }) => ({ ...wire, salt: null, data: null }));
    return client.post(federationPaths.evidence(room), { items: stripped });
  });

export const forkRules: Rule[] = [
  {
    name: 'evidence.no_proof',
    says: 'two headers that don’t contradict each other are malformed as evidence',
    async check(kit) {
      const forker = await kit.member('forker');
      await forker.say(2);
      const [one, two] = forker.feed.slice(-2);
      (await tell(kit, [one!, two!])).refuses('malformed', 'two places');
      (await tell(kit, [two!, two!])).refuses('malformed', 'one header twice');
      const forged = { ...two!, wire: { ...two!.wire, sigs: [{ kid: forker.site.kid, sig: 'A'.repeat(86) }] } };
      (await tell(kit, [forkOf(forker, two!.header.oseq), forged])).refuses('malformed', 'a forged signature');
    },
  },
  {
    name: 'evidence.freezes',
    says: 'proof of two headers for one place is taken, also again, and freezes that feed alone',
    async check(kit) {
      const [first, forker] = [await kit.member('first'), await kit.member('forker')];
      await forker.say(2);
      const last = forker.feed.at(-1)!;
      const pair = [last, forkOf(forker, last.header.oseq)];
      for (const what of ['the first time', 'again']) {
        // oxlint-disable-next-line no-await-in-loop
        expectEqual((await tell(kit, pair)).status, 204, `evidence ${what}`);
      }
      expectEqual(
        (await forker.outcomes([forker.write('later').wire])).map(({ outcome }) => outcome),
        ['frozen'],
        'its next item',
      );
      const { id: site, epoch } = forker.site;
      const behind = await first.page({ site, epoch, from: last.header.oseq + 1, limit: 1 });
      behind.refuses('equivocation', 'a place behind a frozen feed');
      await first.say(1);
    },
  },
  {
    name: 'push.equivocation',
    says: 'another header at a place that is taken is equivocation, and neither is lost',
    async check(kit) {
      const writer = await kit.member('writer');
      await writer.say(1);
      const { oseq } = writer.feed.at(-1)!.header;
      const outcomes = await writer.outcomes([forkOf(writer, oseq).wire, writer.write('later').wire]);
      expectEqual(
        outcomes.map(({ outcome }) => outcome),
        ['equivocation', 'frozen'],
        'outcomes',
      );
    },
  },
  {
    name: 'feed.epoch_closed',
    says: 'behind the end of an epoch that a later one has followed: epoch_closed',
    async check(kit) {
      const [second, eager] = [await kit.member('second'), await kit.member('eager')];
      if (eager.feed.length === 0) await eager.say(1);
      const { site, feed } = eager;
      const after = { epoch: site.epoch, n: feed.length, hash: feed.at(-1)!.hash };
      const next = site.record({ epoch: 'e2', ordinal: 1, after });
      await eager.outcomes([], { members: [site.bundle([], [site.record(), next])] });
      const behind = { site: site.id, epoch: site.epoch, from: feed.length + 1, limit: 1 };
      (await second.page(behind)).refuses('epoch_closed', 'a place behind the end');
      const first = site.write(undefined, 'in-the-second-epoch', { epoch: 'e2', subject: eager.subject });
      expectEqual(
        (await eager.outcomes([first.wire])).map(({ outcome }) => outcome),
        ['accepted'],
        'the second epoch',
      );
    },
  },
];
