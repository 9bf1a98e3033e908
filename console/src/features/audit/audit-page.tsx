import { useMemo } from 'react';
import { useClient, useSession } from '../../realtime/client-context.tsx';
import { mayReadAudit } from '../../realtime/rights.ts';
import { Notice } from '../../ui/notice.tsx';
import { usePageTitle } from '../../ui/use-page-title.ts';
import { AuditApi } from './audit-api.ts';
import { AuditExplorer } from './audit-explorer.tsx';
import classes from './audit-explorer.module.css';

/** The audit log, for who may read it. */
export default function AuditPage() {
  usePageTitle('Audit');
  const client = useClient();
  const user = useSession()?.user;
  const api = useMemo(() => new AuditApi(client), [client]);
  return (
    <div className={classes.page}>
      <h1 className={classes.title}>Audit</h1>
      {mayReadAudit(user) ? (
        <AuditExplorer api={api} />
      ) : (
        <Notice icon="shield" title="The audit log is not open to this account" isError>
          Reading it needs the role auditor. Whoever administers this site can give it to you.
        </Notice>
      )}
    </div>
  );
}
