import { createHash } from 'node:crypto';
import type { AddCheckpointRequest } from '@boardwire/contracts';
import {
  consistencyProof,
  encodeBase32,
  formatVerifier,
  generateSigningKey,
  leafHash,
  nodeHash,
  noteSigner,
  signCheckpoint,
  treeRoot,
  type NodeReader,
  type SigningKey,
} from '@boardwire/signing';

/** Another site's audit log, in memory; it can have several pasts. */
export class ForeignLog {
  readonly leaves: Buffer[] = [];

  constructor(
    readonly key: SigningKey = generateSigningKey(),
    readonly epoch = 'abcdefgh',
  ) {}

  get origin(): string {
    const id = encodeBase32(createHash('sha256').update(this.key.publicKey).digest()).slice(0, 16);
    return `boardwire/audit/${id}/${this.epoch}`;
  }

  get size(): number {
    return this.leaves.length;
  }

  grow(count: number, what = 'entry'): this {
    for (let at = 0; at < count; at += 1) this.leaves.push(leafHash(Buffer.from(`${what} ${this.size}`)));
    return this;
  }

  /** The same log with another past behind its first entries. */
  fork(from: number): ForeignLog {
    const other = new ForeignLog(this.key, this.epoch);
    other.leaves.push(...this.leaves.slice(0, from));
    return other;
  }

  root(): Promise<Buffer> {
    return treeRoot(this.size, this.#read);
  }

  async proof(from: number, to = this.size): Promise<string[]> {
    if (from === 0 || from >= to) return [];
    return (await consistencyProof(from, to, this.#read)).map((hash) => hash.toString('base64'));
  }

  /** What asks a witness that has seen `old` entries of this log. */
  async request(old: number, more: Partial<AddCheckpointRequest> = {}): Promise<AddCheckpointRequest> {
    const signer = noteSigner(this.origin, this.key);
    const checkpoint = signCheckpoint({ origin: this.origin, size: this.size, root: await this.root() }, [signer]);
    return { key: formatVerifier(signer), old, proof: await this.proof(old), checkpoint, ...more };
  }

  readonly #read: NodeReader = (nodes) =>
    Promise.resolve(
      nodes.map(({ level, index }) => rootOf(this.leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))),
    );
}

/** Of a perfect subtree. */
function rootOf(leaves: readonly Buffer[]): Buffer {
  const half = leaves.length / 2;
  return half < 1 ? leaves[0]! : nodeHash(rootOf(leaves.slice(0, half)), rootOf(leaves.slice(half)));
}
