import { Button } from '@mantine/core';
import { Icon } from '../../ui/icon.tsx';
import type { Draft } from './message.ts';
import classes from './message.module.css';

/** An own message on its way, or one that could not be sent. */
export function DraftItem({ draft, onRetry, onDiscard }: { draft: Draft; onRetry: () => void; onDiscard: () => void }) {
  return (
    <article className={classes.group} data-own data-draft aria-label="Your message, not confirmed yet">
      <div className={classes.column}>
        <p className={classes.text} dir="auto" data-failed={draft.failure !== undefined || undefined}>
          {draft.text}
        </p>
        {draft.failure === undefined ? (
          <span className={classes.status}>
            <Icon name="clock" size={13} /> Sending
          </span>
        ) : (
          <span className={classes.status} data-failed role="alert">
            <Icon name="alert" size={14} /> Not sent. {draft.failure}
            <Button size="compact-xs" variant="light" onClick={onRetry}>
              Try again
            </Button>
            <Button size="compact-xs" variant="subtle" color="gray" onClick={onDiscard}>
              Discard
            </Button>
          </span>
        )}
      </div>
    </article>
  );
}
