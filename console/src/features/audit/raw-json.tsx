import { Button, CopyButton } from '@mantine/core';
import type { AuditEntry } from '@boardwire/contracts';
import { Icon } from '../../ui/icon.tsx';
import classes from './entry-drawer.module.css';

/** The entry as the site answers it. */
export function RawJson({ entry }: { entry: AuditEntry }) {
  const json = JSON.stringify(entry, null, 2);
  return (
    <section aria-label="Raw JSON">
      <div className={classes.row}>
        <h3 className={classes.section}>Raw JSON</h3>
        <span className={classes.links}>
          <Copy text={entry.record} label="Copy the record" />
          <Copy text={json} label="Copy all" />
        </span>
      </div>
      {/* Focusable, because a keyboard must be able to scroll it. */}
      <pre className={classes.json} tabIndex={0}>
        {json}
      </pre>
    </section>
  );
}

function Copy({ text, label }: { text: string; label: string }) {
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<Icon name={copied ? 'check' : 'copy'} size={13} />}
          onClick={copy}
        >
          {copied ? 'Copied' : label}
        </Button>
      )}
    </CopyButton>
  );
}
