import type { Board } from '@boardwire/contracts';
import { useEffect, useState } from 'react';
import { useClient } from '../../realtime/client-context.tsx';
import { errorText } from '../../ui/error-text.ts';

/** The boards that the reader may see. */
export function useBoards(): { boards: Board[] | undefined; failure: string | undefined } {
  const client = useClient();
  const [boards, setBoards] = useState<Board[]>();
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    const abort = new AbortController();
    client.boards(abort.signal).then(setBoards, (error: unknown) => {
      if (!abort.signal.aborted) setFailure(errorText(error));
    });
    return () => abort.abort();
  }, [client]);
  return { boards, failure };
}
