import { describe, expect, test } from '@jest/globals';
import {
  formatCheckpoint,
  formatVerifier,
  generateSigningKey,
  importSigningKey,
  NoteError,
  noteSigner,
  noteVerifier,
  openCheckpoint,
  openNote,
  parseCheckpoint,
  parseVerifier,
  signCheckpoint,
  signNote,
} from '../src/index.ts';

// The vector of golang.org/x/mod/sumdb/note, the format's reference.
const vkey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const secret = 'AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const signature =
  '\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const peter = noteSigner('PeterNeumann', importSigningKey(Buffer.from(secret, 'base64').subarray(1)));
const enoch = noteSigner('EnochRoot', generateSigningKey());

describe('a signed note', () => {
  test('is byte for byte that of the reference', () => {
    expect(signNote(text, [peter])).toBe(`${text}\n${signature}`);
    expect(formatVerifier(peter)).toBe(vkey);
  });

  test('opens with its verifier key', () => {
    const opened = openNote(`${text}\n${signature}`, [parseVerifier(vkey)]);
    expect(opened.text).toBe(text);
    expect(opened.verified.map(({ name }) => name)).toEqual(['PeterNeumann']);
  });

  test('opens by one of two signatures and lists the other as unknown', () => {
    const opened = openNote(signNote(text, [enoch, peter]), [parseVerifier(vkey)]);
    expect(opened.verified.map(({ name }) => name)).toEqual(['PeterNeumann']);
    expect(opened.unknown.map(({ name }) => name)).toEqual(['EnochRoot']);
  });

  test('is refused when a known signature is wrong, even beside a right one', () => {
    const other = openNote(signNote('else\n', [enoch]), [enoch]).verified[0]!;
    const blob = Buffer.alloc(68);
    blob.writeUInt32BE(other.keyHash, 0);
    other.signature.copy(blob, 4);
    const note = `${signNote(text, [peter])}\u2014 EnochRoot ${blob.toString('base64')}\n`;
    expect(() => openNote(note, [peter, enoch])).toThrow(NoteError);
  });

  test('is refused when nobody known has signed it', () => {
    expect(() => openNote(signNote(text, [enoch]), [peter])).toThrow(NoteError);
  });

  test.each([
    ['no blank line', `${text}${signature}`],
    ['no signature', `${text}\n`],
    ['no final newline', `${text}\n${signature}`.slice(0, -1)],
    ['a tab in its text', `a\tb\n\n${signature}`],
    ['a hyphen in place of the dash', `${text}\n${signature.replace('\u2014', '-')}`],
    ['another base64 spelling', `${text}\n${signature.replace('nAM=', 'nAN=')}`],
    ['a hundred and one signatures', `${text}\n${signature.repeat(101)}`],
    ['a changed text', `${text.replace('you', 'I')}\n${signature}`],
    ['broken UTF-8', Buffer.concat([Buffer.from([0xff]), Buffer.from(`${text}\n${signature}`)])],
    ['more than a megabyte', `${'a'.repeat(1_000_000)}\n\n${signature}`],
  ])('with %s is refused', (_, note) => {
    expect(() => openNote(note, [peter])).toThrow(NoteError);
  });

  test('a text without final newline is not signed', () => {
    expect(() => signNote('no newline', [peter])).toThrow(NoteError);
  });

  test.each(['', 'two words', 'a+b', 'a\u00a0b'])('%p is no key name', (name) => {
    expect(() => noteVerifier(name, peter.key)).toThrow(NoteError);
  });
});

describe('a verifier key', () => {
  test('with any one character changed is refused', () => {
    for (let at = 0; at < vkey.length; at += 1) {
      const changed = vkey.slice(0, at) + String.fromCharCode(vkey.charCodeAt(at) + 1) + vkey.slice(at + 1);
      expect(() => parseVerifier(changed)).toThrow(NoteError);
    }
  });

  test.each([
    'PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==',
    'PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  ])('of another length or algorithm is refused: %s', (bad) => {
    expect(() => parseVerifier(bad)).toThrow(NoteError);
  });
});

describe('a checkpoint', () => {
  const root = Buffer.alloc(32, 7);
  const log = noteSigner('example.org/log', generateSigningKey());

  test('body is origin, size and base64 root, a line each', () => {
    const body = formatCheckpoint({ origin: 'example.com/behind-the-sofa', size: 20852163, root });
    expect(body).toBe(`example.com/behind-the-sofa\n20852163\n${root.toString('base64')}\n`);
    expect(parseCheckpoint(body)).toEqual({ origin: 'example.com/behind-the-sofa', size: 20852163, root });
  });

  test('may have extension lines', () => {
    expect(parseCheckpoint(`${formatCheckpoint({ origin: 'o', size: 1, root })}more\n`).size).toBe(1);
  });

  test('comes back from its signed note', () => {
    const checkpoint = { origin: log.name, size: 3, root };
    expect(openCheckpoint(signCheckpoint(checkpoint, [log]), log)).toEqual(checkpoint);
  });

  test('of another origin under the same key is refused', () => {
    const note = signCheckpoint({ origin: 'example.org/other', size: 3, root }, [log]);
    expect(() => openCheckpoint(note, log)).toThrow(NoteError);
  });

  test.each(['o\n-1\n', 'o\n01\n', 'o\n1e3\n', 'o\n9007199254740993\n', '\n1\n'])('%j is no beginning', (head) => {
    expect(() => parseCheckpoint(`${head}${root.toString('base64')}\n`)).toThrow(NoteError);
  });

  test('with a short root is refused', () => {
    expect(() => parseCheckpoint('o\n1\nAAAA\n')).toThrow(NoteError);
  });
});
