import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Fleet } from '../support/fleet.ts';
import { operate } from '../support/operator.ts';
import type { Person } from '../support/person.ts';
import { SteadyLoad } from '../support/steady-load.ts';
import { faultsOf } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

const isLong = process.env['BOARDWIRE_TEST_TIER'] === 'long';
const rounds = isLong ? 10 : 1;
const board = 'events';

let site: TestSite;
let admin: Person;
let fleet: Fleet;
let load: SteadyLoad;

beforeAll(async () => {
  site = await startTestSite({ gateways: 2, hasProxy: true });
  admin = await site.admin();
  fleet = new Fleet({ url: site.url, board, subject: '>', tokens: [admin.token], size: 10 });
  await fleet.start();
  load = new SteadyLoad(site.url, admin, board);
}, 60_000);
afterAll(async () => {
  await load?.stop();
  fleet?.close();
  await site?.stop();
}, 60_000);

const grow = (by: number) => load.accepted(load.seqs.length + by);
const put = (...command: string[]) => operate([...command, '--data', site.site.dataDir]);

describe('a site that is read and written', () => {
  test('gives each reader each event once while its stream is made anew, all of it or one board’s', async () => {
    await grow(300);
    for (let round = 0; round < rounds; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one rebuild after the other
      for (const command of [['rebuild-stream'], ['resync', '--board', board]]) {
        // oxlint-disable-next-line no-await-in-loop
        expect(await put(...command)).toMatchObject({ code: 0, err: expect.not.stringContaining('rror') });
        // oxlint-disable-next-line no-await-in-loop
        await grow(100);
      }
    }
    await load.stop();
    const seqs = load.seqs.toSorted((a, b) => a - b);
    const last = seqs.at(-1)!;
    await fleet.reached(last);
    expect(fleet.faults()).toEqual([]);
    expect(faultsOf(seqs, 1, last)).toEqual([]);
    // Nobody had to come back for that.
    expect(fleet.returns).toEqual([]);
  }, 300_000);
});
