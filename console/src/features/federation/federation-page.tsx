import { useMemo } from 'react';
import { useClient, useSession } from '../../realtime/client-context.tsx';
import { mayAdminister } from '../../realtime/rights.ts';
import { Notice } from '../../ui/notice.tsx';
import { usePageTitle } from '../../ui/use-page-title.ts';
import { FederationApi } from './federation-api.ts';
import { FederationDesk } from './federation-desk.tsx';
import classes from './federation-desk.module.css';

/** Boards that are shared with other sites, for who administers this one. */
export default function FederationPage() {
  usePageTitle('Federation');
  const client = useClient();
  const user = useSession()?.user;
  const api = useMemo(() => new FederationApi(client), [client]);
  return (
    <div className={classes.page}>
      <h1 className={classes.hidden}>Federation</h1>
      {mayAdminister(user) ? (
        <FederationDesk api={api} />
      ) : (
        <Notice icon="sites" title="Federation is not open to this account" isError>
          Only administrators decide with whom this site shares its boards.
        </Notice>
      )}
    </div>
  );
}
