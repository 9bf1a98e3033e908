import { Alert, Button, Loader } from '@mantine/core';
import { useEffect } from 'react';
import { useStore } from '../../realtime/store.ts';
import { ConnectionBar } from '../../ui/connection-bar.tsx';
import { Icon } from '../../ui/icon.tsx';
import { Notice } from '../../ui/notice.tsx';
import { useJumpTo } from '../../ui/use-jump-to.ts';
import { useStickToBottom } from '../../ui/use-stick-to-bottom.ts';
import { EventRow } from './event-row.tsx';
import classes from './live-view-page.module.css';
import { eventsMax, type LiveView, type LiveWindow } from './live-window.ts';

interface LiveStreamProps {
  liveWindow: LiveWindow;
  /** The event that the reader was sent to: shown in the middle, and marked. */
  wantedId: string | undefined;
}

export function LiveStream({ liveWindow, wantedId }: LiveStreamProps) {
  useEffect(() => liveWindow.open(), [liveWindow]);
  const view = useStore(liveWindow.view);
  const newest = view.events.at(-1)?.key ?? 0;
  const { element, onScroll, toBottom, unseen } = useStickToBottom<HTMLDivElement>({ first: '', count: newest });
  const isWantedThere = wantedId !== undefined && view.events.some(({ event }) => event.id === wantedId);
  useJumpTo(element, isWantedThere);
  return (
    <>
      <ConnectionBar state={view.connection} onReconnect={() => liveWindow.reconnect()} />
      <Toolbar view={view} liveWindow={liveWindow} />
      {view.notice !== undefined && (
        <Alert color="yellow" radius={0}>
          {view.notice}
        </Alert>
      )}
      <div className={classes.stream}>
        {/* Focusable, because a keyboard must be able to scroll it. */}
        <div
          className={classes.rows}
          ref={element}
          onScroll={onScroll}
          tabIndex={0}
          role="log"
          aria-live="off"
          aria-label="Events"
        >
          {view.events.length === 0 ? (
            <Waiting view={view} />
          ) : (
            view.events.map((each) => <EventRow key={each.key} live={each} isWanted={each.event.id === wantedId} />)
          )}
        </div>
        {unseen > 0 && (
          <Button
            className={classes.chip ?? ''}
            size="compact-sm"
            radius="xl"
            leftSection={<Icon name="down" size={14} />}
            onClick={toBottom}
          >
            {unseen === 1 ? '1 new event' : `${unseen} new events`}
          </Button>
        )}
      </div>
    </>
  );
}

function Toolbar({ view, liveWindow }: { view: LiveView; liveWindow: LiveWindow }) {
  const { isPaused, heldBack, received, cursor, events } = view;
  return (
    <div className={classes.toolbar}>
      <Button
        size="compact-sm"
        variant={isPaused ? 'filled' : 'default'}
        leftSection={<Icon name={isPaused ? 'play' : 'pause'} size={14} />}
        aria-pressed={isPaused}
        onClick={() => liveWindow.setPaused(!isPaused)}
      >
        {isPaused ? `Resume${heldBack > 0 ? ` (${heldBack} held back)` : ''}` : 'Pause'}
      </Button>
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<Icon name="clear" size={14} />}
        onClick={() => liveWindow.clear()}
      >
        Clear
      </Button>
      <span className={classes.figures}>
        {received} received{received > eventsMax || events.length < received ? `, ${events.length} shown` : ''}
      </span>
      <span className={classes.cursor}>
        Cursor <code>{cursor ?? 'none yet'}</code>
      </span>
    </div>
  );
}

function Waiting({ view }: { view: LiveView }) {
  const phase = view.connection?.phase;
  if (phase === 'closed') {
    return (
      <Notice icon="alert" title="This can’t be watched" isError>
        {view.connection?.error?.message ?? view.connection?.reason}
      </Notice>
    );
  }
  if (phase !== 'live') {
    return (
      <div className={classes.loading}>
        <Loader aria-label="Waiting for the stream" />
      </div>
    );
  }
  return (
    <Notice icon="pulse" title="Waiting for events">
      Whatever is published on these subjects appears here at once.
    </Notice>
  );
}
