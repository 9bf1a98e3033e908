import {
  BoardwireError,
  newEventId,
  type BoardFollow,
  type BoardwireClient,
  type FollowState,
  type Typist,
} from '@boardwire/client';
import { accountSource, type PresentUser, type StoredEvent, type User } from '@boardwire/contracts';
import { Removals } from '../../realtime/removals.ts';
import { Store } from '../../realtime/store.ts';
import { errorText } from '../../ui/error-text.ts';
import { merge } from './conversation.ts';
import { lobby, messageOf, removedMessage, type Draft, type Message } from './message.ts';

export interface RoomView {
  messages: readonly Message[];
  drafts: readonly Draft[];
  /** How many messages were added at the end since the room was entered. */
  appended: number;
  people: readonly PresentUser[];
  /** Names of those who write a message now. */
  typing: readonly string[];
  connection: FollowState | undefined;
  /** The newest part of the conversation has been read. */
  isLoaded: boolean;
  hasEarlier: boolean;
  isLoadingEarlier: boolean;
  failure: string | undefined;
}

const pageSize = 50;

interface Arrived {
  event: StoredEvent;
  cursor: string | undefined;
}

/**
 * The lobby as one person sees it. Messages come from the board alone; a draft is shown until its own event or the
 * receipt with its place arrives, whichever is first, and the two are known to be one by the event's id.
 */
export class LobbyRoom {
  readonly view: Store<RoomView>;
  readonly #client: BoardwireClient;
  readonly #user: User;
  readonly #removals = new Removals();
  #follow: BoardFollow | undefined;
  /** Where the page before the earliest read one ends; a page may hold no message at all. */
  #earlierThan: string | undefined;

  constructor(client: BoardwireClient, user: User) {
    this.#client = client;
    this.#user = user;
    this.view = new Store<RoomView>({
      messages: [],
      drafts: [],
      appended: 0,
      people: [user],
      typing: [],
      connection: undefined,
      isLoaded: false,
      hasEarlier: false,
      isLoadingEarlier: false,
      failure: undefined,
    });
  }

  /** Goes on from where it was left, or starts with the newest page. Returns the way to leave. */
  enter(): () => void {
    const cursor = this.#follow?.cursor;
    this.#follow = this.#client.follow(lobby.board, {
      subjects: lobby.reads,
      ...(cursor === undefined ? { last: pageSize } : { after: cursor }),
      onEvent: (event, { cursor }) => this.#take([{ event, cursor }]),
      onReset: () => void this.#reload(),
      onState: (connection) => this.#connectionChanged(connection),
      onPresence: ({ users }) => this.#show({ people: selfFirst(this.#user, users) }),
      onTyping: (typists) => this.#show({ typing: namesOf(typists) }),
    });
    return () => this.#follow?.close();
  }

  reconnect(): void {
    this.#client.wake();
  }

  /** Ends a follow that was closed for good, and starts anew. */
  reenter(): void {
    this.#follow?.close();
    this.enter();
  }

  /** The text of the field has changed; an empty one is nobody's message. */
  typed(text: string): void {
    this.#follow?.typing(lobby.writes, text.trim() !== '');
  }

  send(text: string): void {
    this.typed('');
    this.#publish({ id: newEventId(), text, at: Date.now() });
  }

  retry(draft: Draft): void {
    this.#publish({ id: draft.id, text: draft.text, at: draft.at });
  }

  discard({ id }: Draft): void {
    this.#show({ drafts: this.view.value.drafts.filter((draft) => draft.id !== id) });
  }

  async loadEarlier(): Promise<void> {
    const before = this.#earlierThan ?? this.view.value.messages[0]?.cursor;
    if (before === undefined || this.view.value.isLoadingEarlier) return;
    this.#show({ isLoadingEarlier: true, failure: undefined });
    try {
      const page = await this.#history(before);
      this.#show({ hasEarlier: page.hasEarlier });
      this.#take(page.events);
    } catch (error) {
      this.#show({ failure: errorText(error) });
    } finally {
      this.#show({ isLoadingEarlier: false });
    }
  }

  #publish(draft: Draft): void {
    this.#show({ drafts: [...this.view.value.drafts.filter(({ id }) => id !== draft.id), draft] });
    const event = { id: draft.id, subject: lobby.writes, type: lobby.type, data: { text: draft.text } };
    this.#client.publish(lobby.board, event).then(
      ({ cursor, time }) => {
        // Its event may have come before, and says more.
        const known = this.view.value.messages.find((message) => message.cursor === cursor);
        if (known !== undefined) return this.#add([known]);
        const author = { source: accountSource(this.#user.id), author: this.#user.id, authorname: this.#user.name };
        const stored = { ...event, ...author, time, specversion: '1.0', board: lobby.board } as never;
        return this.#take([{ event: stored, cursor }]);
      },
      (error: unknown) => this.#failed(draft, error),
    );
  }

  #failed(draft: Draft, error: unknown): void {
    const failed = { ...draft, failure: errorText(error) };
    this.#show({ drafts: this.view.value.drafts.map((each) => (each.id === draft.id ? failed : each)) });
  }

  /** Messages find their places; what a notice names goes from the screen, and is not shown when it comes later. */
  #take(arrived: readonly Arrived[]): void {
    const notices = arrived.filter(({ event }) => this.#removals.learn(event));
    if (notices.length > 0) this.#show({ messages: this.view.value.messages.map((one) => this.#shown(one)) });
    const messages = arrived
      .map(({ event, cursor }) => messageOf(event, cursor))
      .filter((message) => message !== undefined);
    if (messages.length > 0) this.#add(messages.map((message) => this.#shown(message)));
  }

  #shown(message: Message): Message {
    return this.#removals.isGone(message) ? removedMessage(message) : message;
  }

  #add(added: readonly Message[]): void {
    const { messages: known, drafts, appended } = this.view.value;
    const messages = merge(known, added);
    const newest = known.at(-1)?.seq ?? 0;
    const own = new Set(added.filter(({ authorId }) => authorId === this.#user.id).map(({ id }) => id));
    this.#show({
      messages,
      appended: appended + messages.filter(({ seq }) => seq > newest).length,
      drafts: drafts.some(({ id }) => own.has(id)) ? drafts.filter(({ id }) => !own.has(id)) : drafts,
    });
  }

  #connectionChanged(state: FollowState): void {
    const { isLoaded, messages } = this.view.value;
    const connection = { ...state, lastEventAtMs: state.lastEventAtMs ?? messages.at(-1)?.at };
    if (connection.phase !== 'live' || isLoaded) return this.#show({ connection });
    // A full first page means that there may be more; the first look for it finds out.
    this.#show({ connection, isLoaded: true, hasEarlier: messages.length >= pageSize });
  }

  /** After a reset what is shown may have a gap, or belong to another life of the board. */
  async #reload(): Promise<void> {
    try {
      const page = await this.#history(undefined);
      this.#show({ messages: [], hasEarlier: page.hasEarlier, isLoaded: true, failure: undefined });
      this.#take(page.events);
    } catch (error) {
      if (error instanceof BoardwireError) this.#show({ failure: errorText(error) });
    }
  }

  async #history(before: string | undefined): Promise<{ events: Arrived[]; hasEarlier: boolean }> {
    const options = { subjects: lobby.reads, limit: pageSize, ...(before === undefined ? {} : { before }) };
    const { events, prev } = await this.#client.history(lobby.board, options);
    this.#earlierThan = prev ?? undefined;
    return { events: events.map((item) => ({ event: item, cursor: item.cursor })), hasEarlier: prev !== null };
  }

  #show(change: Partial<RoomView>): void {
    this.view.set({ ...this.view.value, ...change });
  }
}

/** The reader first and once, whatever the site's list says; the others by name. */
export function selfFirst(self: User, users: readonly PresentUser[]): PresentUser[] {
  const others = users.filter(({ id }) => id !== self.id).sort((one, other) => one.name.localeCompare(other.name));
  return [{ id: self.id, name: self.name }, ...others];
}

/** Each once, also who writes on both subjects. */
function namesOf(typists: readonly Typist[]): string[] {
  return [...new Map(typists.map(({ user }) => [user.id, user.name])).values()];
}
