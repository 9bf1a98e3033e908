import {
  addCheckpointAnswerSchema,
  federationLimits,
  federationPaths,
  federationProblemSchema,
  type AddCheckpointRequest,
  type NewestCheckpoint,
} from '@boardwire/contracts';
import { DecisionOutbox } from '@boardwire/database';
import { cosignatureVerifier, generateSigningKey, openCosignatures, parseVerifier } from '@boardwire/signing';
import { eventually } from '@boardwire/test-kit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ForeignLog } from '../../../tests/conformance/federation/src/sites/foreign-log.ts';
import { verifySiteDocument } from '../src/identity/verify-site-document.ts';
import type { Room } from '../src/rooms/room-store.ts';
import { ForeignSiteStore } from '../src/site-documents/foreign-site-store.ts';
import { askWitness } from '../src/witness/ask-witness.ts';
import type { OwnLog } from '../src/witness/own-log.ts';
import { readPresented } from '../src/witness/presented-checkpoint.ts';
import { WitnessBook } from '../src/witness/witness-book.ts';
import { witnessKeyOf } from '../src/witness/witness-key.ts';
import { logger } from './feeds-fixture.ts';
import { PeerSite } from './support/peer-site.ts';
import type { WireClient } from './support/wire-client.ts';
import { WireSite } from './support/wire-site.ts';

const rounds = process.env['BOARDWIRE_TEST_TIER'] === 'long' ? 100 : 10;

let site: WireSite;
let room: Room;

beforeAll(async () => {
  site = await WireSite.start();
  await site.say('events', 1);
  room = await site.room('events');
}, 60_000);
afterAll(() => site?.stop(), 30_000);

const member = () => site.admit(new PeerSite(room.id));
const ask = (client: WireClient, request: AddCheckpointRequest) => client.post(federationPaths.addCheckpoint, request);

/** What the site answers: its cosignature verified, or the size that it has seen, or the code of its refusal. */
async function asked(client: WireClient, request: AddCheckpointRequest) {
  const { status, json } = await ask(client, request);
  if (status !== 200) return federationProblemSchema.parse(json).code;
  const { cosignature, size } = addCheckpointAnswerSchema.parse(json);
  if (cosignature === null) return { seen: size };
  const { siteId, keys } = site.identity;
  const verifier = cosignatureVerifier(`boardwire/witness/${siteId}`, keys.checkpoint.key);
  expect(openCosignatures(request.checkpoint + cosignature, [verifier])).toHaveLength(1);
  return { cosigned: size };
}

describe('a witness', () => {
  test('cosigns a log that only grows, also again, and tells its size to whoever is wrong about it', async () => {
    const client = await member();
    const log = new ForeignLog().grow(5);
    expect(await asked(client, await log.request(3))).toEqual({ seen: 0 });
    expect(await asked(client, await log.request(0))).toEqual({ cosigned: 5 });
    expect(await asked(client, await log.request(5))).toEqual({ cosigned: 5 });
    log.grow(8);
    expect(await asked(client, await log.request(4))).toEqual({ seen: 5 });
    expect(await asked(client, await log.request(5))).toEqual({ cosigned: 13 });
    expect(await asked(client, await log.fork(9).request(0))).toEqual({ seen: 13 });
  });

  test('cosigns no other past of a log, whoever brings it, and keeps both notes, once', async () => {
    const [client, other] = [await member(), await member()];
    const log = new ForeignLog().grow(6);
    expect(await asked(client, await log.request(0))).toEqual({ cosigned: 6 });
    const twin = await log.fork(3).grow(3, 'another').request(0);
    const longer = await log.fork(3).grow(9, 'another').request(6);
    for (const request of [twin, twin, longer]) expect(await asked(client, request)).toBe('equivocation');
    expect(await asked(other, twin)).toBe('equivocation');
    expect(await asked(other, await log.fork(3).grow(9, 'another').request(0))).toEqual({ seen: 6 });
    const kept = await site.database.query(
      'SELECT site, kind, other_note AS note FROM witnessed_fork WHERE origin = $1 ORDER BY at',
      [log.origin],
    );
    expect(kept).toEqual([
      { site: client.peer.id, kind: 'two_roots', note: twin.checkpoint },
      { site: client.peer.id, kind: 'no_proof', note: longer.checkpoint },
      { site: other.peer.id, kind: 'two_roots', note: twin.checkpoint },
    ]);
    const { checkpoint } = await log.request(0);
    await eventually(() => {
      const told = site.audited('federation.witness.forked').filter(({ detail }) => detail!['origin'] === log.origin);
      expect(told).toHaveLength(3);
      expect(told[0]).toMatchObject({
        actor: client.peer.id,
        outcome: 'refused',
        detail: { kind: 'two_roots', kept: 6, size: 6, kept_checkpoint: checkpoint, checkpoint: twin.checkpoint },
      });
    });
    expect(await asked(client, await log.grow(1).request(6))).toEqual({ cosigned: 7 });
  });

  test('never cosigns two pasts that are brought at once', async () => {
    const book = new WitnessBook(site.database, new DecisionOutbox(site.database));
    for (let round = 0; round < rounds; round += 1) {
      const take = (request: AddCheckpointRequest) => book.take(readPresented(request), `bs1somebody${round}`);
      const key = generateSigningKey();
      const twins = [1, 2, 3].map((n) => new ForeignLog(key).grow(4, `past ${n}`));
      const first = await Promise.all(twins.map(async (log) => take(await log.request(0))));
      expect(first.map(({ outcome }) => outcome).toSorted()).toEqual(['forked', 'forked', 'seen']);
      const log = twins[first.findIndex(({ outcome }) => outcome === 'seen')]!;
      const pasts = [5, 6, 7, 8].map((size) => log.fork(4).grow(size - 4, `past ${size}`));
      const next = await Promise.all(pasts.map(async (past) => take(await past.request(4))));
      expect(next.filter(({ outcome }) => outcome === 'seen')).toHaveLength(1);
    }
  }, 60_000);

  test('takes nothing for a log’s that its key has not signed, and no request beyond its bounds', async () => {
    const client = await member();
    const log = new ForeignLog().grow(3);
    const foreign = new ForeignLog().grow(3);
    const good = await log.request(0);
    expect(await asked(client, { ...good, key: (await foreign.request(0)).key })).toBe('malformed');
    // Named like the log, and signed by whom it isn't.
    const posing = Object.defineProperty(new ForeignLog().grow(3), 'origin', { value: log.origin });
    expect(await asked(client, await posing.request(0))).toBe('malformed');
    expect(await asked(client, { ...good, old: 4 })).toBe('malformed');
    expect(await asked(client, { ...good, proof: [(await log.root()).toString('base64')] })).toBe('malformed');
    expect(await asked(client, { ...good, proof: ['x'] })).toBe('malformed');
    const another = await member();
    expect(await asked(another, { ...good, more: 1 } as never)).toBe('malformed');
    expect(await asked(another, { ...good, checkpoint: 'x'.repeat(70_000) })).toBe('too_large');
    expect(await asked(another, good)).toEqual({ cosigned: 3 });
  });

  test('keeps so many logs for one site, and asks each site to be patient', async () => {
    const book = new WitnessBook(site.database, new DecisionOutbox(site.database));
    const begin = async (by: string) =>
      (await book.take(readPresented(await new ForeignLog().grow(1).request(0)), by)).outcome;
    for (let at = 0; at < federationLimits.witnessedLogsMax; at += 1) expect(await begin('bs1many')).toBe('seen');
    expect(await begin('bs1many')).toBe('too_many');
    expect(await begin('bs1few')).toBe('seen');
    const client = await member();
    const request = await new ForeignLog().grow(1).request(0);
    const answers = await Promise.all(Array.from({ length: 24 }, () => ask(client, request)));
    const limited = answers.filter(({ status }) => status === 429);
    expect(limited.length).toBeGreaterThan(0);
    expect(Number(limited[0]!.headers['retry-after'])).toBeGreaterThan(0);
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(federationLimits.witnessBurst);
  });

  test('is nobody’s who shares no room with it', async () => {
    const request = await new ForeignLog().grow(1).request(0);
    await expect(ask(site.client(new PeerSite(room.id)), request)).rejects.toMatchObject({ failure: 'sig_missing' });
    const known = new PeerSite(room.id);
    const document = known.document() as never;
    await new ForeignSiteStore(site.database).put(verifySiteDocument(document)!, document);
    await site.peers.learn(known.id, known.name);
    expect(await asked(site.client(known), request)).toBe('room_unknown');
    const [removed, suspended] = [await member(), await member()];
    await site.decide(removed.peer, 'removed', 2);
    await site.peers.happened(suspended.peer.id, 'suspended');
    for (const client of [removed, suspended])
      await eventually(async () => expect(await asked(client, request)).toBe('peer_suspended'));
  });
});

describe('who asks a witness', () => {
  /** A log as its audit would tell of it, and what that was given to keep. */
  function own(log: ForeignLog) {
    const kept: unknown[] = [];
    const parts: Pick<OwnLog, 'proof' | 'keep'> = {
      proof: ({ from, to }) => log.proof(from, to),
      keep: (cosignature) => Promise.resolve(void kept.push(cosignature)),
    };
    return { log: parts as OwnLog, kept };
  }

  async function newestOf(log: ForeignLog): Promise<NewestCheckpoint> {
    const { key, checkpoint } = await log.request(0);
    return { epoch: log.epoch, size: log.size, key, checkpoint };
  }

  const bring = async (client: WireClient, log: ForeignLog, old: number, endpoints = [site.url]) => {
    const { siteId, keys } = site.identity;
    const witness = { site: siteId, key: witnessKeyOf(siteId, keys.checkpoint.key.publicKey) };
    const { log: audit, kept } = own(log);
    const asking = { witness, endpoints, newest: await newestOf(log), old };
    const { outcome, size } = await askWitness(
      { client: client.hop, log: audit, logger },
      asking,
      new AbortController().signal,
    );
    return { outcome, size, kept };
  };

  test('hears how far it has seen the log, proves from there, and keeps what it has signed', async () => {
    const client = await member();
    const log = new ForeignLog().grow(3);
    expect(await bring(client, log, 0)).toMatchObject({ outcome: 'cosigned', size: 3, kept: [{ size: 3 }] });
    const again = await bring(client, log.grow(4), 0, ['http://127.0.0.1:9', `${site.url}/`]);
    expect(again).toMatchObject({ outcome: 'cosigned', size: 7, kept: [{ epoch: log.epoch, size: 7 }] });
    expect(parseVerifier((await newestOf(log)).key).name).toBe(log.origin);
  });

  test('hears that its log went back, or has another past', async () => {
    const client = await member();
    const log = new ForeignLog().grow(8);
    await bring(client, log, 0);
    expect(await bring(client, log.fork(5), 0)).toEqual({ outcome: 'ahead', size: 8, kept: [] });
    const rewritten = log.fork(5).grow(9, 'another');
    expect(await bring(client, rewritten, 0)).toEqual({ outcome: 'forked', size: 8, kept: [] });
    expect(await bring(client, log, 0, ['http://127.0.0.1:9'])).toMatchObject({ outcome: 'failed', kept: [] });
  });
});
