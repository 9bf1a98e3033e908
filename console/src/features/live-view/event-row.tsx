import { parseCursor } from '@boardwire/contracts';
import { memo, useState } from 'react';
import { Link } from 'react-router';
import { auditOfEvent } from '../../app/links.ts';
import { useSession } from '../../realtime/client-context.tsx';
import { mayReadAudit } from '../../realtime/rights.ts';
import { Icon } from '../../ui/icon.tsx';
import { localClockWithSeconds, localMoment } from '../../ui/time.ts';
import classes from './event-row.module.css';
import type { LiveEvent } from './live-window.ts';

/** One raw event: a line to scan, and its whole JSON on demand. */
export const EventRow = memo(function EventRow({ live, isWanted }: { live: LiveEvent; isWanted: boolean }) {
  const [isOpen, setOpen] = useState(false);
  const isAuditor = mayReadAudit(useSession()?.user);
  const { event, cursor, isRemoved } = live;
  const seq = cursor === undefined ? undefined : parseCursor(cursor)?.seq;
  const at = Date.parse(event.time);
  return (
    <div className={classes.row} data-open={isOpen || undefined} data-wanted={isWanted || undefined}>
      <button
        type="button"
        className={classes.line}
        aria-expanded={isOpen}
        aria-current={isWanted ? 'true' : undefined}
        onClick={() => setOpen(!isOpen)}
      >
        <span className={classes.chevron}>
          <Icon name="chevron" size={14} />
        </span>
        <span className={classes.seq}>{seq === undefined ? '–' : seq}</span>
        <time className={classes.time} dateTime={event.time} title={localMoment(at)}>
          {localClockWithSeconds(at)}
        </time>
        <span className={classes.subject}>{event.subject}</span>
        <span className={classes.type}>{event.type}</span>
        <bdi className={classes.author}>{event.authorname}</bdi>
        <span className={classes.preview} dir="auto">
          {isRemoved ? <em>(removed)</em> : preview(event.data)}
        </span>
      </button>
      {isOpen && isAuditor && (
        <Link className={classes.audit} to={auditOfEvent(event)}>
          Audit entry
        </Link>
      )}
      {isOpen && <pre className={classes.json}>{JSON.stringify({ cursor, ...event }, null, 2)}</pre>}
    </div>
  );
});

function preview(data: unknown): string {
  return data === undefined ? '(no data)' : JSON.stringify(data).slice(0, 400);
}
