import { coreSubjects } from '@boardwire/contracts';
import type { Bus, BusMessage } from '@boardwire/messaging';
import { frameOf } from '../delivery/ws-format.ts';
import { Keystrokes, type Hand, type TypingPlace } from './keystrokes.ts';
import { TypingAudience, type TypingListener } from './typing-audience.ts';
import { decodeTyping, encodeTyping } from './typing-message.ts';
import { Typists } from './typists.ts';

export interface TypingOptions {
  pod: string;
  /** Whether a subject is open to who has no membership. */
  isOpen: (board: string, subject: string) => boolean;
  onTyping: (from: 'here' | 'elsewhere') => void;
}

/**
 * Who is typing. Keystrokes are told to all pods by core NATS, at most once a second for a user in a place, and by each
 * pod to its own sockets. Nothing is stored, and what is lost runs out by itself.
 */
export class Typing {
  readonly #options: TypingOptions;
  readonly #keystrokes = new Keystrokes((place, on) => this.#announce(place, on));
  readonly #typists = new Typists((place, on) => this.#tell(place, on));
  readonly #audience = new TypingAudience();
  #bus: Pick<Bus, 'publish' | 'subscribe'> | undefined;
  #heard: { unsubscribe(): void } | undefined;

  constructor(options: TypingOptions) {
    this.#options = options;
  }

  attach(bus: Pick<Bus, 'publish' | 'subscribe'>): void {
    this.#bus = bus;
    this.#heard = bus.subscribe(coreSubjects.typingAll, (message) => this.#receive(message));
  }

  stop(): void {
    this.#heard?.unsubscribe();
    this.#keystrokes.close();
    this.#typists.close();
  }

  /** @returns what ends it. */
  listen(board: string, reach: readonly string[], listener: TypingListener): () => void {
    return this.#audience.add(board, reach, listener);
  }

  /** A keystroke, or the end of typing. The caller has looked whether the user may publish there. */
  typed(hand: Hand, place: TypingPlace, on: boolean): void {
    if (on) this.#keystrokes.pressed(hand, place);
    else this.#keystrokes.released(hand, place);
  }

  /** A connection has ended. */
  gone(hand: Hand): void {
    this.#keystrokes.gone(hand);
  }

  /** A user has posted: what they typed is said. */
  posted(board: string, subject: string, userId: string): void {
    if (this.#typists.size === 0) return;
    const place = { board, subject, user: { id: userId, name: '' } };
    if (!this.#typists.has(place)) return;
    this.#keystrokes.forget(place);
    this.#typists.endedForAll(place);
    this.#publish(place, { on: false, isPosted: true });
  }

  #announce(place: TypingPlace, on: boolean): void {
    this.#options.onTyping('here');
    if (on) this.#typists.heard(this.#options.pod, place);
    else this.#typists.ended(this.#options.pod, place);
    this.#publish(place, { on });
  }

  #publish({ board, subject, user }: TypingPlace, what: { on: boolean; isPosted?: true }): void {
    const { pod } = this.#options;
    this.#bus?.publish(coreSubjects.typing(board), encodeTyping({ pod, subject, user, ...what }));
  }

  #receive({ subject: busSubject, data }: BusMessage): void {
    const message = decodeTyping(data);
    if (message === undefined || message.pod === this.#options.pod) return;
    const { pod, subject, user, on, isPosted } = message;
    const place = { board: busSubject.slice(busSubject.indexOf('.') + 1), subject, user };
    this.#options.onTyping('elsewhere');
    if (on) this.#typists.heard(pod, place);
    else if (isPosted !== true) this.#typists.ended(pod, place);
    else {
      this.#keystrokes.forget(place);
      this.#typists.endedForAll(place);
    }
  }

  #tell(place: TypingPlace, on: boolean): void {
    const { board, subject, user } = place;
    let bytes: Buffer | undefined;
    for (const listener of this.#audience.of(place, this.#options.isOpen(board, subject))) {
      listener.typing((bytes ??= frameOf({ type: 'typing', board, subject, user, on })));
    }
  }
}
