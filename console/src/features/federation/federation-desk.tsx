import { Loader } from '@mantine/core';
import { useState } from 'react';
import { Icon } from '../../ui/icon.tsx';
import { Notice } from '../../ui/notice.tsx';
import { DecisionDialog, type OpenDecision } from './decision-dialog.tsx';
import { EvidenceList } from './evidence-list.tsx';
import type { FederationApi } from './federation-api.ts';
import classes from './federation-desk.module.css';
import { PeerList } from './peer-list.tsx';
import { RoomList } from './room-list.tsx';
import { SiteCard } from './site-card.tsx';
import { ToConfirm } from './to-confirm.tsx';
import { useFederation } from './use-federation.ts';

/** The whole screen: who this site is, what it shares, with whom, and how that goes. */
export function FederationDesk({ api }: { api: FederationApi }) {
  const { view, failure, look } = useFederation(api);
  const [decision, setDecision] = useState<OpenDecision>();
  if (view === undefined) return <Opening failure={failure} />;
  const { site, peers, evidence } = view;
  return (
    <div className={classes.scroll}>
      {failure !== undefined && (
        <p role="alert" className={classes.failure}>
          <Icon name="alert" size={16} /> What stands here may be old: {failure}
        </p>
      )}
      <div className={classes.content}>
        <ToConfirm peers={peers} onDecide={setDecision} />
        <EvidenceList evidence={evidence} view={view} />
        <SiteCard site={site} />
        <RoomList api={api} view={view} onChanged={look} />
        <PeerList peers={peers} onDecide={setDecision} />
      </div>
      {decision !== undefined && (
        <DecisionDialog api={api} {...decision} onDone={look} onClose={() => setDecision(undefined)} />
      )}
    </div>
  );
}

function Opening({ failure }: { failure: string | undefined }) {
  if (failure !== undefined) {
    return (
      <Notice icon="alert" title="Federation can’t be shown" isError>
        {failure}
      </Notice>
    );
  }
  return (
    <div className={classes.loading}>
      <Loader aria-label="Looking at federation" />
    </div>
  );
}
