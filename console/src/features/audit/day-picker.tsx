import { ActionIcon, Button, Popover } from '@mantine/core';
import { useEffect, useState } from 'react';
import { errorText } from '../../ui/error-text.ts';
import { Icon } from '../../ui/icon.tsx';
import type { AuditApi } from './audit-api.ts';
import { shiftDay, shortDayName, type Day } from './calendar.ts';
import { DayGrid } from './day-grid.tsx';
import classes from './day-picker.module.css';
import { withFilter, type Filter } from './explorer-address.ts';

interface DayPickerProps {
  api: AuditApi;
  filter: Filter;
  onChange: (filter: Filter) => void;
}

/** One day of the log, chosen by how much happened on it; or all of them. */
export function DayPicker({ api, filter, onChange }: DayPickerProps) {
  const [isOpen, setOpen] = useState(false);
  const day = filter.day?.[0];
  const board = filter.board?.length === 1 ? filter.board[0] : undefined;
  const choose = (next: Day | undefined) => {
    setOpen(false);
    onChange(withFilter(filter, 'day', next === undefined ? [] : [next]));
  };
  return (
    <div className={classes.picker} role="group" aria-label="Day">
      {day !== undefined && <Step label="Day before" icon="back" onClick={() => choose(shiftDay(day, -1))} />}
      <Popover
        opened={isOpen}
        onChange={setOpen}
        trapFocus
        returnFocus
        position="bottom-start"
        withinPortal={false}
        transitionProps={{ duration: 0 }}
      >
        <Popover.Target>
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<Icon name="calendar" size={14} />}
            onClick={() => setOpen(!isOpen)}
          >
            {day === undefined ? 'All days' : shortDayName(day)}
          </Button>
        </Popover.Target>
        <Popover.Dropdown className={classes.dropdown ?? ''} aria-label="Choose a day">
          {isOpen && <Days api={api} board={board} day={day} onChoose={choose} />}
        </Popover.Dropdown>
      </Popover>
      {day !== undefined && <Step label="Day after" icon="chevron" onClick={() => choose(shiftDay(day, 1))} />}
    </div>
  );
}

function Step({ label, icon, onClick }: { label: string; icon: 'back' | 'chevron'; onClick: () => void }) {
  return (
    <ActionIcon variant="subtle" color="gray" size="sm" onClick={onClick} aria-label={label} title={label}>
      <Icon name={icon} size={14} />
    </ActionIcon>
  );
}

interface DaysProps {
  api: AuditApi;
  board: string | undefined;
  day: Day | undefined;
  onChoose: (day: Day | undefined) => void;
}

function Days({ api, board, day, onChoose }: DaysProps) {
  const [counts, setCounts] = useState<ReadonlyMap<Day, number>>();
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    const abort = new AbortController();
    api.days(board, abort.signal).then(
      ({ days }) => setCounts(new Map(days.map((each) => [each.day, each.entries]))),
      (error: unknown) => {
        if (!abort.signal.aborted) setFailure(errorText(error));
      },
    );
    return () => abort.abort();
  }, [api, board]);
  return (
    <>
      <p className={classes.caption}>{board === undefined ? 'Entries of each day' : `Entries of ${board} each day`}</p>
      {failure !== undefined && (
        <p role="alert" className={classes.failure}>
          {failure}
        </p>
      )}
      <DayGrid counts={counts} chosen={day} onChoose={onChoose} />
      <Button size="compact-sm" variant="subtle" fullWidth mt={6} onClick={() => onChoose(undefined)}>
        All days
      </Button>
    </>
  );
}
