import type { AuditEntry } from '@boardwire/contracts';
import { changesOf, type Change } from './changes.ts';
import classes from './entry-drawer.module.css';
import { contentOf, memberOf } from './entry-text.ts';

/** What the entry is about, or why that is not there any more. */
export function ContentView({ entry }: { entry: AuditEntry }) {
  // Bytes that are no JSON travel as base64, and are shown as that.
  const content = contentOf(entry) ?? memberOf(entry.detail, 'data_base64');
  const changes = changesOf(content);
  return (
    <section aria-label="Content">
      <h3 className={classes.section}>{changes === undefined ? 'Content' : 'What changed'}</h3>
      {entry.detail_state === 'held' ? (
        <>
          {changes !== undefined && <Changes changes={changes} />}
          <Content content={content} hasChanges={changes !== undefined} />
        </>
      ) : (
        <p className={classes.absence}>{absences[entry.detail_state]}</p>
      )}
    </section>
  );
}

const absences = {
  none: 'This entry never had content beside its record.',
  redacted:
    'The content was removed. The record and its proof are untouched: they hold the content’s hash, not the content.',
  expired:
    'The content’s time was up. The record and its proof are untouched: they hold the content’s hash, not the content.',
} as const;

function Content({ content, hasChanges }: { content: unknown; hasChanges: boolean }) {
  const text = memberOf(content, 'text');
  if (typeof text === 'string') {
    return (
      <p className={classes.json} dir="auto">
        {text}
      </p>
    );
  }
  if (hasChanges) return null;
  return <pre className={classes.json}>{content === undefined ? '(no data)' : JSON.stringify(content, null, 2)}</pre>;
}

function Changes({ changes }: { changes: readonly Change[] }) {
  if (changes.length === 0) return <p className={classes.absence}>Before and after are the same.</p>;
  return (
    <table className={classes.changes}>
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">Before</th>
          <th scope="col">After</th>
        </tr>
      </thead>
      <tbody>
        {changes.map(({ name, before, after }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td className={classes.before}>{valueText(before)}</td>
            <td>{valueText(after)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function valueText(value: unknown): string {
  if (value === undefined) return '(not set)';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
