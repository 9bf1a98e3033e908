import { Button } from '@mantine/core';
import type { ReactNode, SubmitEvent } from 'react';
import classes from './dialogs.module.css';

interface DialogFormProps {
  /** What the button says that does it. */
  action: string;
  isGrave?: boolean;
  isReady?: boolean;
  isSending: boolean;
  failure: string | undefined;
  onSubmit: () => void;
  onClose: () => void;
  children?: ReactNode;
}

/** The fields of a dialog, what went wrong, and its two buttons. */
export function DialogForm(props: DialogFormProps) {
  const { action, isGrave = false, isReady = true, isSending, failure, onSubmit, onClose, children } = props;
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (isReady) onSubmit();
  };
  return (
    <form onSubmit={submit}>
      {children}
      {failure !== undefined && (
        <p role="alert" className={classes.failure}>
          {failure}
        </p>
      )}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={isSending} disabled={!isReady} {...(isGrave ? { color: 'red.9' } : {})}>
          {action}
        </Button>
      </div>
    </form>
  );
}
