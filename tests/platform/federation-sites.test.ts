import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { AuditHealth, AuditPage, FederationSite, StoredEvent } from '@boardwire/contracts';
import { eventually } from '@boardwire/test-kit';
import { Auditor } from '../support/auditor.ts';
import { CutLink } from '../support/cut-link.ts';
import {
  allLive,
  asAdmin,
  decide,
  invite,
  peersOf,
  share,
  siteIdOf,
  startFederatedSite,
  trustAll,
} from '../support/federation.ts';
import { bad, doctor } from '../support/operator.ts';
import { call, say, signInAsGuest, type Person } from '../support/person.ts';
import { StreamRecorder } from '../support/stream-recorder.ts';
import type { TestSite } from '../support/test-site.ts';

/** The way that others dial B by. */
let link: CutLink;
let a: TestSite;
let b: TestSite;
let ana: Person;
let ben: Person;
let ids: { a: string; b: string };
const recorders: StreamRecorder[] = [];

beforeAll(async () => {
  link = await CutLink.to(() => Number(new URL(b.url).port));
  const env = { FEDERATION_HEARTBEAT_MS: '500' };
  a = await startFederatedSite('A', { env });
  b = await startFederatedSite('B', {
    mode: 'processes',
    env: { ...env, FEDERATION_ENDPOINTS: link.url },
  });
  [ana, ben] = await Promise.all([signInAsGuest(a.url, 'ana'), signInAsGuest(b.url, 'ben')]);
  ids = { a: await siteIdOf(a), b: await siteIdOf(b) };
  await invite(a, b, await share(a));
  await allLive(a, b);
  await trustAll(a, b);
}, 120_000);
afterAll(async () => {
  for (const recorder of recorders) recorder.close();
  await Promise.all([a?.stop(), b?.stop()]);
  await link?.close();
}, 60_000);

async function record(site: TestSite, { token }: Person): Promise<StreamRecorder> {
  const url = `${site.url}/v1/boards/events/stream?subject=AxonChat.>`;
  const recorder = new StreamRecorder(url, { token, returns: true });
  recorders.push(recorder);
  await recorder.until((it) => it.named('caught_up').length === 1);
  return recorder;
}

const eventsOf = (recorder: StreamRecorder) => recorder.events.map(({ data }) => JSON.parse(data!) as StoredEvent);
const idsFrom = (recorder: StreamRecorder, origin: string) =>
  eventsOf(recorder)
    .filter((event) => event.origin === origin)
    .map(({ id }) => id);

async function sayMany(site: TestSite, who: Person, count: number, what: string): Promise<string[]> {
  const said: string[] = [];
  for (let n = 0; n < count; n += 1) {
    // oxlint-disable-next-line no-await-in-loop
    said.push((await say(site.url, who, `${what} ${n}`)).body.id);
  }
  return said;
}

/** Both have the same of both sites, each once and in its origin's order. */
async function bothHave(seen: { a: StreamRecorder; b: StreamRecorder }, said: { a: string[]; b: string[] }) {
  const total = said.a.length + said.b.length;
  for (const recorder of [seen.a, seen.b]) {
    // oxlint-disable-next-line no-await-in-loop
    await recorder.until((it) => it.events.length >= total, 20_000, `${total} events`);
    expect(idsFrom(recorder, ids.a)).toEqual(said.a);
    expect(idsFrom(recorder, ids.b)).toEqual(said.b);
  }
}

test('what is said on one site is seen on the other, as it was said, soon', async () => {
  const seen = { a: await record(a, ana), b: await record(b, ben) };
  const waits: number[] = [];
  const said = { a: [] as string[], b: [] as string[] };
  for (let n = 0; n < 40; n += 1) {
    const [from, who, other, key] = n % 2 === 0 ? ([a, ana, seen.b, 'a'] as const) : ([b, ben, seen.a, 'b'] as const);
    // oxlint-disable-next-line no-await-in-loop
    const { id } = (await say(from.url, who, `hello ${n}`)).body;
    const committed = performance.now();
    said[key].push(id);
    // oxlint-disable-next-line no-await-in-loop
    await other.until((it) => it.events.some(({ data }) => data!.includes(id)));
    waits.push(performance.now() - committed);
  }
  await bothHave(seen, said);
  const [first] = eventsOf(seen.b);
  const [original] = eventsOf(seen.a);
  expect(first).toMatchObject({ origin: ids.a, author: ana.id, data: { text: 'hello 0' } });
  expect({ ...first, cursor: undefined }).toEqual({ ...original, cursor: undefined });
  waits.sort((one, other) => one - other);
  process.stdout.write(`to the other site: median ${waits[20]!.toFixed(0)} ms, most ${waits.at(-1)!.toFixed(0)} ms\n`);
  // How fast it is when nothing else runs, the benches say; that nobody waits for a poll or a timer shows here too.
  expect(waits[20]).toBeLessThan(2_000);
}, 60_000);

test('each site is a witness of the other’s audit log, which an auditor can check offline', async () => {
  const { token } = await a.admin();
  const audit = <T>(path: string) => call<T>(`${a.url}/v1/audit/${path}`, { token });
  const { entries } = (await audit<AuditPage>('entries?order=oldest&limit=100')).body;
  const { seq } = entries.findLast(({ kind }) => kind === 'event') ?? entries[0]!;
  const proof = await eventually(
    async () => {
      const { status, text } = await audit(`entries/${seq}/tlog-proof?witnesses=1`);
      expect(status).toBe(200);
      return text;
    },
    { timeoutMs: 45_000, everyMs: 250 },
  );
  const { witnesses } = (await audit<AuditHealth>('health')).body;
  expect(witnesses).toMatchObject([{ name: `boardwire/witness/${ids.b}` }]);
  const auditor = await Auditor.of(a.url, token);
  try {
    await writeFile(auditor.at('key'), (await audit('key')).text);
    await writeFile(auditor.at('entry.json'), (await audit(`entries/${seq}`)).text);
    await writeFile(auditor.at('proof'), proof);
    const verdicts: number[] = [];
    for (const site of [b, a]) {
      const { witness } = await asAdmin<FederationSite>(site, '');
      await writeFile(auditor.at('witnesses'), `${witness}\n`);
      const given = ['--proof', auditor.at('proof'), '--key', auditor.at('key'), '--witness', auditor.at('witnesses')];
      verdicts.push((await auditor.run('verify', 'entry', auditor.at('entry.json'), ...given)).code);
    }
    expect(verdicts).toEqual([0, 1]);
  } finally {
    await auditor.leaves();
  }
}, 90_000);

test('a link that is cut, and one that falls silent, lose nothing', async () => {
  const seen = { a: await record(a, ana), b: await record(b, ben) };
  const said = { a: await sayMany(a, ana, 5, 'before'), b: await sayMany(b, ben, 5, 'before') };
  link.cut();
  said.a.push(...(await sayMany(a, ana, 20, 'cut')));
  said.b.push(...(await sayMany(b, ben, 20, 'cut')));
  link.heal();
  await bothHave(seen, said);
  link.silence();
  said.b.push(...(await sayMany(b, ben, 5, 'silent')));
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  link.heal();
  said.a.push(...(await sayMany(a, ana, 5, 'after')));
  await bothHave(seen, said);
}, 90_000);

test.each(['stop', 'kill'] as const)(
  'a service goes on where it was after a %s and a start',
  async (ending) => {
    const seen = { a: await record(a, ana), b: await record(b, ben) };
    const said = { a: await sayMany(a, ana, 3, 'before'), b: await sayMany(b, ben, 3, 'before') };
    const federation = b.site.services['federation']!;
    await federation[ending]();
    said.a.push(...(await sayMany(a, ana, 30, 'during')));
    said.b.push(...(await sayMany(b, ben, 30, 'during')));
    await federation.start();
    said.a.push(...(await sayMany(a, ana, 5, 'after')));
    said.b.push(...(await sayMany(b, ben, 5, 'after')));
    await bothHave(seen, said);
    await eventually(async () => expect((await peersOf(a)).map(({ state }) => state)).toEqual(['live']), {
      timeoutMs: 15_000,
    });
  },
  90_000,
);

test('the doctor says whether a peer has the same room, what it refuses, and that it is away', async () => {
  const well = await doctor(a);
  expect(well.findings).toContainEqual({ check: 'peer B, test', verdict: 'ok', says: 'it has the same genesis' });
  expect(well.findings.map(({ check }) => check)).toContain('clock of B');
  expect(bad(well)).toEqual([]);

  // Two sites that open a room each have two rooms, however they are called.
  await asAdmin(b, '/rooms', { method: 'POST', json: { board: 'forum', alias: 'test' } });
  const there = await doctor(b);
  expect(bad(there).map(({ check }) => check)).toEqual(['alias test', 'alias test']);
  const file = join(a.infrastructure.folder, 'b.json');
  await writeFile(file, there.text);
  const mend = expect.stringContaining('one site opens the room');
  expect(bad(await doctor(a, '--compare', file))).toMatchObject([{ check: 'alias test', mend }]);

  await decide(b, ids.a, 'suspend', { reason: 'to see what the doctor says' });
  const asked = async () => bad(await doctor(a)).find(({ check }) => check === 'peer B, test')?.mend;
  expect(await asked()).toContain('has suspended this site');
  await decide(b, ids.a, 'resume');
  link.cut();
  expect(await asked()).toContain('Is it up');
  link.heal();
}, 60_000);
