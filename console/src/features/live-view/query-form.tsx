import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import { exampleFilters, readFilters } from './subject-filters.ts';
import type { LiveQuery, StartingPoint } from './live-window.ts';
import classes from './live-view-page.module.css';
import { useBoards } from './use-boards.ts';

const startingPoints: { value: StartingPoint; label: string }[] = [
  { value: 'last', label: 'Newest 50, then live' },
  { value: 'now', label: 'From now on' },
  { value: 'start', label: 'From the beginning' },
];

/** Which board, which subjects, from where. */
export function QueryForm({ query, onWatch }: { query: LiveQuery; onWatch: (query: LiveQuery) => void }) {
  const { boards, failure } = useBoards();
  const [text, setText] = useState(query.subjects.join(' '));
  const { filters, problem } = readFilters(text);
  // While the line is not a filter, the other fields change what is watched already.
  const subjects = problem === undefined ? filters : query.subjects;
  const watch = (change: Partial<LiveQuery>) => onWatch({ ...query, subjects, ...change });
  const onSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (problem === undefined) watch({});
  };
  const choices = boards?.map(({ slug, title }) => ({ value: slug, label: `${title} (${slug})` })) ?? [];
  if (!choices.some(({ value }) => value === query.board)) choices.unshift({ value: query.board, label: query.board });

  return (
    <form className={classes.form} onSubmit={onSubmit} aria-label="What to watch">
      <NativeSelect
        label="Board"
        data={choices}
        value={query.board}
        onChange={(event) => watch({ board: event.currentTarget.value })}
        error={failure}
      />
      <div className={classes.filter}>
        <TextInput
          label="Subjects"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          error={problem}
          placeholder=">"
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
          dir="ltr"
          classNames={{ input: classes.mono ?? '' }}
        />
        <Examples onPick={(filter) => watch({ subjects: [filter] })} />
      </div>
      <NativeSelect
        label="Start"
        data={
          query.after === undefined ? startingPoints : [{ value: '', label: 'Around one event' }, ...startingPoints]
        }
        value={query.after === undefined ? query.from : ''}
        onChange={(event) => watch({ from: event.currentTarget.value as StartingPoint })}
      />
      <Button type="submit" disabled={problem !== undefined} className={classes.submit ?? ''}>
        Watch
      </Button>
    </form>
  );
}

function Examples({ onPick }: { onPick: (filter: string) => void }) {
  return (
    <div className={classes.examples}>
      <span>Examples:</span>
      {exampleFilters.map((filter) => (
        <button key={filter} type="button" className={classes.example} onClick={() => onPick(filter)}>
          {filter}
        </button>
      ))}
    </div>
  );
}
