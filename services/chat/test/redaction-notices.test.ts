import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { redactedType, type AppendItem, type AppendOutcome, type ErrorCode } from '@boardwire/contracts';
import { openDatabase, type Database } from '@boardwire/database';
import { RedactionNotices } from '../src/log/redaction-notices.ts';
import { RemovalStore } from '../src/log/removal-store.ts';
import { ChatSite, event, siteId } from './chat-site.ts';

const boards = ['later', 'never'];
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

let site: ChatSite;
let database: Database;
let store: RemovalStore;
const ids = new Map<string, number>();

beforeAll(async () => {
  site = await ChatSite.start();
  const chat = await site.replica();
  for (const slug of boards) {
    // oxlint-disable-next-line no-await-in-loop -- two boards
    await chat.call('POST', '/internal/v1/boards', { json: { slug, title: slug, rules: [] } });
    // oxlint-disable-next-line no-await-in-loop
    await chat.outcomes(slug, [event(), event()]);
  }
  for (const { slug, id } of (await chat.sync()).boards) ids.set(slug, id);
  // It would tell of removals by itself.
  await chat.service.stop();
  database = await openDatabase({ url: site.databaseUrl, schema: 'chat', migrations: [], poolMax: 2, logger: quiet });
  store = new RemovalStore(database);
}, 60_000);

afterAll(async () => {
  await database?.close();
  await site?.stop();
}, 30_000);

async function removeBoth(slug: string): Promise<void> {
  for (const seq of [1, 2]) {
    // oxlint-disable-next-line no-await-in-loop -- in order
    await database.transaction(async (transaction) => {
      const found = await store.find(transaction, ids.get(slug)!, seq);
      await store.remove(transaction, found!, { actor: 'admin', isTold: false });
    });
  }
}

/** A log that refuses the second of the first items so, and takes all others. */
function refusingOnce(code: ErrorCode): { notices: RedactionNotices; asked: AppendItem[][] } {
  const asked: AppendItem[][] = [];
  const append = (_slug: string, items: readonly AppendItem[]): Promise<AppendOutcome[]> => {
    asked.push([...items]);
    const outcomes = items.map(({ id }, at): AppendOutcome => {
      if (asked.length === 1 && at === 1) return { outcome: 'refused', id, code };
      return { outcome: 'created', id, seq: at + 3, epoch: 'epoch', time: new Date().toISOString() };
    });
    return Promise.resolve(outcomes);
  };
  return { notices: new RedactionNotices({ store, append, siteId: () => siteId }), asked };
}

describe('readers are told of a removal', () => {
  it('later, when the event that tells of it is refused for now', async () => {
    await removeBoth('later');
    const { notices, asked } = refusingOnce('overloaded');
    await notices.tell();
    expect(await store.toTell()).toMatchObject([{ slug: 'later', seq: 2 }]);
    await notices.tell();
    expect(await store.toTell()).toEqual([]);
    await notices.tell();
    expect(asked).toHaveLength(2);
    expect(asked[0]!.map(({ type }) => type)).toEqual([redactedType, redactedType]);
    expect(asked[1]).toEqual(asked[0]!.slice(1));
  });

  it('never, when that event is refused for good: it would be refused each time', async () => {
    await removeBoth('never');
    await refusingOnce('event_conflict').notices.tell();
    expect(await store.toTell()).toEqual([]);
  });
});
