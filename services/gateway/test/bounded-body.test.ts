import { PassThrough, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { BodyStalled, boundedBody } from '../src/http/bounded-body.ts';

async function textOf(body: Readable): Promise<string> {
  let text = '';
  for await (const chunk of body) text += String(chunk);
  return text;
}

test('a body that moves may take far longer than it may rest', async () => {
  async function* slowly() {
    for (let at = 0; at < 8; at += 1) {
      await sleep(60);
      yield `${at}`;
    }
  }
  expect(await textOf(boundedBody(Readable.from(slowly()), 250))).toBe('01234567');
});

test('one whose sender rests for too long is cut, and so is the sender', async () => {
  const sender = new PassThrough();
  sender.write('begun');
  const body = boundedBody(sender, 100);
  await expect(textOf(body)).rejects.toBeInstanceOf(BodyStalled);
  expect(sender.destroyed).toBe(true);
});

test('one whose reader rests for too long is cut', async () => {
  const sender = Readable.from(Array.from({ length: 1_000 }, () => Buffer.alloc(65_536)));
  const body = boundedBody(sender, 100);
  const cut = new Promise((resolve) => body.once('error', resolve));
  body.read(1);
  expect(await cut).toBeInstanceOf(BodyStalled);
  expect(sender.destroyed).toBe(true);
});

test('one that breaks breaks for its reader too', async () => {
  const sender = new PassThrough();
  const body = boundedBody(sender, 1_000);
  setTimeout(() => sender.destroy(new Error('gone')), 20);
  await expect(textOf(body)).rejects.toThrow('gone');
});
