import type { AuditHealth } from '@boardwire/contracts';
import { useEffect, type ReactNode } from 'react';
import { Icon } from '../../ui/icon.tsx';
import { useNow } from '../../ui/use-now.ts';
import { ageText } from './age-text.ts';
import type { AuditApi } from './audit-api.ts';
import { GapList } from './gap-list.tsx';
import classes from './health-strip.module.css';
import { LogTrustNote } from './log-trust-note.tsx';
import { useHealth } from './use-health.ts';
import type { LogWatch } from './verify/log-watch.ts';
import { WitnessList } from './witness-list.tsx';

/** How far the log is, how old its last signature is, who vouches for it, and what is missing from it. */
export function HealthStrip({ api, watch }: { api: AuditApi; watch: LogWatch }) {
  const { health, readAt, failure } = useHealth(api);
  const signedSize = health?.checkpoint?.size;
  useEffect(() => {
    if (signedSize !== undefined) void watch.check();
  }, [watch, signedSize]);
  return (
    <section aria-label="State of the log">
      <div className={classes.strip}>
        {health === undefined ? (
          <span className={classes.dimmed}>{failure ?? 'Looking at the log'}</span>
        ) : (
          <Figures health={health} readAt={readAt} />
        )}
        {health !== undefined && failure !== undefined && (
          <span role="alert" className={classes.failure}>
            {failure}
          </span>
        )}
        <LogTrustNote watch={watch} />
      </div>
      {health !== undefined && health.gaps > 0 && <GapList health={health} />}
    </section>
  );
}

function Figures({ health, readAt }: { health: AuditHealth; readAt: number }) {
  const { size, checkpoint, witnesses, gaps, epoch, former, legal_hold: isHeld, retention_days: days } = health;
  return (
    <dl className={classes.figures}>
      <Figure name="Entries">{size.toLocaleString()}</Figure>
      <Figure name="Checkpoint">
        {checkpoint === null ? (
          'none yet'
        ) : (
          <CheckpointAge {...checkpoint} size={size} signed={checkpoint.size} readAt={readAt} />
        )}
      </Figure>
      <Figure name="Witnesses">
        <WitnessList witnesses={witnesses} readAt={readAt} />
      </Figure>
      <Figure name="Gaps" isBad={gaps > 0}>
        {gaps === 0 ? 'none' : gaps}
      </Figure>
      {former.length > 0 && <Figure name="Epoch">{`${former.length + 1}, ${epoch}`}</Figure>}
      {isHeld && <Figure name="Retention">legal hold</Figure>}
      {!isHeld && days !== null && <Figure name="Retention">{days} days</Figure>}
    </dl>
  );
}

/** A log that has grown since is signed again within seconds; one that rests may have an old signature. */
const lateMs = 10_000;

function CheckpointAge(props: { ageMs: number; size: number; signed: number; readAt: number }) {
  const { ageMs, size, signed, readAt } = props;
  const age = ageMs + Math.max(0, useNow(1_000) - readAt);
  const isLate = size > signed && ageMs > lateMs;
  return (
    <span data-bad={isLate || undefined} className={classes.age}>
      {isLate && <Icon name="alert" size={14} />}
      {ageText(age)} old{isLate ? `, ${(size - signed).toLocaleString()} entries not signed` : ''}
    </span>
  );
}

function Figure({ name, isBad = false, children }: { name: string; isBad?: boolean; children: ReactNode }) {
  return (
    <div className={classes.figure} data-bad={isBad || undefined}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
