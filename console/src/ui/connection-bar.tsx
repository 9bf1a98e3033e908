import { Button } from '@mantine/core';
import type { FollowPhase, FollowState } from '@boardwire/client';
import { Icon } from './icon.tsx';
import { localClockWithSeconds } from './time.ts';
import { useNow } from './use-now.ts';
import classes from './connection-bar.module.css';

const labels: Record<FollowPhase, string> = {
  connecting: 'Connecting',
  catching_up: 'Catching up',
  live: 'Live',
  reconnecting: 'Reconnecting',
  closed: 'Disconnected',
};

/** How the stream is doing, when the last event came, and a way to try at once. */
export function ConnectionBar({ state, onReconnect }: { state: FollowState | undefined; onReconnect: () => void }) {
  const phase = state?.phase ?? 'connecting';
  const isStalled = phase === 'live' && state?.stalledSince !== undefined;
  const canTry = phase === 'closed' || state?.retryAtMs !== undefined;
  return (
    <div className={classes.bar}>
      <span className={classes.state} data-phase={isStalled ? 'stalled' : phase} role="status">
        <span className={classes.dot} aria-hidden="true" />
        {isStalled ? 'Live, but the site gets no events' : labels[phase]}
      </span>
      {state?.retryAtMs !== undefined && <Countdown untilMs={state.retryAtMs} />}
      {phase === 'closed' && <span className={classes.detail}>{state?.error?.title ?? state?.reason}</span>}
      <LastEvent atMs={state?.lastEventAtMs} />
      {canTry && (
        <Button size="compact-xs" variant="light" leftSection={<Icon name="retry" size={14} />} onClick={onReconnect}>
          Reconnect
        </Button>
      )}
    </div>
  );
}

function Countdown({ untilMs }: { untilMs: number }) {
  const seconds = Math.max(0, Math.ceil((untilMs - useNow(500)) / 1000));
  return <span className={classes.detail}>next attempt in {seconds} s</span>;
}

function LastEvent({ atMs }: { atMs: number | undefined }) {
  return (
    <span className={classes.last}>
      {atMs === undefined ? (
        'No event yet'
      ) : (
        <>
          Last event <time dateTime={new Date(atMs).toISOString()}>{localClockWithSeconds(atMs)}</time>
        </>
      )}
    </span>
  );
}
