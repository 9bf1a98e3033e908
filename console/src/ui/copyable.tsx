import { ActionIcon, CopyButton } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './copyable.module.css';
import { Icon } from './icon.tsx';

/** Something to be read out or taken along, with a button that copies all of it. */
export function Copyable({ text, name, children }: { text: string; name: string; children?: ReactNode }) {
  return (
    <span className={classes.copyable}>
      <code className={classes.text} title={text}>
        {children ?? text}
      </code>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <ActionIcon
            variant="subtle"
            color="gray"
            size="sm"
            onClick={copy}
            aria-label={copied ? `${name} copied` : `Copy ${name}`}
            title={copied ? 'Copied' : `Copy ${name}`}
          >
            <Icon name={copied ? 'check' : 'copy'} size={14} />
          </ActionIcon>
        )}
      </CopyButton>
    </span>
  );
}
