import { Center, Loader } from '@mantine/core';
import { lazy, Suspense } from 'react';

/** Few people audit: what only they need is fetched when they come. */
const AuditPage = lazy(() => import('../features/audit/audit-page.tsx'));

export function AuditScreen() {
  const loading = (
    <Center h="100%">
      <Loader aria-label="Loading the screen" />
    </Center>
  );
  return (
    <Suspense fallback={loading}>
      <AuditPage />
    </Suspense>
  );
}
