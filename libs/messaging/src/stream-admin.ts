import type { StreamDefinition } from '@boardwire/contracts';
import { DiscardPolicy, JetStreamApiError, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream';
import type { Connection } from './connection.ts';
import type { BusMessage } from './message.ts';

export interface StreamInfo {
  name: string;
  /** When this incarnation was made; a deleted and recreated stream has another one. */
  created: string;
  messages: number;
  bytes: number;
  firstSequence: number;
  lastSequence: number;
}

const errors = { streamNotFound: 10059, messageNotFound: 10037, nameInUse: 10058 } as const;

/** Streams as they are declared in contracts. Every call throws when NATS can't be reached. */
export class StreamAdmin {
  constructor(private readonly connection: Connection) {}

  /** Creates the stream, or brings an existing one to its definition. */
  async ensure(definition: StreamDefinition): Promise<void> {
    const { streams } = await this.connection.manager();
    const { streamReplicas: replicas = definition.replicas } = this.connection;
    const config = streamConfig({ ...definition, replicas });
    try {
      await streams.add(config);
    } catch (error) {
      if (!hasCode(error, errors.nameInUse)) throw error;
      await streams.update(definition.name, config);
    }
  }

  async info(name: string): Promise<StreamInfo | undefined> {
    const { streams } = await this.connection.manager();
    try {
      const { created, state } = await streams.info(name);
      return {
        name,
        created,
        messages: state.messages,
        bytes: state.bytes,
        firstSequence: state.first_seq,
        lastSequence: state.last_seq,
      };
    } catch (error) {
      if (hasCode(error, errors.streamNotFound)) return undefined;
      throw error;
    }
  }

  /**
   * How an existing stream differs from its definition, as `setting: is, should be`; undefined when there is none. What
   * nobody declared is not looked at.
   */
  async differences(definition: StreamDefinition): Promise<string[] | undefined> {
    const { streams } = await this.connection.manager();
    const { streamReplicas: replicas = definition.replicas } = this.connection;
    const wanted = streamConfig({ ...definition, replicas });
    try {
      const config: Record<string, unknown> = { ...(await streams.info(definition.name)).config };
      return Object.entries(wanted).flatMap(([name, value]) => {
        const [is, should] = [JSON.stringify(config[name]), JSON.stringify(value)];
        return is === should ? [] : [`${name}: ${is}, ${should}`];
      });
    } catch (error) {
      if (hasCode(error, errors.streamNotFound)) return undefined;
      throw error;
    }
  }

  /** Makes a stream of so many replicas, and removes it again. @throws what keeps the servers from making one */
  async tryPlacing(name: string, replicas: number): Promise<void> {
    const { streams } = await this.connection.manager();
    await streams.add({
      name,
      subjects: [`${name}.none`],
      storage: StorageType.Memory,
      num_replicas: replicas,
      max_bytes: 1_024,
    });
    await streams.delete(name);
  }

  /** False when there was no such stream. */
  async delete(name: string): Promise<boolean> {
    const { streams } = await this.connection.manager();
    try {
      return await streams.delete(name);
    } catch (error) {
      if (hasCode(error, errors.streamNotFound)) return false;
      throw error;
    }
  }

  /** Removes and overwrites one message. False when it is not there any more. */
  async deleteMessage(stream: string, streamSequence: number): Promise<boolean> {
    const { streams } = await this.connection.manager();
    try {
      return await streams.deleteMessage(stream, streamSequence, true);
    } catch (error) {
      if (hasCode(error, errors.messageNotFound, errors.streamNotFound) || isSequenceUnknown(error)) return false;
      throw error;
    }
  }

  /** Removes every message on the subjects that a filter matches. False when there is no such stream. */
  async purge(stream: string, subjectFilter: string): Promise<boolean> {
    const { streams } = await this.connection.manager();
    try {
      return (await streams.purge(stream, { filter: subjectFilter })).success;
    } catch (error) {
      if (hasCode(error, errors.streamNotFound)) return false;
      throw error;
    }
  }

  /** The newest message on a subject, which may hold wildcards. */
  async lastBySubject(stream: string, subjectFilter: string): Promise<BusMessage | undefined> {
    const { streams } = await this.connection.manager();
    try {
      const stored = await streams.getMessage(stream, { last_by_subj: subjectFilter });
      if (stored === null) return undefined;
      return {
        subject: stored.subject,
        data: stored.data,
        headers: { get: (name) => stored.header.get(name) },
        streamSequence: stored.seq,
        receivedAt: Date.now(),
      };
    } catch (error) {
      if (hasCode(error, errors.messageNotFound, errors.streamNotFound)) return undefined;
      throw error;
    }
  }
}

/** Only options that a 2.10 server knows: older ones accept newer options and silently ignore them. */
function streamConfig(definition: StreamDefinition): Partial<StreamConfig> & { name: string } {
  return {
    name: definition.name,
    subjects: definition.subjects,
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    max_age: nanoseconds(definition.maxAgeMs),
    max_bytes: definition.maxBytes,
    duplicate_window: nanoseconds(definition.duplicateWindowMs),
    num_replicas: definition.replicas,
    allow_direct: true,
  };
}

export const nanoseconds = (ms: number) => ms * 1_000_000;

export function hasCode(error: unknown, ...codes: number[]): boolean {
  return error instanceof JetStreamApiError && codes.includes(error.code);
}

/** Servers answer the deletion of an unknown sequence with the general code 10057 and a text. */
function isSequenceUnknown(error: unknown): boolean {
  return hasCode(error, 10057) || (error instanceof JetStreamApiError && /not found/.test(error.message));
}
