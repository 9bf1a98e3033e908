import type { AuditHealth } from '@boardwire/contracts';
import { Icon } from '../../ui/icon.tsx';
import { shortMoment } from '../../ui/time.ts';
import classes from './health-strip.module.css';

/** Numbers that should be in the log and are not: of a board's events, or of a service's decisions. */
export function GapList({ health: { gaps, gap_list: list } }: { health: AuditHealth }) {
  return (
    <div className={classes.alarm} role="alert">
      <strong>
        <Icon name="alert" size={16} /> {gaps === 1 ? 'There is a gap in the log' : `There are ${gaps} gaps in the log`}
      </strong>
      <ul className={classes.gaps}>
        {list.map(({ kind, name, epoch, first, last, found_at: foundAt }) => (
          <li key={`${kind} ${name} ${epoch} ${first}`}>
            {kind === 'board' ? 'Events of board' : 'Decisions of'} <b>{name}</b>,{' '}
            {first === last ? `number ${first}` : `numbers ${first} to ${last}`}, missing since{' '}
            {shortMoment(Date.parse(foundAt))}
          </li>
        ))}
        {gaps > list.length && <li>and {gaps - list.length} more</li>}
      </ul>
    </div>
  );
}
