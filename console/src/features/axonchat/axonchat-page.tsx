import { Alert, Loader } from '@mantine/core';
import type { User } from '@boardwire/contracts';
import { useEffect } from 'react';
import { useClient, useSession } from '../../realtime/client-context.tsx';
import { useKept } from '../../realtime/kept.ts';
import { useStore } from '../../realtime/store.ts';
import { ConnectionBar } from '../../ui/connection-bar.tsx';
import { Notice } from '../../ui/notice.tsx';
import { usePageTitle } from '../../ui/use-page-title.ts';
import classes from './axonchat-page.module.css';
import { Composer } from './composer.tsx';
import { LobbyRoom } from './lobby-room.ts';
import { useWantedMessage } from './wanted-message.ts';
import { MessageList } from './message-list.tsx';
import { PeoplePanel } from './people-panel.tsx';
import { TypingLine } from './typing-line.tsx';

export function AxonChatPage() {
  usePageTitle('AxonChat');
  const user = useSession()?.user;
  // Another account is another room: nothing of the former stays on the screen.
  return user === undefined ? null : <Lobby key={user.id} user={user} />;
}

function Lobby({ user }: { user: User }) {
  const client = useClient();
  const room = useKept(`lobby of ${user.id}`, () => new LobbyRoom(client, user));
  useEffect(() => room.enter(), [room]);
  const view = useStore(room.view);
  const wanted = useWantedMessage();
  const isClosed = view.connection?.phase === 'closed';
  return (
    <div className={classes.page}>
      <h1 className={classes.title}>AxonChat</h1>
      <ConnectionBar state={view.connection} onReconnect={() => (isClosed ? room.reenter() : room.reconnect())} />
      {view.failure !== undefined && (
        <Alert color="red" role="alert" radius={0}>
          {view.failure}
        </Alert>
      )}
      <div className={classes.body}>
        <section className={classes.conversation} aria-label="Conversation">
          {view.isLoaded || view.messages.length > 0 ? (
            <MessageList room={room} view={view} user={user} wanted={wanted} />
          ) : isClosed ? (
            <Notice icon="alert" title="The conversation could not be loaded" isError>
              {view.connection?.error?.message}
            </Notice>
          ) : (
            <div className={classes.loading}>
              <Loader aria-label="Loading the conversation" />
            </div>
          )}
          <TypingLine names={view.typing} />
          <Composer onSend={(text) => room.send(text)} onType={(text) => room.typed(text)} />
        </section>
        <PeoplePanel people={view.people} selfId={user.id} />
      </div>
    </div>
  );
}
