import { Button, CopyButton } from '@mantine/core';
import { useStore } from '../../realtime/store.ts';
import { Icon } from '../../ui/icon.tsx';
import classes from './health-strip.module.css';
import { isAlarm, type GrowthState } from './verify/judge-growth.ts';
import { canCheck, type LogTrust, type LogWatch } from './verify/log-watch.ts';

/** Whether the log is still the one that this browser knows. A contradiction stays until the reader puts it aside. */
export function LogTrustNote({ watch }: { watch: LogWatch }) {
  const { judgement, evidence, failure } = useStore(watch.trust);
  if (!canCheck()) {
    return <span className={classes.dimmed}>Not checked: this page did not come over HTTPS</span>;
  }
  if (judgement === undefined) return <span className={classes.dimmed}>{failure ?? 'Checking the log'}</span>;
  const { state, finding } = judgement;
  if (!isAlarm(state) && state !== 'new_epoch') {
    return (
      <span className={classes.trust} role="status" title={finding}>
        <Icon name={state === 'unsupported' ? 'alert' : 'check'} size={14} />
        {notes[state]}
      </span>
    );
  }
  return (
    <div className={classes.alarm} role="alert" data-mild={state === 'new_epoch' || undefined}>
      <strong>
        <Icon name="alert" size={16} /> {notes[state]}
      </strong>
      <p>{finding}</p>
      <Remedies evidence={evidence} watch={watch} />
    </div>
  );
}

const notes: Readonly<Record<GrowthState, string>> = {
  first: 'Signed; seen for the first time',
  same: 'Signed, and unchanged',
  grown: 'Signed, and only grown since last seen',
  unsupported: 'Signature not checked: no Ed25519 in this browser',
  new_epoch: 'The log began a new epoch',
  rolled_back: 'The log was rolled back',
  forked: 'The log was forked: its past is not what it was',
  other_key: 'The log has another key than before',
  badly_signed: 'The log’s checkpoint is not properly signed',
};

function Remedies({ evidence, watch }: { evidence: LogTrust['evidence']; watch: LogWatch }) {
  if (evidence === undefined) return null;
  const { seen, newest } = evidence;
  const text = `Seen ${seen.at}, key ${seen.keyLine}\n\n${seen.note}\nNow\n\n${newest}`;
  return (
    <div className={classes.remedies}>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <Button size="compact-xs" variant="default" onClick={copy}>
            {copied ? 'Copied' : 'Copy both checkpoints'}
          </Button>
        )}
      </CopyButton>
      <Button size="compact-xs" variant="default" onClick={() => void watch.accept()}>
        Go on with what is shown now
      </Button>
    </div>
  );
}
