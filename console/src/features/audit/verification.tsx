import { Button } from '@mantine/core';
import type { AuditEntry } from '@boardwire/contracts';
import { useEffect, useRef, useState } from 'react';
import { errorText } from '../../ui/error-text.ts';
import { Icon } from '../../ui/icon.tsx';
import type { AuditApi } from './audit-api.ts';
import classes from './entry-drawer.module.css';
import { VerificationSteps } from './verification-steps.tsx';
import { growthStep } from './verify/growth-step.ts';
import { canCheck, type LogWatch } from './verify/log-watch.ts';
import { verifyEntry, type Step } from './verify/verify-entry.ts';

interface VerificationProps {
  api: AuditApi;
  watch: LogWatch;
  entry: AuditEntry;
}

/** Checks the entry here, in the browser: the site's word that it is in the log is not taken. */
export function Verification({ api, watch, entry }: VerificationProps) {
  const [steps, setSteps] = useState<readonly Step[]>();
  const [failure, setFailure] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const isShown = useRef(true);
  useEffect(() => {
    isShown.current = true;
    return () => void (isShown.current = false);
  }, []);
  const run = async () => {
    if (isBusy) return;
    setBusy(true);
    setFailure(undefined);
    try {
      const found = await stepsOf(api, watch, entry);
      if (isShown.current) setSteps(found);
    } catch (error) {
      if (isShown.current) setFailure(errorText(error));
    } finally {
      if (isShown.current) setBusy(false);
    }
  };
  return (
    <section aria-label="Verification">
      <div className={classes.row}>
        <h3 className={classes.section}>Proof</h3>
        <Button
          size="compact-xs"
          leftSection={<Icon name="shield" size={13} />}
          disabled={!canCheck()}
          onClick={() => void run()}
        >
          {isBusy ? 'Verifying' : steps === undefined ? 'Verify in this browser' : 'Verify again'}
        </Button>
      </div>
      {!canCheck() && (
        <p className={classes.absence}>
          Browsers check hashes and signatures only on pages that came over HTTPS. The command line tool can do it too.
        </p>
      )}
      {failure !== undefined && (
        <p role="alert" className={classes.absence}>
          {failure}
        </p>
      )}
      {steps !== undefined && <VerificationSteps steps={steps} />}
    </section>
  );
}

async function stepsOf(api: AuditApi, watch: LogWatch, entry: AuditEntry): Promise<Step[]> {
  const [proof, keyLines] = await Promise.all([api.proof(entry.seq), api.keys()]);
  const steps = await verifyEntry({ entry, proof, keyLines });
  await watch.check();
  return [...steps, growthStep(watch.trust.value)];
}
