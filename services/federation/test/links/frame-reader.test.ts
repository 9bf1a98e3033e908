import { Readable } from 'node:stream';
import { seededRandom } from '@boardwire/test-kit';
import { expect, test } from '@jest/globals';
import { FrameReader } from '../../src/links/frame-reader.ts';

const bye = (retryMs: number) => JSON.stringify({ t: 'bye', code: 'draining', retryMs });
const reader = (chunks: Iterable<Buffer | string>) =>
  new FrameReader(Readable.from([...chunks].map((one) => Buffer.from(one))));

test('frames come whole, wherever the bytes were cut', async () => {
  const random = seededRandom();
  const text = Buffer.from(
    Array.from({ length: 200 }, (_, at) => `${bye(at)}\n${random.integer(0, 4) === 0 ? '\n' : ''}`).join(''),
  );
  const chunks: Buffer[] = [];
  for (let from = 0; from < text.length;) {
    const size = random.integer(1, 90);
    chunks.push(text.subarray(from, from + size));
    from += size;
  }
  const frames = reader(chunks);
  for (let at = 0; at < 200; at += 1) {
    // oxlint-disable-next-line no-await-in-loop
    expect(await frames.next(1_000)).toMatchObject({ t: 'bye', retryMs: at });
  }
  expect(await frames.next(1_000)).toBeUndefined();
});

test.each([
  ['what is no JSON', 'bye\n'],
  ['what is no frame', '{"t":"hello"}\n'],
  ['a name twice', '{"t":"bye","t":"bye","code":"draining"}\n'],
  ['a line without an end', 'x'.repeat(3 * 1024 * 1024)],
])('%s is a bad answer', async (_what, text) => {
  await expect(reader([text]).next(1_000)).rejects.toMatchObject({ fault: 'bad_answer' });
});

test('silence is noticed, and so is a connection that fails', async () => {
  const silent = new FrameReader(new Readable({ read: () => undefined }));
  await expect(silent.next(30)).rejects.toMatchObject({ fault: 'silent' });
  silent.close();
  const failing = new Readable({ read: () => undefined });
  const frames = new FrameReader(failing);
  const next = frames.next(1_000);
  failing.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
  await expect(next).rejects.toMatchObject({ fault: 'ended' });
});
