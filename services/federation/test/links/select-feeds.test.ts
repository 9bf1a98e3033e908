import { seededRandom } from '@boardwire/test-kit';
import { expect, test } from '@jest/globals';
import { selectFeeds, type FeedSelection } from '../../src/links/select-feeds.ts';

const select = (more: Partial<FeedSelection> & { streaming: ReadonlySet<string> }) =>
  Object.fromEntries(
    selectFeeds({
      members: ['a', 'b', 'c', 'd'],
      relaying: more.streaming,
      direct: new Set(),
      carriers: new Map(),
      avoids: () => false,
      ...more,
    }),
  );

test('each site brings its own feed, one that is away is brought by one other', () => {
  expect(select({ streaming: new Set(['a', 'b', 'c', 'd']) })).toEqual({ a: ['a'], b: ['b'], c: ['c'], d: ['d'] });
  const asked = select({ streaming: new Set(['a', 'b', 'c']) });
  expect(Object.values(asked).filter((feeds) => feeds.includes('d')).length).toBe(1);
});

test('who brings its feed by itself is asked for by nobody', () => {
  expect(select({ streaming: new Set(['a']), direct: new Set(['b', 'c']) })).toEqual({ a: ['a', 'd'] });
});

test('a carrier stays, unless it fails or leaves; what nobody else can bring it is asked for all the same', () => {
  const streaming = new Set(['a', 'b']);
  const carriers = new Map([
    ['c', 'b'],
    ['d', 'b'],
  ]);
  expect(select({ streaming, carriers })).toEqual({ a: ['a'], b: ['b', 'c', 'd'] });
  const avoids = (site: string, peer: string) => site === 'c' && peer === 'b';
  expect(select({ streaming, carriers, avoids })).toEqual({ a: ['a', 'c'], b: ['b', 'd'] });
  expect(select({ streaming: new Set(['b']), direct: new Set(['a']), carriers, avoids })).toEqual({
    b: ['b', 'c', 'd'],
  });
});

test('who may not pass on what others said is asked for its own alone', () => {
  expect(select({ streaming: new Set(['a', 'b']), relaying: new Set(['b']) })).toEqual({
    a: ['a'],
    b: ['b', 'c', 'd'],
  });
  expect(select({ streaming: new Set(['a']), relaying: new Set() })).toEqual({ a: ['a'] });
});

test('who is no member is asked for nothing', () => {
  expect(select({ streaming: new Set(['a', 'x']), direct: new Set(['b', 'c', 'd']) })).toEqual({ a: ['a'] });
});

test('whatever is up, every feed that can come comes from one place', () => {
  const random = seededRandom();
  const members = Array.from({ length: 12 }, (_, at) => `s${at}`);
  let carriers = new Map<string, string>();
  for (let round = 0; round < 500; round += 1) {
    const streaming = new Set(members.filter(() => random.next() < 0.5));
    const relaying = new Set([...streaming].filter(() => random.next() < 0.8));
    const direct = new Set(members.filter(() => random.next() < 0.2));
    const avoids = () => random.next() < 0.2;
    const asked = selectFeeds({ members, streaming, relaying, direct, carriers, avoids });
    const all = [...asked].flatMap(([peer, sites]) => sites.map((site) => ({ peer, site })));
    expect(new Set(all.map(({ site }) => site)).size).toBe(all.length);
    for (const site of members) {
      const by = all.find((one) => one.site === site)?.peer;
      if (streaming.has(site)) expect(by).toBe(site);
      else if (direct.has(site) || relaying.size === 0) expect(by).toBeUndefined();
      else expect(relaying.has(by!)).toBe(true);
    }
    carriers = new Map(all.map(({ peer, site }) => [site, peer]));
  }
});
