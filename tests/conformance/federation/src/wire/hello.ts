import { canonicalBytes, preAuthenticationEncoding } from '@boardwire/signing';
import { Broken, expectThat } from '../rule.ts';
import type { Target } from '../target.ts';
import type { FrameStream } from './frame-stream.ts';

const type = 'application/vnd.boardwire.hello+json';

/** What the first frame of a stream says. @throws Broken unless the site under test has signed it for this very request */
export function readHello(
  { frames, nonce }: FrameStream,
  { target, to }: { target: Target; to: string },
): Record<string, unknown> {
  const [hello] = frames;
  if (hello?.t !== 'hello') throw new Broken('a stream does not begin with its hello');
  const bytes = Buffer.from(hello.h, 'base64url');
  const key = target.hopKeys.get(hello.kid);
  expectThat(key !== undefined, 'the hello names a key that the site document does not');
  const holds = key.verify(preAuthenticationEncoding(type, bytes), Buffer.from(hello.sig, 'base64url'));
  expectThat(holds, 'the signature of the hello does not hold');
  const content = JSON.parse(bytes.toString()) as Record<string, unknown>;
  expectThat(canonicalBytes(content).equals(bytes), 'the hello is not canonical JSON');
  const isBound = content['from'] === target.site && content['to'] === to && content['nonce'] === nonce;
  expectThat(isBound, 'the hello answers another request, or another site');
  return content;
}
