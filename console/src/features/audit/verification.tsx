import { Button } from '@mantine/core';
import { BoardwireError } from '@boardwire/client';
import type { AuditDisclosure, AuditEntry } from '@boardwire/contracts';
import { useEffect, useRef, useState } from 'react';
import { errorText } from '../../ui/error-text.ts';
import { Icon } from '../../ui/icon.tsx';
import type { AuditApi } from './audit-api.ts';
import classes from './entry-drawer.module.css';
import { VerificationSteps } from './verification-steps.tsx';
import { contentStep } from './verify/content-step.ts';
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
  const isHeld = entry.detail_state === 'held';
  const [proof, keyLines, disclosed] = await Promise.all([
    api.proof(entry.seq),
    api.keys(),
    isHeld ? disclosureOf(api, entry.seq) : undefined,
  ]);
  const [fields, ...steps] = await verifyEntry({ entry, proof, keyLines });
  const content = isHeld ? [await contentStep(entry, disclosed)] : [];
  await watch.check();
  return [fields!, ...content, ...steps, growthStep(watch.trust.value)];
}

/** Content may be forgotten between the page's reading and this. */
async function disclosureOf(api: AuditApi, seq: number): Promise<AuditDisclosure | undefined> {
  try {
    return await api.disclosure(seq);
  } catch (error) {
    if (error instanceof BoardwireError && error.code === 'not_found') return undefined;
    throw error;
  }
}
