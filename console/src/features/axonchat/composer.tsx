import { Button, Textarea } from '@mantine/core';
import { useRef, useState, type KeyboardEvent, type SubmitEvent } from 'react';
import { Icon } from '../../ui/icon.tsx';
import classes from './composer.module.css';
import { lobby } from './message.ts';

/** Enter and the button both send; Shift+Enter starts a line. */
export function Composer({ onSend, onType }: { onSend: (text: string) => void; onType: (text: string) => void }) {
  const [text, setText] = useState('');
  const field = useRef<HTMLTextAreaElement>(null);
  const left = lobby.textCharactersMax - text.length;

  function type(written: string): void {
    setText(written);
    onType(written);
  }
  function send(): void {
    const ready = text.trim();
    if (ready === '') return;
    onSend(ready);
    setText('');
    field.current?.focus();
  }
  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes, Enter chooses a candidate.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  const onSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    send();
  };

  return (
    <form className={classes.composer} onSubmit={onSubmit} aria-label="Write a message">
      <Textarea
        ref={field}
        className={classes.field ?? ''}
        aria-label="Message"
        placeholder="Message the lobby"
        value={text}
        onChange={(event) => type(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        maxLength={lobby.textCharactersMax}
        autosize
        minRows={1}
        maxRows={6}
        size="md"
        dir="auto"
        error={left < 200 ? `${left} characters left` : undefined}
      />
      <Button type="submit" size="md" disabled={text.trim() === ''} rightSection={<Icon name="send" />}>
        Send
      </Button>
    </form>
  );
}
