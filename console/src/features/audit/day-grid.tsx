import { ActionIcon } from '@mantine/core';
import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import { Icon } from '../../ui/icon.tsx';
import {
  dayWords,
  monthName,
  monthOf,
  shiftDay,
  shiftDayByMonths,
  shiftMonth,
  weekdayNames,
  weeksOf,
  type Day,
} from './calendar.ts';
import classes from './day-picker.module.css';

interface DayGridProps {
  /** Undefined until they are known. */
  counts: ReadonlyMap<Day, number> | undefined;
  chosen: Day | undefined;
  onChoose: (day: Day) => void;
}

/** A month to walk through by arrows (ARIA grid): each day with its count, also those without any. */
export function DayGrid({ counts, chosen, onChoose }: DayGridProps) {
  const [active, setActive] = useState<Day>(chosen ?? new Date().toISOString().slice(0, 10));
  const grid = useRef<HTMLTableElement>(null);
  const hasMoved = useRef(false);
  const month = monthOf(active);
  useEffect(() => {
    // Not at the first show: the popover has its own first stop then.
    if (hasMoved.current) grid.current?.querySelector<HTMLElement>(`[data-day="${active}"]`)?.focus();
  }, [active]);
  const onKeyDown = (event: KeyboardEvent) => {
    const next = neighbour(active, event.key);
    if (next === undefined) return;
    event.preventDefault();
    hasMoved.current = true;
    setActive(next);
  };
  const turn = (months: number) => {
    hasMoved.current = false;
    setActive(shiftDayByMonths(active, months));
  };
  const most = Math.max(1, ...(counts?.values() ?? []));
  return (
    <>
      <div className={classes.month}>
        <Turn label={`Month before: ${monthName(shiftMonth(month, -1))}`} icon="back" onClick={() => turn(-1)} />
        <span aria-live="polite">{monthName(month)}</span>
        <Turn label={`Month after: ${monthName(shiftMonth(month, 1))}`} icon="chevron" onClick={() => turn(1)} />
      </div>
      <table role="grid" aria-label={monthName(month)} className={classes.grid} ref={grid} onKeyDown={onKeyDown}>
        <thead>
          <tr>
            {weekdayNames.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeksOf(month).map((week) => (
            <tr key={week[0]}>
              {week.map((day) => (
                <DayCell
                  key={day}
                  {...{ day, counts, most, onChoose }}
                  isChosen={day === chosen}
                  isStop={day === active}
                  isOther={monthOf(day) !== month}
                />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function Turn({ label, icon, onClick }: { label: string; icon: 'back' | 'chevron'; onClick: () => void }) {
  return (
    <ActionIcon variant="subtle" color="gray" size="sm" onClick={onClick} aria-label={label}>
      <Icon name={icon} size={14} />
    </ActionIcon>
  );
}

interface DayCellProps extends Pick<DayGridProps, 'counts' | 'onChoose'> {
  day: Day;
  most: number;
  isChosen: boolean;
  isStop: boolean;
  isOther: boolean;
}

function DayCell({ day, counts, most, isChosen, isStop, isOther, onChoose }: DayCellProps) {
  const count = counts?.get(day) ?? 0;
  const entries = counts === undefined ? '' : count === 0 ? ', no entries' : `, ${count.toLocaleString()} entries`;
  const { before, number, after } = dayWords(day);
  return (
    <td role="gridcell" aria-selected={isChosen}>
      <button
        type="button"
        className={classes.day}
        data-day={day}
        data-chosen={isChosen || undefined}
        data-other={isOther || undefined}
        data-share={shareOf(count, most)}
        tabIndex={isStop ? 0 : -1}
        onClick={() => onChoose(day)}
      >
        {/* One name for who hears it, of which who sees it sees the number. */}
        <span>
          <span className={classes.hidden}>{before}</span>
          {number}
          <span className={classes.hidden}>
            {after}
            {entries}
          </span>
        </span>
        <span className={classes.count} aria-hidden="true">
          {count === 0 ? '–' : shortCount.format(count)}
        </span>
      </button>
    </td>
  );
}

const shortCount = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** Four shades, by magnitude: one busy day must not make all others look alike. */
function shareOf(count: number, most: number): number {
  return count === 0 ? 0 : Math.max(1, Math.ceil((4 * Math.log(count + 1)) / Math.log(most + 1)));
}

function neighbour(day: Day, key: string): Day | undefined {
  const weekday = (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
  const days: Record<string, number> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -7,
    ArrowDown: 7,
    Home: -weekday,
    End: 6 - weekday,
  };
  if (days[key] !== undefined) return shiftDay(day, days[key]);
  if (key === 'PageUp') return shiftDayByMonths(day, -1);
  return key === 'PageDown' ? shiftDayByMonths(day, 1) : undefined;
}
