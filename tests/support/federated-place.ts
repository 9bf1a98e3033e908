import { expect } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoredEvent } from '@boardwire/contracts';
import { openDatabase, type Database } from '@boardwire/database';
import { createLogger } from '@boardwire/service-kit';
import { eventually, type SeededRandom } from '@boardwire/test-kit';
import type { FaultyDoor } from './faulty-door.ts';
import { siteIdOf } from './federation.ts';
import { call, renew, say, signInAsGuest, type Person } from './person.ts';
import { StreamRecorder } from './stream-recorder.ts';
import type { TestSite } from './test-site.ts';

/** One site of several that share the board `events`, somebody who speaks there, and somebody who reads. */
export class FederatedPlace {
  /** What was said here, in its order. */
  readonly said: string[] = [];

  private constructor(
    readonly site: TestSite,
    readonly door: FaultyDoor,
    readonly id: string,
    private readonly person: Person,
    private readonly recorder: StreamRecorder,
    private readonly database: Database,
  ) {}

  static async at(site: TestSite, door: FaultyDoor): Promise<FederatedPlace> {
    const person = await signInAsGuest(site.url, 'pat');
    const stream = `${site.url}/v1/boards/events/stream?subject=AxonChat.>`;
    const options = {
      get token() {
        return person.token;
      },
      returns: true,
    };
    const recorder = new StreamRecorder(stream, options);
    await recorder.until((it) => it.named('caught_up').length === 1);
    const { url } = site.infrastructure.postgres;
    const logger = createLogger({ service: 'test', level: 'silent' });
    const database = await openDatabase({ url, schema: 'federation', migrations: [], logger });
    return new FederatedPlace(site, door, await siteIdOf(site), person, recorder, database);
  }

  renew(): Promise<void> {
    return renew(this.site.url, this.person);
  }

  async speak(random: SeededRandom, { count, restMsMax }: { count: number; restMsMax: number }): Promise<void> {
    for (let n = 0; n < count; n += 1) {
      // oxlint-disable-next-line no-await-in-loop -- in their order
      const { status, body } = await say(this.site.url, this.person, `${this.id.slice(0, 8)} ${n}`);
      expect(status).toBe(201);
      this.said.push(body.id);
      // oxlint-disable-next-line no-await-in-loop
      await sleep(random.integer(0, restMsMax));
    }
  }

  /** Its reader has seen everything that was said at all of them, each event once and each site's in their order. */
  async hasAllOf(places: readonly FederatedPlace[], timeoutMs: number): Promise<void> {
    const total = places.reduce((sum, { said }) => sum + said.length, 0);
    await this.recorder.until((it) => it.events.length >= total, timeoutMs, `${total} events`);
    const events = this.recorder.events.map(({ data }) => JSON.parse(data!) as StoredEvent);
    for (const { id, said } of places) {
      expect(events.filter(({ origin }) => origin === id).map((event) => event.id)).toEqual(said);
    }
    expect(events).toHaveLength(total);
    const { seqs } = this.recorder;
    expect(seqs).toEqual([...new Set(seqs)].toSorted((one, other) => one - other));
  }

  /** All that it keeps of every feed, each in its order. */
  feedItems(): Promise<{ site: string; oseq: number; id: string; hash: string }[]> {
    return this.database.query(
      `SELECT site, epoch, oseq, id, encode(hash, 'hex') AS hash, is_repeat FROM feed_item ORDER BY site, epoch, oseq`,
    );
  }

  /** What an honest site must never have of honest ones, whatever happens to their links. */
  async blemishes(): Promise<Record<string, number>> {
    const [row] = await this.database.query<Record<string, number>>(
      `SELECT (SELECT count(*) FROM feed_hole) AS holes, (SELECT count(*) FROM evidence) AS evidence,
         (SELECT count(*) FROM peer_strike) AS strikes, (SELECT count(*) FROM feed WHERE state <> 'open') AS frozen,
         (SELECT count(*) FROM feed_item WHERE is_repeat) AS repeats,
         (SELECT count(*) FROM feed) - (SELECT count(DISTINCT site) FROM feed) AS "furtherEpochs"`,
    );
    return row!;
  }

  /** Nothing of it waits to be handed over to the board. */
  handedOver(): Promise<void> {
    return eventually(async () => expect(await this.database.query('SELECT * FROM handover')).toEqual([]));
  }

  /** How many events came or went otherwise than by a stream, since the service has started. */
  async detours(): Promise<number> {
    const { text } = await call(`${this.site.internalUrl('federation')}/metrics`);
    const values = text.split('\n').filter((line) => /^boardwire_fed_repairs_total|outcome="pushed"/.test(line));
    return values.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  async stop(): Promise<void> {
    this.recorder.close();
    await this.database.close();
    await this.site.stop();
    await this.door.close();
  }
}
