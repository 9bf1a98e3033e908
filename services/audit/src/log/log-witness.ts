import { auditStream, busHeaders, checkpointSubject } from '@boardwire/contracts';
import { PublishFailed, type AckedPublisher, type Bus } from '@boardwire/messaging';
import type { Logger } from '@boardwire/service-kit';
import type { CheckpointKey } from './checkpoint-key.ts';
import { openSigned, type SignedTree } from './signed-tree.ts';

const ackTimeoutMs = 2_000;

/**
 * Keeps the newest signed checkpoint on the bus. A database that was put back to an earlier state is the same by its own
 * account; only somebody outside remembers what was signed since. What is unknown here has not been shown to anybody:
 * checkpoints go here first.
 */
export class LogWitness {
  readonly #publisher: AckedPublisher;

  constructor(private readonly options: { bus: Bus; key: CheckpointKey; logger: Logger }) {
    this.#publisher = options.bus.publisher({ windowMax: 8, ackTimeoutMs });
  }

  /** Whether it can be asked now. */
  get isReachable(): boolean {
    return this.options.bus.connected;
  }

  /** The newest checkpoint that it has seen. Rejects when it can't be asked. */
  async read(): Promise<SignedTree | undefined> {
    const { bus, key, logger } = this.options;
    const message = await bus.streams.lastBySubject(auditStream.name, checkpointSubject(key.logId));
    if (message === undefined) return undefined;
    const signed = openSigned(Buffer.from(message.data).toString('utf8'), key);
    if (signed === undefined) logger.error({ event: 'audit.witness_unreadable' });
    return signed;
  }

  /** Resolves when it is kept. */
  async write({ epoch, size, root, note }: SignedTree): Promise<void> {
    const { bus, key } = this.options;
    const publish = () =>
      this.#publisher.publish(checkpointSubject(key.logId), Buffer.from(note), {
        [busHeaders.messageId]: `${epoch}:${size}:${root.toString('hex')}`,
      });
    try {
      await publish();
    } catch (error) {
      if (!(error instanceof PublishFailed) || error.reason !== 'no_responders') throw error;
      await bus.streams.ensure(auditStream);
      await publish();
    }
  }
}
