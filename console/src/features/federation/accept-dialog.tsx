import { Textarea } from '@mantine/core';
import { decodeInvitation, fingerprintOf, type FederationRoom, type Invitation } from '@boardwire/contracts';
import { useState } from 'react';
import { Dialog } from '../../ui/dialog.tsx';
import { shortMoment } from '../../ui/time.ts';
import { useNow } from '../../ui/use-now.ts';
import { BoardSelect } from './board-select.tsx';
import { DialogForm } from './dialog-form.tsx';
import classes from './dialogs.module.css';
import type { FederationApi } from './federation-api.ts';
import { scopesText, shortId } from './federation-text.ts';
import { useSending } from './use-sending.ts';

interface AcceptDialogProps {
  api: FederationApi;
  rooms: FederationRoom[];
  onDone: () => void;
  onClose: () => void;
}

/** Takes another operator's invitation: what it says is shown before it is accepted. */
export function AcceptDialog({ api, rooms, onDone, onClose }: AcceptDialogProps) {
  const [text, setText] = useState('');
  const [board, setBoard] = useState('');
  const now = useNow(1_000);
  const { isSending, failure, send } = useSending(() => {
    onDone();
    onClose();
  });
  const invitation = decodeInvitation(text);
  const problem = text.trim() === '' ? undefined : problemOf(invitation, now);
  return (
    <Dialog title="Accept an invitation" onClose={onClose}>
      <DialogForm
        action="Accept"
        isReady={invitation !== undefined && problem === undefined && board !== ''}
        onSubmit={() => send(() => api.accept({ invitation: text.trim(), board }))}
        {...{ isSending, failure, onClose }}
      >
        <Textarea
          label="Invitation"
          description="The line that the other operator gave you"
          required
          rows={4}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          error={problem}
          placeholder="bwi1.…"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          dir="ltr"
          classNames={{ input: classes.line ?? '' }}
        />
        {invitation !== undefined && <Says invitation={invitation} />}
        <BoardSelect api={api} rooms={rooms} label="Show it on the board" value={board} onChange={setBoard} />
      </DialogForm>
    </Dialog>
  );
}

function problemOf(invitation: Invitation | undefined, nowMs: number): string | undefined {
  if (invitation === undefined) return 'This is not an invitation, or not all of it';
  return Date.parse(invitation.expires) <= nowMs ? 'This invitation has expired: ask for another one' : undefined;
}

/** What an invitation says. It proves nothing but who can speak for it, by the fingerprint. */
function Says({ invitation }: { invitation: Invitation }) {
  const { site, name, alias, endpoints, room, scopes, subjects, expires } = invitation;
  return (
    <>
      <dl className={classes.says} aria-label="What the invitation says">
        <div>
          <dt>From</dt>
          <dd>
            <bdi>{name ?? shortId(site)}</bdi>
            <br />
            <b className={classes.print}>{fingerprintOf(site)}</b>
          </dd>
        </div>
        <div>
          <dt>At</dt>
          <dd>{endpoints.length === 0 ? 'no address: it can’t be dialled' : endpoints.join(', ')}</dd>
        </div>
        <div>
          <dt>Room</dt>
          <dd>
            <bdi>{alias ?? shortId(room)}</bdi>
            {subjects.join(' ') !== '>' && `, of it ${subjects.join(' ')}`}
          </dd>
        </div>
        <div>
          <dt>This site</dt>
          <dd>{scopesText(scopes)}</dd>
        </div>
        <div>
          <dt>Until</dt>
          <dd>{shortMoment(Date.parse(expires))}</dd>
        </div>
      </dl>
      <p className={classes.hint}>
        Ask the other operator for their fingerprint before you accept: it has to be the one above.
      </p>
    </>
  );
}
