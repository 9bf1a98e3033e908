import { Button, Menu } from '@mantine/core';
import type { FederationPeer, PeerDecision } from '@boardwire/contracts';
import { useRef, type ReactNode } from 'react';
import { useNow } from '../../ui/use-now.ts';
import type { OpenDecision } from './decision-dialog.tsx';
import classes from './federation-desk.module.css';
import { agoText, durationText, lagText, scopesText, siteName } from './federation-text.ts';
import { peerStates } from './peer-state.ts';

type OnDecide = (decision: OpenDecision) => void;

/** The sites that boards are shared with, and how it stands with each. */
export function PeerList({ peers, onDecide }: { peers: FederationPeer[]; onDecide: OnDecide }) {
  return (
    <section aria-labelledby="peers">
      <h2 id="peers" className={classes.heading}>
        Other sites
      </h2>
      {peers.length === 0 ? (
        <p className={classes.empty}>No other site is known yet.</p>
      ) : (
        <ul className={classes.peers} aria-label="Other sites">
          {peers.map((peer) => (
            <PeerItem key={peer.site} peer={peer} onDecide={onDecide} />
          ))}
        </ul>
      )}
    </section>
  );
}

function PeerItem({ peer, onDecide }: { peer: FederationPeer; onDecide: OnDecide }) {
  const now = useNow(1_000);
  const { state, reason, fingerprint, rooms, lastContact, isTrusted, clockOffsetSeconds } = peer;
  const { label, mood, meaning } = peerStates[state];
  return (
    <li className={classes.card}>
      <div className={classes.bar}>
        <h3 className={classes.heading}>
          <bdi>{siteName(peer)}</bdi>
        </h3>
        <span className={classes.state} data-mood={mood} title={meaning}>
          {label}
        </span>
        {isTrusted && <span className={classes.state}>trusted</span>}
        <Decisions peer={peer} onDecide={onDecide} />
      </div>
      {reason !== null && <p className={classes.reason}>{reason}</p>}
      <dl className={classes.fields}>
        <Field name="Behind it by">{lagText(peer)}</Field>
        <Field name="Last contact">{lastContact === null ? 'never' : agoText(lastContact, now)}</Field>
        {nextTry(peer, now) !== undefined && <Field name="Next try">{nextTry(peer, now)}</Field>}
        {isOff(clockOffsetSeconds) && (
          <Field name="Its clock">
            <span className={classes.bad}>{clockText(clockOffsetSeconds)}</span>
          </Field>
        )}
        <Field name="Fingerprint">
          <code className={classes.mono}>{fingerprint}</code>
        </Field>
        {rooms.map(({ room, alias, scopes }) => (
          <Field key={room} name={alias === '' ? 'A room' : alias}>
            {scopesText(scopes)}
          </Field>
        ))}
      </dl>
    </li>
  );
}

function Field({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>
        <bdi>{name}</bdi>
      </dt>
      <dd>{children}</dd>
    </div>
  );
}

const skewSeconds = 30;
const isOff = (offset: number | null): offset is number => offset !== null && Math.abs(offset) > skewSeconds;
const clockText = (offset: number) =>
  `${durationText(Math.abs(offset))} ${offset > 0 ? 'ahead of' : 'behind'} this site’s`;

function nextTry({ state, nextDial, failedAttempts }: FederationPeer, nowMs: number): string | undefined {
  if (nextDial === null || state === 'suspended' || state === 'revoked') return undefined;
  const seconds = (Date.parse(nextDial) - nowMs) / 1_000;
  const tries = failedAttempts === 1 ? 'after one failure' : `after ${failedAttempts} failures`;
  return `${seconds <= 0 ? 'now' : `in ${durationText(seconds)}`}, ${tries}`;
}

/** What there is to decide about a peer in its state. */
function decisionsFor({ state, isTrusted }: FederationPeer): { decision: PeerDecision; text: string }[] {
  if (state === 'revoked') return [];
  return [
    state === 'suspended' ? { decision: 'resume', text: 'Resume' } : { decision: 'suspend', text: 'Suspend' },
    isTrusted ? { decision: 'distrust', text: 'Trust no longer' } : { decision: 'trust', text: 'Trust' },
    { decision: 'revoke', text: 'Revoke for good' },
  ];
}

function Decisions({ peer, onDecide }: { peer: FederationPeer; onDecide: OnDecide }) {
  const decisions = decisionsFor(peer);
  const button = useRef<HTMLButtonElement>(null);
  const decide = (decision: PeerDecision) => {
    // The menu's entry is about to go: what opens now gives the focus back to what stays.
    button.current?.focus();
    onDecide({ peer, decision });
  };
  if (decisions.length === 0) return null;
  return (
    <div className={classes.decide}>
      <Menu
        position="bottom-end"
        withinPortal={false}
        withInitialFocusPlaceholder={false}
        transitionProps={{ duration: 0 }}
      >
        <Menu.Target>
          <Button ref={button} size="compact-sm" variant="default" aria-label={`Decide about ${siteName(peer)}`}>
            Decide
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {decisions.map(({ decision, text }) => (
            <Menu.Item
              key={decision}
              className={decision === 'revoke' ? (classes.grave ?? '') : ''}
              onClick={() => decide(decision)}
            >
              {text}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </div>
  );
}
