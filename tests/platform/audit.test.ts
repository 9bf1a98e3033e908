import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { AuditPage } from '@boardwire/contracts';
import { call, say, signInAsGuest, type Person } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

let site: TestSite;
let ana: Person;
let admin: Person;
beforeAll(async () => {
  site = await startTestSite();
  ana = await signInAsGuest(site.url, 'ana');
  admin = await site.admin();
}, 60_000);
afterAll(async () => {
  await site?.stop();
}, 30_000);

const audit = <T>(path: string) => call<T>(`${site.url}/v1/audit/${path}`, { token: admin.token });

test('every event is in the log with its seq, author and hash, on its day, in order', async () => {
  const posted = [];
  for (let at = 0; at < 10; at += 1) posted.push((await say(site.url, ana, `audited ${at}`)).body);
  await site.auditHas('events', posted.at(-1)!.seq);
  const latest = await audit<AuditPage>('latest?limit=100');
  const mine = latest.body.entries.filter((entry) => entry.kind === 'event' && entry.board === 'events');
  expect(mine.map((entry) => entry.board_seq)).toEqual(posted.map((event) => event.seq));
  expect(mine.at(-1)).toMatchObject({
    actor: ana.id,
    event_id: posted.at(-1)!.id,
    subject: 'AxonChat.lobby',
    type: 'chat.message.posted',
  });
  const day = await audit<AuditPage>(`days/${mine[0]!.day}?limit=500`);
  const inDay = day.body.entries.filter((entry) => entry.kind === 'event').map((entry) => entry.board_seq);
  expect(inDay).toEqual(posted.map((event) => event.seq));
  const empty = await audit<AuditPage>('days/2001-01-01');
  expect(empty).toMatchObject({ status: 200, body: { entries: [] } });
});

test('a login, a refused login and a new board are decisions in the log', async () => {
  await call(`${site.url}/v1/auth/login`, { json: { name: 'admin', password: 'not-the-password' } });
  await call(`${site.url}/v1/boards`, { token: admin.token, json: { slug: 'audited', title: 'Audited' } });
  const deadline = Date.now() + 10_000;
  let actions: string[] = [];
  while (Date.now() < deadline) {
    const page = await audit<AuditPage>('latest?limit=200');
    actions = page.body.entries
      .filter((entry) => entry.kind === 'decision')
      .map((entry) => `${entry.action} ${entry.outcome}`);
    if (actions.some((action) => /board/.test(action)) && actions.some((action) => /login.*refused/.test(action)))
      return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`decisions seen: ${actions.join(', ')}`);
});

test('the checkpoint is a signed note over the size that health tells, at most seconds old', async () => {
  let note = await audit('checkpoint');
  // Ten events were audited above; their checkpoint follows within the second.
  for (const deadline = Date.now() + 3_000; Number(note.text.split('\n')[1]) < 10 && Date.now() < deadline;) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    note = await audit('checkpoint');
  }
  expect(note.status).toBe(200);
  const [origin, size, root, blank, signature] = note.text.split('\n');
  expect(origin).not.toBe('');
  expect(Number(size)).toBeGreaterThanOrEqual(10);
  expect(Buffer.from(root!, 'base64')).toHaveLength(32);
  expect(blank).toBe('');
  expect(signature).toMatch(/^— \S+ [A-Za-z0-9+/=]+$/);
  const health = await audit<{ gaps: number; size: number }>('health');
  expect(health.body.gaps).toBe(0);
  expect(health.body.size).toBeGreaterThanOrEqual(Number(size));
});
