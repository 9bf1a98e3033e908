import type { Message } from './message.ts';

export const messagesMax = 2_000;

/** Adds messages at their places by seq, each once; a conversation never holds two messages of one seq. */
export function merge(known: readonly Message[], added: readonly Message[]): Message[] {
  const last = known.at(-1);
  const [only] = added;
  // Nearly always: one message, newer than all.
  if (added.length === 1 && only !== undefined && (last === undefined || only.seq > last.seq)) {
    return bounded([...known, only]);
  }
  const bySeq = new Map(known.map((message) => [message.seq, message]));
  for (const message of added) bySeq.set(message.seq, message);
  return bounded([...bySeq.values()].sort((one, other) => one.seq - other.seq));
}

function bounded(messages: Message[]): Message[] {
  return messages.length > messagesMax ? messages.slice(-messagesMax) : messages;
}

export interface MessageGroup {
  key: string;
  authorId: string;
  authorName: string;
  at: number;
  /** The group opens another day than the one before it. */
  startsDay: boolean;
  messages: Message[];
}

const groupMs = 5 * 60_000;

/** Joins what one person wrote in a row within five minutes of a day. */
export function groupMessages(
  messages: readonly Message[],
  isSameDay: (one: number, other: number) => boolean,
): MessageGroup[] {
  const groups: MessageGroup[] = [];
  let previous: Message | undefined;
  for (const message of messages) {
    const startsDay = previous === undefined || !isSameDay(previous.at, message.at);
    const group = groups.at(-1);
    const isSameVoice = group?.authorId === message.authorId && group.authorName === message.authorName;
    if (group !== undefined && isSameVoice && !startsDay && message.at - previous!.at < groupMs) {
      group.messages.push(message);
    } else {
      const { id: key, authorId, authorName, at } = message;
      groups.push({ key, authorId, authorName, at, startsDay, messages: [message] });
    }
    previous = message;
  }
  return groups;
}
