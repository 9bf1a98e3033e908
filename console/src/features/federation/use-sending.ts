import { useState } from 'react';
import { errorText } from '../../ui/error-text.ts';

/** One request of a dialog: whether it is under way, and what it was refused with. */
export function useSending<T>(onAnswer: (answer: T) => void) {
  const [isSending, setSending] = useState(false);
  const [failure, setFailure] = useState<string>();
  const send = (request: () => Promise<T>) => {
    if (isSending) return;
    setSending(true);
    setFailure(undefined);
    request()
      .then(onAnswer, (error: unknown) => setFailure(errorText(error)))
      .finally(() => setSending(false));
  };
  return { isSending, failure, send };
}
