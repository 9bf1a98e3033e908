import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { agree, isWhole, type Agreement } from './agreement.ts';
import type { FederationDemoArguments } from './arguments.ts';
import { feedsOf, peersOf, siteOf } from './federation-requests.ts';
import { heldBy } from './held-events.ts';
import { showLag, standings } from './lag-line.ts';
import { Posts } from './posts.ts';
import { alias, shareBoard, until } from './share-board.ts';
import type { DemoSite, ThreeSites } from './three-sites.ts';

type Say = (text: string) => void;

/** Plays the acts and compares. True when all three sites hold the same events, each once and in order. */
export async function runFederationDemo(
  sites: ThreeSites,
  { posts: count, seconds }: FederationDemoArguments,
  say: Say,
): Promise<boolean> {
  say('\nHost shares its board as test-chat:');
  await shareBoard(sites, say);
  const posts = new Posts();
  const { all } = sites;

  say(`\n1. Everybody posts ${count} times, all links are up`);
  await act(all, posts, async () => {
    await posts.make(all, count);
    await together(all, posts, say);
  });

  say(`\n2. The link between pi and host is cut: the relay passes on what they say`);
  sites.cut('host');
  await act(all, posts, async () => {
    await posts.make(all, count);
    await together(all, posts, say);
  });

  say(`\n3. Pi is cut off for ${seconds} s, and everybody goes on posting`);
  sites.cut('relay');
  await act(all, posts, async () => {
    await posts.make(all, count);
    await sleep(seconds * 1_000);
  });
  say(`  ${await stateText(sites)}`);
  say('  Both links are healed');
  sites.heal('host', 'relay');
  await act(all, posts, () => together(all, posts, say));
  return compare(all, say);
}

/** Something that happens while the lag is shown. */
async function act(all: readonly DemoSite[], posts: Posts, work: () => Promise<void>): Promise<void> {
  const lag = showLag(all, () => posts.accepted, process.stdout);
  try {
    await work();
  } finally {
    await lag.stop();
  }
}

async function together(all: readonly DemoSite[], posts: Posts, say: Say): Promise<void> {
  const began = performance.now();
  const isTogether = async () => (await standings(all, () => posts.accepted)).every(({ lacks }) => lacks === 0);
  await until('all three have everything', isTogether, 120_000);
  const ms = performance.now() - began;
  say(`  all three have ${posts.accepted} events, ${ms < 500 ? 'at once' : `after ${(ms / 1_000).toFixed(1)} s`}`);
}

async function stateText({ host, pi }: ThreeSites): Promise<string> {
  const { site } = await siteOf(pi);
  const peer = (await peersOf(host)).find((one) => one.site === site);
  return `Host sees pi as ${peer?.state ?? 'unknown'}`;
}

/** By id and content of each event, and by the head of every feed, whose hash stands for all that is below it. */
async function compare(all: readonly DemoSite[], say: Say): Promise<boolean> {
  const held = await Promise.all(all.map(heldBy));
  const ids = await Promise.all(all.map(async (site) => (await siteOf(site)).site));
  const accepted = held.flatMap((events, at) => events.filter(({ origin }) => origin === ids[at]));
  const agreements = all.map(({ name }, at) => agree(name, held[at]!, accepted));
  const heads = await Promise.all(all.map(headsText));
  const areHeadsSame = heads.every((text) => text === heads[0]);
  say(`\n${tableOf(agreements)}`);
  say(areHeadsSame ? '\nThe heads of all three feeds are the same everywhere.' : '\nThe heads of the feeds differ:');
  if (!areHeadsSame) heads.forEach((text, at) => say(`${all[at]!.name}\n${text}`));
  const isGood = areHeadsSame && agreements.every(isWhole);
  say(isGood ? 'All three sites hold the same events, each once, in their origin’s order.' : 'The sites do NOT agree.');
  return isGood;
}

async function headsText(site: DemoSite): Promise<string> {
  const feeds = await feedsOf(site, alias);
  return feeds
    .map((feed) => `  ${feed.site} ${feed.epoch} ${feed.n} ${feed.hash}`)
    .toSorted()
    .join('\n');
}

function tableOf(agreements: readonly Agreement[]): string {
  const rows = [
    ['', 'events', 'missing', 'twice', 'foreign', 'misplaced'],
    ...agreements.map(({ name, events, missing, twice, foreign, misplaced }) =>
      [name, events, missing, twice, foreign, misplaced].map(String),
    ),
  ];
  return rows
    .map(([name, ...cells]) => `  ${name!.padEnd(8)}${cells.map((cell) => cell.padStart(11)).join('')}`)
    .join('\n');
}
