import { setTimeout as sleep } from 'node:timers/promises';
import { board, subject } from './share-board.ts';
import type { DemoSite } from './three-sites.ts';

const sayings = [
  'Good morning',
  'Is anybody there?',
  'Here it rains',
  'The build is green',
  'Lunch?',
  'שלום',
  '你好',
  '🛰️',
];
/** About a hundred a second from each site. */
const pauseMs = 10;

/** Posts of all sites at once; counts what was accepted. */
export class Posts {
  accepted = 0;

  /** Resolves when each site has accepted so many more. */
  async make(sites: readonly DemoSite[], count: number): Promise<void> {
    await Promise.all(sites.map((site) => this.#makeOn(site, count)));
  }

  async #makeOn({ name, client }: DemoSite, count: number): Promise<void> {
    for (let n = 1; n <= count; n += 1) {
      const text = `${sayings[n % sayings.length]!} (${name}, ${n})`;
      // oxlint-disable-next-line no-await-in-loop -- in this order
      await client.publish(board, { subject, type: 'chat.message.posted', data: { text } });
      this.accepted += 1;
      // oxlint-disable-next-line no-await-in-loop
      await sleep(pauseMs);
    }
  }
}
