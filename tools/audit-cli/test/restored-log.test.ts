import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { formatVerifier, noteSigner } from '@boardwire/signing';
import { cli, verdictOf } from './run-cli.ts';
import { forged, linesOf, origin, save, WrittenLog } from './written-log.ts';

// A log whose database was put back: 300 entries of the former epoch are left of 400 that were signed, and the next epoch
// goes on from there under another name, with numbers of its own.
const former = new WrittenLog().fill(400);
const nextOrigin = origin.replace('/e1', '/e2');
const firstSeq = 131_072;
const next = new WrittenLog(former.key, nextOrigin, firstSeq);
next.epochEntry(former.note(), 300);
next.fill(500);
let folder: string;
const at = (...names: string[]) => join(folder, ...names);
const tiled = () => [
  '--key',
  at('key'),
  '--checkpoint',
  at('checkpoint'),
  '--tiles',
  folder,
  '--first-seq',
  String(firstSeq),
];
const entry = (index: number, ending: string) => at('entries', `${firstSeq + index}.${ending}`);
const day = next.entries[300]!.day;
const changeArgs = (kept: string) => [
  'verify',
  'consistency',
  at(kept),
  at('checkpoint'),
  '--key',
  at('key'),
  '--epoch-entry',
  entry(0, 'json'),
  '--epoch-proof',
  entry(0, 'tlog-proof'),
  '--tiles',
  at('former'),
];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'boardwire-restored-'));
  await former.write(at('former'));
  await next.write(folder);
  await next.writeEntry(folder, 0);
  await next.writeEntry(folder, 302);
  await save(at('key'), `${formatVerifier(next.signer)}\n${formatVerifier(former.signer)}\n`);
  await save(at('kept'), former.note(350));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each([
  [
    'an entry by its proof',
    () => [
      'verify',
      'entry',
      entry(302, 'json'),
      '--key',
      at('key'),
      '--proof',
      entry(302, 'tlog-proof'),
      '--first-seq',
      String(firstSeq),
    ],
  ],
  [
    'an entry by the JSON proof',
    () => [
      'verify',
      'entry',
      entry(302, 'json'),
      '--key',
      at('key'),
      '--proof',
      entry(302, 'proof.json'),
      '--first-seq',
      String(firstSeq),
    ],
  ],
  ['an entry by tiles', () => ['verify', 'entry', entry(302, 'json'), ...tiled()]],
  ['a day', () => ['verify', 'day', at('days', `${day}.jsonl`), ...tiled(), '--complete']],
  [
    'a range',
    () => [
      'verify',
      'range',
      at('export.jsonl'),
      ...tiled(),
      '--from',
      String(firstSeq),
      '--to',
      String(firstSeq + 499),
    ],
  ],
  ['the whole epoch by tiles', () => ['verify', 'complete', ...tiled()]],
  [
    'the whole epoch by days',
    () => [
      'verify',
      'complete',
      ...[...new Set(next.entries.map((each) => each.day))].map((each) => at('days', `${each}.jsonl`)),
      '--key',
      at('key'),
      '--checkpoint',
      at('checkpoint'),
      '--first-seq',
      String(firstSeq),
    ],
  ],
])('%s of the new epoch verifies with the number of its first entry', async (_, args) => {
  expect(await cli(...args())).toMatchObject({ code: 0, err: '' });
});

test('a proof of the new epoch does not fit without the number of its first entry, and says so', async () => {
  const args = ['verify', 'entry', entry(302, 'json'), '--key', at('key'), '--proof', entry(302, 'tlog-proof')];
  expect(await cli(...args)).toMatchObject({ code: 1, err: expect.stringContaining('--first-seq') });
});

test('entries of the former epoch in a file are not shown by the tiles of the new one', async () => {
  const mixed = join(folder, 'mixed.jsonl');
  await save(
    mixed,
    linesOf([...former.entries.slice(290, 300), ...next.entries.slice(0, 10)], { filter: {} }, firstSeq + 500),
  );
  const { verdict, not_shown: open } = await verdictOf('verify', 'range', mixed, ...tiled());
  expect({ verdict, open: open.join() }).toEqual({
    verdict: 'verified',
    open: expect.stringContaining('10 entries of a former epoch'),
  });
});

test('the new epoch goes on from what an auditor kept of the former one; what the restore lost is told', async () => {
  const { verdict, reason, not_shown: open } = await verdictOf(...changeArgs('kept'));
  expect({ verdict, reason }).toEqual({
    verdict: 'verified',
    reason: expect.stringContaining('begins with the 350 entries'),
  });
  expect(open.join()).toContain('the last 100 of 400 entries');
});

test('without the first entry nothing can be told of two epochs', async () => {
  expect((await cli(...changeArgs('kept').slice(0, 6))).code).toBe(2);
});

test('an epoch that names a rewritten former log is refused', async () => {
  const rewritten = former.rewritten(20, (each) => forged(each, { actor: 'somebody else' }));
  await save(at('kept-of-other'), rewritten.note(350));
  expect(await cli(...changeArgs('kept-of-other'))).toMatchObject({
    code: 1,
    err: expect.stringContaining('the log was rewritten'),
  });
});

test('an epoch that names an older checkpoint than the one kept is refused', async () => {
  const later = new WrittenLog(former.key).copy(former.entries).fill(450);
  await save(at('kept-later'), later.note());
  expect(await cli(...changeArgs('kept-later'))).toMatchObject({
    code: 1,
    err: expect.stringContaining('shorter than it was'),
  });
});

test('another entry in place of the first one, or of another log, is refused', async () => {
  const other = await mkdtemp(join(tmpdir(), 'boardwire-restored-'));
  try {
    await cp(folder, other, { recursive: true });
    const args = changeArgs('kept').map((arg) => arg.replace(folder, other));
    await cp(join(other, 'entries', `${firstSeq + 302}.json`), join(other, 'entries', `${firstSeq}.json`));
    expect(await cli(...args)).toMatchObject({ code: 1, err: expect.stringContaining('no beginning of an epoch') });
    const liar = new WrittenLog(former.key, origin.replace('/e1', '/e3'), firstSeq);
    liar.epochEntry(former.note(), 300);
    await liar.writeEntry(other, 0);
    await save(
      join(other, 'key'),
      [next.signer, former.signer, noteSigner(liar.signer.name, former.key)].map(formatVerifier).join('\n'),
    );
    expect(await cli(...args)).toMatchObject({ code: 1, err: expect.stringContaining('/e3') });
  } finally {
    await rm(other, { recursive: true, force: true });
  }
});
