import { Button } from '@mantine/core';
import type { User } from '@boardwire/contracts';
import { Fragment, useEffect, useMemo } from 'react';
import { Icon } from '../../ui/icon.tsx';
import { Notice } from '../../ui/notice.tsx';
import { isSameDay, localDay } from '../../ui/time.ts';
import { useJumpTo } from '../../ui/use-jump-to.ts';
import { useStickToBottom } from '../../ui/use-stick-to-bottom.ts';
import { groupMessages, messagesMax } from './conversation.ts';
import { DraftItem } from './draft-item.tsx';
import type { LobbyRoom, RoomView } from './lobby-room.ts';
import type { Message } from './message.ts';
import { MessageGroupItem } from './message-group-item.tsx';
import classes from './message-list.module.css';
import { useEarlierUntil, type WantedMessage } from './wanted-message.ts';

interface MessageListProps {
  room: LobbyRoom;
  view: RoomView;
  user: User;
  /** The message that the reader was sent to. */
  wanted: WantedMessage | undefined;
}

/** The conversation, oldest first. */
export function MessageList({ room, view, user, wanted }: MessageListProps) {
  const { messages, drafts } = view;
  const { element, onScroll, toBottom, unseen } = useStickToBottom<HTMLDivElement>({
    first: messages[0]?.id,
    count: view.appended,
  });
  const newestDraft = drafts.at(-1)?.id;
  // Who sends wants to see it, wherever they were reading.
  useEffect(() => {
    if (newestDraft !== undefined) toBottom();
  }, [newestDraft, toBottom]);
  useEarlierUntil(wanted, room, view);
  useJumpTo(
    element,
    messages.some(({ id }) => id === wanted?.id),
  );

  return (
    <>
      {/* Focusable, because a keyboard must be able to scroll it. */}
      <div
        className={classes.scroll}
        ref={element}
        onScroll={onScroll}
        tabIndex={0}
        role="log"
        aria-live={view.isLoaded ? 'polite' : 'off'}
        aria-label="Messages"
      >
        {view.hasEarlier && messages.length < messagesMax && (
          <Button
            className={classes.earlier ?? ''}
            variant="subtle"
            size="compact-sm"
            loading={view.isLoadingEarlier}
            onClick={() => void room.loadEarlier()}
          >
            Load earlier messages
          </Button>
        )}
        {messages.length === 0 && drafts.length === 0 && (
          <Notice icon="chat" title="Nobody has said anything yet">
            Write the first message below. Everyone in the lobby sees it at once.
          </Notice>
        )}
        <Groups messages={messages} user={user} wantedId={wanted?.id} />
        {drafts.map((draft) => (
          <DraftItem
            key={draft.id}
            draft={draft}
            onRetry={() => room.retry(draft)}
            onDiscard={() => room.discard(draft)}
          />
        ))}
      </div>
      {unseen > 0 && <UnseenChip unseen={unseen} onClick={toBottom} />}
    </>
  );
}

function UnseenChip({ unseen, onClick }: { unseen: number; onClick: () => void }) {
  return (
    <Button
      className={classes.chip ?? ''}
      size="compact-sm"
      radius="xl"
      leftSection={<Icon name="down" size={14} />}
      onClick={onClick}
    >
      {unseen === 1 ? '1 new message' : `${unseen} new messages`}
    </Button>
  );
}

interface GroupsProps {
  messages: readonly Message[];
  user: User;
  wantedId: string | undefined;
}

function Groups({ messages, user, wantedId }: GroupsProps) {
  const groups = useMemo(() => groupMessages(messages, isSameDay), [messages]);
  const now = Date.now();
  return groups.map((group) => (
    <Fragment key={group.key}>
      {group.startsDay && (
        <h2 className={classes.day}>
          <span>{localDay(group.at, now)}</span>
        </h2>
      )}
      <MessageGroupItem group={group} isOwn={group.authorId === user.id} wantedId={wantedId} />
    </Fragment>
  ));
}
