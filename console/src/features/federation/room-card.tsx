import { Anchor, Button } from '@mantine/core';
import type { FederationRoom, FederationSite, OpenInvitation } from '@boardwire/contracts';
import { Link } from 'react-router';
import { Copyable } from '../../ui/copyable.tsx';
import type { FederationApi } from './federation-api.ts';
import classes from './federation-desk.module.css';
import { shortId } from './federation-text.ts';
import { FeedTable } from './feed-table.tsx';
import { InvitationList } from './invitation-list.tsx';

interface RoomCardProps {
  api: FederationApi;
  site: FederationSite;
  room: FederationRoom;
  invitations: OpenInvitation[];
  nameOf: (site: string) => string;
  onInvite: () => void;
  onChanged: () => void;
}

/** One shared board: who takes part, and how far each of them is known here. */
export function RoomCard({ api, site, room, nameOf, invitations, onInvite, onChanged }: RoomCardProps) {
  const { alias, board, subjects, members, isAdmin } = room;
  const headingId = `room-${room.room}`;
  return (
    <article className={classes.card} aria-labelledby={headingId}>
      <div className={classes.bar}>
        <h3 id={headingId} className={classes.heading}>
          <bdi>{alias}</bdi>
        </h3>
        {isAdmin && (
          <Button size="compact-sm" onClick={onInvite}>
            Invite a site
          </Button>
        )}
      </div>
      <dl className={classes.fields}>
        <div>
          <dt>Board</dt>
          <dd>
            <Anchor component={Link} to={`/live?${new URLSearchParams({ board, subject: '>' }).toString()}`} size="sm">
              {board}
            </Anchor>
            {subjects.join(' ') !== '>' && (
              <span>
                of it <code className={classes.mono}>{subjects.join(' ')}</code>
              </span>
            )}
          </dd>
        </div>
        <div>
          <dt>Members</dt>
          <dd>
            {members.length === 0 ? 'none yet' : members.map((member) => nameOf(member.site)).join(', ')}
            {isAdmin ? '' : `; ${nameOf(room.creator)} lets sites in`}
          </dd>
        </div>
        <div>
          <dt>Room id</dt>
          <dd>
            <Copyable text={room.room} name={`the id of ${alias}`}>
              {shortId(room.room)}
            </Copyable>
          </dd>
        </div>
      </dl>
      <FeedTable room={room} own={site.site} nameOf={nameOf} />
      <InvitationList {...{ api, invitations, onChanged }} />
    </article>
  );
}
