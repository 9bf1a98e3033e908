import { ActionIcon } from '@mantine/core';
import { useEffect, useId, useRef, type ReactNode } from 'react';
import classes from './dialog.module.css';
import { Icon } from './icon.tsx';

/**
 * Something to decide before all else. The browser's own: it keeps the focus inside, leaves the page behind it inert,
 * closes at Escape, and gives the focus back to where it was. Render it only while it is open.
 */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    if (dialog?.open === false) dialog.showModal();
    // Where there is something to write, one may begin at once; by itself it would be the button that closes.
    dialog?.querySelector<HTMLElement>('input, select, textarea')?.focus();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      className={classes.dialog}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <header className={classes.header}>
        <h2 id={titleId} className={classes.title}>
          {title}
        </h2>
        <ActionIcon variant="subtle" color="gray" onClick={onClose} aria-label="Close" title="Close (Esc)">
          <Icon name="close" />
        </ActionIcon>
      </header>
      <div className={classes.body}>{children}</div>
    </dialog>
  );
}
