import { Button } from '@mantine/core';
import type { FederationPeer } from '@boardwire/contracts';
import { Icon } from '../../ui/icon.tsx';
import type { OpenDecision } from './decision-dialog.tsx';
import classes from './federation-desk.module.css';
import { siteName } from './federation-text.ts';

/** Sites that have come with an invitation and wait for somebody to compare their fingerprint. */
export function ToConfirm({
  peers,
  onDecide,
}: {
  peers: FederationPeer[];
  onDecide: (decision: OpenDecision) => void;
}) {
  return peers
    .filter(({ needsConfirmation }) => needsConfirmation)
    .map((peer) => (
      <section key={peer.site} className={classes.alarm} data-mild aria-label={`${siteName(peer)} waits`}>
        <p>
          <Icon name="key" size={16} />{' '}
          <strong>
            <bdi>{siteName(peer)}</bdi> has come with an invitation.
          </strong>{' '}
          Call its operator and let them read you its fingerprint.
        </p>
        <div className={classes.actions}>
          <Button size="compact-sm" onClick={() => onDecide({ peer, decision: 'confirm' })}>
            Compare the fingerprint
          </Button>
          <Button size="compact-sm" variant="default" onClick={() => onDecide({ peer, decision: 'revoke' })}>
            Turn it away
          </Button>
        </div>
      </section>
    ));
}
