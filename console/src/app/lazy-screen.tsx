import { Center, Loader } from '@mantine/core';
import { lazy, Suspense, type ComponentType } from 'react';

/** A screen whose code is fetched when somebody goes there. */
export function lazyScreen(load: () => Promise<{ default: ComponentType }>): ComponentType {
  const Screen = lazy(load);
  return function LazyScreen() {
    return (
      <Suspense fallback={loading}>
        <Screen />
      </Suspense>
    );
  };
}

const loading = (
  <Center h="100%">
    <Loader aria-label="Loading the screen" />
  </Center>
);
