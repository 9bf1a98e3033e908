import { randomBytes } from 'node:crypto';
import {
  feedEpochType,
  roomGenesisType,
  type HandshakeAnswer,
  type HandshakeRequest,
  type Invitation,
} from '@boardwire/contracts';
import { Supervisor } from '@boardwire/service-kit';
import { canonicalBytes, signEnvelope } from '@boardwire/signing';
import { eventually } from '@boardwire/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { KeyVault } from '../../src/identity/key-vault.ts';
import { Joiner } from '../../src/links/joiner.ts';
import { JoiningStore } from '../../src/links/joining-store.ts';
import { roomIdOf } from '../../src/rooms/room-genesis.ts';
import { logger } from '../feeds-fixture.ts';
import { FedPeer } from '../support/fed-peer.ts';
import { LinksFixture } from './links-fixture.ts';

let site: LinksFixture;
let supervisor: Supervisor | undefined;
let inviter: FedPeer;
let invitation: Invitation;
let admission: Extract<HandshakeAnswer, { state: 'admitted' }>;
let requests: HandshakeRequest[];
let isAdmitting: boolean;
let joined: number;
const board = 'far';

beforeAll(async () => {
  site = await LinksFixture.start();
}, 60_000);
afterAll(() => site?.stop());
beforeEach(async () => {
  await site.begin();
  await site.feeds.database.query('TRUNCATE joining');
  inviter = await site.peer();
  requests = [];
  isAdmitting = true;
  joined = 0;
  prepare();
  inviter.onHandshake = (request) => {
    requests.push(request);
    return isAdmitting ? admission : { state: 'pending', document: inviter.document };
  };
});
afterEach(async () => {
  await supervisor?.stop();
  await site.end();
});

/** The inviter's own room, and what it answers to who is let in. */
function prepare(): void {
  const { root, id } = inviter.site;
  const created = '2026-01-01T00:00:00.000Z';
  const nonce = randomBytes(16).toString('hex');
  const content = { v: 1, creator: id, admins: [id], alias: 'theirs', subjects: ['>'], created, nonce };
  const bytes = canonicalBytes(content);
  const sign = (type: string, payload: Buffer) => signEnvelope(type, payload, [{ keyid: 'root', key: root }]);
  const room = roomIdOf(bytes);
  const record = { v: 1, room, site: id, epoch: 'e1', ordinal: 0, at: created };
  const document = inviter.document;
  const bundle = { document, epochs: [sign(feedEpochType, canonicalBytes(record))], membership: [] };
  const genesis = sign(roomGenesisType, bytes);
  admission = { state: 'admitted', document, genesis, scopes: ['read', 'write'], subjects: ['>'], members: [bundle] };
  invitation = {
    site: id,
    endpoints: ['http://127.0.0.1:9', inviter.url],
    room,
    scopes: ['read', 'write'],
    subjects: ['>'],
    expires: new Date(Date.now() + 60_000).toISOString(),
    secret: randomBytes(32).toString('base64url'),
  };
}

const storeOf = () => new JoiningStore(site.feeds.database, new KeyVault(['k'.repeat(32)]));

function start(store = storeOf()): Joiner {
  const { identity, rooms, epochs, registry } = site.feeds;
  const joiner = new Joiner({
    parts: site.parts,
    identity,
    rooms,
    epochs,
    documents: site.documents,
    dialer: site.peerDialer,
    store,
    onJoined: () => (joined += 1),
  });
  supervisor = new Supervisor({ logger, metrics: registry });
  supervisor.run('joining', { beatEveryMs: 1_000 }, (loop) => joiner.run(loop));
  return joiner;
}

async function isIn(): Promise<void> {
  await eventually(() => expect(joined).toBe(1), { timeoutMs: 10_000 });
  const vector = await site.feeds.reader.vector(invitation.room);
  expect(Object.keys(vector).toSorted()).toEqual([site.site, inviter.id].toSorted());
  expect(await site.peers.find(inviter.id)).toMatchObject({ state: 'catching_up' });
  expect(await site.feeds.database.query('SELECT board FROM room WHERE id = $1', [invitation.room])).toEqual([
    { board },
  ]);
  expect(await site.feeds.database.query('SELECT 1 FROM joining')).toEqual([]);
}

test('an accepted invitation leads into the room', async () => {
  const peer = await start().accept(invitation, board);
  expect(peer).toMatchObject({ site: inviter.id, state: 'handshake' });
  await isIn();
  expect(requests).toMatchObject([{ room: invitation.room, secret: invitation.secret }]);
});

test('until the inviting operator has confirmed it is asked again, also after a restart', async () => {
  isAdmitting = false;
  await start().accept(invitation, board);
  await eventually(() => expect(requests.length).toBe(1));
  await supervisor!.stop();
  const [{ sealed }] = (await site.feeds.database.query<{ sealed: Buffer }>('SELECT sealed FROM joining')) as [
    { sealed: Buffer },
  ];
  expect(sealed.includes(invitation.secret)).toBe(false);
  isAdmitting = true;
  start();
  await isIn();
  expect(requests.length).toBe(2);
});

test('a step that was done before a crash is not done twice', async () => {
  const { members } = site.parts;
  let crashes = 1;
  const take: typeof members.take = async (room, bundles) => {
    const taken = await members.take(room, bundles);
    if (crashes-- > 0) throw new Error('the power is gone');
    return taken;
  };
  Object.assign(site.parts, { members: { ...bound(members), take } });
  await start().accept(invitation, board);
  await isIn();
  expect(crashes).toBeLessThan(0);
  Object.assign(site.parts, { members });
});

test('an admission with the genesis of another room is none', async () => {
  const room = invitation.room;
  prepare();
  await start().accept({ ...invitation, room }, board);
  await eventually(() => expect(requests.length).toBe(2), { timeoutMs: 6_000 });
  expect(joined).toBe(0);
  expect(await site.feeds.database.query('SELECT 1 FROM room WHERE board = $1', [board])).toEqual([]);
});

test('nobody but the inviting site is shown the secret', async () => {
  const other = await site.peer();
  await start().accept({ ...invitation, endpoints: [other.url] }, board);
  await eventually(() => expect(other.asked).toContain('document'));
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect([other.asked, requests]).toEqual([['document'], []]);
});

test('an invitation that has expired is given up', async () => {
  const expires = new Date(Date.now() - 1_000).toISOString();
  await start().accept({ ...invitation, expires }, board);
  await eventually(async () => expect(await site.feeds.database.query('SELECT 1 FROM joining')).toEqual([]));
  expect(await site.peers.find(inviter.id)).toMatchObject({ state: 'invited' });
  expect(requests).toEqual([]);
});

test('one that is given up while it is being accepted stays so', async () => {
  const store = storeOf();
  const add = store.add.bind(store);
  const isGone = async () => expect(await site.feeds.database.query('SELECT 1 FROM joining')).toEqual([]);
  // The loop is faster than whoever accepts.
  store.add = async (...given) => (await add(...given)) && (await eventually(isGone), true);
  await start(store).accept({ ...invitation, expires: new Date(Date.now() - 1_000).toISOString() }, board);
  expect(await site.peers.find(inviter.id)).toMatchObject({ state: 'invited' });
});

const bound = (members: LinksFixture['parts']['members']) => ({
  bundles: members.bundles.bind(members),
  sites: members.sites.bind(members),
  onChanged: members.onChanged.bind(members),
});
