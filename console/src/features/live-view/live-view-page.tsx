import { useMemo } from 'react';
import { useSearchParams } from 'react-router';
import { useClient } from '../../realtime/client-context.tsx';
import { usePageTitle } from '../../ui/use-page-title.ts';
import classes from './live-view-page.module.css';
import { LiveWindow, type LiveQuery, type StartingPoint } from './live-window.ts';
import { LiveStream } from './live-stream.tsx';
import { QueryForm } from './query-form.tsx';

/** Any board as it happens. What is watched stands in the address, so it can be shared and survives a reload. */
export function LiveViewPage() {
  usePageTitle('Live view');
  const client = useClient();
  const [search, setSearch] = useSearchParams();
  const key = search.toString();
  const query = useMemo(() => queryOf(new URLSearchParams(key)), [key]);
  const liveWindow = useMemo(() => new LiveWindow(client, query), [client, query]);
  const watch = ({ board, subjects, from }: LiveQuery) => {
    const next = new URLSearchParams({ board, from });
    for (const subject of subjects) next.append('subject', subject);
    setSearch(next);
  };
  return (
    <div className={classes.page}>
      <h1 className={classes.title}>Live view</h1>
      <QueryForm key={`form ${key}`} query={query} onWatch={watch} />
      <LiveStream key={key} liveWindow={liveWindow} wantedId={query.eventId} />
    </div>
  );
}

const startingPoints: readonly StartingPoint[] = ['now', 'last', 'start'];

function queryOf(search: URLSearchParams): LiveQuery {
  const subjects = search.getAll('subject');
  return {
    board: search.get('board') ?? 'events',
    subjects: subjects.length > 0 ? subjects : ['>'],
    from: startingPoints.find((point) => point === search.get('from')) ?? 'last',
    after: search.get('after') ?? undefined,
    eventId: search.get('event') ?? undefined,
  };
}
