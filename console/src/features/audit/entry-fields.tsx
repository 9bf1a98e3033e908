import type { AuditEntry } from '@boardwire/contracts';
import { localMoment } from '../../ui/time.ts';
import classes from './entry-drawer.module.css';
import { actorNameOf } from './entry-text.ts';

/** What an entry says, field by field; what it doesn't have is left out. */
export function EntryFields({ entry }: { entry: AuditEntry }) {
  const name = actorNameOf(entry);
  const fields: [string, string | null, boolean?][] = [
    ['Time', `${localMoment(Date.parse(entry.time))} (${entry.time})`],
    ['Event’s own time', entry.event_time],
    ['Day', `${entry.day}, ${entry.time_zone}`],
    ['Kind', entry.kind],
    ['Action', entry.action],
    ['Outcome', entry.outcome],
    ['Actor', name === undefined ? entry.actor : `${name} (${entry.actor})`],
    ['Origin', entry.origin],
    ['Board', entry.board],
    ['Place on the board', placeOf(entry)],
    ['Subject', entry.subject],
    ['Type', entry.type],
    ['Event id', entry.event_id, true],
    ['Peer', entry.peer],
    ['Readiness', entry.readiness],
    ['Symbol', entry.symbol],
    ['Forced hold', entry.forced_hold === null ? null : entry.forced_hold ? 'yes' : 'no'],
    ['Trace', entry.trace, true],
    ['Content hash', entry.datahash, true],
    ['Leaf hash', entry.leaf_hash, true],
  ];
  const shown = fields.filter((field): field is [string, string, boolean?] => field[1] !== null && field[1] !== '');
  return (
    <dl className={classes.fields} aria-label="Fields">
      {shown.map(([label, value, isMono]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd className={isMono === true ? classes.mono : undefined} dir="auto">
            {value}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function placeOf({ board_seq: seq, board_epoch: epoch }: AuditEntry): string | null {
  return seq === null ? null : `number ${seq} of epoch ${epoch}`;
}
