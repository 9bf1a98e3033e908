import type { ReactNode } from 'react';
import { Icon, type IconName } from './icon.tsx';
import classes from './notice.module.css';

/** The middle of a screen that has nothing else to show: empty, or failed. */
export function Notice({
  icon,
  title,
  isError = false,
  children,
}: {
  icon: IconName;
  title: string;
  isError?: boolean;
  children?: ReactNode;
}) {
  return (
    <div className={classes.notice} role={isError ? 'alert' : undefined}>
      <span className={classes.icon} data-error={isError || undefined}>
        <Icon name={icon} size={28} />
      </span>
      <h2 className={classes.title}>{title}</h2>
      <div className={classes.text}>{children}</div>
    </div>
  );
}
