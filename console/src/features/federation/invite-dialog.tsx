import { Button, Checkbox, CopyButton, NativeSelect, TextInput } from '@mantine/core';
import { peerScopes, siteIdSchema, type FederationRoom, type InviteAnswer, type PeerScope } from '@boardwire/contracts';
import { useEffect, useRef, useState } from 'react';
import { Dialog } from '../../ui/dialog.tsx';
import { Icon } from '../../ui/icon.tsx';
import { shortMoment } from '../../ui/time.ts';
import { DialogForm } from './dialog-form.tsx';
import classes from './dialogs.module.css';
import type { FederationApi } from './federation-api.ts';
import { useSending } from './use-sending.ts';

interface InviteDialogProps {
  api: FederationApi;
  room: FederationRoom;
  onDone: () => void;
  onClose: () => void;
}

/** Makes an invitation and shows its line, once. */
export function InviteDialog({ api, room, onDone, onClose }: InviteDialogProps) {
  const [answer, setAnswer] = useState<InviteAnswer>();
  const onAnswer = (made: InviteAnswer) => {
    setAnswer(made);
    onDone();
  };
  return (
    <Dialog title={`Invite a site into ${room.alias}`} onClose={onClose}>
      {answer === undefined ? (
        <InviteForm {...{ api, room, onAnswer, onClose }} />
      ) : (
        <Invitation answer={answer} onClose={onClose} />
      )}
    </Dialog>
  );
}

const lifetimes = [
  { value: '600', label: '10 minutes' },
  { value: '3600', label: 'An hour' },
  { value: '21600', label: '6 hours' },
  { value: '86400', label: 'A day' },
];
const scopeLabels: Record<PeerScope, string> = {
  read: 'Get the events of this board',
  write: 'Add what is posted there',
  relay: 'Pass on what other members said',
};

interface InviteFormProps extends Pick<InviteDialogProps, 'api' | 'room' | 'onClose'> {
  onAnswer: (answer: InviteAnswer) => void;
}

function InviteForm({ api, room, onAnswer, onClose }: InviteFormProps) {
  const [scopes, setScopes] = useState<readonly PeerScope[]>(peerScopes);
  const [lifetime, setLifetime] = useState('3600');
  const [site, setSite] = useState('');
  const { isSending, failure, send } = useSending(onAnswer);
  const wanted = site.trim();
  const isSite = wanted === '' || siteIdSchema.safeParse(wanted).success;
  const invite = () =>
    api.invite({
      room: room.room,
      scopes: peerScopes.filter((scope) => scopes.includes(scope)),
      lifetimeSeconds: Number(lifetime),
      ...(wanted === '' ? {} : { site: wanted }),
    });
  return (
    <DialogForm
      action="Make an invitation"
      isReady={scopes.length > 0 && isSite}
      onSubmit={() => send(invite)}
      {...{ isSending, failure, onClose }}
    >
      <Checkbox.Group label="The other site may" value={[...scopes]} onChange={setScopes as (next: string[]) => void}>
        {peerScopes.map((scope) => (
          <Checkbox key={scope} value={scope} label={scopeLabels[scope]} mt={8} />
        ))}
      </Checkbox.Group>
      <NativeSelect
        label="The invitation lasts"
        data={lifetimes}
        value={lifetime}
        onChange={(event) => setLifetime(event.currentTarget.value)}
      />
      <TextInput
        label="Only for the site with this id (optional)"
        description="Then no other site can use it, and its fingerprint need not be compared when it comes"
        value={site}
        onChange={(event) => setSite(event.currentTarget.value)}
        error={isSite ? undefined : 'Not the id of a site: bs1 and 52 letters and digits'}
        placeholder="bs1…"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        dir="ltr"
      />
    </DialogForm>
  );
}

function Invitation({ answer, onClose }: { answer: InviteAnswer; onClose: () => void }) {
  const button = useRef<HTMLButtonElement>(null);
  // The form, and with it the focus, has just gone.
  useEffect(() => button.current?.focus(), []);
  const { invitation, expires, fingerprint } = answer;
  return (
    <>
      <p>
        Give this line to the other operator where nobody else can read it. Whoever has it can use it once, until{' '}
        {shortMoment(Date.parse(expires))}. It is not shown again.
      </p>
      <textarea
        className={classes.line}
        aria-label="The invitation"
        readOnly
        rows={8}
        value={invitation}
        onFocus={(event) => event.currentTarget.select()}
        dir="ltr"
      />
      <p className={classes.hint}>
        Read them this site’s fingerprint, so that they know whom they join:{' '}
        <b className={classes.print}>{fingerprint}</b>
      </p>
      <div className={classes.buttons}>
        <CopyButton value={invitation}>
          {({ copied, copy }) => (
            <Button ref={button} leftSection={<Icon name={copied ? 'check' : 'copy'} size={16} />} onClick={copy}>
              {copied ? 'Copied' : 'Copy the invitation'}
            </Button>
          )}
        </CopyButton>
        <Button variant="default" onClick={onClose}>
          Done
        </Button>
      </div>
    </>
  );
}
