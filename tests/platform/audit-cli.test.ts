import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { eventMediaTypes, type AuditEntry, type AuditPage } from '@boardwire/contracts';
import pg from 'pg';
import { Auditor } from '../support/auditor.ts';
import { call, say, signInAsGuest } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

// An auditor by the public routes, against a site that may be changed behind its own back.
const posts = 40;
let site: TestSite;
let database: pg.Client;
let token: string;
let auditor: Auditor;
let last: number;

beforeAll(async () => {
  site = await startTestSite();
  ({ token } = await site.admin());
  database = new pg.Client({ connectionString: site.infrastructure.postgres.url });
  await database.connect();
  const ana = await signInAsGuest(site.url, 'ana');
  for (let at = 0; at < posts; at += 1) last = (await say(site.url, ana, `line ${at} \u20ac`)).body.seq;
  await site.auditHas('events', last);
}, 60_000);
afterAll(async () => {
  await database?.end();
  await site?.stop();
}, 30_000);
beforeEach(async () => {
  await auditor?.leaves();
  auditor = await Auditor.of(site.url, token);
});
afterAll(() => auditor.leaves());

const at = (...names: string[]) => auditor.at(...names);
const run = (...args: string[]) => auditor.run(...args);
const fetched = (...more: string[]) => auditor.fetches(more);
const key = () => auditor.key();
const audit = <T>(path: string) => call<T>(`${site.url}/v1/audit/${path}`, { token });

/** The newest entry of one of our events. */
async function anEvent(): Promise<AuditEntry> {
  const { body } = await audit<AuditPage>('latest?limit=200');
  return body.entries.findLast(({ kind, board }) => kind === 'event' && board === 'events')!;
}

/** Files of all days, and a checkpoint from before them. */
async function dayFiles(): Promise<string[]> {
  await copyFile(at('log', 'checkpoint'), at('before'));
  const { body } = await audit<{ days: { day: string; entries: number }[] }>('days');
  const days = body.days.filter(({ entries }) => entries > 0).map(({ day }) => day);
  expect(await fetched(...days.flatMap((day) => ['--day', day]))).toMatchObject({ code: 0, err: '' });
  return days.map((day) => at('log', 'days', `${day}.jsonl`));
}

const wholeArgs = async () => ['verify', 'complete', ...(await dayFiles()), ...key(), '--checkpoint', at('before')];

test('what is fetched of a site verifies: checkpoint, entry, the way between two checkpoints', async () => {
  const { seq } = await anEvent();
  expect(await fetched('--entry', String(seq))).toMatchObject({ code: 0, err: '' });
  const entry = at('log', 'entries', String(seq));
  const proof = `${entry}.tlog-proof`;
  expect(await run('verify', 'checkpoint', at('log', 'checkpoint'), ...key())).toMatchObject({ code: 0, err: '' });
  expect(await run('verify', 'entry', `${entry}.json`, '--proof', proof, ...key())).toMatchObject({ code: 0, err: '' });
  const former = await readFile(at('log', 'checkpoint'), 'utf8');
  const bea = await signInAsGuest(site.url, `bea-${seq}`);
  last = (await say(site.url, bea, 'one more')).body.seq;
  await site.auditHas('events', last);
  const again = await fetched();
  expect(again).toMatchObject({ code: 0, err: '' });
  expect(again.out).toContain('is the beginning of that of');
  expect(await readFile(at('log', 'checkpoint'), 'utf8')).not.toBe(former);
}, 60_000);

test('the days of a site make its signed root, and no event and no decision is missing', async () => {
  await fetched();
  const whole = await run(...(await wholeArgs()));
  expect(whole).toMatchObject({ code: 0, err: '' });
  expect(whole.out).toMatch(new RegExp(`1–${last} of the events of events in epoch`));
  expect(whole.out).toMatch(/1–\d+ of the decisions of chat/);
}, 60_000);

test('the tiles and the records of a site are its whole log, and an event is followed from chat to the root', async () => {
  const event = await anEvent();
  expect(await fetched('--entries', '--entry', String(event.seq))).toMatchObject({ code: 0, err: '' });
  const whole = await run('verify', 'complete', ...auditor.tiled(), '--health', at('log', 'health.json'));
  expect(whole).toMatchObject({ code: 0, err: '' });
  expect(whole.out).toMatch(new RegExp(`1–${last} of the events of events in epoch`));
  const history = await call(`${site.url}/v1/boards/events/events?limit=500`, {
    token,
    headers: { accept: eventMediaTypes.lines },
  });
  const line = history.text
    .split('\n')
    .find((each) => each.includes(`"cursor":"${event.board_epoch}-${event.board_seq}"`));
  await writeFile(at('line.json'), line!);
  const files = (ending: string) => at('log', 'entries', `${event.seq}.${ending}`);
  const chain = [
    '--entry',
    files('json'),
    '--proof',
    files('tlog-proof'),
    '--disclosure',
    files('disclosure.json'),
    ...key(),
  ];
  const followed = await run('verify', 'event', at('line.json'), ...chain);
  expect(followed).toMatchObject({ code: 0, err: '' });
  await writeFile(at('line.json'), line!.replace('line', 'lime').replace('one more', 'one less'));
  expect(await run('verify', 'event', at('line.json'), ...chain)).toMatchObject({
    code: 1,
    err: expect.stringContaining('other data than the log'),
  });
}, 60_000);

test('days and exports verify as the site writes them, packed or not, and not when a line is forged', async () => {
  const { day } = await anEvent();
  const query = 'board=events&kind=event&order=newest';
  expect(await fetched('--entries', '--day', day, '--export', query)).toMatchObject({ code: 0, err: '' });
  const file = at('log', 'days', `${day}.jsonl`);
  expect(await run('verify', 'day', file, ...auditor.tiled(), '--complete')).toMatchObject({ code: 0, err: '' });
  const packed = await fetch(`${site.url}/v1/audit/days/${day}.jsonl.gz`, {
    headers: { authorization: `Bearer ${token}` },
  });
  await writeFile(at('day.gz'), Buffer.from(await packed.arrayBuffer()));
  expect(await fetched('--tiles')).toMatchObject({ code: 0, err: '' });
  expect(await run('verify', 'day', at('day.gz'), ...auditor.tiled(), '--day', day)).toMatchObject({
    code: 0,
    err: '',
  });
  const exported = at('log', 'export.jsonl');
  expect(await run('verify', 'range', exported, ...auditor.tiled())).toMatchObject({ code: 0, err: '' });
  const text = await readFile(exported, 'utf8');
  await writeFile(exported, text.replace('line 7', 'lime 7'));
  expect(await run('verify', 'range', exported, ...auditor.tiled())).toMatchObject({
    code: 1,
    err: expect.stringContaining('its trailer says'),
  });
}, 60_000);

test('a guest is told that the role is missing', async () => {
  await auditor.takes((await signInAsGuest(site.url, `cy-${last}`)).token);
  expect(await fetched()).toMatchObject({ code: 2, err: expect.stringContaining('role auditor') });
});

test('a row that a superuser edits is found, by its proof and by its day', async () => {
  await fetched();
  const { seq, day } = await anEvent();
  await asSuperuser(`UPDATE audit.entry SET record = convert_to(replace(convert_from(record, 'UTF8'), '"actor":"', '"actor":"x'), 'UTF8')
                     WHERE seq = ${seq} AND day = '${day}'`);
  try {
    await fetched('--entry', String(seq));
    const entry = at('log', 'entries', String(seq));
    const proof = 'tlog-proof';
    const verdict = await run('verify', 'entry', `${entry}.json`, '--proof', `${entry}.${proof}`, ...key());
    expect(verdict).toMatchObject({ code: 1, err: expect.stringContaining('PROVEN FALSE') });
    const whole = await run(...(await wholeArgs()));
    expect(whole).toMatchObject({ code: 1, err: expect.stringContaining('PROVEN FALSE') });
  } finally {
    await asSuperuser(`UPDATE audit.entry SET record = convert_to(replace(convert_from(record, 'UTF8'), '"actor":"x', '"actor":"'), 'UTF8')
                       WHERE seq = ${seq} AND day = '${day}'`);
  }
}, 60_000);

test('a row that a superuser deletes is found by what is missing', async () => {
  await fetched();
  const { seq } = await anEvent();
  await asSuperuser(`DELETE FROM audit.entry WHERE seq = ${seq}`);
  const whole = await run(...(await wholeArgs()));
  expect(whole).toMatchObject({ code: 1, err: expect.stringContaining(`entry ${seq} is in none of the files`) });
}, 60_000);

/** With the triggers off, which refuse every change to anybody else. */
async function asSuperuser(sql: string): Promise<void> {
  await database.query(`BEGIN; SET LOCAL session_replication_role = replica; ${sql}; COMMIT`);
}
