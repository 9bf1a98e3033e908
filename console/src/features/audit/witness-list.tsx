import type { AuditHealth } from '@boardwire/contracts';
import type { ReactNode } from 'react';
import { useNow } from '../../ui/use-now.ts';
import { ageText } from './age-text.ts';
import classes from './health-strip.module.css';

type Witness = AuditHealth['witnesses'][number];

/** One that has not been heard for an hour is no witness of what the log says now. */
const silentMs = 3_600_000;

/** Which other sites have cosigned checkpoints, how large the log was then, and how long ago that is. */
export function WitnessList({ witnesses, readAt }: { witnesses: readonly Witness[]; readAt: number }): ReactNode {
  const sinceMs = Math.max(0, useNow(1_000) - readAt);
  if (witnesses.length === 0) return 'none';
  return witnesses.map((witness, at) => (
    <span
      key={witness.name}
      title={titleOf(witness)}
      data-bad={witness.ageMs + sinceMs > silentMs || undefined}
      className={classes.age}
    >
      {`${shortName(witness.name)}, ${ageText(witness.ageMs + sinceMs)} ago`}
      {at < witnesses.length - 1 ? '; ' : ''}
    </span>
  ));
}

const titleOf = ({ name, size, epoch, at }: Witness) => `${name} has cosigned ${size} entries of epoch ${epoch}, ${at}`;

/** Site ids are long: their beginning tells those of one's peers apart. */
function shortName(name: string): string {
  const last = name.slice(name.lastIndexOf('/') + 1);
  return last.length > 14 ? `${last.slice(0, 11)}…` : last;
}
