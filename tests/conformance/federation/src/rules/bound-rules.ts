import { gzipSync } from 'node:zlib';
import { federationLimits, federationPaths, pushAnswerSchema } from '@boardwire/contracts';
import type { Kit } from '../kit.ts';
import { expectEqual, expectThat, Broken, type Rule } from '../rule.ts';
import type { Answer, Changes } from '../wire/fed-client.ts';
import { Answer as AnswerOf } from '../wire/fed-client.ts';
import { answerOf, begin, received } from '../wire/exchange.ts';

async function pushOf(kit: Kit, changes: Changes): Promise<Answer> {
  const { client, room } = await kit.member('first');
  return client.send(federationPaths.events(room), changes);
}

const encoded = (encoding: string, body: Buffer): Changes => ({
  body,
  sent: { headers: { 'content-encoding': encoding } },
});

export const boundRules: Rule[] = [
  {
    name: 'json.strict',
    says: 'what two parsers could read differently is malformed, as is what the contract doesn’t have',
    async check(kit) {
      const deep = federationLimits.jsonDepthMax + 1;
      const texts: Record<string, string> = {
        'a name twice': '{"items":[],"items":[]}',
        'a lone surrogate': String.raw`{"items":["\ud800"]}`,
        'no end': '{"items":[',
        'something behind the end': '{"items":[]}{}',
        nothing: '',
        'an unknown name': '{"items":[],"more":1}',
        'nested too deep': `{"items":[${'['.repeat(deep)}${']'.repeat(deep)}]}`,
        'no UTF-8': '{"items":["\u00ff"]}',
      };
      for (const [what, text] of Object.entries(texts)) {
        const body = Buffer.from(text, what === 'no UTF-8' ? 'latin1' : 'utf8');
        // oxlint-disable-next-line no-await-in-loop
        (await pushOf(kit, { body })).refuses('malformed', what);
      }
    },
  },
  {
    name: 'bounds.items',
    says: 'a push of more than 256 items is malformed',
    async check(kit) {
      const first = await kit.member('first');
      const items = Array.from({ length: federationLimits.batchItemsMax + 1 }, () => ({}));
      (await first.push(items)).refuses('malformed', `${items.length} items`);
    },
  },
  {
    name: 'bounds.batch',
    says: 'a push of more than 1 MiB is too_large',
    async check(kit) {
      const first = await kit.member('first');
      const item = { ...first.write('large').wire, data: 'A'.repeat(87_000) };
      (await first.push(Array.from({ length: 20 }, () => item))).refuses('too_large', 'a batch of 1.2 MiB');
    },
  },
  {
    name: 'bounds.body',
    says: 'a body beyond its bound is too_large, and isn’t waited for',
    async check(kit) {
      (await pushOf(kit, { body: Buffer.alloc(3_000_000, 0x20) })).refuses('too_large', 'a body of 3 MB');
      const { client, room } = await kit.member('first');
      const sent = client.request(federationPaths.events(room), {
        sent: { headers: { 'content-length': '100000000' } },
      });
      const outgoing = begin(kit.target.url, sent);
      outgoing.write(Buffer.alloc(1_000));
      const answer = new AnswerOf(await received(await answerOf(outgoing)), kit.seen);
      outgoing.destroy();
      answer.refuses('too_large', 'a body said to have 100 MB');
    },
  },
  {
    name: 'bounds.inflation',
    says: 'gzip is taken, a bomb is too_large, another encoding malformed',
    async check(kit) {
      const { status } = await pushOf(kit, encoded('gzip', gzipSync('{"items":[]}')));
      expectEqual(status, 200, 'an honest gzip');
      const bomb = gzipSync(Buffer.alloc(2_000_000, 0x20));
      (await pushOf(kit, encoded('gzip', bomb))).refuses('too_large', 'a bomb');
      (await pushOf(kit, encoded('br', Buffer.from('x')))).refuses('malformed', 'brotli');
    },
  },
  {
    name: 'bounds.slow_body',
    says: 'a body that stops coming holds nobody up',
    async check(kit) {
      const { client, room } = await kit.member('first');
      const outgoing = begin(kit.target.url, client.request(federationPaths.events(room)));
      outgoing.on('error', () => undefined).write('{');
      await new Promise((resolve) => setTimeout(resolve, 200));
      expectEqual((await pushOf(kit, {})).status, 200, 'another push meanwhile');
      outgoing.destroy();
    },
  },
  {
    name: 'rate.limited',
    says: 'a new peer brings 50 items a second and 500 at once; then rate_limited, with a Retry-After that holds',
    async check(kit) {
      const eager = await kit.member('eager');
      if (eager.feed.length === 0) await eager.say(1);
      const item = eager.feed[0]!.wire;
      let refused: Answer | undefined;
      let count = 0;
      // First all of the burst, then little by little: what is owed has to be waited for.
      for (let size: number = federationLimits.batchItemsMax; refused === undefined && count < 1_500; count += size) {
        if (count >= federationLimits.newPeerEventsBurst) size = 64;
        // oxlint-disable-next-line no-await-in-loop -- until it is enough
        const answer = await eager.push(Array.from({ length: size }, () => item));
        if (answer.status === 200) answer.as(pushAnswerSchema);
        else refused = answer;
      }
      if (refused === undefined) throw new Broken(`${count} items of a new peer, one push after the other, were taken`);
      refused.refuses('rate_limited', 'more than its rate');
      const seconds = Number(refused.headers['retry-after']![0]);
      expectThat(seconds <= 60, `it asks to come back after ${seconds} s`);
      await new Promise((resolve) => setTimeout(resolve, seconds * 1_000 + 100));
      expectEqual((await eager.push([])).status, 200, 'a push after Retry-After');
    },
  },
];
