import { describe, expect, test } from '@jest/globals';
import { seededRandom } from '@boardwire/test-kit';
import fc from 'fast-check';
import {
  CompactRange,
  consistencyProof,
  emptyRoot,
  fullTiles,
  inclusionProof,
  leafHash,
  nodeHash,
  splitHashes,
  tileOfNode,
  tilePath,
  tileWidth,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
  widthOfTile,
  type NodeReader,
} from '../src/index.ts';

const { seed } = seededRandom();

// The reference vectors of certificate-transparency (RFC 6962): eight leaves and the root at each size.
const records = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => Buffer.from(hex, 'hex'));
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
  { leaf: 0, size: 1, proof: [] },
  {
    leaf: 0,
    size: 8,
    proof: [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  },
  {
    leaf: 5,
    size: 8,
    proof: [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  },
  { leaf: 2, size: 3, proof: ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'] },
  {
    leaf: 1,
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

describe('the RFC 6962 vectors', () => {
  test('the empty tree has the hash of nothing', () => {
    expect(emptyRoot.toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(new CompactRange().root()).toEqual(emptyRoot);
  });

  test('leaves and nodes hash with their prefixes', () => {
    expect(leafHash(Buffer.from('L123456')).toString('hex')).toBe(
      '395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56',
    );
    expect(nodeHash(Buffer.alloc(32), Buffer.alloc(32, 1)).equals(leafHash(Buffer.alloc(64)))).toBe(false);
  });

  test('every size has its published root', () => {
    const range = new CompactRange();
    for (const [at, record] of records.entries()) {
      range.append(leafHash(record));
      expect(range.root().toString('hex')).toBe(roots[at]);
    }
  });

  test.each(inclusionVectors)('the path of leaf $leaf in $size', async ({ leaf, size, proof }) => {
    const path = await inclusionProof(leaf, size, readerOf(records.map(leafHash)));
    expect(path.map((hash) => hash.toString('hex'))).toEqual(proof);
  });

  test.each(consistencyVectors)('the way from $from to $to', async ({ from, to, proof }) => {
    const path = await consistencyProof(from, to, readerOf(records.map(leafHash)));
    expect(path.map((hash) => hash.toString('hex'))).toEqual(proof);
  });
});

describe('any tree', () => {
  const sizes = fc.integer({ min: 1, max: 700 });

  test('grown leaf by leaf has the root that the definition gives', async () => {
    const leaves = someLeaves(700);
    const range = new CompactRange();
    for (const leaf of leaves) {
      range.append(leaf);
      if (range.size % 37 === 0) expect(range.root()).toEqual(rootByDefinition(leaves.slice(0, range.size)));
    }
    expect(await treeRoot(700, readerOf(leaves))).toEqual(range.root());
  });

  test('proves each leaf, and proves it at no other place and in no other tree', async () => {
    const leaves = someLeaves(700);
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), fc.nat(), async (size, place, noise) => {
        const index = place % size;
        const root = rootByDefinition(leaves.slice(0, size));
        const proof = await inclusionProof(index, size, readerOf(leaves));
        const claim = { index, size, leaf: leaves[index]!, proof, root };
        expect(verifyInclusion(claim)).toBe(true);
        expect(verifyInclusion({ ...claim, leaf: leaves[(index + 1) % 700]! })).toBe(false);
        expect(verifyInclusion({ ...claim, root: leaves[0]! })).toBe(size === 1 && index === 0);
        expect(verifyInclusion({ ...claim, proof: [...proof, root] })).toBe(false);
        expect(verifyInclusion({ ...claim, index: size })).toBe(false);
        if (proof.length > 0) {
          expect(verifyInclusion({ ...claim, proof: proof.slice(1) })).toBe(false);
          expect(verifyInclusion({ ...claim, proof: withFlippedBit(proof, noise) })).toBe(false);
        }
      }),
      { seed, numRuns: 200 },
    );
  });

  test('proves that it grew out of each smaller one, and out of nothing else', async () => {
    const leaves = someLeaves(700);
    await fc.assert(
      fc.asyncProperty(sizes, sizes, fc.nat(), async (left, right, noise) => {
        const [from, to] = left < right ? [left, right] : [right, left];
        const proof = await consistencyProof(from, to, readerOf(leaves));
        const claim = {
          from,
          to,
          fromRoot: rootByDefinition(leaves.slice(0, from)),
          toRoot: rootByDefinition(leaves.slice(0, to)),
          proof,
        };
        expect(verifyConsistency(claim)).toBe(true);
        expect(verifyConsistency({ ...claim, fromRoot: leafHash(claim.fromRoot) })).toBe(false);
        expect(verifyConsistency({ ...claim, toRoot: leafHash(claim.toRoot) })).toBe(false);
        expect(verifyConsistency({ ...claim, proof: [...proof, leaves[0]!] })).toBe(false);
        if (proof.length > 0) {
          expect(verifyConsistency({ ...claim, proof: withFlippedBit(proof, noise) })).toBe(false);
        }
      }),
      { seed, numRuns: 200 },
    );
  });

  test('comes back from its stored edge and grows on as if it had never stopped', () => {
    fc.assert(
      fc.property(fc.nat({ max: 600 }), (stop) => {
        const leaves = someLeaves(700);
        const whole = new CompactRange();
        for (const leaf of leaves) whole.append(leaf);
        const first = new CompactRange();
        for (const leaf of leaves.slice(0, stop)) first.append(leaf);
        const second = CompactRange.fromBytes(stop, first.toBytes());
        for (const leaf of leaves.slice(stop)) second.append(leaf);
        expect(second.root()).toEqual(whole.root());
      }),
      { seed, numRuns: 30 },
    );
  });

  test('tells each perfect subtree once, with the hash a reader would compute', async () => {
    const leaves = someLeaves(300);
    const range = new CompactRange();
    const told = new Map<string, Buffer>();
    for (const leaf of leaves) {
      range.append(leaf, (level, index, hash) => {
        expect(told.has(`${level}/${index}`)).toBe(false);
        told.set(`${level}/${index}`, hash);
      });
    }
    const [hash] = await readerOf(leaves)([{ level: 8, index: 0 }]);
    expect(told.get('8/0')).toEqual(hash);
    expect(told.size).toBe(300 + 150 + 75 + 37 + 18 + 9 + 4 + 2 + 1);
  });

  test('no proof exists of a leaf or a tree that is not there', async () => {
    const read = readerOf(someLeaves(4));
    await expect(inclusionProof(4, 4, read)).rejects.toThrow(RangeError);
    await expect(inclusionProof(-1, 4, read)).rejects.toThrow(RangeError);
    await expect(consistencyProof(0, 4, read)).rejects.toThrow(RangeError);
    await expect(consistencyProof(5, 4, read)).rejects.toThrow(RangeError);
  });

  test('an edge that does not fit its size is refused', () => {
    expect(() => new CompactRange(3, [emptyRoot])).toThrow(RangeError);
    expect(() => splitHashes(Buffer.alloc(33))).toThrow(RangeError);
  });
});

describe('tiles', () => {
  test('have the paths of C2SP tlog-tiles', () => {
    expect(tilePath({ level: 0, index: 1234067 })).toBe('tile/0/x001/x234/067');
    expect(tilePath({ level: 0, index: 273 }, 112)).toBe('tile/0/273.p/112');
    expect(tilePath({ level: 1, index: 0 })).toBe('tile/1/000');
  });

  test('of a tree of 70,000 leaves: 273 full and one of 112, then one full and one of 17, then one of 1', () => {
    expect([0, 1, 2].map((level) => fullTiles(level, 70_000))).toEqual([273, 1, 0]);
    expect(widthOfTile({ level: 0, index: 273 }, 70_000)).toBe(112);
    expect(widthOfTile({ level: 1, index: 0 }, 70_000)).toBe(256);
    expect(widthOfTile({ level: 1, index: 1 }, 70_000)).toBe(17);
    expect(widthOfTile({ level: 2, index: 0 }, 70_000)).toBe(1);
    expect(widthOfTile({ level: 0, index: 274 }, 70_000)).toBe(0);
  });

  test('hold every node, alone or as a run that combines to it', () => {
    expect(tileOfNode(0, 257)).toEqual({ tile: { level: 0, index: 1 }, first: 1, count: 1 });
    expect(tileOfNode(3, 33)).toEqual({ tile: { level: 0, index: 1 }, first: 8, count: 8 });
    expect(tileOfNode(8, 300)).toEqual({ tile: { level: 1, index: 1 }, first: 44, count: 1 });
    expect(tileWidth).toBe(256);
  });
});

function someLeaves(count: number): Buffer[] {
  return Array.from({ length: count }, (_, at) => leafHash(Buffer.from(`leaf ${at}`)));
}

/** MTH of RFC 6962, word for word: the slow truth that everything faster is held against. */
function rootByDefinition(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return emptyRoot;
  if (leaves.length === 1) return leaves[0]!;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(rootByDefinition(leaves.slice(0, split)), rootByDefinition(leaves.slice(split)));
}

function readerOf(leaves: readonly Buffer[]): NodeReader {
  return (nodes) =>
    Promise.resolve(
      nodes.map(({ level, index }) => rootByDefinition(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))),
    );
}

function withFlippedBit(proof: readonly Buffer[], noise: number): Buffer[] {
  const changed = proof.map((hash) => Buffer.from(hash));
  const hash = changed[noise % changed.length]!;
  const at = noise % 32;
  hash[at] = hash[at]! ^ (1 << (noise % 8));
  return changed;
}
