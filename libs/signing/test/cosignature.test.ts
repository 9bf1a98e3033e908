import { describe, expect, test } from '@jest/globals';
import {
  cosignatureLine,
  cosignatureVerifier,
  cosigner,
  formatCosignatureVerifier,
  generateSigningKey,
  NoteError,
  noteSigner,
  openCheckpoint,
  openCosignatures,
  parseCheckpoint,
  parseCosignatureVerifier,
  parseNote,
  parseVerifier,
  signCheckpoint,
} from '../src/index.ts';

// A checkpoint of a public staging log (May 2026) with the cosignature of a public witness, and the keys of both.
const published = {
  note:
    'arche2025h1.staging.ct.transparency.dev\n1432088532\nU7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n\n' +
    '\u2014 arche2025h1.staging.ct.transparency.dev ' +
    'ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=\n' +
    '\u2014 remora.n621.de ' +
    '2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==\n',
  log: 'arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f',
  witness: 'remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2',
};

// The example of c2sp.org/tlog-cosignature; its keys are not published.
const example =
  'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n' +
  '\u2014 example.com/behind-the-sofa ' +
  'Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n' +
  '\u2014 witness.example.com/w1 ' +
  'jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n';

const log = noteSigner('example.org/log', generateSigningKey());
const witness = cosigner('witness.example.org', generateSigningKey());
const atSeconds = 1_764_547_200;
const note = signCheckpoint({ origin: log.name, size: 5, root: Buffer.alloc(32, 7) }, [log]);
const cosigned = note + cosignatureLine(note, witness, atSeconds);

describe('published notes', () => {
  test('a checkpoint and its cosignature open with their published keys', () => {
    const { origin, size } = openCheckpoint(published.note, parseVerifier(published.log));
    expect({ origin, size }).toEqual({ origin: 'arche2025h1.staging.ct.transparency.dev', size: 1_432_088_532 });
    const [cosignature] = openCosignatures(published.note, [parseCosignatureVerifier(published.witness)]);
    expect(new Date(cosignature!.atSeconds * 1_000).toISOString()).toBe('2026-05-23T21:50:24.000Z');
    expect(formatCosignatureVerifier(parseCosignatureVerifier(published.witness))).toBe(published.witness);
  });

  test('with another size neither signature holds', () => {
    const changed = published.note.replace('1432088532', '1432088533');
    expect(() => openCheckpoint(changed, parseVerifier(published.log))).toThrow(NoteError);
    expect(() => openCosignatures(changed, [parseCosignatureVerifier(published.witness)])).toThrow(NoteError);
  });

  test('the example of the specification has a log signature and a timestamped one', () => {
    const { text, signatures } = parseNote(example);
    expect(parseCheckpoint(text)).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20_852_163 });
    expect(signatures.map(({ name, signature }) => [name, signature.length])).toEqual([
      ['example.com/behind-the-sofa', 64],
      ['witness.example.com/w1', 72],
    ]);
    expect(signatures[1]!.keyHash.toString(16)).toBe('8d66cf3f');
    expect(Number(signatures[1]!.signature.readBigUInt64BE())).toBe(1_679_315_147);
  });

  test('the example of c2sp.org/signed-note is read', () => {
    const poem = 'Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n';
    const line =
      '\u2014 quasimodo.example/salvatore ' +
      'NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n';
    const { text, signatures } = parseNote(`${poem}\n${line}`);
    expect(text).toBe(poem);
    expect(signatures).toMatchObject([{ name: 'quasimodo.example/salvatore', keyHash: 0x367ba04b }]);
  });
});

describe('a cosignature', () => {
  test('leaves the log’s own signature as it was, and tells when it was made', () => {
    expect(openCheckpoint(cosigned, log).size).toBe(5);
    expect(openCosignatures(cosigned, [witness])).toEqual([
      { name: witness.name, keyHash: witness.keyHash, atSeconds },
    ]);
  });

  test('of somebody unknown counts for nothing', () => {
    expect(openCosignatures(cosigned, [cosigner('else.example.org', generateSigningKey())])).toEqual([]);
    expect(openCosignatures(note, [witness])).toEqual([]);
  });

  test('counts once, however often it stands there', () => {
    expect(openCosignatures(cosigned + cosignatureLine(note, witness, atSeconds + 1), [witness])).toHaveLength(1);
  });

  test('with another time, or of another checkpoint, is refused', () => {
    const line = cosignatureLine(note, witness, atSeconds);
    const blob = Buffer.from(line.trim().split(' ')[2]!, 'base64');
    blob.writeBigUInt64BE(BigInt(atSeconds + 1), 4);
    expect(() => openCosignatures(`${note}\u2014 ${witness.name} ${blob.toString('base64')}\n`, [witness])).toThrow(
      'cosignature of witness.example.org is wrong',
    );
    const other = signCheckpoint({ origin: log.name, size: 6, root: Buffer.alloc(32, 7) }, [log]);
    expect(() => openCosignatures(other + line, [witness])).toThrow(NoteError);
  });

  test('of the same key as a plain signature is no cosignature, nor the other way round', () => {
    const plain = noteSigner(witness.name, witness.key);
    expect(plain.keyHash).not.toBe(witness.keyHash);
    expect(
      openCosignatures(signCheckpoint({ origin: 'o', size: 1, root: Buffer.alloc(32) }, [plain]), [witness]),
    ).toEqual([]);
    expect(() => openCheckpoint(cosigned, plain)).toThrow(NoteError);
  });

  test.each([-1, 1.5, Number.NaN, 2 ** 53])('is not made for the time %p', (time) => {
    expect(() => cosignatureLine(note, witness, time)).toThrow(NoteError);
  });
});

test('a witness’s key and a log’s key are not mistaken for each other', () => {
  const vkey = formatCosignatureVerifier(cosignatureVerifier('w', witness.key));
  expect(parseCosignatureVerifier(vkey).keyHash).toBe(cosignatureVerifier('w', witness.key).keyHash);
  expect(() => parseVerifier(vkey)).toThrow(NoteError);
  expect(() => parseCosignatureVerifier(published.log)).toThrow(NoteError);
});
