import { Component, createRef } from 'react';
import { localMoment } from '../../ui/time.ts';
import type { Message } from './message.ts';
import classes from './message.module.css';

interface MessageTextProps {
  message: Message;
  /** The reader was sent to it. */
  isWanted: boolean;
}

/**
 * One message, or that it was removed: then it keeps the height that it had on this screen, so that nothing moves under
 * who reads. A class, since `getSnapshotBeforeUpdate` alone sees the height before the text goes.
 */
export class MessageText extends Component<MessageTextProps, object, number | null> {
  readonly #element = createRef<HTMLParagraphElement>();

  override getSnapshotBeforeUpdate({ message: before }: MessageTextProps): number | null {
    const isGoing = this.props.message.isRemoved && !before.isRemoved;
    return isGoing ? (this.#element.current?.getBoundingClientRect().height ?? null) : null;
  }

  override componentDidUpdate(_props: MessageTextProps, _state: object, height: number | null): void {
    const element = this.#element.current;
    if (height !== null && element !== null) element.style.minHeight = `${height}px`;
  }

  override render() {
    const { message, isWanted } = this.props;
    return (
      <p
        ref={this.#element}
        className={classes.text}
        dir="auto"
        title={localMoment(message.at)}
        data-wanted={isWanted || undefined}
        data-removed={message.isRemoved || undefined}
        aria-current={isWanted ? 'true' : undefined}
      >
        {message.isRemoved ? 'Message removed' : message.text}
      </p>
    );
  }
}
