import { setTimeout as sleep } from 'node:timers/promises';
import { accept, confirm, feedsOf, invite, peersOf, share, siteOf } from './federation-requests.ts';
import type { DemoSite, ThreeSites } from './three-sites.ts';

export const board = 'events';
export const alias = 'test-chat';
export const subject = 'AxonChat.lobby';

const waitMaxMs = 60_000;
const lookEveryMs = 250;

/** Host shares its board and invites the other two, whose fingerprints are compared as two operators would. */
export async function shareBoard({ host, relay, pi, all }: ThreeSites, say: (text: string) => void): Promise<void> {
  const { room } = await share(host, { board, alias, subjects: ['AxonChat.>'] });
  for (const guest of [relay, pi]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other, as people do it
    await join(host, guest, { room, say });
  }
  for (const site of all) {
    // oxlint-disable-next-line no-await-in-loop
    await until(`${site.name} has all three feeds`, async () => (await feedsOf(site, alias)).length === all.length);
  }
}

async function join(
  host: DemoSite,
  guest: DemoSite,
  { room, say }: { room: string; say: (text: string) => void },
): Promise<void> {
  const { invitation } = await invite(host, room);
  await accept(guest, { invitation, board });
  const { site, fingerprint } = await siteOf(guest);
  const isWaiting = async () => (await peersOf(host)).some((peer) => peer.site === site && peer.needsConfirmation);
  await until(`${guest.name} comes with its invitation`, isWaiting);
  await confirm(host, site, fingerprint);
  await until(`${guest.name} is let in`, async () => (await feedsOf(guest, alias)).length > 0);
  say(`  ✔ ${guest.name} was invited, its fingerprint ${fingerprint} compared, and let in`);
}

export async function until(what: string, isSo: () => Promise<boolean>, maxMs = waitMaxMs): Promise<void> {
  const deadline = performance.now() + maxMs;
  // oxlint-disable-next-line no-await-in-loop -- looks until it is so
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`waited ${maxMs / 1_000} s in vain until ${what}`);
    // oxlint-disable-next-line no-await-in-loop
    await sleep(lookEveryMs);
  }
}
