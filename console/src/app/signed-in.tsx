import { Navigate, Outlet, useLocation } from 'react-router';
import { useSession } from '../realtime/client-context.tsx';
import { Shell } from './shell.tsx';

/** Everything behind it needs a session; the way back is remembered. */
export function SignedIn() {
  const session = useSession();
  const { pathname, search } = useLocation();
  if (session === undefined) return <Navigate to="/sign-in" replace state={{ from: pathname + search }} />;
  return (
    <Shell user={session.user}>
      <Outlet />
    </Shell>
  );
}
