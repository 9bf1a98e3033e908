import { Button } from '@mantine/core';
import { fingerprintOf, type OpenInvitation } from '@boardwire/contracts';
import { useState } from 'react';
import { errorText } from '../../ui/error-text.ts';
import { useNow } from '../../ui/use-now.ts';
import type { FederationApi } from './federation-api.ts';
import classes from './federation-desk.module.css';
import { durationText } from './federation-text.ts';

interface InvitationListProps {
  api: FederationApi;
  invitations: OpenInvitation[];
  onChanged: () => void;
}

/** Invitations into a room that can still be used. */
export function InvitationList({ api, invitations, onChanged }: InvitationListProps) {
  const [failure, setFailure] = useState<string>();
  if (invitations.length === 0) return null;
  const withdraw = (id: string) => {
    setFailure(undefined);
    api.withdraw(id).then(onChanged, (error: unknown) => setFailure(errorText(error)));
  };
  return (
    <>
      <ul className={classes.invitations} aria-label="Open invitations">
        {invitations.map((invitation) => (
          <Invitation key={invitation.id} invitation={invitation} onWithdraw={() => withdraw(invitation.id)} />
        ))}
      </ul>
      {failure !== undefined && (
        <p role="alert" className={classes.bad}>
          {failure}
        </p>
      )}
    </>
  );
}

function Invitation({ invitation, onWithdraw }: { invitation: OpenInvitation; onWithdraw: () => void }) {
  const now = useNow(5_000);
  const { site, expires, scopes } = invitation;
  const left = Math.max(0, (Date.parse(expires) - now) / 1_000);
  return (
    <li>
      <span>
        Invitation for {site === null ? 'whoever has it' : <code>{fingerprintOf(site)}</code>}, {scopes.join(', ')};
        still {durationText(left)}
      </span>
      <Button size="compact-xs" variant="default" onClick={onWithdraw}>
        Withdraw
      </Button>
    </li>
  );
}
