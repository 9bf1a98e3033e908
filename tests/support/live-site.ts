import { setTimeout as sleep } from 'node:timers/promises';
import { allLive, invite, share, startFederatedSite } from './federation.ts';
import { call, say, signInAsGuest, type Person } from './person.ts';
import { StreamRecorder } from './stream-recorder.ts';
import type { TestSite } from './test-site.ts';

/** A site that shares its board with another one, and on which, again and again, everything happens that its dashboards show. */
export class LiveSite {
  readonly services = ['gateway', 'chat', 'federation', 'audit', 'axonchat'] as const;
  #isStopping = false;
  #rounds = 0;
  #happening: Promise<void> = Promise.resolve();

  constructor(
    readonly site: TestSite,
    private readonly peer: TestSite,
  ) {}

  internalUrl(service: (typeof this.services)[number]): string {
    return this.site.internalUrl(service === 'axonchat' ? 'applets' : service);
  }

  /** Returns when it has happened a few times; it goes on until the site is stopped. */
  async everythingHappens(): Promise<void> {
    const admin = await this.site.admin();
    const guest = await signInAsGuest(this.site.url, 'busy');
    await this.#once(admin, guest);
    this.#happening = this.#keepOn(admin, guest);
    await sleep(3_000);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#happening;
    await Promise.all([this.peer.stop(), this.site.stop()]);
  }

  async #keepOn(admin: Person, guest: Person): Promise<void> {
    while (!this.#isStopping) {
      await this.#once(admin, guest);
      await sleep(250);
    }
  }

  async #once(admin: Person, guest: Person): Promise<void> {
    const { url } = this.site;
    const stream = new StreamRecorder(`${url}/v1/boards/events/stream`, { token: guest.token });
    await stream.until((it) => it.named('caught_up').length === 1);
    const { body } = await say(url, guest, 'hello');
    await call(`${url}/api/chat/post/`, { token: guest.token, json: { text: 'an older hello' } });
    await stream.until((it) => it.seqs.includes(body.seq));
    stream.close();
    const again = new StreamRecorder(`${url}/v1/boards/events/stream`, {
      token: guest.token,
      lastEventId: body.cursor,
    });
    await again.until((it) => it.named('caught_up').length === 1);
    again.close();
    await call(`${url}/v1/boards`, { token: 'no token' });
    await call(`${url}/fed/v1/rooms/br1unsigned/head`);
    await call(`${url}/v1/audit/entries?limit=5`, { token: admin.token });
    this.#rounds += 1;
    const passing = await signInAsGuest(this.peer.url, `passing-${this.#rounds}`);
    await say(this.peer.url, passing, 'hello from there');
    await signInAsGuest(url, `passing-${this.#rounds}`);
  }
}

export async function liveSite(): Promise<LiveSite> {
  const [here, there] = await Promise.all([startFederatedSite('here'), startFederatedSite('there')]);
  await invite(here, there, await share(here));
  await allLive(here, there);
  return new LiveSite(here, there);
}
