import { appendFile, copyFile, cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { AuditEntry } from '@boardwire/contracts';
import {
  cosignatureLine,
  cosigner,
  formatCosignatureVerifier,
  formatVerifier,
  generateSigningKey,
  noteSigner,
  signCheckpoint,
} from '@boardwire/signing';
import { cli, verdictOf } from './run-cli.ts';
import { flip, forged, linesOf, origin, save, WrittenLog } from './written-log.ts';

// Every check on honest files first, then on files that somebody has changed: each change must be proven, and said.
const log = new WrittenLog().fill(700);
const keptSize = 300;
let clean: string;
let folder: string;
const at = (...names: string[]) => join(folder, ...names);
const eventSeq = 347;
const day = log.entries[eventSeq]!.day;
const ofDay = log.entries.filter((entry) => entry.day === day);

beforeAll(async () => {
  clean = await mkdtemp(join(tmpdir(), 'boardwire-cli-'));
  await log.write(clean);
  await log.writeEntry(clean, eventSeq);
  await log.writeEntry(clean, 500);
  await save(join(clean, 'kept'), log.note(keptSize));
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'boardwire-cli-'));
  await cp(clean, folder, { recursive: true });
});
afterAll(() => rm(clean, { recursive: true, force: true }));

const trusted = () => ['--key', at('key')];
const tiled = () => [...trusted(), '--checkpoint', at('checkpoint'), '--tiles', folder];
const dayFile = () => at('days', `${day}.jsonl`);
const dayFiles = () => [...new Set(log.entries.map((entry) => at('days', `${entry.day}.jsonl`)))];
const entryFile = (ending: string) => at('entries', `${eventSeq}.${ending}`);
const eventArgs = () => [
  'verify',
  'event',
  entryFile('event.json'),
  ...trusted(),
  '--entry',
  entryFile('json'),
  '--proof',
  entryFile('tlog-proof'),
  '--disclosure',
  entryFile('disclosure.json'),
];

const checks: Record<string, () => string[]> = {
  checkpoint: () => ['verify', 'checkpoint', at('checkpoint'), ...trusted(), '--kept', at('kept'), '--tiles', folder],
  consistency: () => ['verify', 'consistency', at('kept'), at('checkpoint'), ...trusted(), '--tiles', folder],
  'entry by proof': () => ['verify', 'entry', entryFile('json'), ...trusted(), '--proof', entryFile('tlog-proof')],
  'entry by the JSON proof': () => [
    'verify',
    'entry',
    entryFile('json'),
    ...trusted(),
    '--proof',
    entryFile('proof.json'),
  ],
  'entry by tiles': () => ['verify', 'entry', at('entries', '500.json'), ...tiled()],
  event: eventArgs,
  day: () => ['verify', 'day', dayFile(), ...tiled(), '--complete'],
  range: () => ['verify', 'range', at('export.jsonl'), ...tiled(), '--from', '0', '--to', '699'],
  'complete by tiles': () => ['verify', 'complete', ...tiled(), '--health', at('health.json')],
  'complete by days': () => ['verify', 'complete', ...dayFiles(), ...trusted(), '--checkpoint', at('checkpoint')],
};

async function refuted(args: string[], ...words: (string | RegExp)[]): Promise<void> {
  const { code, err, out } = await cli(...args);
  expect(`${code} ${err}`).toMatch(/^1 PROVEN FALSE: /);
  for (const word of words) expect(err).toMatch(word);
  expect(out).not.toContain('VERIFIED');
}

describe('honest files', () => {
  test.each(Object.entries(checks))('%s: verified', async (_, args) => {
    const { code, out, err } = await cli(...args());
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('VERIFIED');
  });

  test('the days that were checked overlap, since boards have zones of their own', () => {
    const firsts = dayFiles().length;
    expect(firsts).toBeGreaterThan(1);
    const seqs = ofDay.map(({ seq }) => seq);
    expect(seqs.at(-1)! - seqs[0]! + 1).toBeGreaterThan(seqs.length);
  });

  test('a day as gzip is read as well', async () => {
    await save(`${dayFile()}.gz`, gzipSync(await readFile(dayFile())));
    expect((await cli('verify', 'day', `${dayFile()}.gz`, ...tiled())).code).toBe(0);
  });

  test('an export newest first is read as well', async () => {
    const text = linesOf(log.entries.slice(100, 200).toReversed(), { filter: {} }, log.size);
    await save(at('export.jsonl'), text);
    expect((await cli('verify', 'range', at('export.jsonl'), ...tiled(), '--from', '100', '--to', '199')).code).toBe(0);
  });

  test('an event is shown step by step to the cosigned root', async () => {
    const witness = cosigner('witness.example.org', generateSigningKey());
    const proof = await readFile(entryFile('tlog-proof'), 'utf8');
    await save(entryFile('tlog-proof'), proof + cosignatureLine(log.note(), witness, 1_764_547_200));
    await save(at('witness'), `${formatCosignatureVerifier(witness)}\n`);
    const { steps, verdict, reason } = await verdictOf(...eventArgs(), '--witness', at('witness'));
    expect(verdict).toBe('verified');
    expect(reason).toContain('seen by 1 witnesses');
    const order = [
      'data of',
      'record in',
      'hashes to the leaf',
      'is signed by the log',
      'cosigned by the witness',
      'is in the log',
    ];
    const places = order.map((words) => steps.findIndex(({ shown }) => shown.includes(words)));
    expect(places).toEqual(places.toSorted((left, right) => left - right));
    expect(places).not.toContain(-1);
  });

  test('a redacted detail breaks no proof, and is said not to be proven', async () => {
    const { detail: _detail, ...entry } = log.entries[500]!;
    await save(at('entries', '500.json'), JSON.stringify({ ...entry, detail: null, detail_state: 'redacted' }));
    const { verdict, not_shown: open } = await verdictOf(...checks['entry by tiles']!());
    expect({ verdict, open: open.join() }).toEqual({
      verdict: 'verified',
      open: expect.stringContaining('its content'),
    });
  });
});

describe('an entry', () => {
  const line = (entry: object) => save(entryFile('json'), JSON.stringify(entry));
  const entry = log.entries[eventSeq]!;
  const byProof = () => checks['entry by proof']!();

  test.each(['actor', 'board', 'board_seq', 'time', 'outcome', 'day', 'datahash', 'leaf_hash', 'subject', 'action'])(
    'whose %s was edited is found by its record',
    async (name) => {
      await line({ ...entry, [name]: 'somebody else' });
      await refuted(byProof(), `${name} says "somebody else"`, 'its record says');
    },
  );

  test('that was edited with its record is found by the proof', async () => {
    await line(forged(entry, { actor: 'somebody else' }));
    await refuted(byProof(), 'is not in the log');
  });

  test('at another place is found', async () => {
    await line({ ...entry, seq: eventSeq + 1 });
    await refuted(byProof(), `a proof of entry ${eventSeq}`);
  });

  test('whose event was edited is found, as far as the record goes', async () => {
    await line({ ...entry, detail: { ...(entry.detail as object), author: 'somebody else' } });
    await refuted(byProof(), 'its author is "somebody else"');
  });

  test('of a decision whose detail was edited is found by its salt', async () => {
    const decision = log.entries.find(({ action }) => action === 'trading.decision')!;
    const { data, salt } = decision.detail as { data: object; salt: string };
    const path = at('entries', '500.json');
    await save(
      path,
      JSON.stringify({ ...decision, symbol: 'ETH', detail: { data: { ...data, symbol: 'ETH' }, salt } }),
    );
    await refuted(['verify', 'entry', path, ...tiled()], 'its detail was changed');
    await save(path, JSON.stringify({ ...decision, symbol: 'ETH' }));
    await refuted(['verify', 'entry', path, ...tiled()], 'symbol says "ETH", and its detail says "BTC"');
  });

  test('in a record that is not canonical is found', async () => {
    await line({ ...entry, record: JSON.stringify(JSON.parse(entry.record), null, 1) });
    await refuted(byProof(), 'canonical JSON');
  });

  test('by a proof with a changed path, or from another log, is refused', async () => {
    const proof = await readFile(entryFile('tlog-proof'), 'utf8');
    const lines = proof.split('\n');
    lines[3] = Buffer.alloc(32, 1).toString('base64');
    await save(entryFile('tlog-proof'), lines.join('\n'));
    await refuted(byProof(), 'is not in the log');
    await save(entryFile('tlog-proof'), proof.replace(log.note(), new WrittenLog().fill(700).note()));
    await refuted(byProof(), 'signature');
  });
});

describe('an event', () => {
  test('with another text is not what was posted', async () => {
    await writeFile(entryFile('event.json'), (await readFile(entryFile('event.json'), 'utf8')).replace('line', 'lime'));
    await refuted(eventArgs(), 'other data than the log');
  });

  test.each([
    ['author', 'u2'],
    ['time', '2026-01-01T00:00:00Z'],
    ['subject', 'AxonChat.other'],
    ['cursor', 'aaaaaaaa-999'],
  ])('with another %s is not what was posted', async (name, value) => {
    const event = JSON.parse(await readFile(entryFile('event.json'), 'utf8')) as object;
    await save(entryFile('event.json'), JSON.stringify({ ...event, [name]: value }));
    await refuted(eventArgs(), value);
  });

  test('with a disclosure made to fit it does not open the datahash', async () => {
    const event = (await readFile(entryFile('event.json'), 'utf8')).replace('line', 'lime');
    await save(entryFile('event.json'), event);
    const data = Buffer.from(JSON.stringify((JSON.parse(event) as { data: object }).data)).toString('base64');
    await save(entryFile('disclosure.json'), JSON.stringify({ seq: eventSeq, salt: '00'.repeat(16), data }));
    await refuted(eventArgs(), 'does not open the datahash');
  });
});

describe('a day', () => {
  const write = (entries: readonly AuditEntry[], size = log.size) => save(dayFile(), linesOf(entries, { day }, size));
  const plain = () => ['verify', 'day', dayFile(), ...tiled()];
  const whole = () => [...plain(), '--complete'];

  test('with one row edited in place is found by the trailer, or by the record', async () => {
    const text = await readFile(dayFile(), 'utf8');
    await save(dayFile(), text.replace('line 347', 'lime 347'));
    await refuted(plain(), 'its trailer says the hash');
    await save(dayFile(), text.replace('"actor":"u1"', '"actor":"u9"'));
    await refuted(plain(), 'actor says "u9"');
  });

  test('with one row forged whole, the trailer as well, is found by the tiles', async () => {
    await write(ofDay.map((entry, place) => (place === 5 ? forged(entry, { actor: 'u9' }) : entry)));
    await refuted(plain(), `entry ${ofDay[5]!.seq} is not the one in the log`);
  });

  test('with one row deleted is found by the trailer, and with a forged trailer by the whole log', async () => {
    const text = await readFile(dayFile(), 'utf8');
    const lines = text.split('\n');
    await save(dayFile(), lines.filter((_, place) => place !== 7).join('\n'));
    await refuted(plain(), 'lines were taken out');
    await write(ofDay.filter((_, place) => place !== 7));
    const { verdict, not_shown: open } = await verdictOf(...plain());
    expect({ verdict, open: open.join() }).toMatchObject({
      verdict: 'verified',
      open: expect.stringContaining('left out'),
    });
    await refuted(whole(), `leaves out entry ${ofDay[7]!.seq}`);
  });

  test('with one row inserted is found', async () => {
    const added = forged({ ...ofDay[4]!, seq: ofDay[4]!.seq }, { id: 'made-up' });
    await write([...ofDay.slice(0, 5), added, ...ofDay.slice(5)]);
    await refuted(plain(), `entry ${added.seq} is there twice`);
    await write([...ofDay, { ...added, seq: log.size + 3 }], log.size + 10);
    expect((await cli(...plain())).code).toBe(2);
    await write([...ofDay, { ...added, seq: log.size - 1 }].toSorted((left, right) => left.seq - right.seq));
    await refuted(plain(), /is there twice|is not the one in the log/);
  });

  test('with two rows swapped is found, also when their numbers were swapped with them', async () => {
    const swapped = [...ofDay];
    [swapped[3], swapped[4]] = [swapped[4]!, swapped[3]!];
    await write(swapped);
    await refuted(plain(), 'stands after');
    [swapped[3], swapped[4]] = [
      { ...swapped[3]!, seq: ofDay[3]!.seq },
      { ...swapped[4]!, seq: ofDay[4]!.seq },
    ];
    await write(swapped);
    await refuted(plain(), 'is not the one in the log');
  });

  test('of another day, or with an entry of another day, is refused', async () => {
    await refuted([...plain(), '--day', '2001-01-01'], `is of ${day}, not of 2001-01-01`);
    const other = log.entries.find((entry) => entry.day !== day)!;
    await write([...ofDay, other].toSorted((left, right) => left.seq - right.seq));
    await refuted(plain(), 'entry');
  });

  test.each([
    ['entries', 1],
    ['first_seq', 0],
    ['last_seq', 1],
    ['size', 3],
    ['sha256', '00'.repeat(32)],
  ])('whose trailer lies about %s is refused', async (name, value) => {
    const lines = (await readFile(dayFile(), 'utf8')).trimEnd().split('\n');
    const { trailer } = JSON.parse(lines.pop()!) as { trailer: object };
    await save(dayFile(), `${lines.join('\n')}\n${JSON.stringify({ trailer: { ...trailer, [name]: value } })}\n`);
    await refuted(plain(), 'its trailer says');
  });
});

describe('an export', () => {
  const path = () => at('export.jsonl');
  const args = () => ['verify', 'range', path(), ...tiled()];

  test('that was cut is refused, wherever it was cut', async () => {
    const bytes = await readFile(path());
    for (const length of [0, 1, 1_000, bytes.indexOf('\n') + 1, bytes.length - 200, bytes.length - 1]) {
      await writeFile(path(), bytes.subarray(0, length));
      await refuted(args(), /no trailer|cut/);
    }
  });

  test('that goes on after its trailer is refused', async () => {
    await appendFile(path(), `${JSON.stringify(log.entries[0])}\n`);
    await refuted(args(), 'after the trailer');
  });

  test('that was reordered is refused', async () => {
    await save(path(), linesOf([...log.entries.slice(1), log.entries[0]!], { filter: {} }, log.size));
    await refuted(args(), 'stands after');
  });

  test('that leaves one out is refused for a whole range only', async () => {
    await save(
      path(),
      linesOf(
        log.entries.filter(({ seq }) => seq !== 250),
        { filter: {} },
        log.size,
      ),
    );
    expect((await cli(...args())).code).toBe(0);
    await refuted([...args(), '--from', '200', '--to', '300'], 'leaves out entry 250');
  });

  test('whose gzip is damaged is refused', async () => {
    const packed = gzipSync(await readFile(path()));
    packed[packed.length - 30] = packed[packed.length - 30]! ^ 0xff;
    await writeFile(path(), packed);
    await refuted(args(), /damaged|cut|not JSON|changed/);
    await writeFile(path(), gzipSync('x').subarray(0, 12));
    await refuted(args(), 'damaged');
  });
});

describe('a log that was rewritten by somebody who has its key', () => {
  const rewritten = log.rewritten(100, (entry) => forged(entry, { actor: 'somebody else' }));

  test('looks right by itself, and is found by an older checkpoint, with both notes to show', async () => {
    await rewritten.write(folder);
    expect((await cli(...checks['complete by tiles']!())).code).toBe(0);
    const { verdict, evidence, reason } = await verdictOf(...checks['checkpoint']!());
    expect(verdict).toBe('refuted');
    expect(reason).toContain('the log was rewritten');
    expect(evidence).toEqual([log.note(keptSize), rewritten.note()]);
    await refuted(checks['consistency']!(), 'the log was rewritten', log.note(keptSize).split('\n')[2]!);
  });

  test('has two roots for one size: a fork', async () => {
    await save(at('other'), rewritten.note());
    const args = ['verify', 'checkpoint', at('other'), ...trusted(), '--kept', at('checkpoint')];
    const { verdict, evidence, reason } = await verdictOf(...args);
    expect({ verdict, evidence }).toEqual({ verdict: 'refuted', evidence: [log.note(), rewritten.note()] });
    expect(reason).toContain('two roots are signed for one size');
  });

  test('that is cut to its old length is a checkpoint rolled back', async () => {
    await refuted(
      ['verify', 'checkpoint', at('kept'), ...trusted(), '--kept', at('checkpoint')],
      'shorter than it was',
    );
    await refuted(['verify', 'consistency', at('checkpoint'), at('kept'), ...trusted()], 'rolled back');
  });
});

describe('tiles', () => {
  test.each([
    ['a full one', 'tile/0/000', 'tile/0/000 is not the log’s'],
    ['the partial one of leaves', 'tile/0/002.p/188', 'don’t make the tree'],
    ['the one above', 'tile/1/000.p/2', 'don’t make the tree'],
    ['a bundle of entries', 'tile/entries/001', 'tile/entries/001'],
  ])('with one bit changed in %s are refused by name', async (_, path, words) => {
    await flip(at(path), -5);
    await refuted(checks['complete by tiles']!(), words);
  });

  test.each(['tile/0/000', 'tile/0/002.p/188', 'tile/1/000.p/2', 'tile/entries/001'])(
    'without %s nothing can be told',
    async (path) => {
      await rm(at(path));
      const { code, err } = await cli(...checks['complete by tiles']!());
      expect(code).toBe(2);
      expect(err).toContain('CANNOT TELL');
      expect(err).toContain('fetch');
    },
  );

  test('of another length are refused', async () => {
    await appendFile(at('tile/0/002.p/188'), Buffer.alloc(32));
    await refuted(checks['entry by tiles']!(), 'tile/0/002.p/188 has 6048 bytes');
  });

  test('that grew meanwhile still hold the older tree', async () => {
    await rename(at('tile/0/002.p/188'), at('tile/0/002.p/190'));
    await appendFile(at('tile/0/002.p/190'), Buffer.alloc(64, 3));
    expect((await cli(...checks['entry by tiles']!())).code).toBe(0);
  });

  test('records that the tiles don’t have are refused', async () => {
    await copyFile(at('tile/entries/000'), at('tile/entries/001'));
    await refuted(checks['complete by tiles']!(), 'the record of entry 256 is not the one in the log');
  });
});

describe('a log that leaves something out', () => {
  test.each([
    [
      'an event of a board',
      (whole: WrittenLog) => whole.entries.find(({ board_seq: seq }) => seq === 3)!,
      /leaves out 3 of the events of/,
    ],
    [
      'a decision',
      (whole: WrittenLog) => whole.entries.find(({ origin: by }) => by === 'chat')!,
      /leaves out 1 of the decisions of chat/,
    ],
  ])('%s: a hole', async (_, which, words) => {
    const missing = which(log);
    const shorter = new WrittenLog(log.key);
    const holed = log.rewritten(-1, (entry) => entry);
    expect(holed.root()).toEqual(log.root());
    await shorter.copy(log.entries.filter(({ seq }) => seq !== missing.seq)).write(folder);
    await refuted(checks['complete by tiles']!(), words);
  });

  test('an event twice: a double', async () => {
    const doubled = [...log.entries.slice(0, 20), log.entries[17]!, ...log.entries.slice(20)];
    await rm(folder, { recursive: true });
    await new WrittenLog(log.key).copy(doubled).write(folder);
    await refuted(checks['complete by tiles']!(), 'is in the log twice');
  });

  test('the newest events of a board: the site had said it has them', async () => {
    const shorter = new WrittenLog(log.key).copy(log.entries.slice(0, 600));
    await rm(at('tile'), { recursive: true });
    await copyFile(at('health.json'), at('said'));
    await shorter.write(folder);
    await refuted(['verify', 'complete', ...tiled(), '--health', at('said')], 'the site had audited');
  });

  test('a day’s file that is not given, or is given twice', async () => {
    const [first, ...others] = dayFiles();
    await refuted(
      ['verify', 'complete', ...others, ...trusted(), '--checkpoint', at('checkpoint')],
      'in none of the files',
    );
    await copyFile(first!, at('again.jsonl'));
    await refuted(
      ['verify', 'complete', at('again.jsonl'), ...checks['complete by days']!().slice(2)],
      'in another file',
    );
  });
});

describe('trust', () => {
  test('in another key, or in a key of another name, refuses', async () => {
    await save(at('key'), `${formatVerifier(noteSigner(origin, generateSigningKey()))}\n`);
    await refuted(checks['checkpoint']!(), 'no signature by a known key');
    await save(at('key'), `${formatVerifier(noteSigner('boardwire/audit/other/e1', log.key))}\n`);
    await refuted(checks['checkpoint']!(), 'is a checkpoint of “boardwire/audit/abcdefghijklmnop/e1”');
  });

  test('in another origin refuses, also when the log’s key has signed it', async () => {
    await refuted(
      [...checks['checkpoint']!(), '--origin', 'boardwire/audit/other/e1'],
      'only “boardwire/audit/other/e1” is accepted',
    );
    await save(at('checkpoint'), signCheckpoint({ origin: 'another/log', size: 700, root: log.root() }, [log.signer]));
    await refuted(checks['checkpoint']!(), 'another/log');
  });

  test('in witnesses refuses what they have not cosigned', async () => {
    const [first, second] = [0, 1].map((each) => cosigner(`w${each}.example.org`, generateSigningKey()));
    await save(at('witnesses'), `${formatCosignatureVerifier(first!)}\n${formatCosignatureVerifier(second!)}\n`);
    const args = ['verify', 'checkpoint', at('checkpoint'), ...trusted(), '--witness', at('witnesses')];
    await refuted(args, 'cosigned by 0 of the witnesses you trust, and 2 are needed');
    const note = log.note();
    await save(at('checkpoint'), note + cosignatureLine(note, first!, 1_764_547_200));
    await refuted(args, 'cosigned by 1');
    expect((await cli(...args, '--witnesses', '1')).code).toBe(0);
    await save(at('checkpoint'), note + cosignatureLine(log.note(699), first!, 1_764_547_200));
    await refuted([...args, '--witnesses', '1'], 'the cosignature of w0.example.org is wrong');
  });

  test.each([
    ['no text', Buffer.from([0xff, 0xfe])],
    ['no note', 'hello\n'],
    ['nothing', ''],
    ['a note without a checkpoint', 'a text\n\n\u2014 x AAAAAAAAAA==\n'],
  ])('in a checkpoint that is %s is refused', async (_, content) => {
    await save(at('checkpoint'), content);
    await refuted(checks['checkpoint']!(), 'checkpoint');
  });
});

describe('usage', () => {
  test.each([
    [[], 'Usage: boardwire-audit'],
    [['verify'], 'There is no command “verify”'],
    [['verify', 'everything'], 'There is no command “verify everything”'],
    [['verify', 'checkpoint'], 'takes CHECKPOINT; 0 given'],
    [['verify', 'checkpoint', 'a', 'b'], '2 given'],
    [['verify', 'checkpoint', 'a'], '--key is needed'],
    [['verify', 'checkpoint', 'a', '--kee', 'b'], 'Allowed: --key'],
    [['verify', 'checkpoint', 'a', '--key', 'there-is-none'], 'there is no such file'],
    [['verify', 'range', 'a', '--from', '-1'], 'Allowed'],
    [['verify', 'range', 'a', '--from=x', '--to=1'], 'give a whole number'],
    [['fetch', '--out', 'x', '--url', 'ftp://x', '--token-file', 'x'], 'is no http(s) address'],
  ])('%j ends with 2 and says what is allowed', async (args, words) => {
    const { code, err } = await cli(...args);
    expect(code).toBe(2);
    expect(err).toContain(words);
  });

  test('a key that can’t be read is the auditor’s own: nothing is proven by it', async () => {
    await save(at('key'), 'no key\n');
    const { code, err } = await cli(...checks['checkpoint']!());
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('line 1') });
  });

  test('two sizes without a proof between them can’t be told', async () => {
    expect((await cli('verify', 'consistency', at('kept'), at('checkpoint'), ...trusted())).code).toBe(2);
  });

  test.each([
    'verify checkpoint',
    'verify entry',
    'verify day',
    'verify range',
    'verify consistency',
    'verify event',
    'verify complete',
    'fetch',
  ])('%s --help tells its options and what it proves', async (name) => {
    const { code, out } = await cli(...name.split(' '), '--help');
    expect(code).toBe(0);
    expect(out).toContain(`Usage: boardwire-audit ${name}`);
    expect(out).toMatch(/[Pp]roves|Writes/);
  });

  test('--json tells the same as words do', async () => {
    const { command, exit, verdict, steps } = await verdictOf(...checks['day']!());
    expect({ command, exit, verdict }).toEqual({ command: 'verify day', exit: 0, verdict: 'verified' });
    expect(steps.length).toBeGreaterThan(3);
  });

  test('a name in the log can’t write to the terminal', async () => {
    const line = forged(log.entries[eventSeq]!, { actor: 'x\u001b[31mred\u202e' });
    await save(entryFile('json'), JSON.stringify({ ...line, actor: 'y' }));
    const { err } = await cli(...checks['entry by proof']!());
    expect(err).toContain('actor says');
    for (const control of ['\u001b', '\u202e']) expect(err).not.toContain(control);
  });
});
