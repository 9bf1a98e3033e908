import { memo } from 'react';
import { InitialsAvatar } from '../../ui/initials-avatar.tsx';
import { localClock, localMoment } from '../../ui/time.ts';
import type { MessageGroup } from './conversation.ts';
import { MessageText } from './message-text.tsx';
import classes from './message.module.css';

interface MessageGroupItemProps {
  group: MessageGroup;
  isOwn: boolean;
  /** The message that the reader was sent to, if it is one of these. */
  wantedId: string | undefined;
}

/** What one person said in a row. Text stays text: it is never taken for markup. */
export const MessageGroupItem = memo(
  function MessageGroupItem({ group, isOwn, wantedId }: MessageGroupItemProps) {
    return (
      <article className={classes.group} data-own={isOwn || undefined} aria-label={`${group.authorName}`}>
        <InitialsAvatar id={group.authorId} name={group.authorName} />
        <div className={classes.column}>
          <header className={classes.header}>
            <bdi className={classes.author}>{group.authorName}</bdi>
            <time className={classes.time} dateTime={new Date(group.at).toISOString()} title={localMoment(group.at)}>
              {localClock(group.at)}
            </time>
          </header>
          {group.messages.map((message) => (
            <MessageText key={message.id} message={message} isWanted={message.id === wantedId} />
          ))}
        </div>
      </article>
    );
  },
  (before, after) =>
    before.isOwn === after.isOwn &&
    before.wantedId === after.wantedId &&
    before.group.key === after.group.key &&
    before.group.messages.length === after.group.messages.length &&
    before.group.messages.every((message, at) => message === after.group.messages[at]),
);
