import { Button } from '@mantine/core';
import type { AuditEntry } from '@boardwire/contracts';
import { Link } from 'react-router';
import { eventInLiveView, messageInAxonChat, type EventPlace } from '../../app/links.ts';
import { Icon } from '../../ui/icon.tsx';
import classes from './entry-drawer.module.css';
import type { ExplorerAddress, Filter } from './explorer-address.ts';

interface EntryLinksProps {
  entry: AuditEntry;
  change: (part: Partial<ExplorerAddress>) => void;
}

/** From here to the event itself, and to what belongs together with this entry. */
export function EntryLinks({ entry, change }: EntryLinksProps) {
  const place = placeOf(entry);
  const chat = place && messageInAxonChat(place);
  const only = (filter: Filter) => () => change({ filter });
  return (
    <div className={classes.links} role="group" aria-label="Go to">
      {chat !== undefined && <EventLink to={chat} icon="chat" label="In AxonChat" />}
      {place !== undefined && <EventLink to={eventInLiveView(place)} icon="pulse" label="In the live view" />}
      {entry.actor !== '' && (
        <Button size="compact-xs" variant="default" onClick={only({ actor: [entry.actor] })}>
          Same actor
        </Button>
      )}
      {entry.trace !== null && (
        <Button size="compact-xs" variant="default" onClick={only({ trace: [entry.trace] })}>
          Same trace
        </Button>
      )}
      {entry.board !== null && entry.subject !== null && (
        <Button size="compact-xs" variant="default" onClick={only({ board: [entry.board], subject: [entry.subject] })}>
          Same subject
        </Button>
      )}
    </div>
  );
}

function EventLink({ to, icon, label }: { to: string; icon: 'chat' | 'pulse'; label: string }) {
  return (
    <Button component={Link} to={to} size="compact-xs" variant="default" leftSection={<Icon name={icon} size={13} />}>
      {label}
    </Button>
  );
}

/** Where the event of an entry stands; undefined for a decision. */
function placeOf({ event_id: id, board, board_epoch: epoch, board_seq: seq, subject }: AuditEntry) {
  if (id === null || board === null || epoch === null || seq === null) return undefined;
  return { id, board, epoch, seq, subject: subject ?? '' } satisfies EventPlace;
}
