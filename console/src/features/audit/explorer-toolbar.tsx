import { Button, TextInput, VisuallyHidden } from '@mantine/core';
import { useEffect, useState, type SubmitEvent } from 'react';
import { Icon } from '../../ui/icon.tsx';
import type { AuditApi } from './audit-api.ts';
import { DayPicker } from './day-picker.tsx';
import { DownloadMenu } from './download-menu.tsx';
import type { EntryList, ListView } from './entry-list.ts';
import classes from './explorer-toolbar.module.css';
import { conditionsOf, withFilter, type ExplorerAddress } from './explorer-address.ts';

interface ExplorerToolbarProps {
  api: AuditApi;
  list: EntryList;
  view: ListView;
  address: ExplorerAddress;
  change: (part: Partial<ExplorerAddress>) => void;
  isFilterOpen: boolean;
  onFilterToggle: () => void;
}

export function ExplorerToolbar(props: ExplorerToolbarProps) {
  const { api, list, view, address, change, isFilterOpen, onFilterToggle } = props;
  const { filter, order } = address;
  const count = conditionsOf(filter).length;
  return (
    <div className={classes.toolbar} role="toolbar" aria-label="What is shown">
      <SearchField
        text={filter.q?.[0] ?? ''}
        onSearch={(text) => change({ filter: withFilter(filter, 'q', text === '' ? [] : [text]) })}
      />
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<Icon name="filter" size={14} />}
        aria-expanded={isFilterOpen}
        onClick={onFilterToggle}
      >
        {count === 0 ? 'Filters' : `Filters (${count})`}
      </Button>
      <DayPicker api={api} filter={filter} onChange={(next) => change({ filter: next })} />
      <Button
        size="compact-sm"
        variant="default"
        onClick={() => change({ order: order === 'newest' ? 'oldest' : 'newest', isLive: false })}
      >
        {order === 'newest' ? 'Newest first' : 'Oldest first'}
      </Button>
      <LiveButtons {...{ list, view, address, change }} />
      <DownloadMenu api={api} address={address} />
    </div>
  );
}

function SearchField({ text, onSearch }: { text: string; onSearch: (text: string) => void }) {
  const [draft, setDraft] = useState(text);
  useEffect(() => setDraft(text), [text]);
  const onSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    onSearch(draft.trim());
  };
  return (
    <form role="search" className={classes.search} onSubmit={onSubmit}>
      <TextInput
        size="xs"
        type="search"
        aria-label="Text in records and content"
        placeholder="Search records and content"
        leftSection={<Icon name="search" size={14} />}
        value={draft}
        maxLength={128}
        onChange={(event) => setDraft(event.currentTarget.value)}
        dir="auto"
      />
    </form>
  );
}

type LiveButtonsProps = Pick<ExplorerToolbarProps, 'list' | 'view' | 'address' | 'change'>;

/** Follow the end of the log, and hold still for a while. */
function LiveButtons({ list, view, address, change }: LiveButtonsProps) {
  const { isLive } = address;
  const { isPaused, heldBack, tail } = view;
  return (
    <>
      <Button
        size="compact-sm"
        variant={isLive ? 'filled' : 'default'}
        aria-pressed={isLive}
        leftSection={<span className={classes.dot} data-state={isLive ? (tail ?? 'connecting') : 'off'} />}
        onClick={() => change({ isLive: !isLive, order: 'newest' })}
      >
        Live
      </Button>
      {isLive ? (
        <Button
          size="compact-sm"
          variant={isPaused ? 'filled' : 'default'}
          leftSection={<Icon name={isPaused ? 'play' : 'pause'} size={14} />}
          aria-pressed={isPaused}
          onClick={() => list.setPaused(!isPaused)}
        >
          {isPaused ? `Resume${heldBack > 0 ? ` (${heldBack} arrived)` : ''}` : 'Pause'}
        </Button>
      ) : (
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<Icon name="retry" size={14} />}
          onClick={() => list.reload()}
        >
          Reload
        </Button>
      )}
      <span role="status" className={classes.state}>
        {/* Whoever sees the green dot needs no words for it. */}
        {isLive && tail === 'live' && <VisuallyHidden>{tailTexts.live}</VisuallyHidden>}
        {isLive && tail !== undefined && tail !== 'live' && tailTexts[tail]}
      </span>
    </>
  );
}

const tailTexts = {
  connecting: 'Connecting',
  live: 'Following the log',
  reconnecting: 'Connection lost, trying again',
  refused: 'The log can’t be followed',
} as const;
