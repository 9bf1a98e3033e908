import { noPrevious, type FeedHeader } from '@boardwire/contracts';
import { Supervisor } from '@boardwire/service-kit';
import { eventually } from '@boardwire/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { FeedEpochs } from '../../src/feeds/feed-epochs.ts';
import { OwnRecovery } from '../../src/feeds/own-recovery.ts';
import { KeyVault } from '../../src/identity/key-vault.ts';
import { documentContent, signDocument } from '../../src/identity/site-document.ts';
import { loadSiteIdentity, newKey } from '../../src/identity/site-identity.ts';
import { namedKey } from '../../src/identity/site-keys.ts';
import { epochRows } from '../../src/links/epoch-rows.ts';
import { EpochRule } from '../../src/links/epoch-rule.ts';
import { RemoteSite, type Written } from '../remote-site.ts';
import { logger } from '../feeds-fixture.ts';
import type { FedPeer } from '../support/fed-peer.ts';
import { LinksFixture } from './links-fixture.ts';

let site: LinksFixture;
let supervisor: Supervisor | undefined;
let cleared: string[];
let epoch: string;

beforeAll(async () => {
  site = await LinksFixture.start();
}, 60_000);
afterAll(() => site?.stop());
beforeEach(async () => {
  await site.begin();
  cleared = [];
  epoch = (await site.feeds.reader.vector(site.room.id))[site.site]!.epoch;
});
afterEach(async () => {
  await supervisor?.stop();
  await site.end();
});

/** As a start of the service. */
function start(): EpochRule {
  const { database, identity, epochs, registry } = site.feeds;
  const rule = new EpochRule({
    parts: site.parts,
    epochs,
    recovery: new OwnRecovery(database, identity),
    dialer: site.peerDialer,
    onCleared: async (board) => void cleared.push(board),
    onOpened: () => undefined,
  });
  supervisor = new Supervisor({ logger, metrics: registry });
  supervisor.run('epoch-rule', { beatEveryMs: 1_000 }, (loop) => rule.run(loop));
  return rule;
}

const isCleared = (rule: EpochRule) =>
  eventually(() => expect([rule.isCleared(site.room.id), cleared]).toEqual([true, ['events']]), { timeoutMs: 8_000 });
const ownEpochs = async () =>
  (await epochRows(site.feeds.database, site.room.id)).filter((row) => row.site === site.site);

/** What this site has signed before it forgot it. */
function signedBefore(
  count: number,
  more: Partial<FeedHeader> = {},
  event = site.feeds.identity.keys.event,
): Written[] {
  const { siteId, keys } = site.feeds.identity;
  const voice = Object.assign(Object.create(RemoteSite.prototype) as RemoteSite, {
    room: site.room.id,
    root: keys.root.key,
    event: event.key,
    id: siteId,
    kid: event.keyId,
    epoch,
  });
  const items: Written[] = [];
  for (let n = 1; n <= count; n += 1) items.push(voice.write(items.at(-1), `own-${n}`, more));
  return items;
}

const remembers = (peer: FedPeer, items: readonly Written[]) => peer.feeds.set(`${site.site} ${epoch}`, [...items]);

test('alone in its room a site goes on', async () => {
  await isCleared(start());
  expect((await ownEpochs()).length).toBe(1);
});

test('a member that knows no more than the site itself lets it go on', async () => {
  await site.member();
  await isCleared(start());
  expect((await ownEpochs()).length).toBe(1);
});

test('what was forgotten is fetched back, and the feed goes on in a new epoch', async () => {
  const [peer, behind] = [await site.member(), await site.member()];
  const items = signedBefore(300);
  remembers(peer, items);
  remembers(behind, items.slice(0, 7));
  await isCleared(start());
  const [former, next, ...none] = await ownEpochs();
  expect(none).toEqual([]);
  expect(former).toMatchObject({ epoch, n: 300, hash: items.at(-1)!.hash });
  expect(next).toMatchObject({ ordinal: 1, n: 0, after: { epoch, n: 300, hash: items.at(-1)!.hash } });
  // They went into the feed, and nowhere else.
  expect(await site.feeds.database.query('SELECT 1 FROM handover')).toEqual([]);
  await supervisor!.stop();
  cleared = [];
  await isCleared(start());
  expect((await ownEpochs()).length).toBe(2);
});

test('what was forgotten together with the key that signed it proves itself by the site’s own document, as others keep it', async () => {
  const peer = await site.member();
  const { identity } = site.feeds;
  const forgotten = newKey('event');
  remembers(peer, signedBefore(20, {}, forgotten));
  const [bundle] = await site.members.bundles(site.room.id);
  const description = { name: 'Test', endpoints: [] };
  const kept = documentContent([...Object.values(identity.keys), forgotten].map(namedKey), description);
  const document = signDocument({ ...kept, ver: 9, issued: '2026-01-01T00:00:00.000Z' }, identity.keys);
  peer.bundles = [{ ...bundle!, document }];
  await isCleared(start());
  expect(await ownEpochs()).toMatchObject([
    { epoch, n: 20 },
    { ordinal: 1, n: 0 },
  ]);
  // For members who come later.
  const { eventKeys } = await loadSiteIdentity(site.feeds.database, new KeyVault(['s'.repeat(32)]));
  expect([...eventKeys.keys()]).toContain(forgotten.keyId);
});

test('what is put back while the service runs is fetched back as well, and a new epoch is opened', async () => {
  const peer = await site.member();
  const rule = start();
  await isCleared(rule);
  const items = signedBefore(20);
  remembers(peer, items);
  cleared = [];
  rule.putBack(site.room.id);
  expect(rule.isCleared(site.room.id)).toBe(false);
  await isCleared(rule);
  expect(await ownEpochs()).toMatchObject([
    { epoch, n: 20 },
    { ordinal: 1, n: 0 },
  ]);
});

test('what is put back in a room where nobody else is gets a new epoch too', async () => {
  const rule = start();
  await isCleared(rule);
  cleared = [];
  rule.putBack(site.room.id);
  await isCleared(rule);
  expect(await ownEpochs()).toHaveLength(2);
});

test('an epoch that was forgotten whole is not given out again', async () => {
  const peer = await site.member();
  // The same site, as it was before it was put back: it had opened another epoch.
  const { database, identity } = site.feeds;
  const later = await new FeedEpochs(database, identity).openFeed(site.room.id);
  const [bundle] = await site.members.bundles(site.room.id);
  expect(bundle!.epochs.length).toBe(2);
  peer.bundles = [bundle!];
  await database.query(`DELETE FROM feed WHERE ordinal = 1 AND site = $1`, [site.site]);
  await isCleared(start());
  const rows = await ownEpochs();
  expect(rows.map(({ ordinal }) => ordinal)).toEqual([0, 1, 2]);
  const [{ record }] = (await database.query<{ record: unknown }>(
    'SELECT record FROM feed WHERE ordinal = 1 AND site = $1',
    [site.site],
  )) as [{ record: unknown }];
  expect(record).toEqual(later);
});

test('who claims that there was more and can’t show it is not believed', async () => {
  const [liar, forger] = [await site.member(), await site.member()];
  liar.vectorOf = () => ({ [site.site]: { epoch, n: 9, hash: 'a'.repeat(64) } });
  const stranger = new RemoteSite(site.room.id);
  const forged = stranger.write(undefined, 'x', {
    site: site.site,
    epoch,
    kid: site.feeds.identity.keys.event.keyId,
    prev: noPrevious,
  });
  forger.feeds.set(`${site.site} ${epoch}`, [forged]);
  await isCleared(start());
  expect(await ownEpochs()).toMatchObject([{ epoch, n: 0 }]);
});

test('while no member can be heard the feed waits', async () => {
  const peer = await site.member();
  let isAway = true;
  peer.intercept = (_kind, _request, response) => {
    if (isAway) response.destroy();
    return isAway;
  };
  const rule = start();
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(rule.isCleared(site.room.id)).toBe(false);
  isAway = false;
  await isCleared(rule);
});

test('one that can only come by itself is heard when it has come', async () => {
  const peer = await site.member();
  await peer.door.close();
  const rule = start();
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(rule.isCleared(site.room.id)).toBe(false);
  site.contacts.learnt(peer.id, site.room.id, { [site.site]: { epoch, n: 0 } });
  await isCleared(rule);
  expect((await ownEpochs()).length).toBe(1);
});
