import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { seededRandom } from '@boardwire/test-kit';
import {
  canonicalJson,
  consistencyProof,
  formatVerifier,
  generateSigningKey,
  inclusionProof,
  leafHash as leafOf,
  nodeHash as nodeOf,
  noteSigner,
  signCheckpoint,
  treeRoot,
  type NodeReader,
} from '@boardwire/signing';
import type { AuditDisclosure, AuditEntry } from '@boardwire/contracts';
import { bytesOfBase64, bytesOfHex, hexOf, utf8, type Bytes } from '../src/features/audit/verify/bytes.ts';
import { contentStep } from '../src/features/audit/verify/content-step.ts';
import { judgeGrowth, type NewestLog, type SeenLog } from '../src/features/audit/verify/judge-growth.ts';
import { foldInclusion, isConsistent, leafHash, nodeHash } from '../src/features/audit/verify/merkle.ts';
import { parseCheckpoint, parseLogKey, verdictOnSignature } from '../src/features/audit/verify/signed-note.ts';
import { verifyEntry } from '../src/features/audit/verify/verify-entry.ts';

const random = seededRandom();
const bytes = (hex: string) => bytesOfHex(hex)!;

// The reference vectors of certificate-transparency (RFC 6962): eight leaves and the root at each size.
const records = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const roots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const inclusionVectors = [
  { index: 0, size: 1, proof: [] },
  {
    index: 0,
    size: 8,
    proof: [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  },
  {
    index: 5,
    size: 8,
    proof: [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  },
  { index: 2, size: 3, proof: ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'] },
  {
    index: 1,
    size: 5,
    proof: [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  },
];
const consistencyVectors = [
  { from: 1, to: 1, proof: [] },
  {
    from: 1,
    to: 8,
    proof: [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  },
  {
    from: 6,
    to: 8,
    proof: [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  },
  {
    from: 2,
    to: 5,
    proof: [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  },
];

describe('the RFC 6962 vectors, by WebCrypto', () => {
  test('leaves and nodes hash with their prefixes', async () => {
    expect(hexOf(await leafHash(utf8('L123456')))).toBe(
      '395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56',
    );
    expect(hexOf(await leafHash(bytes(records[0]!)))).toBe(roots[0]);
    const two = await nodeHash(await leafHash(bytes(records[0]!)), await leafHash(bytes(records[1]!)));
    expect(hexOf(two)).toBe(roots[1]);
  });

  test.each(inclusionVectors)('leaf $index of $size folds to the published root', async ({ index, size, proof }) => {
    const leaf = await leafHash(bytes(records[index]!));
    const { root, steps } = await foldInclusion({ index, size, leaf, proof: proof.map(bytes) });
    expect(hexOf(root!)).toBe(roots[size - 1]);
    expect(steps.map(({ sibling }) => hexOf(sibling))).toEqual(proof);
  });

  test.each(consistencyVectors)('the way from $from to $to', async ({ from, to, proof }) => {
    const claim = { from, to, fromRoot: bytes(roots[from - 1]!), toRoot: bytes(roots[to - 1]!) };
    const path = proof.map(bytes);
    expect(await isConsistent({ ...claim, proof: path })).toBe(true);
    expect(await isConsistent({ ...claim, toRoot: bytes(roots[(to + 2) % 8]!), proof: path })).toBe(false);
    expect(await isConsistent({ ...claim, proof: [...path, bytes(roots[0]!)] })).toBe(false);
    if (path.length > 0) expect(await isConsistent({ ...claim, proof: path.slice(1) })).toBe(false);
  });

  test('a path that is too short, too long, out of order or of another place is refused', async () => {
    const { index, size, proof } = inclusionVectors[2]!;
    const leaf = await leafHash(bytes(records[index]!));
    const path = proof.map(bytes);
    const folded = async (change: object) => (await foldInclusion({ index, size, leaf, proof: path, ...change })).root;
    expect(await folded({ proof: path.slice(1) })).toBeUndefined();
    expect(await folded({ proof: [...path, path[0]!] })).toBeUndefined();
    expect(await folded({ index: 8 })).toBeUndefined();
    const wrong = await Promise.all([folded({ proof: path.toReversed() }), folded({ index: 4 })]);
    for (const root of wrong) expect(hexOf(root!)).not.toBe(roots[7]);
  });
});

test('any tree of the site’s own library folds to its root, leaf by leaf', async () => {
  const leaves = someLeaves(70);
  for (let round = 0; round < 40; round += 1) {
    const size = 1 + Math.floor(random.next() * 70);
    const index = Math.floor(random.next() * size);
    const read = readerOf(leaves);
    /* oxlint-disable no-await-in-loop */
    const proof = (await inclusionProof(index, size, read)).map(webBytes);
    const { root } = await foldInclusion({ index, size, leaf: webBytes(leaves[index]!), proof });
    expect(hexOf(root!)).toBe((await treeRoot(size, read)).toString('hex'));
    /* oxlint-enable no-await-in-loop */
  }
});

const signer = noteSigner('boardwire/audit/practice/epoch1', generateSigningKey());
const keyLine = formatVerifier(signer);

describe('a checkpoint', () => {
  test('is taken apart and its signature checked, and any change is seen', async () => {
    const leaves = someLeaves(5);
    const note = await noteOf(leaves, 5);
    const key = (await parseLogKey(keyLine))!;
    expect(key.name).toBe(signer.name);
    const checkpoint = parseCheckpoint(note)!;
    expect(checkpoint).toMatchObject({ origin: signer.name, size: 5 });
    expect(await verdictOnSignature(checkpoint, key)).toBe('valid');
    expect(await verdictOnSignature(parseCheckpoint(note.replace('\n5\n', '\n6\n'))!, key)).toBe('wrong');
    const other = (await parseLogKey(formatVerifier(noteSigner(signer.name, generateSigningKey()))))!;
    expect(await verdictOnSignature(checkpoint, other)).toBe('missing');
  });

  test.each(['', 'no note', 'a\n1\n\n— a b\n', 'log\n05\nAAAA\n\n— log AAAAAA==\n'])('is not %j', (note) => {
    expect(parseCheckpoint(note)).toBeUndefined();
  });

  test('a key line whose hash is another key’s is refused', async () => {
    const [name, , encoded] = keyLine.split('+') as [string, string, string];
    expect(await parseLogKey(`${name}+00000000+${encoded}`)).toBeUndefined();
    expect(await parseLogKey('')).toBeUndefined();
  });

  test('base64 has one spelling', () => {
    expect(bytesOfBase64('AA==')).toEqual(new Uint8Array(1));
    expect(bytesOfBase64('AB==')).toBeUndefined();
    expect(bytesOfBase64('A')).toBeUndefined();
  });
});

describe('an entry', () => {
  test('is proven by its record, path and signature', async () => {
    const { entry, proof } = await entryInLog();
    const steps = await verifyEntry({ entry, proof, keyLines: [keyLine] });
    expect(steps.map(({ verdict }) => verdict)).toEqual(['right', 'right', 'right', 'right']);
    expect(steps[2]!.fold).toHaveLength(proof.proof.length);
  });

  test('whose record was changed fails at its leaf and at the root, not at the signature', async () => {
    const { entry, proof } = await entryInLog();
    const record = entry.record.replace('"ana"', '"eve"');
    const changed = { ...entry, record, actor: 'eve' };
    const steps = await verifyEntry({ entry: changed, proof, keyLines: [keyLine] });
    expect(steps.map(({ verdict }) => verdict)).toEqual(['right', 'wrong', 'wrong', 'right']);
  });

  test('whose fields are not those of its record fails there alone', async () => {
    const { entry, proof } = await entryInLog();
    const steps = await verifyEntry({ entry: { ...entry, actor: 'eve' }, proof, keyLines: [keyLine] });
    expect(steps.map(({ verdict }) => verdict)).toEqual(['wrong', 'right', 'right', 'right']);
    expect(steps[0]!.finding).toContain('actor');
  });

  test('under a checkpoint of a stranger’s key fails at the signature', async () => {
    const { entry, proof } = await entryInLog();
    const stranger = formatVerifier(noteSigner(signer.name, generateSigningKey()));
    const steps = await verifyEntry({ entry, proof, keyLines: [stranger] });
    expect(steps.map(({ verdict }) => verdict)).toEqual(['right', 'right', 'right', 'wrong']);
  });
});

describe('the content of an entry', () => {
  const salt = 'ab'.repeat(16);
  const data = Buffer.from('{"after":1,"before":[2]}');
  const datahash = createHash('sha256').update(Buffer.from(salt, 'hex')).update(data).digest('hex');
  const disclosed = { seq: 1, salt, data: data.toString('base64') };
  const verdict = async (change: Partial<AuditEntry>, opened: AuditDisclosure | undefined = disclosed) => {
    const { entry } = await entryInLog();
    const detail = { salt, data: { before: [2], after: 1 } };
    return (await contentStep({ ...entry, datahash, detail, ...change }, opened)).verdict;
  };

  test('is what the record was made with, in whatever order its members stand', async () => {
    expect(await verdict({})).toBe('right');
    const bytes = Buffer.from([0, 255, 1]);
    const hashed = createHash('sha256').update(Buffer.from(salt, 'hex')).update(bytes).digest('hex');
    const opened = { seq: 1, salt, data: bytes.toString('base64') };
    expect(await verdict({ datahash: hashed, detail: { data_base64: opened.data } }, opened)).toBe('right');
  });

  test('that is shown otherwise, or hashes otherwise, is wrong; that can’t be opened, unknown', async () => {
    expect(await verdict({ detail: { data: { before: [3], after: 1 } } })).toBe('wrong');
    expect(await verdict({ datahash: '00'.repeat(32) })).toBe('wrong');
    expect((await contentStep((await entryInLog()).entry, undefined)).verdict).toBe('unknown');
  });
});

describe('a log seen again', () => {
  const leaves = someLeaves(20);
  const others = [...leaves.slice(0, 3), ...someLeaves(17)];
  const seenAt = async (size: number, of = leaves): Promise<SeenLog> => ({
    note: await noteOf(of, size),
    keyLine,
    at: '2026-01-01T00:00:00Z',
  });
  const newestAt = async (size: number, of = leaves): Promise<NewestLog> => ({
    note: await noteOf(of, size),
    keyLines: [keyLine],
    at: '2026-01-02T00:00:00Z',
    former: [],
    proofBetween: async ({ from, to }) =>
      (await consistencyProof(from, to, readerOf(of))).map((hash) => hash.toString('hex')),
  });

  test.each([
    ['for the first time', undefined, 9, 'first'],
    ['unchanged', 9, 9, 'same'],
    ['grown', 5, 19, 'grown'],
    ['shorter', 9, 5, 'rolled_back'],
  ] as const)('%s', async (_name, before, now, state) => {
    const seen = before === undefined ? undefined : await seenAt(before);
    const judged = await judgeGrowth(seen, await newestAt(now));
    expect(judged.state).toBe(state);
    expect(judged.remember?.note).toBe(state === 'rolled_back' ? undefined : await noteOf(leaves, now));
  });

  test('with another past is a fork, at the same size and at a greater one, and is not remembered', async () => {
    for (const size of [9, 15]) {
      // oxlint-disable-next-line no-await-in-loop
      const judged = await judgeGrowth(await seenAt(9), await newestAt(size, others));
      expect(judged).toMatchObject({ state: 'forked', remember: undefined });
    }
  });

  test('under another key, or another epoch, is said to be', async () => {
    const forged = noteSigner(signer.name, generateSigningKey());
    const otherKey = {
      ...(await newestAt(9)),
      keyLines: [formatVerifier(forged)],
      note: await noteOf(leaves, 9, forged),
    };
    expect((await judgeGrowth(await seenAt(9), otherKey)).state).toBe('other_key');
    const unsigned = { ...(await newestAt(9)), note: (await noteOf(leaves, 9)).replace('\n9\n', '\n8\n') };
    expect((await judgeGrowth(await seenAt(5), unsigned)).state).toBe('badly_signed');
  });
});

describe('a log that was restored and began a new epoch', () => {
  const leaves = someLeaves(20);
  const next = noteSigner('boardwire/audit/practice/epoch2', signer.key);
  const judged = async ({ ended, of = leaves }: { ended?: number; of?: Buffer[] }) =>
    judgeGrowth(
      { note: await noteOf(leaves, 9), keyLine, at: '2026-01-01T00:00:00Z' },
      {
        note: await noteOf(someLeaves(2), 2, next),
        keyLines: [formatVerifier(next), keyLine],
        at: '2026-01-02T00:00:00Z',
        former: ended === undefined ? [] : [await noteOf(of, ended)],
        proofBetween: async ({ from, to, epoch }) => {
          expect(epoch).toBe('epoch1');
          return (await consistencyProof(from, to, readerOf(of))).map((hash) => hash.toString('hex'));
        },
      },
    );

  test('and kept what was seen says so, and waits for the reader', async () => {
    for (const ended of [9, 14]) {
      // oxlint-disable-next-line no-await-in-loop
      const { state, finding, remember } = await judged({ ended });
      expect([state, remember]).toEqual(['new_epoch', undefined]);
      expect(finding).toContain('All that was seen before stands');
    }
  });

  test('and lost some of it says how much', async () => {
    expect(await judged({ ended: 6 })).toMatchObject({
      state: 'new_epoch',
      finding: expect.stringContaining('3 entries are lost'),
    });
  });

  test('and tells another past of the former one, or none, is forked', async () => {
    const other = [...leaves.slice(0, 3), ...someLeaves(17)];
    expect((await judged({ ended: 14, of: other })).state).toBe('forked');
    expect((await judged({})).state).toBe('forked');
  });
});

function webBytes(buffer: Uint8Array): Bytes {
  return new Uint8Array(buffer);
}

function someLeaves(count: number): Buffer[] {
  return Array.from({ length: count }, () => leafOf(Buffer.from(String(random.next()))));
}

function readerOf(leaves: readonly Buffer[]): NodeReader {
  const hashOf = (level: number, index: number): Buffer =>
    level === 0 ? leaves[index]! : nodeOf(hashOf(level - 1, 2 * index), hashOf(level - 1, 2 * index + 1));
  return async (nodes) => nodes.map(({ level, index }) => hashOf(level, index));
}

async function noteOf(leaves: readonly Buffer[], size: number, by = signer): Promise<string> {
  return signCheckpoint({ origin: by.name, size, root: await treeRoot(size, readerOf(leaves)) }, [by]);
}

async function entryInLog() {
  const fields = {
    actor: 'ana',
    at: '2026-03-01T10:00:00.000Z',
    datahash: 'ab'.repeat(32),
    day: '2026-03-01',
    kind: 'decision',
    number: 7,
    origin: 'chat',
    outcome: 'done',
    type: 'account.login',
    v: 1,
    zone: 'UTC',
  };
  const record = canonicalJson(fields);
  const seq = 11;
  const leaves = someLeaves(20);
  leaves[seq] = leafOf(Buffer.from(record));
  const entry: AuditEntry = {
    seq,
    day: fields.day,
    time_zone: fields.zone,
    kind: 'decision',
    time: fields.at,
    event_time: null,
    action: fields.type,
    outcome: fields.outcome,
    actor: fields.actor,
    origin: fields.origin,
    board: null,
    board_epoch: null,
    board_seq: null,
    subject: null,
    type: null,
    event_id: null,
    datahash: fields.datahash,
    leaf_hash: leaves[seq].toString('hex'),
    record,
    trace: null,
    peer: null,
    readiness: null,
    symbol: null,
    forced_hold: null,
    detail_state: 'none',
    detail: null,
  };
  const path = await inclusionProof(seq, 20, readerOf(leaves));
  const proof = {
    seq: 4_011,
    index: seq,
    size: 20,
    proof: path.map((hash) => hash.toString('hex')),
    checkpoint: await noteOf(leaves, 20),
  };
  return { entry, proof };
}
