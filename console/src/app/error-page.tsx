import { Button } from '@mantine/core';
import { useRouteError } from 'react-router';
import { Notice } from '../ui/notice.tsx';

/** A screen that broke: says so instead of staying blank. The error itself is in the browser's console. */
export function ErrorPage() {
  const error = useRouteError();
  return (
    <Notice icon="alert" title="This screen stopped working" isError>
      <p>{error instanceof Error ? error.message : 'Unexpected error'}</p>
      <Button onClick={() => window.location.reload()}>Load again</Button>
    </Notice>
  );
}
