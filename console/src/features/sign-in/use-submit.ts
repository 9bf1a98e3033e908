import { useState, type SubmitEvent } from 'react';
import { errorText } from '../../ui/error-text.ts';

/** Runs a form's action: once at a time, with its failure as a sentence. */
export function useSubmit(action: () => Promise<unknown>) {
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();
  async function run(): Promise<void> {
    setBusy(true);
    setFailure(undefined);
    try {
      await action();
    } catch (error) {
      setFailure(errorText(error));
      setBusy(false);
    }
  }
  const onSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!isBusy) void run();
  };
  return { isBusy, failure, onSubmit };
}
