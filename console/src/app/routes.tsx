import { createBrowserRouter, Navigate } from 'react-router';
import { AxonChatPage } from '../features/axonchat/axonchat-page.tsx';
import { LiveViewPage } from '../features/live-view/live-view-page.tsx';
import { SignInPage } from '../features/sign-in/sign-in-page.tsx';
import { ErrorPage } from './error-page.tsx';
import { lazyScreen } from './lazy-screen.tsx';
import { NotFoundPage } from './not-found-page.tsx';
import { SignedIn } from './signed-in.tsx';

/** Few people audit or administer: what only they need is fetched when they come. */
const AuditScreen = lazyScreen(() => import('../features/audit/audit-page.tsx'));
const FederationScreen = lazyScreen(() => import('../features/federation/federation-page.tsx'));

/** One line per screen; its entry in the side bar is in navigation.ts. */
export const router = createBrowserRouter([
  { path: '/sign-in', Component: SignInPage, ErrorBoundary: ErrorPage },
  {
    Component: SignedIn,
    ErrorBoundary: ErrorPage,
    children: [
      { index: true, element: <Navigate to="/axonchat" replace /> },
      { path: '/axonchat', Component: AxonChatPage },
      { path: '/live', Component: LiveViewPage },
      { path: '/audit', Component: AuditScreen },
      { path: '/federation', Component: FederationScreen },
      { path: '*', Component: NotFoundPage },
    ],
  },
]);
