import { Button, Menu } from '@mantine/core';
import { useRef, useState } from 'react';
import { errorText } from '../../ui/error-text.ts';
import { Icon } from '../../ui/icon.tsx';
import type { AuditApi } from './audit-api.ts';
import { download, type DownloadFormat } from './download.ts';
import classes from './download-menu.module.css';
import type { ExplorerAddress } from './explorer-address.ts';

type Progress = { bytes: number } | { failure: string } | { done: string } | undefined;

/** All entries that match, not only those on the screen, in the same order. */
export function DownloadMenu({ api, address }: { api: AuditApi; address: ExplorerAddress }) {
  const [progress, setProgress] = useState<Progress>();
  const running = useRef<AbortController>(undefined);
  const isRunning = progress !== undefined && 'bytes' in progress;
  const start = (format: DownloadFormat) => {
    const abort = new AbortController();
    running.current = abort;
    setProgress({ bytes: 0 });
    download(api, { ...address, format }, { signal: abort.signal, onBytes: (bytes) => setProgress({ bytes }) }).then(
      (done) => setProgress({ done }),
      (error: unknown) => setProgress(abort.signal.aborted ? undefined : { failure: errorText(error) }),
    );
  };
  return (
    <div className={classes.download}>
      {isRunning ? (
        <Button size="compact-sm" variant="default" onClick={() => running.current?.abort()}>
          Stop the download
        </Button>
      ) : (
        <Menu position="bottom-end" withinPortal={false} transitionProps={{ duration: 0 }}>
          <Menu.Target>
            <Button size="compact-sm" variant="default" leftSection={<Icon name="download" size={14} />}>
              Download
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => start('jsonl')}>JSON lines, with a hash over all of it</Menu.Item>
            <Menu.Item onClick={() => start('csv')}>CSV</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
      <span role="status" className={classes.progress}>
        {progress !== undefined && progressText(progress)}
      </span>
    </div>
  );
}

function progressText(progress: NonNullable<Progress>): string {
  if ('failure' in progress) return `Not downloaded. ${progress.failure}`;
  if ('done' in progress) return progress.done;
  return `${(progress.bytes / 1e6).toFixed(1)} MB`;
}
