import { eventually } from '@boardwire/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { FedPeer } from '../support/fed-peer.ts';
import { LinksFixture } from './links-fixture.ts';

let site: LinksFixture;

beforeAll(async () => {
  site = await LinksFixture.start();
}, 60_000);
afterAll(() => site?.stop());
beforeEach(() => site.begin());
afterEach(() => site.end());

const soon = { timeoutMs: 10_000, everyMs: 50 };
const stateOf = async (peer: FedPeer) => (await site.peers.find(peer.id))?.state;

test('a peer that nobody can dial is offline when it has not come for a while, and back when it comes', async () => {
  const peer = await site.member();
  // Without a document nobody knows an address of it.
  await site.feeds.database.query('TRUNCATE foreign_site CASCADE');
  const links = site.link();
  await eventually(() => Promise.resolve(expect(links.of(peer.id)).toBeDefined()), soon);
  site.contacts.streamOpened(peer.id, site.room.id);
  site.contacts.learnt(peer.id, site.room.id, { [peer.id]: { epoch: 'e1', n: 0 } });
  await eventually(async () => expect(await stateOf(peer)).toBe('live'), soon);
  await new Promise((resolve) => setTimeout(resolve, 6_000));
  expect(await stateOf(peer)).toBe('live');
  site.contacts.streamClosed(peer.id, site.room.id);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  expect(await stateOf(peer)).toBe('live');
  await eventually(async () => expect(await stateOf(peer)).toBe('offline'), soon);
  site.contacts.streamOpened(peer.id, site.room.id);
  await eventually(async () => expect(await stateOf(peer)).toBe('live'), soon);
}, 40_000);
