import { TextInput } from '@mantine/core';
import type { FederationRoom } from '@boardwire/contracts';
import { useState } from 'react';
import { Dialog } from '../../ui/dialog.tsx';
import { BoardSelect } from './board-select.tsx';
import { DialogForm } from './dialog-form.tsx';
import classes from './dialogs.module.css';
import type { FederationApi } from './federation-api.ts';
import { readSubjects } from './read-subjects.ts';
import { useSending } from './use-sending.ts';

interface ShareDialogProps {
  api: FederationApi;
  rooms: FederationRoom[];
  onDone: () => void;
  onClose: () => void;
}

/** Opens a room for a board of this site. */
export function ShareDialog({ api, rooms, onDone, onClose }: ShareDialogProps) {
  const [board, setBoard] = useState('');
  const [alias, setAlias] = useState('');
  const [text, setText] = useState('>');
  const { subjects, problem } = readSubjects(text);
  const { isSending, failure, send } = useSending(() => {
    onDone();
    onClose();
  });
  const name = alias.trim();
  return (
    <Dialog title="Share a board" onClose={onClose}>
      <DialogForm
        action="Share"
        isReady={board !== '' && name !== '' && problem === undefined}
        onSubmit={() => send(() => api.openRoom({ board, alias: name, subjects }))}
        {...{ isSending, failure, onClose }}
      >
        <p className={classes.hint}>
          What is posted from now on goes to the sites that you invite. Nobody gets anything before that.
        </p>
        <BoardSelect api={api} rooms={rooms} label="Board" value={board} onChange={setBoard} />
        <TextInput
          label="Alias"
          description="What people call the room, such as test-chat"
          required
          maxLength={64}
          value={alias}
          onChange={(event) => setAlias(event.currentTarget.value)}
          autoComplete="off"
        />
        <TextInput
          label="Subjects"
          description="Filters, with blanks between them. Direct messages, private rooms and notifications never leave this site."
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          error={problem}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          dir="ltr"
        />
      </DialogForm>
    </Dialog>
  );
}
