import { ActionIcon, Loader } from '@mantine/core';
import { auditFacetNames, type AuditFacets } from '@boardwire/contracts';
import { Icon } from '../../ui/icon.tsx';
import { toggled, type Filter } from './explorer-address.ts';
import classes from './facet-panel.module.css';
import { filterLabels } from './filter-names.ts';
import type { FacetsView } from './use-facets.ts';

type FacetName = (typeof auditFacetNames)[number];

interface FacetPanelProps {
  filter: Filter;
  facets: FacetsView;
  onChange: (filter: Filter) => void;
}

/** What the matching entries have in common; a click narrows to it, another widens again. */
export function FacetPanel({ filter, facets, onChange }: FacetPanelProps) {
  const { answer, isLoading, failure, reload } = facets;
  return (
    <nav className={classes.panel} aria-label="Narrow by" aria-busy={isLoading}>
      <div className={classes.top}>
        <span>{answer === undefined ? 'Counts' : countText(answer)}</span>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="sm"
          onClick={reload}
          aria-label="Count again"
          title="Count again"
        >
          {isLoading ? <Loader size={12} /> : <Icon name="retry" size={14} />}
        </ActionIcon>
      </div>
      {failure !== undefined && (
        <p role="alert" className={classes.failure}>
          {failure}
        </p>
      )}
      {auditFacetNames.map((name) => (
        <Facet
          key={name}
          name={name}
          values={answer?.facets[name] ?? []}
          chosen={filter[name] ?? []}
          onToggle={(value) => onChange(toggled(filter, name, value))}
        />
      ))}
    </nav>
  );
}

function countText({ counted, is_complete: isComplete }: AuditFacets): string {
  const many = counted.toLocaleString();
  if (!isComplete) return `Newest ${many} counted`;
  return counted === 1 ? '1 entry' : `${many} entries`;
}

interface FacetProps {
  name: FacetName;
  values: readonly { value: string; count: number }[];
  chosen: readonly string[];
  onToggle: (value: string) => void;
}

function Facet({ name, values, chosen, onToggle }: FacetProps) {
  if (values.length === 0) return null;
  return (
    <section aria-label={filterLabels[name]}>
      <h2 className={classes.heading}>{filterLabels[name]}</h2>
      <ul className={classes.values}>
        {values.map(({ value, count }) => (
          <li key={value}>
            <button
              type="button"
              className={classes.value}
              aria-pressed={chosen.includes(value)}
              onClick={() => onToggle(value)}
              title={value}
            >
              <bdi className={classes.text}>{value}</bdi>
              <span className={classes.count}>{count.toLocaleString()}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
