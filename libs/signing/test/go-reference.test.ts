import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { seededRandom } from '@boardwire/test-kit';
import {
  CompactRange,
  consistencyProof,
  formatVerifier,
  generateSigningKey,
  importSigningKey,
  inclusionProof,
  leafHash,
  noteSigner,
  openNote,
  parseVerifier,
  signCheckpoint,
  signNote,
  tilePath,
  verifyConsistency,
  verifyInclusion,
  type NodeReader,
} from '../src/index.ts';

// Our Merkle tree and signed notes against golang.org/x/mod/sumdb, the formats' reference, both ways. Every Go
// distribution carries that module for its own use; nothing is fetched.
const reference = findReference();
if (reference === undefined) {
  process.stdout.write(
    'go-reference: no Go toolchain with x/mod/sumdb here; ours was NOT held against the reference\n',
  );
}
const describeWithGo = reference === undefined ? describe.skip : describe;

const random = seededRandom();
const below = (bound: number) => Math.floor(random.next() * bound);
const leavesMax = 700;
const records = Array.from({ length: leavesMax }, (_, at) => Buffer.from(`record ${at} ${random.next()}`));
const leaves = records.map(leafHash);
const roots = growingRoots();
const read = readerOfRecords();
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

interface Judgment {
  accepted: boolean;
  own: string[] | null;
}
interface GoAnswer {
  roots: string[];
  inclusions: Judgment[];
  extensions: Judgment[];
  tiles: { path: string; data: string }[];
  notes: (string | null)[];
  signed: string[];
}

describeWithGo('the reference in Go', () => {
  const inclusions: { size: number; index: number; proof: Buffer[]; isTrue: boolean }[] = [];
  const extensions: { from: number; to: number; proof: Buffer[]; isTrue: boolean }[] = [];
  const tiles = [
    { level: 0, index: 0, width: 256 },
    { level: 0, index: 2, width: 188 },
    { level: 1, index: 0, width: 2 },
  ];
  // The key of golang.org/x/mod/sumdb/note’s own tests.
  const goKey = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
  const log = noteSigner('example.org/log', generateSigningKey());
  const ours = signCheckpoint({ origin: log.name, size: 700, root: roots[699]! }, [log]);
  const textsToSign = ['one line\n', 'a checkpoint\n12\nAAAA\n', 'empty\n\nlines\n', 'Ünïcödé €\n'];
  let told: GoAnswer;

  beforeAll(async () => {
    for (let turn = 0; turn < 60; turn += 1) {
      const size = 1 + below(leavesMax);
      const index = below(size);
      const proof = await inclusionProof(index, size, read);
      inclusions.push({ size, index, proof, isTrue: true });
      if (proof.length > 0) inclusions.push({ size, index, proof: withFlippedBit(proof), isTrue: false });
      const from = 1 + below(size);
      const way = await consistencyProof(from, size, read);
      extensions.push({ from, to: size, proof: way, isTrue: true });
      if (way.length > 0) extensions.push({ from, to: size, proof: withFlippedBit(way), isTrue: false });
    }
    told = askGo({
      records: records.map(base64),
      inclusions: inclusions.map(({ size, index, proof }) => ({
        Size: size,
        Index: index,
        Leaf: base64(leaves[index]!),
        Root: base64(roots[size - 1]!),
        Proof: proof.map(base64),
      })),
      extensions: extensions.map(({ from, to, proof }) => ({
        From: from,
        To: to,
        FromRoot: base64(roots[from - 1]!),
        ToRoot: base64(roots[to - 1]!),
        Proof: proof.map(base64),
      })),
      tiles: tiles.map(({ level, index, width }) => ({ H: 8, L: level, N: index, W: width })),
      notes: [
        { Key: formatVerifier(log), Note: ours },
        { Key: formatVerifier(log), Note: ours.replace('\n700\n', '\n701\n') },
        { Key: formatVerifier(noteSigner(log.name, generateSigningKey())), Note: ours },
      ],
      signerKey: goKey,
      textsToSign,
    });
  }, 180_000);

  test('has our root at every size', () => {
    expect(told.roots).toEqual(roots.map(base64));
  });

  test('accepts our inclusion proofs, and not one with a flipped bit; its own are ours', () => {
    expect(told.inclusions.map(({ accepted }) => accepted)).toEqual(inclusions.map(({ isTrue }) => isTrue));
    for (const [at, { size, index, proof, isTrue }] of inclusions.entries()) {
      const own = (told.inclusions[at]!.own ?? []).map((hash) => Buffer.from(hash, 'base64'));
      if (isTrue) expect(own).toEqual(proof);
      expect(verifyInclusion({ index, size, leaf: leaves[index]!, proof: own, root: roots[size - 1]! })).toBe(true);
    }
  });

  test('accepts our consistency proofs, and not one with a flipped bit; its own are ours', () => {
    expect(told.extensions.map(({ accepted }) => accepted)).toEqual(extensions.map(({ isTrue }) => isTrue));
    for (const [at, { from, to, proof, isTrue }] of extensions.entries()) {
      const own = (told.extensions[at]!.own ?? []).map((hash) => Buffer.from(hash, 'base64'));
      if (isTrue) expect(own).toEqual(proof);
      const claim = { from, to, fromRoot: roots[from - 1]!, toRoot: roots[to - 1]!, proof: own };
      expect(verifyConsistency(claim)).toBe(true);
    }
  });

  test('has our tiles, under our paths but for its height', async () => {
    for (const [at, { level, index, width }] of tiles.entries()) {
      const first = index * 256;
      const nodes = Array.from({ length: width }, (_, place) => ({ level: 8 * level, index: first + place }));
      expect(told.tiles[at]).toEqual({
        path: tilePath({ level, index }, width).replace('tile/', 'tile/8/'),
        data: base64(Buffer.concat(await read(nodes))),
      });
    }
  });

  test('opens our checkpoint, and neither a changed one nor with another key', () => {
    expect(told.notes).toEqual([ours.slice(0, ours.lastIndexOf('\n\n') + 1), null, null]);
  });

  test('signs notes that we open, byte for byte as we sign them', () => {
    const vkey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
    expect(told.signed.map((note) => openNote(note, [parseVerifier(vkey)]).text)).toEqual(textsToSign);
    const seed = Buffer.from(goKey.split('+').slice(4).join('+'), 'base64').subarray(1);
    const peter = noteSigner('PeterNeumann', importSigningKey(seed));
    expect(told.signed).toEqual(textsToSign.map((text) => signNote(text, [peter])));
  });
});

let folder: string | undefined;
afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

/** Runs the Go program beside a copy of the module that the distribution vendors. */
function askGo(request: object): GoAnswer {
  folder = mkdtempSync(join(tmpdir(), 'boardwire-go-'));
  const module = join(folder, 'mod');
  // The copy is written in the language of the distribution it comes with.
  const goLine = `go ${goEnv('GOVERSION').replace(/^go(\d+\.\d+).*$/, '$1')}\n`;
  for (const name of ['tlog', 'note']) {
    mkdirSync(join(module, 'sumdb'), { recursive: true });
    cpSync(join(reference!, name), join(module, 'sumdb', name), { recursive: true });
  }
  writeFileSync(join(module, 'go.mod'), `module golang.org/x/mod\n\n${goLine}`);
  cpSync(join(import.meta.dirname, 'go-reference', 'main.go'), join(folder, 'main.go'));
  writeFileSync(
    join(folder, 'go.mod'),
    `module reference\n\n${goLine}\nrequire golang.org/x/mod v0.0.0\nreplace golang.org/x/mod => ./mod\n`,
  );
  const env = { ...process.env, GOFLAGS: '-mod=mod', GOPROXY: 'off', GOTOOLCHAIN: 'local', GOWORK: 'off' };
  const options = { cwd: folder, env, timeout: 170_000, maxBuffer: 64 * 1024 * 1024 };
  return JSON.parse(
    execFileSync('go', ['run', '.'], { ...options, input: JSON.stringify(request) }).toString(),
  ) as GoAnswer;
}

/** The folder of the distribution's own copy of the module; undefined without Go. */
function findReference(): string | undefined {
  try {
    const home = execFileSync('go', ['env', 'GOROOT'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    const path = join(home, 'src', 'cmd', 'vendor', 'golang.org', 'x', 'mod', 'sumdb');
    return existsSync(join(path, 'tlog', 'tlog.go')) ? path : undefined;
  } catch {
    return undefined;
  }
}

function goEnv(name: string): string {
  return execFileSync('go', ['env', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

function growingRoots(): Buffer[] {
  const range = new CompactRange();
  return leaves.map((leaf) => {
    range.append(leaf);
    return range.root();
  });
}

/** Any node, from the leaves below it. */
function readerOfRecords(): NodeReader {
  return (nodes) => Promise.resolve(nodes.map(({ level, index }) => rootOf(level, index)));
}

function rootOf(level: number, index: number): Buffer {
  const range = new CompactRange();
  for (const leaf of leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)) range.append(leaf);
  return range.root();
}

function withFlippedBit(proof: readonly Buffer[]): Buffer[] {
  const changed = proof.map((hash) => Buffer.from(hash));
  const hash = changed[below(changed.length)]!;
  const at = below(32);
  hash[at] = hash[at]! ^ (1 << below(8));
  return changed;
}
