import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { appendResponseSchema, type AuditPage, type ForeignItem, type StoredEvent } from '@boardwire/contracts';
import { ServiceTokens } from '@boardwire/service-kit';
import { createHash } from 'node:crypto';
import { call, say, signInAsGuest, type Person } from '../support/person.ts';
import { StreamRecorder } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

const secret = 'that chat and federation of a test share';
const otherSite = `bs1${'b'.repeat(52)}`;

let site: TestSite;
let ana: Person;
let admin: Person;
let recorder: StreamRecorder;

beforeAll(async () => {
  site = await startTestSite({ env: { INTERNAL_SECRET: secret } });
  ana = await signInAsGuest(site.url, 'ana');
  admin = await site.admin();
  recorder = new StreamRecorder(`${site.url}/v1/boards/events/stream?subject=AxonChat.>`, { token: ana.token });
  await recorder.until((it) => it.named('caught_up').length === 1);
}, 60_000);

afterAll(async () => {
  recorder?.close();
  await site?.stop();
}, 30_000);

/** As federation hands it over: what another site accepted from someone of its own. */
function accepted(id: string, text: string): ForeignItem {
  const data = { text };
  const salt = createHash('sha256').update(id).digest('hex').slice(0, 32);
  const datahash = createHash('sha256').update(Buffer.from(salt, 'hex')).update(JSON.stringify(data)).digest('hex');
  const said = { type: 'chat.message.posted', subject: 'AxonChat.lobby', data, author: 'u-bea', authorname: 'Bea' };
  return { id, source: '/users/u-bea', ...said, origin: otherSite, time: '2026-02-03T04:05:06.789Z', salt, datahash };
}

async function handOver(items: readonly ForeignItem[]) {
  const token = await new ServiceTokens('federation', secret).issue('chat');
  const url = `${site.internalUrl('chat')}/internal/v1/boards/events/foreign-events`;
  const { status, body } = await call(url, { token, json: { items } });
  expect({ status, body }).toMatchObject({ status: 200 });
  return appendResponseSchema.parse(body).outcomes;
}

test('an event of another site reaches open streams, history and the audit log as it was accepted there', async () => {
  const item = accepted('from-afar', 'hello from the other site');
  const before = await say(site.url, ana, 'before');
  const [outcome] = await handOver([item]);
  expect(outcome).toMatchObject({ outcome: 'created', seq: before.body.seq + 1 });
  const after = await say(site.url, ana, 'after');
  expect(after.body.seq).toBe(before.body.seq + 2);
  await recorder.until((it) => it.seqs.includes(after.body.seq));
  const { id, source, type, subject, time, data, author, authorname, origin } = item;
  const shown = { id, source, type, subject, time, data, author, authorname, origin, board: 'events' };
  const seen = recorder.events.map((block) => JSON.parse(block.data!) as StoredEvent);
  expect(seen.slice(-3).map((event) => event.id)).toEqual([before.body.id, id, after.body.id]);
  expect(seen.at(-2)).toMatchObject(shown);
  const history = await call<{ events: StoredEvent[] }>(`${site.url}/v1/boards/events/events?limit=2`, {
    token: ana.token,
  });
  expect(history.body.events[0]).toMatchObject(shown);
  await site.auditHas('events', after.body.seq);
  const { body } = await call<AuditPage>(`${site.url}/v1/audit/latest?limit=50`, { token: admin.token });
  const entry = body.entries.find((one) => one.kind === 'event' && one.event_id === id);
  expect(entry).toMatchObject({
    actor: author,
    origin,
    board: 'events',
    board_seq: before.body.seq + 1,
    datahash: item.datahash,
  });
});

test('an event of another site is removed like one of our own, and stays removed when it is handed over again', async () => {
  const item = accepted('to-be-removed', 'a secret of the other site');
  await handOver([item]);
  await recorder.until((it) => it.events.some(({ data }) => data!.includes(item.id)));
  const { id: cursor } = recorder.events.find(({ data }) => data!.includes(item.id))!;
  const url = `${site.url}/v1/boards/events/events/${cursor}`;
  expect((await call(url, { method: 'DELETE', token: admin.token })).status).toBe(204);
  expect(await handOver([item])).toMatchObject([{ outcome: 'repeated', id: item.id }]);
  const history = await call(`${site.url}/v1/boards/events/events?limit=500`, { token: ana.token });
  expect(history.text).not.toContain('a secret of the other site');
});
