import { MantineProvider } from '@mantine/core';
import { RouterProvider } from 'react-router';
import { ClientProvider } from '../realtime/client-context.tsx';
import { router } from './routes.tsx';
import { styleNonce } from './style-nonce.ts';
import { cssVariables, theme } from './theme.ts';

export function App() {
  return (
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      getStyleNonce={styleNonce}
      cssVariablesResolver={cssVariables}
    >
      <ClientProvider>
        <RouterProvider router={router} />
      </ClientProvider>
    </MantineProvider>
  );
}
