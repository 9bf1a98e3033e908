import { lookup } from 'node:dns/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, freePort, MicrosocksServer } from '@boardwire/test-kit';
import { invite, peersOf, share, startFederatedSite, trustAll } from '../support/federation.ts';
import { GuardedDoor } from '../support/guarded-door.ts';
import { NameLookups } from '../support/name-lookups.ts';
import { say, signInAsGuest, type Person } from '../support/person.ts';
import { microsocksOrReason } from '../support/program-or-reason.ts';
import { StreamRecorder } from '../support/stream-recorder.ts';
import type { TestSite } from '../support/test-site.ts';

const program = await microsocksOrReason();
/** Where the proxy calls from, and nobody else. */
const outgoing = '127.0.0.2';
/** The other site's name. The system's resolver knows it: that it isn't asked is the dialler's doing alone. */
const name = 'localhost';

(program === undefined ? describe.skip : describe)('a site that dials by a SOCKS5 proxy', () => {
  const sites: TestSite[] = [];
  let lookups: NameLookups;
  let startProxy: () => Promise<MicrosocksServer>;
  let proxy: MicrosocksServer;
  let door: GuardedDoor;
  let near: Reader;
  /** It stands behind the door, and dials nobody. */
  let far: Reader;

  beforeAll(async () => {
    lookups = new NameLookups();
    door = await GuardedDoor.open({ to: () => Number(new URL(sites[0]!.url).port), from: outgoing });
    sites.push(await startFederatedSite('Far', { env: { FEDERATION_ENDPOINTS: `http://${name}:${door.port}` } }));
    const port = await freePort();
    const logFile = join(sites[0]!.infrastructure.folder, 'microsocks.log');
    startProxy = () => MicrosocksServer.start({ program: program!, logFile, port, outgoing });
    proxy = await startProxy();
    const env = { FEDERATION_ENDPOINTS: 'none', FEDERATION_PROXY: `socks5h://127.0.0.1:${port}` };
    sites.push(await startFederatedSite('Near', { env }));
    const [farSite, nearSite] = sites as [TestSite, TestSite];
    await invite(farSite, nearSite, await share(farSite));
    await trustAll(farSite, nearSite);
    [near, far] = [await Reader.of(nearSite), await Reader.of(farSite)];
  }, 120_000);
  afterAll(async () => {
    lookups?.stop();
    near?.close();
    far?.close();
    await proxy?.stop();
    await Promise.all(sites.map((site) => site.stop()));
    await door?.close();
  }, 60_000);

  /** Everything went by the proxy, to which the name was told as it is. */
  async function nothingLeaks(): Promise<void> {
    expect(new Set(await proxy.targets())).toEqual(new Set([`${name}:${door.port}`]));
    expect(door.turnedAway).toEqual([]);
    expect(lookups.names).not.toContain(name);
  }

  test('gives and gets events through it, looks up no name and calls nobody directly', async () => {
    for (let round = 0; round < 5; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- each when the one before has arrived
      await far.sees(await near.says(`from the near one ${round}`));
      // oxlint-disable-next-line no-await-in-loop
      await near.sees(await far.says(`from the far one ${round}`));
    }
    expect(door.letIn).toBeGreaterThan(0);
    await nothingLeaks();
  }, 30_000);

  test('calls nobody while there is no proxy, and goes on when it is back', async () => {
    const isLive = async () => (await peersOf(near.site))[0]?.state === 'live';
    await eventually(async () => expect(await isLive()).toBe(true), { timeoutMs: 15_000 });
    await proxy.stop();
    const { letIn } = door;
    const said = await near.says('while there is no proxy');
    await eventually(async () => expect(await isLive()).toBe(false), { timeoutMs: 15_000 });
    expect(door.letIn).toBe(letIn);
    await nothingLeaks();
    proxy = await startProxy();
    await far.sees(said);
    await nothingLeaks();
  }, 60_000);

  test('a direct call and a look-up would have been seen', async () => {
    await expect(fetch(`http://127.0.0.1:${door.port}/`)).rejects.toThrow();
    await lookup(name);
    expect(door.turnedAway).toContain('127.0.0.1');
    expect(lookups.names).toContain(name);
  });
});

/** A site, and somebody who speaks and reads there. */
class Reader {
  private constructor(
    readonly site: TestSite,
    private readonly person: Person,
    private readonly recorder: StreamRecorder,
  ) {}

  static async of(site: TestSite): Promise<Reader> {
    const person = await signInAsGuest(site.url, 'pat');
    const url = `${site.url}/v1/boards/events/stream?subject=AxonChat.>`;
    const recorder = new StreamRecorder(url, { token: person.token });
    await recorder.until((it) => it.named('caught_up').length === 1);
    return new Reader(site, person, recorder);
  }

  /** @returns the event's id */
  async says(text: string): Promise<string> {
    const { status, body } = await say(this.site.url, this.person, text);
    expect(status).toBe(201);
    return body.id;
  }

  sees(id: string): Promise<void> {
    return this.recorder.until((it) => it.events.some(({ data }) => data!.includes(id)), 20_000, id);
  }

  close(): void {
    this.recorder.close();
  }
}
