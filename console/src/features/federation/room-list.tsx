import { Button } from '@mantine/core';
import type { FederationRoom } from '@boardwire/contracts';
import { useState } from 'react';
import { Icon } from '../../ui/icon.tsx';
import { AcceptDialog } from './accept-dialog.tsx';
import type { FederationApi } from './federation-api.ts';
import classes from './federation-desk.module.css';
import { InviteDialog } from './invite-dialog.tsx';
import { RoomCard } from './room-card.tsx';
import { ShareDialog } from './share-dialog.tsx';
import { siteNames } from './site-names.ts';
import type { FederationView } from './use-federation.ts';

interface RoomListProps {
  api: FederationApi;
  view: FederationView;
  onChanged: () => void;
}

type Open = 'share' | 'accept' | FederationRoom | undefined;

/** What is shared, and the ways to share more. */
export function RoomList({ api, view, onChanged }: RoomListProps) {
  const { site, rooms, invitations } = view;
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  return (
    <section aria-labelledby="rooms">
      <div className={classes.bar}>
        <h2 id="rooms" className={classes.heading}>
          Shared boards
        </h2>
        <div className={classes.actions}>
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<Icon name="plus" size={14} />}
            onClick={() => setOpen('share')}
          >
            Share a board
          </Button>
          <Button size="compact-sm" variant="default" onClick={() => setOpen('accept')}>
            Accept an invitation
          </Button>
        </div>
      </div>
      {rooms.length === 0 && (
        <p className={classes.empty}>
          No board is shared. Share one and invite another site, or accept an invitation that its operator gave you.
        </p>
      )}
      {rooms.map((room) => (
        <RoomCard
          key={room.room}
          {...{ api, site, room, onChanged }}
          nameOf={siteNames(view)}
          invitations={invitations.filter((invitation) => invitation.room === room.room)}
          onInvite={() => setOpen(room)}
        />
      ))}
      {open === 'share' && <ShareDialog api={api} rooms={rooms} onDone={onChanged} onClose={close} />}
      {open === 'accept' && <AcceptDialog api={api} rooms={rooms} onDone={onChanged} onClose={close} />}
      {typeof open === 'object' && <InviteDialog api={api} room={open} onDone={onChanged} onClose={close} />}
    </section>
  );
}
