import type { AuditEntry } from '@boardwire/contracts';
import { memo } from 'react';
import { Icon } from '../../ui/icon.tsx';
import { localMoment, shortMoment } from '../../ui/time.ts';
import classes from './entry-table.module.css';
import { absenceOf, actorNameOf, previewOf, whatOf, whereOf } from './entry-text.ts';

interface EntryRowProps {
  entry: AuditEntry;
  /** The one row that Tab reaches. */
  isStop: boolean;
  isOpen: boolean;
  isFresh: boolean;
}

/** The grid listens for all of its rows. */
export const EntryRow = memo(function EntryRow({ entry, isStop, isOpen, isFresh }: EntryRowProps) {
  const { seq, time, kind, outcome, actor } = entry;
  const at = Date.parse(time);
  const absence = absenceOf(entry);
  return (
    <div
      role="row"
      className={classes.row}
      data-seq={seq}
      data-fresh={isFresh || undefined}
      aria-selected={isOpen}
      tabIndex={isStop ? 0 : -1}
    >
      <span role="gridcell" className={classes.seq}>
        {seq}
      </span>
      <time role="gridcell" className={classes.time} dateTime={time} title={localMoment(at)}>
        {shortMoment(at)}
      </time>
      <span role="gridcell" className={classes.what} data-kind={kind} title={whatOf(entry)}>
        <Icon name={kind === 'event' ? 'pulse' : 'gavel'} size={14} />
        <span className={classes.cut}>{whatOf(entry)}</span>
      </span>
      <span role="gridcell" className={classes.outcome}>
        <span data-outcome={outcome}>{outcome}</span>
      </span>
      <span role="gridcell" className={classes.actor} title={actor}>
        <bdi>{actorNameOf(entry) ?? actor}</bdi>
      </span>
      <span role="gridcell" className={classes.where} title={whereOf(entry)}>
        {whereOf(entry)}
      </span>
      <span role="gridcell" className={classes.content} dir="auto">
        {absence === undefined ? previewOf(entry) : <em className={classes.absent}>{absence}</em>}
      </span>
    </div>
  );
});
