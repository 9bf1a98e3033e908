import { randomBytes } from 'node:crypto';
import {
  federationPaths,
  pushAnswerSchema,
  streamHelloSchema,
  type FeedHeader,
  type FeedVector,
  type Invitation,
  type PushOutcome,
} from '@boardwire/contracts';
import type { Answer, FedClient } from '../wire/fed-client.ts';
import type { FrameStream } from '../wire/frame-stream.ts';
import { Broken } from '../rule.ts';
import { readHello } from '../wire/hello.ts';
import type { ForeignSite, Written } from './foreign-site.ts';

/** One of the kit's sites, once the site under test has let it in. */
export class Member {
  /** Its feed, as far as the kit has written it. */
  readonly feed: Written[] = [];

  constructor(
    readonly site: ForeignSite,
    readonly client: FedClient,
    readonly invitation: Invitation,
  ) {}

  get room(): string {
    return this.invitation.room;
  }

  /** A subject that the room shares, whatever its filters are. */
  get subject(): string {
    const [filter] = this.invitation.subjects;
    return filter!.replaceAll('*', 'any').replace(/>$/, 'conformance');
  }

  /** The next item of its feed; it isn't part of it before it is {@link said}. */
  write(text: string, more: Partial<FeedHeader> = {}): Written {
    return this.site.write(this.feed.at(-1), `${text}-${randomBytes(4).toString('hex')}`, {
      subject: this.subject,
      ...more,
    });
  }

  /** Writes items and brings them. @throws Broken unless all are taken */
  async say(count: number): Promise<Written[]> {
    const items: Written[] = [];
    for (let at = 0; at < count; at += 1) {
      const item = this.write('conformance');
      items.push(item);
      this.feed.push(item);
    }
    const outcomes = await this.outcomes(items.map(({ wire }) => wire));
    const wrong = outcomes.find(({ outcome }) => outcome !== 'accepted');
    if (wrong !== undefined) throw new Broken(`a good item was not taken: ${JSON.stringify(wrong)}`);
    return items;
  }

  push(items: readonly unknown[], more: object = {}): Promise<Answer> {
    return this.client.post(federationPaths.events(this.room), { items, ...more });
  }

  async outcomes(items: readonly unknown[], more: object = {}): Promise<PushOutcome[]> {
    const { outcomes } = (await this.push(items, more)).as(pushAnswerSchema);
    if (outcomes.length !== items.length) throw new Broken(`${outcomes.length} outcomes of ${items.length} items`);
    return outcomes;
  }

  page(of: { site: string; epoch: string; from: number; limit: number }): Promise<Answer> {
    return this.client.get(federationPaths.feed(this.room, of.site, of.epoch, of));
  }

  /** A stream of these sites' feeds whose hello has proven itself. */
  async stream(have: FeedVector, feeds: readonly string[]): Promise<FrameStream> {
    const stream = await this.client.stream(federationPaths.stream(this.room), { have, feeds });
    await stream.until('the hello of a stream', () => stream.frames.length > 0);
    const hello = streamHelloSchema.parse(readHello(stream, { target: this.client.target, to: this.site.id }));
    if (hello.room !== this.room) throw new Broken('the hello is of another room');
    return stream;
  }
}
