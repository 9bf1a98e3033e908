import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { checkoutFolder } from '@boardwire/embedded';
import { testFolder } from '@boardwire/test-kit';
import { Fleet } from '../support/fleet.ts';
import { call, signInAsGuest, type Person } from '../support/person.ts';
import { buildRelease, removeRelease, type Changes } from '../support/release.ts';
import { restartFromOutside } from '../support/restart-from-outside.ts';
import { SteadyWriter } from '../support/steady-writer.ts';
import { faultsOf, StreamRecorder } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

const isLong = process.env['BOARDWIRE_TEST_TIER'] === 'long';
const size = isLong ? 1_000 : 100;
const perSecond = 20;
const subject = 'AxonChat.upgrade';
const nextVersion = '99.0.0';

/** What a release may do to those beside it: say more than they know, everywhere they listen, and store more. */
const changes: Changes = {
  'libs/service-kit/package.json': (source) => source.replace(/"version": "[^"]+"/, `"version": "${nextVersion}"`),
  'libs/contracts/src/event-json.ts': (source) =>
    source.replace('"class":"${stamp.class}"}', '"class":"${stamp.class}","revision":"next"}'),
  'services/chat/src/log/board-relay.ts': (source) =>
    source.replace('[busHeaders.seq]:', `'Boardwire-Revision': 'next',\n    [busHeaders.seq]:`),
  'services/chat/src/http/log.controller.ts': (source) =>
    source.replace(
      /return (\{ outcomes: await this\.appendLog\.append\([^;]*\) \});/,
      `return Object.assign($1, { revision: 'next' });`,
    ),
  'services/chat/src/migrations/migrations.ts': (source) =>
    source
      .replace('import', `import { sqlMigration } from '@boardwire/database';\nimport`)
      .replace(
        /,\n\];/,
        `,\n  sqlMigration('AddRevision9999999999999', 'ALTER TABLE event ADD COLUMN revision text'),\n];`,
      ),
};

let site: TestSite;
let writer: Person;
let fleet: Fleet;
let next: string;
const releases: Record<string, string> = {};
let load: SteadyWriter;

beforeAll(async () => {
  next = join(await testFolder(), 'next');
  await buildRelease(next, changes);
  const checkout = (service: string) => releases[service] ?? checkoutFolder;
  site = await startTestSite({ mode: 'processes', gateways: 2, hasProxy: true, env: { DRAIN_MS: '2000' }, checkout });
  writer = await site.admin();
  const guests: Person[] = [];
  // oxlint-disable-next-line no-await-in-loop
  for (let at = 0; at < size / 20; at += 1) guests.push(await signInAsGuest(site.url, `reader ${at}`));
  fleet = new Fleet({ url: site.url, board: 'events', subject, tokens: guests.map(({ token }) => token), size });
  await fleet.start();
  load = new SteadyWriter({ url: site.url, person: writer, subject, perSecond });
}, 240_000);
afterAll(async () => {
  await load?.stop();
  fleet?.close();
  await site?.stop();
  if (next !== undefined) await removeRelease(next);
}, 60_000);

async function versionOf(service: string): Promise<string | undefined> {
  const { text } = await call(`${site.internalUrl(service)}/metrics`);
  return /^boardwire_build_info\{version="([^"]+)"\} 1$/m.exec(text)?.[1];
}

/** Ended from outside, as by an orchestrator, and started again by the launcher, from the other release. */
async function replace(service: string, release: string): Promise<void> {
  releases[service] = release;
  await restartFromOutside(site, service);
  await fleet.allLive();
}

async function allHaveAll(): Promise<void> {
  const { last, seqs } = load;
  await fleet.reached(last);
  expect(fleet.faults()).toEqual([]);
  expect(faultsOf(seqs, 1, load.last)).toEqual([]);
  await site.auditHas('events', last);
}

const services = isLong
  ? ['audit', 'federation', 'chat', 'gateway', 'gateway-2', 'applets']
  : ['audit', 'chat', 'gateway'];
/** What the launcher gave it, as a Job of the same deployment would have it. */
async function environmentOf(service: string): Promise<NodeJS.ProcessEnv> {
  const lines = (await readFile(`/proc/${site.site.services[service]!.pid!}/environ`, 'utf8')).split('\0');
  return Object.fromEntries(lines.map((line) => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]));
}

describe(`a release that says and stores more, under load with ${size} readers`, () => {
  test('changes the schema first, and the one that runs goes on', async () => {
    const env = await environmentOf('chat');
    await promisify(execFile)(process.execPath, [join(next, 'services/chat/dist/migrate.js')], { env });
    await load.goesOn(5, 5_000);
    await allHaveAll();
  }, 60_000);

  test('takes the place of each service, one after the other: nothing is lost or doubled', async () => {
    const reader = new StreamRecorder(
      `${site.gatewayUrl(2)}/v1/boards/events/stream?subject=${encodeURIComponent(subject)}`,
      { token: writer.token, returns: true },
    );
    for (const service of services) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
      await replace(service, next);
      // oxlint-disable-next-line no-await-in-loop
      expect(await versionOf(service)).toBe(nextVersion);
      // oxlint-disable-next-line no-await-in-loop
      await load.goesOn();
      if (service !== 'chat') continue;
      // A gateway passes on what it has never heard of.
      const isNew = ({ data = '' }) => data.includes('"revision":"next"');
      // oxlint-disable-next-line no-await-in-loop
      await reader.until(({ events }) => events.some(isNew), 20_000, 'an event of the new chat on the old gateway');
    }
    reader.close();
    await allHaveAll();
  }, 240_000);

  test('goes back to the one before, over the schema that it changed', async () => {
    for (const service of isLong ? services.toReversed() : ['chat']) {
      // oxlint-disable-next-line no-await-in-loop
      await replace(service, checkoutFolder);
      // oxlint-disable-next-line no-await-in-loop
      expect(await versionOf(service)).not.toBe(nextVersion);
      // oxlint-disable-next-line no-await-in-loop
      await load.goesOn();
    }
    await allHaveAll();
  }, 240_000);
});
