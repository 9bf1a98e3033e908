import { TextInput } from '@mantine/core';
import type { FederationPeer, PeerDecision } from '@boardwire/contracts';
import { useState } from 'react';
import { Dialog } from '../../ui/dialog.tsx';
import { DialogForm } from './dialog-form.tsx';
import classes from './dialogs.module.css';
import type { FederationApi } from './federation-api.ts';
import { siteName } from './federation-text.ts';
import { useSending } from './use-sending.ts';

export interface OpenDecision {
  peer: FederationPeer;
  decision: PeerDecision;
}

interface DecisionDialogProps extends OpenDecision {
  api: FederationApi;
  onDone: () => void;
  onClose: () => void;
}

interface Question {
  title: (name: string) => string;
  text: string;
  action: string;
  isGrave?: true;
  asksReason?: true;
}

const questions: Readonly<Record<PeerDecision, Question>> = {
  confirm: {
    title: (name) => `Is this ${name}?`,
    text: 'Write down the fingerprint that its operator reads to you. If it is another one, somebody else has used the invitation.',
    action: 'Compare and let in',
  },
  suspend: {
    title: (name) => `Suspend ${name}?`,
    text: 'Nothing is sent to it or taken from it until it is resumed. Then both sides catch up; nothing is lost.',
    action: 'Suspend',
    asksReason: true,
  },
  resume: {
    title: (name) => `Resume ${name}?`,
    text: 'What it was blamed for is forgotten, and both sides catch up.',
    action: 'Resume',
  },
  revoke: {
    title: (name) => `Revoke ${name} for good?`,
    text: 'It is removed from the rooms that this site administers and can’t come back. What it said so far stays on the boards.',
    action: 'Revoke',
    isGrave: true,
    asksReason: true,
  },
  trust: {
    title: (name) => `Trust ${name}?`,
    text: 'A trusted site may send a hundred times as many events a second.',
    action: 'Trust',
  },
  distrust: {
    title: (name) => `Trust ${name} no longer?`,
    text: 'It may send 50 events a second, as a new site may.',
    action: 'Trust no longer',
  },
};

/** A question before anything is decided about a peer. */
export function DecisionDialog({ api, peer, decision, onDone, onClose }: DecisionDialogProps) {
  const [fingerprint, setFingerprint] = useState('');
  const [reason, setReason] = useState('');
  const { isSending, failure, send } = useSending(() => {
    onDone();
    onClose();
  });
  const { title, text, action, isGrave = false, asksReason } = questions[decision];
  const isConfirm = decision === 'confirm';
  const request = {
    ...(isConfirm ? { fingerprint: fingerprint.trim() } : {}),
    ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
  };
  return (
    <Dialog title={title(siteName(peer))} onClose={onClose}>
      <DialogForm
        {...{ action, isGrave, isSending, failure, onClose }}
        isReady={!isConfirm || fingerprint.trim() !== ''}
        onSubmit={() => send(() => api.decide(peer.site, decision, request))}
      >
        <p>{text}</p>
        {isConfirm && (
          <TextInput
            label="Fingerprint"
            required
            value={fingerprint}
            onChange={(event) => setFingerprint(event.currentTarget.value)}
            maxLength={64}
            placeholder="five groups of four"
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            dir="ltr"
            classNames={{ input: classes.heard ?? '' }}
          />
        )}
        {asksReason === true && (
          <TextInput
            label="Reason (optional)"
            description="It stands in the audit log and in the list of sites"
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            maxLength={500}
          />
        )}
      </DialogForm>
    </Dialog>
  );
}
