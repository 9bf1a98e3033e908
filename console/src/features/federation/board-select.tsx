import { NativeSelect } from '@mantine/core';
import type { Board, FederationRoom } from '@boardwire/contracts';
import { neverFederated } from '@boardwire/contracts';
import { useEffect, useState } from 'react';
import { errorText } from '../../ui/error-text.ts';
import type { FederationApi } from './federation-api.ts';

interface BoardSelectProps {
  api: FederationApi;
  rooms: FederationRoom[];
  label: string;
  value: string;
  onChange: (board: string) => void;
}

/** The boards that may be shared and aren't yet; a board has one room. */
export function BoardSelect({ api, rooms, label, value, onChange }: BoardSelectProps) {
  const [boards, setBoards] = useState<Board[]>();
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    const abort = new AbortController();
    api.boards(abort.signal).then(setBoards, (error: unknown) => {
      if (!abort.signal.aborted) setFailure(errorText(error));
    });
    return () => abort.abort();
  }, [api]);
  const taken = new Set<string>([...rooms.map(({ board }) => board), ...neverFederated.boards]);
  const free = boards?.filter(({ slug }) => !taken.has(slug));
  const isEmpty = free?.length === 0;
  return (
    <NativeSelect
      label={label}
      required
      data={[
        { value: '', label: isEmpty ? 'Every board is shared already' : 'Choose a board', disabled: true },
        ...(free ?? []).map(({ slug, title }) => ({ value: slug, label: `${title} (${slug})` })),
      ]}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      error={failure}
    />
  );
}
