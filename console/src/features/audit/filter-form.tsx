import { Button, NativeSelect, TagsInput, TextInput } from '@mantine/core';
import { readinessLevels, type AuditFacets } from '@boardwire/contracts';
import { useEffect, useState, type SubmitEvent } from 'react';
import { withFilter, type Filter, type FilterName } from './explorer-address.ts';
import classes from './filter-form.module.css';
import { filterLabels } from './filter-names.ts';
import { instantOf, localInputOf } from './instants.ts';

interface FilterFormProps {
  filter: Filter;
  /** What there is to choose from, beside whatever is typed. */
  facets: AuditFacets['facets'] | undefined;
  onApply: (filter: Filter) => void;
  onClose: () => void;
}

const several = ['board', 'actor', 'action', 'outcome', 'type', 'site', 'peer', 'trace', 'event_id', 'hash'] as const;

/** Every condition there is. They take effect together, and then stand in the address. */
export function FilterForm({ filter, facets, onApply, onClose }: FilterFormProps) {
  const [draft, setDraft] = useState(filter);
  // What is changed elsewhere is taken over; the form stays, and with it the focus.
  const filterKey = JSON.stringify(filter);
  useEffect(() => setDraft(JSON.parse(filterKey) as Filter), [filterKey]);
  const set = (name: FilterName, values: readonly string[]) => setDraft((before) => withFilter(before, name, values));
  const onSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    onApply(draft);
  };
  return (
    <form className={classes.form} onSubmit={onSubmit} aria-label="Filters">
      <Choice name="kind" values={['event', 'decision']} {...{ draft, set }} />
      {several.map((name) => (
        <TagsInput
          key={name}
          size="xs"
          label={filterLabels[name]}
          data={suggestions(facets, name)}
          value={[...(draft[name] ?? [])]}
          onChange={(values) => set(name, values)}
          acceptValueOnBlur
          comboboxProps={{ withinPortal: false }}
        />
      ))}
      <Line name="subject" placeholder="AxonChat.>" {...{ draft, set }} />
      <Choice name="readiness" values={readinessLevels} {...{ draft, set }} />
      <Line name="symbol" placeholder="part of it" {...{ draft, set }} />
      <Choice name="forced_hold" values={['true', 'false']} {...{ draft, set }} />
      <Instant name="from" {...{ draft, set }} />
      <Instant name="to" {...{ draft, set }} />
      <div className={classes.buttons}>
        <Button type="submit" size="compact-sm">
          Apply
        </Button>
        <Button size="compact-sm" variant="default" onClick={onClose}>
          Close
        </Button>
      </div>
    </form>
  );
}

interface FieldProps {
  name: FilterName;
  draft: Filter;
  set: (name: FilterName, values: readonly string[]) => void;
}

function Choice({ name, values, draft, set }: FieldProps & { values: readonly string[] }) {
  return (
    <NativeSelect
      size="xs"
      label={filterLabels[name]}
      value={draft[name]?.[0] ?? ''}
      data={[{ value: '', label: 'any' }, ...values.map((value) => ({ value, label: choiceTexts[value] ?? value }))]}
      onChange={({ currentTarget: { value } }) => set(name, value === '' ? [] : [value])}
    />
  );
}

const choiceTexts: Readonly<Record<string, string>> = { true: 'yes', false: 'no' };

function Line({ name, placeholder, draft, set }: FieldProps & { placeholder: string }) {
  return (
    <TextInput
      size="xs"
      label={filterLabels[name]}
      placeholder={placeholder}
      value={draft[name]?.[0] ?? ''}
      onChange={({ currentTarget: { value } }) => set(name, value === '' ? [] : [value])}
      spellCheck={false}
      autoComplete="off"
    />
  );
}

function Instant({ name, draft, set }: FieldProps) {
  return (
    <TextInput
      size="xs"
      type="datetime-local"
      step={1}
      label={filterLabels[name]}
      value={localInputOf(draft[name]?.[0])}
      onChange={({ currentTarget: { value } }) => {
        const instant = instantOf(value);
        set(name, instant === undefined ? [] : [instant]);
      }}
    />
  );
}

function suggestions(facets: FilterFormProps['facets'], name: (typeof several)[number]): string[] {
  const known = facets as Readonly<Record<string, readonly { value: string }[]>> | undefined;
  return known?.[name]?.map(({ value }) => value) ?? [];
}
