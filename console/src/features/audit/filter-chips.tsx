import { Button, VisuallyHidden } from '@mantine/core';
import { Icon } from '../../ui/icon.tsx';
import { localMoment } from '../../ui/time.ts';
import { conditionsOf, toggled, type Filter, type FilterName } from './explorer-address.ts';
import classes from './filter-chips.module.css';
import { filterLabels } from './filter-names.ts';

/** The conditions in force, each with a way to take it off. */
export function FilterChips({ filter, onChange }: { filter: Filter; onChange: (filter: Filter) => void }) {
  const conditions = conditionsOf(filter);
  if (conditions.length === 0) return null;
  return (
    <ul className={classes.chips} aria-label="Conditions">
      {conditions.map(({ name, value }) => (
        <li key={`${name} ${value}`}>
          <button type="button" className={classes.chip} onClick={() => onChange(toggled(filter, name, value))}>
            <VisuallyHidden>Remove the condition</VisuallyHidden>{' '}
            <span className={classes.name}>{filterLabels[name]}</span>{' '}
            <bdi className={classes.value}>{valueText(name, value)}</bdi>
            <Icon name="close" size={12} />
          </button>
        </li>
      ))}
      <li>
        <Button size="compact-xs" variant="subtle" onClick={() => onChange({})}>
          Clear all
        </Button>
      </li>
    </ul>
  );
}

function valueText(name: FilterName, value: string): string {
  const at = name === 'from' || name === 'to' ? Date.parse(value) : Number.NaN;
  if (name === 'forced_hold') return value === 'true' ? 'yes' : 'no';
  return Number.isNaN(at) ? value : localMoment(at);
}
